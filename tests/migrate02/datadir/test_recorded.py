"""Directories of a real etcd 0.4.9: what it served from them is what a member of 2.x has afterwards."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path

import pytest

from migrate02.datadir.conversion import Request, convert_one, convert_together
from migrate02.datadir.errors import NotAMember
from migrate02.datadir.listing import Key, digest, user_keys
from migrate02.datadir.reader2x import read_member
from migrate02.datadir.sides import without_overdue
from server.http.messages import Response
from server.store.gojson import format_time
from tests.support.datadirs04 import Recorded, expected, recorded, unpack
from tests.support.served import Served, serve, whole_body

MEMBERS = recorded("member")
SMALL = [one for one in MEMBERS if one.fixture != "s-large"]
ETCD = Key("/_etcd", None, 1, 1, None)
"""In the list of what is 0.4's own, but kept where users put keys below it."""


def test_all_that_was_recorded_is_here() -> None:
    assert len(MEMBERS) == 18
    assert {one.role for one in recorded()} == {"member", "standby", "removed"}


@pytest.mark.parametrize("one", SMALL, ids=str)
def test_keys_indexes_and_ttls_are_those_that_0_4_9_serves(one: Recorded, tmp_path: Path) -> None:
    result = convert_one(one.unpack(tmp_path), tmp_path / "new", Request())
    state = read_member(tmp_path / "new")
    found = {key.path: key for key in user_keys(state.store)}
    if any(path.startswith("/_etcd/") for path in found):
        assert found.pop("/_etcd") == ETCD
    assert found == one.keys()
    assert state.store.index == one.expected["etcd_index"]
    assert result.image.keys == len(list(user_keys(state.store)))


def test_a_large_one_too(tmp_path: Path) -> None:
    source, wanted = unpack("s-large", tmp_path) / "large", expected("s-large")
    convert_one(source, tmp_path / "new", Request())
    state = read_member(tmp_path / "new")
    keys = list(user_keys(state.store))
    assert len(keys) == wanted["count"]
    assert digest(keys, state.store.index) == wanted["digest"]
    assert state.store.index == wanted["etcd_index"]


@pytest.mark.parametrize("one", MEMBERS, ids=str)
def test_the_member_has_its_name_and_addresses(one: Recorded, tmp_path: Path) -> None:
    convert_one(one.unpack(tmp_path), tmp_path / "new", Request())
    state = read_member(tmp_path / "new")
    listed = {member.name: (member.peer_urls, member.client_urls) for member in state.members}
    assert listed == {
        name: ((urls["peerURL"],), (urls["clientURL"],)) for name, urls in one.expected["members"].items()
    }
    own = state.members.get(state.member_id)
    assert own is not None
    assert own.name == next(known["name"] for known in one.expected["dirs"] if known["path"] == one.directory)


@pytest.mark.parametrize("one", recorded("standby", "removed"), ids=str)
def test_a_standby_has_nothing_to_convert_and_becomes_a_proxy(one: Recorded, tmp_path: Path) -> None:
    with pytest.raises(NotAMember) as refused:
        convert_one(one.unpack(tmp_path), tmp_path / "new", Request())
    assert f"--proxy on --initial-cluster {one.expected['initial_cluster']}" in str(refused.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("fixture", ["s-cluster4to3", "s-standby"])
def test_the_members_of_a_cluster_get_the_same_state(fixture: str, tmp_path: Path) -> None:
    source = unpack(fixture, tmp_path)
    result = convert_together(sorted(source.iterdir()), tmp_path / "out", Request())
    assert [standby.path.name for standby in result.standbys] == ["n4"]
    assert [written.path.name for written in result.written] == ["n1", "n2", "n3"]
    assert result.warnings == []
    states = [read_member(written.path) for written in result.written]
    snapshots = {(state.snapshot_index, state.index, state.term) for state in states}
    assert snapshots == {(expected(fixture)["etcd_index"], expected(fixture)["etcd_index"], 1)}
    (keys,) = {tuple(user_keys(state.store)) for state in states}
    assert {key.path: key for key in keys} == Recorded(fixture, "n1").keys()
    assert len({state.members.cluster_id for state in states}) == 1
    assert {state.member_id for state in states} == {member.id for member in states[0].members}


@pytest.mark.parametrize(
    ("fixture", "cut"), [("payload", 29), ("header", 5), ("headonly", 9), ("zeros", 512)]
)
def test_a_torn_tail_is_passed_over_and_told_of(fixture: str, cut: int, tmp_path: Path) -> None:
    source = unpack(f"s-torn-{fixture}", tmp_path) / "torn"
    before = (source / "log").read_bytes()
    result = convert_one(source, tmp_path / "new", Request())
    (warning,) = result.warnings
    assert warning.startswith(f"{source / 'log'}, byte 4017: the log ends with {cut} bytes")
    assert (source / "log").read_bytes() == before


@pytest.mark.parametrize("fixture", ["s-badsnap", "s-badsnap2"])
def test_a_damaged_newest_snapshot_gives_way_to_the_one_before(fixture: str, tmp_path: Path) -> None:
    result = convert_one(unpack(fixture, tmp_path) / "snapA", tmp_path / "new", Request())
    assert re.search(r"\.ss, byte 0: the snapshot is damaged", result.warnings[0])
    assert "lost here" in result.warnings[1]


@pytest.mark.parametrize("one", MEMBERS, ids=str)
def test_the_bundled_server_serves_what_0_4_9_served(one: Recorded, tmp_path: Path) -> None:
    """Of three members, one alone has no leader, and still shows what it has."""
    convert_one(one.unpack(tmp_path), tmp_path / "new", Request())
    keys = one.keys() if "keys" in one.expected else {}
    alone = len(one.expected["members"]) == 1
    now = time.time_ns()

    async def ask(served: Served) -> None:
        found: dict[str, object] = {}
        for root in ("/", *one.expected["hidden_roots"]):
            response = await served.ask("GET", f"/v2/keys{root}?recursive=true")
            assert isinstance(response, Response), root
            if response.status == 404:
                continue
            todo = [json.loads(await whole_body(response))["node"]]
            for node in todo:
                todo += node.get("nodes", ())
                if "key" in node:
                    found[node["key"]] = _shown(node)
        found.pop(ETCD.path, None)
        if keys:
            live = without_overdue(sorted(keys.values(), key=lambda key: key.path.split("/")), now)
            assert found == {key.path: _wanted(key) for key in live}
        else:
            assert len(found) == one.expected["count"]
        assert served.node.store.index >= one.expected["etcd_index"]

    async def when_expired(served: Served) -> None:
        overdue = [key.path for key in keys.values() if key.expiration is not None and key.expiration < now]
        for path in overdue if alone else ():
            while (await served.ask("GET", f"/v2/keys{path}")).status != 404:
                await asyncio.sleep(0.01)
        await ask(served)

    serve(tmp_path / "new", when_expired, wait_for_leader=alone, wall=lambda: now)


def _shown(node: dict[str, object]) -> tuple[object, ...]:
    return (
        None if node.get("dir") else node["value"],
        node["createdIndex"],
        node["modifiedIndex"],
        node.get("expiration"),
    )


def _wanted(key: Key) -> tuple[object, ...]:
    return (
        None if key.value is None else key.value.decode(),
        key.created_index,
        key.modified_index,
        None if key.expiration is None else format_time(key.expiration),
    )
