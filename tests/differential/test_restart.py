"""What was written before a restart is answered after it, as a real etcd does that was restarted, too."""

import signal
from pathlib import Path

import pytest

from tests.differential.compare import differences
from tests.differential.oracle import oracle
from tests.differential.pair import PADDING, Pair, as_curl
from tests.differential.sequences import Ask

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

SLACK = 20
"""Seconds: events made again from the log have the TTL of that moment, and the two do not start in the same one."""

WRITES = [
    ("PUT", "/file", "value=1"),
    ("PUT", "/file", "value=2&prevExist=true"),
    ("PUT", "/file", "value=3&prevValue=2"),
    ("PUT", "/file", "value=4&prevValue=2"),
    ("PUT", "/file/below", "value=4"),
    ("PUT", "/bytes", "value=%ff%c3%a9%00%3C%e2%80%a8"),
    ("PUT", "/%c3%a9", "value=%c3%a9"),
    ("PUT", "/%ef%bf%bd%20", "value="),
    ("PUT", "/empty", "dir=true"),
    ("PUT", "/empty", "prevExist=true&ttl=5000"),
    ("PUT", "/deep/er/and/deeper", "value=1&ttl=1000"),
    ("PUT", "/deep/er/and/deeper", "ttl=2000&refresh=true"),
    ("PUT", "/deep/er/_hidden/x", "value=1"),
    ("PUT", "/_hidden", "value=1"),
    ("PUT", "/replaced", "value=1"),
    ("PUT", "/replaced", "dir=true"),
    ("POST", "/queue", "value=1"),
    ("POST", "/queue", "value=2&ttl=3000"),
    ("POST", "", "dir=true"),
    ("PUT", "/gone/a", "value=1"),
    ("PUT", "/gone/b", "value=1"),
    ("DELETE", "/gone", "recursive=true"),
    ("DELETE", "/gone", "recursive=true"),
    ("PUT", "/gone/again", "value=2"),
    ("DELETE", "/gone/again", "prevValue=2"),
    ("DELETE", "/gone", "dir=true"),
    ("PUT", "/once", "value=1&prevExist=false"),
    ("PUT", "/once", "value=1&prevExist=false"),
    ("PUT", "/forever", "value=1&ttl=9223372037"),
    ("PUT", "/short", "value=1&ttl=1"),
    ("PUT", "/last", "value=1"),
]
QUESTIONS = [
    ("", "recursive=true&sorted=true"),
    ("", "quorum=true&sorted=true"),
    ("/deep/er/_hidden", "recursive=true"),
    ("/_hidden", ""),
    ("/file", ""),
    ("/file/below", ""),
    ("/gone", ""),
    ("/short", ""),
    ("", "wait=true&waitIndex=1"),
    *(
        ("", f"wait=true&recursive=true&waitIndex=<i-{back}>")
        for back in (*range(1, 5), *range(150, 200), 997, 998, 999, 1000)
    ),
]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("snapshot_count", ["100", "10000"])
def test_a_restart_changes_no_answer(tmp_path: Path, number: signal.Signals, snapshot_count: str) -> None:
    with Pair(oracle(), tmp_path, snapshot_count=snapshot_count) as pair:
        pair.align()
        for method, key, query in WRITES:
            ask_both(pair, Ask(method, b"/v2/keys" + key.encode(), query.encode()))
        assert pair.wait_for_index(pair.indices()[0] + 1), "the short-lived key does not expire"
        for _ in range(150):  # so that both have all of these in a snapshot, or neither has one
            ask_both(pair, PADDING)
        pair.restart(number)
        pair.align()
        for key, query in QUESTIONS:
            ask_both(pair, Ask("GET", b"/v2/keys" + key.encode(), query.encode()))


def ask_both(pair: Pair, ask: Ask) -> None:
    ask = ask.resolved(b"", pair.indices()[1])
    ours, theirs = pair.ask(ask)
    if found := differences(ask, ours, pair.expected(ask, ours, theirs), slack=SLACK):
        raise AssertionError("\n".join([as_curl(ask), *found]))
