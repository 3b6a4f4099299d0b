"""Nothing that comes from a file is Markdown's, or a shell's, in a plan."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from compat.settings import FILE, Origin
from migrate02.formats.findings import LEFT_ALONE
from migrate02.plan.commands import copy, on_its_machine, word
from migrate02.plan.listing import as_json
from migrate02.plan.markdown import as_markdown
from migrate02.plan.markdown_parts import paragraph, plain
from migrate02.plan.page import as_html
from migrate02.plan.planning import Plan, PlanOptions, make_plan
from migrate02.plan.runbook import runbook
from migrate02.plan.step import Step
from server.printable import printable
from tests.migrate02.plan.described import node
from tests.migrate02.running import migrate02

PLAIN = "m1"
HOSTILE = (
    "a|b|c",
    "`code`",
    "```\nrm -rf /\n```",
    "``````",
    "a\n\n# heading\n",
    "<img src=x onerror=alert(1)>",
    "<!-- ",
    "[here](http://evil.example/)",
    "![here](http://evil.example/x.png)",
    "](http://evil.example/)",
    "<http://evil.example/>",
    "**bold** _it_ __it__ *it* ~~gone~~",
    "a_b_c __init__",
    "# heading #",
    "- item",
    "1. item",
    "> said",
    "    code",
    "\tcode",
    "---",
    "===",
    "&lt;b&gt; &#60;",
    "a\\",
    "\\|",
    "[x]: http://evil.example/",
    "\x1b[2J\x07",
    "\udcff",
    "\ud800",
    "$(touch /tmp/never)",
    "`touch /tmp/never`",
    '$X"; touch /tmp/never; "',
    "${X:-$(touch /tmp/never)}",
    "\u202egnp.exe",
    "-oProxyCommand=touch /tmp/never",
    "",
)
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("a1 |`*_~<>[]()!#&;-+.=:\\\n\r\t$\"'{}\udcff"), max_size=12),
    st.text(max_size=8),
)

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def plan_of(text: str) -> Plan:
    """A plan of two nodes with the text wherever a text of a file comes into it."""
    nodes = [
        node(
            text or PLAIN,
            f"{text}/etcd.service",
            addr="10.0.0.1:4001",
            peer_addr="10.0.0.1:7001",
            data_dir=f"/d/{text}",
        ),
        node("other", addr="10.0.0.2:4001", peer_addr="10.0.0.2:7001", peers="10.0.0.1:7001"),
    ]
    origin = Origin(FILE, text, text, 3)
    told = LEFT_ALONE.finding("", origin, reason=f"what is in it: {text}", remedy=text)
    return make_plan(nodes, PlanOptions(token=text), [told])


def shape(text: str) -> list[tuple[str, str]]:
    """What a text is made of, without what it says."""
    return [
        (token.type, token.tag)
        for token in _tokens(PARSER.parse(text))
        if token.type not in ("text", "text_special")
    ]


def _tokens(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _tokens(token.children or [])


@settings(deadline=None)
@given(texts)
@example("`x`")
def test_no_text_makes_anything_of_a_plan(text: str) -> None:
    plan = plan_of(text)
    usual = plan_of("plain")
    if _sizes(plan) == _sizes(usual):
        assert shape(as_markdown(plan)) == shape(as_markdown(usual))
    for token in _tokens(PARSER.parse(as_markdown(plan))):
        assert token.type not in (
            "link_open",
            "image",
            "html_block",
            "html_inline",
            "em_open",
            "s_open",
            "blockquote_open",
        )


def _sizes(plan: Plan) -> list[tuple[bool, int]]:
    return [(cluster.is_refused, len(cluster.findings)) for cluster in plan.clusters]


BESIDE = {"{}": paragraph, "# {}": plain, "- **x** {}": plain}


@settings(deadline=None)
@given(texts.filter(str.strip), st.sampled_from(sorted(BESIDE)))
@example("[x]: http://evil.example/", "{}")
def test_a_text_reads_as_what_it_was(text: str, beside: str) -> None:
    tokens = [
        token for token in _tokens(PARSER.parse(beside.format(BESIDE[beside](text)))) if not token.children
    ]
    said = "".join(token.content for token in tokens if token.type in ("text", "text_special"))
    assert said.removeprefix("x" if "x" in beside else "").strip() == printable(text).strip()


@given(texts)
def test_every_line_of_a_runbook_is_one_line(text: str) -> None:
    for cluster in plan_of(text).clusters:
        for step in runbook(cluster):
            for line in _lines(step):
                assert line == printable(line)


def _lines(step: Step) -> tuple[str, ...]:
    return (*step.run, *step.check, *step.back, *(line for _, lines in step.sets for line in lines))


WORDS = [text for text in HOSTILE if text != "\ud800"]


def test_a_word_is_what_it_says_in_a_shell_and_runs_nothing(tmp_path: Path) -> None:
    """All in one process: each word is printed with a NUL behind it."""
    never = Path("/tmp/never")
    script = "X=value\n" + "".join(f"printf '%s\\0' {word(text)}\n" for text in WORDS)
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, timeout=60)
    assert not never.exists()
    said = done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    assert said == [text.replace("$X", "value") for text in WORDS]
    inner = "".join(f"sh -c {shlex.quote(f'true {word(text)}')}\n" for text in WORDS)
    subprocess.run(["bash", "-c", inner], check=True, timeout=60)
    assert not never.exists()


def test_a_variable_stays_one() -> None:
    assert word("http://$IP:4001") == '"http://${IP:?}:4001"'
    assert word("$(hostname)") == '"$(hostname)"'


@pytest.mark.parametrize(
    ("text", "shown", "without"),
    [
        ("http://$IP:4001", "http://10.0.0.1:4001", None),
        ("http://${IP}:4001", "http://10.0.0.1:4001", None),
        ("http://${IP:-127.0.0.1}:4001", "http://10.0.0.1:4001", "http://127.0.0.1:4001"),
        ("a $IP b", "a 10.0.0.1 b", None),
    ],
)
def test_a_variable_without_a_value_ends_the_line_before_anything_runs(
    text: str, shown: str, without: str | None
) -> None:
    line = f"printf %s {word(text)}"
    assert _said(line, IP="10.0.0.1") == shown
    assert _said(line) == without
    assert _said(line, IP="") == without
    far = f"sh -c {shlex.quote(line)}"  # as behind ssh
    assert _said(far, IP="10.0.0.1") == shown
    assert _said(far) == without


def _said(line: str, **environment: str) -> str | None:
    """What a shell prints, or None where it refuses the line."""
    done = subprocess.run(
        ["sh", "-c", line], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        assert "IP" in done.stderr
        assert done.stdout == ""
        return None
    return done.stdout


def test_a_machine_is_no_option() -> None:
    described = node("-oProxyCommand=x")._replace(settings={})
    assert described.machine == ""
    assert on_its_machine(described, "true") == "ssh -- -oProxyCommand=x true"
    assert copy(described, "a", "b").startswith("rsync -a -- -oProxyCommand=x:a/ ")


@pytest.mark.parametrize("form", [[], ["--html"], ["--json"]])
def test_a_file_whose_name_is_no_text_is_in_the_plan(tmp_path: Path, form: list[str]) -> None:
    path = Path(str(tmp_path / "etcd-") + "\udcff\x1b[1m\n.env")
    path.write_text("ETCD_NAME=m1\nETCD_ADDR=10.0.0.1:4001\nETCD_PEER_ADDR=10.0.0.1:7001\n")
    run = migrate02("plan", *form, tmp_path)
    assert run.status in (0, 2)
    assert "\x1b" not in run.out + run.err
    assert run.out.encode()


def test_what_is_made_of_a_plan_can_be_written(tmp_path: Path) -> None:
    for text in HOSTILE:
        plan = plan_of(text)
        for made in (as_markdown(plan), as_html(plan), as_json(plan)):
            made.encode()
