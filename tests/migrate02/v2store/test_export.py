"""``migrate02 v2store export`` on recorded directories: what the v2 API of their member listed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from tests.migrate02.running import migrate02
from tests.support.datadirs35 import NAMES, facts, unpack

NOT_KNOWN_TO_BE_COMMITTED = ("three-killed",)
"""Each of the members has the last write before they were killed, and none knows that it was committed. They committed
it when they were started again, and so it was listed."""


def hidden(nodes: list[dict[str, Any]]) -> Iterator[tuple[str, str | None, int]]:
    for node in nodes:
        yield node["key"], node.get("value"), node["modifiedIndex"]
        yield from hidden(node.get("nodes", []))


def listed(name: str) -> dict[str, str | None]:
    """The visible keys, as they were recorded; of many only the rule."""
    keys = facts(name)["v2_keys"]
    if name == "big":
        assert keys["count"] == 20052
        namespaces = {f"/registry/pods/ns{i % 50}/": None for i in range(20000)}
        pods = {f"/registry/pods/ns{i % 50}/pod{i}": f'{{"i":{i}}}' for i in range(20000)}
        assert keys["count"] == 20052
        return {"/registry/": None, "/registry/pods/": None, **namespaces, **pods}
    return dict(keys)


@pytest.mark.parametrize("name", NAMES)
def test_an_export_has_what_the_v2_api_listed_and_hidden_keys_and_inspect_tells_whose_they_are(
    name: str, tmp_path: Path
) -> None:
    for number, path in enumerate(unpack(name, tmp_path)):
        run = migrate02("v2store", "export", path)
        rows = [json.loads(line) for line in run.out.splitlines()]
        assert {
            row["key"] + ("/" if "dir" in row else ""): row.get("value")
            for row in rows
            if "/_" not in row["key"]
        } == listed(name)
        assert [
            (row["key"], row.get("value"), row["modifiedIndex"]) for row in rows if "/_" in row["key"]
        ] == list(hidden(facts(name).get("v2_hidden", [])))
        assert run.status == DONE
        assert (
            ("note: " in run.err)
            == ("not known to be committed" in run.err)
            == (name in NOT_KNOWN_TO_BE_COMMITTED)
        )
        assert migrate02("data", "export", path) == run
        told = json.loads(migrate02("data", "inspect", "--json", path).out)
        assert (told["keys"], told["kind"], told["role"], told["damage"]) == (len(rows), "3.x", "member", [])
        check_who(told, name, number)


def check_who(told: dict[str, Any], name: str, number: int) -> None:
    recorded = facts(name)
    assert told["version"] == ("3.6.0" if name == "on-36" else "3.5.0")
    assert told["name"] == recorded["nodes"][number]["name"]
    assert int(told["clusterId"], 16) == int(recorded["cluster_id"], 16)
    assert told["memberId"] in recorded["member_ids"]
    assert told["members"] == {node["name"]: [node["peer"]] for node in recorded["nodes"]}
    assert told["snapshotIndex"] <= told["committedIndex"] <= told["lastIndex"]


def test_a_key_tells_when_it_expires(tmp_path: Path) -> None:
    (path,) = unpack("ttl", tmp_path)
    rows = [json.loads(line) for line in migrate02("v2store", "export", path).out.splitlines()]
    assert [(row["key"], row.get("expiration", "")[:10]) for row in rows] == [
        ("/lock", ""),
        ("/lock/a", "2030-01-29"),
    ]


def test_a_log_elsewhere_is_named(tmp_path: Path) -> None:
    (path,) = unpack("wal-only", tmp_path)
    before = migrate02("v2store", "export", path)
    (path / "member" / "wal").rename(tmp_path / "elsewhere")
    assert migrate02("v2store", "export", "--wal-dir", tmp_path / "elsewhere", path) == before
    assert migrate02("v2store", "export", path).status == REFUSED


def test_what_is_there_of_a_torn_log_is_written_and_the_place_told(tmp_path: Path) -> None:
    (path,) = unpack("wal-only", tmp_path)
    whole = migrate02("v2store", "export", path)
    (segment,) = (path / "member" / "wal").glob("*.wal")
    raw = segment.read_bytes().rstrip(b"\0")
    segment.write_bytes(raw[:-3])
    torn = migrate02("v2store", "export", path)
    assert (torn.status, torn.out) == (RESIDUE, whole.out)
    assert f"warning: {segment}, byte " in torn.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "the following arguments are required: DIR"),
        (("--to", "http://h:1", "x"), "--to goes with --as v2"),
        (("--overwrite", "x"), "--overwrite goes with --as etcdctl or --as v2"),
        (("--as", "yaml", "x"), "invalid choice: 'yaml'"),
        (("nowhere",), "nowhere: no data directory of etcd is here"),
    ],
)
def test_what_cannot_be_done_is_one_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    run = migrate02("v2store", "export", *words, cwd=tmp_path)
    assert (run.status, run.out, run.err.count("\n")) == (REFUSED, "", 1)
    assert says in run.err
