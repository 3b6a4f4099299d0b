"""The snapshots that are computed from a log against those that real etcd 3.5 wrote at the same index."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from migrate02.datadir.keyspace3x import KeySpace
from migrate02.datadir.member3x import Member3x, read_member
from server.storage.etcd3.messages import ConfState, SnapshotOf3x
from server.storage.etcd3.snapfiles import read_snapshot
from server.store import Store
from tests.migrate02.running import migrate02
from tests.support.cluster import wait_until
from tests.support.etcd3 import Node, cluster_flags
from tests.support.process import PATIENCE
from tests.support.real_etcd import HOW_35, etcd35, required

pytestmark = [pytest.mark.real_etcd, pytest.mark.slow]

WRITES = 8
FLAGS = "--snapshot-count=5", "--max-snapshots=0"
"""A snapshot for about every sixth entry, and none is purged."""


def insist(ask: Callable[[], object]) -> None:
    """Until the cluster agrees: it wants a new member to have caught up, and all to have been connected for a while."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            ask()
        except urllib.error.HTTPError as error:
            said = error.read()
            time.sleep(0.2)
        else:
            return
    raise AssertionError(said)


class Growing:
    """A cluster that begins with one member; ``m0`` is asked for all changes."""

    def __init__(self, directory: Path, binary: Path, stack: ExitStack) -> None:
        self.nodes: dict[str, Node] = {}
        self._directory, self._binary, self._stack = directory, binary, stack
        self._writes = 0
        self._node("m0").start(binary, cluster_flags(list(self.nodes.values())))

    def _node(self, name: str) -> Node:
        self.nodes[name] = self._stack.enter_context(Node(self._directory / name, *FLAGS))
        return self.nodes[name]

    def write(self) -> None:
        for _ in range(WRITES):
            self._writes += 1
            self.nodes["m0"].api.put(f"k{self._writes}", "x")

    def change(self, what: str, **body: object) -> None:
        insist(lambda: self.nodes["m0"].api.ask(f"/v3/cluster/member/{what}", body))
        self.write()

    def remove(self, name: str) -> None:
        self.change("remove", ID=self.id_of(name))
        self.nodes[name].stop()

    def add(self, name: str, *, is_learner: bool = False) -> Node:
        node = self._node(name)
        body = {"peerURLs": [node.peer_url], "isLearner": is_learner}
        insist(lambda: self.nodes["m0"].api.ask("/v3/cluster/member/add", body))
        there = ",".join(
            f"{member.get('name') or name}={url}" for member in self._members() for url in member["peerURLs"]
        )
        node.begin(self._binary, f"--initial-cluster={there}", "--initial-cluster-state=existing")
        wait_until(lambda: self._member(node).get("name") == name, f"{name} is there")
        self.write()
        return node

    def _members(self) -> list[dict[str, Any]]:
        return list(self.nodes["m0"].api.ask("/v3/cluster/member/list", {})["members"])

    def _member(self, node: Node) -> dict[str, Any]:
        return next(member for member in self._members() if node.peer_url in member["peerURLs"])

    def id_of(self, name: str) -> str:
        return str(self._member(self.nodes[name])["ID"])


def members_in(document: bytes) -> dict[str, bytes]:
    """What is below ``/0``."""
    store = Store()
    store.recover(document)
    frozen = store.freeze()
    return {path: file.value or b"" for path, file in frozen.files.items() if path.startswith("/0/")}


def computed(member: Member3x, index: int, first: SnapshotOf3x | None) -> tuple[dict[str, bytes], ConfState]:
    """From the log alone, or from an older snapshot on."""
    space = KeySpace(first)
    for entry in member.log.entries_after(first.index if first else 0):
        if entry.index <= index:
            space.apply(entry)
    assert space.index == index
    return members_in(space.store.freeze().encode()), space.membership.conf_state


def check_snapshots(path: Path, *, is_log_whole: bool) -> int:
    """How many were computed. A member that came later began with its leader's snapshot."""
    member = read_member(path)
    before: SnapshotOf3x | None = None
    count = 0
    for file in sorted(member.snap.glob("*.snap")):
        written = read_snapshot(file)
        theirs = members_in(written.data), written.conf_state
        if is_log_whole:
            assert computed(member, written.index, None) == theirs, file
        if before is not None:
            assert computed(member, written.index, before) == theirs, file
            count += 1
        before = written
    return count


def through_changes(cluster: Growing, *, changes_in_place: bool) -> list[Node]:
    """A learner, its promotion or removal, voters, a removal, and another learner. With ``changes_in_place`` there are the
    promotion and a new peer URL: 3.5.1 writes neither into the database. Those that are members then, stopped."""
    cluster.write()
    cluster.add("m1", is_learner=True)
    if changes_in_place:
        cluster.change("promote", ID=cluster.id_of("m1"))
    else:
        cluster.remove("m1")
    cluster.add("m2")
    if changes_in_place:
        cluster.remove("m2")
    m3 = cluster.add("m3")
    if changes_in_place:
        another = m3.peer_url.replace("127.0.0.1", "localhost")
        cluster.change("update", ID=cluster.id_of("m3"), peerURLs=[m3.peer_url, another])
    cluster.add("m4", is_learner=True)
    left = [node for node in cluster.nodes.values() if node.runs]
    for node in left:
        node.stop()
    return left


def test_a_computed_snapshot_is_what_etcd_wrote_through_all_changes_of_members(tmp_path: Path) -> None:
    with ExitStack() as stack:
        cluster = Growing(tmp_path, required(etcd35(), HOW_35), stack)
        first, promoted, third, learner = through_changes(cluster, changes_in_place=True)
    assert check_snapshots(first.path, is_log_whole=True) > 6
    assert check_snapshots(promoted.path, is_log_whole=False) > 4
    assert check_snapshots(third.path, is_log_whole=False) > 1
    check_snapshots(learner.path, is_log_whole=False)
    state = read_snapshot(max(read_member(first.path).snap.glob("*.snap"))).conf_state
    assert (len(state.voters), len(state.learners)) == (3, 1)


@pytest.mark.parametrize("change", ["promotion", "peer URL"])
def test_a_change_of_members_that_did_not_come_to_the_database_is_refused(
    change: str, tmp_path: Path
) -> None:
    """As 3.5.1 to 3.5.19 leave it (etcd-io/etcd #19557); with a later one the directory is cleaned."""
    with ExitStack() as stack:
        cluster = Growing(tmp_path, required(etcd35(), HOW_35), stack)
        m0 = cluster.nodes["m0"]
        if change == "promotion":
            cluster.add("m1", is_learner=True)
            cluster.change("promote", ID=cluster.id_of("m1"))
        else:
            urls = [m0.peer_url, m0.peer_url.replace("127.0.0.1", "localhost")]
            cluster.change("update", ID=cluster.id_of("m0"), peerURLs=urls)
        for node in cluster.nodes.values():
            node.stop()
    member = read_member(m0.path)
    assert member.database is not None
    is_there = not member.database.learners and (
        change == "promotion" or len(member.database.members[member.log.metadata.node_id]) == 2
    )
    run = migrate02("v2store", "clean", "--write", m0.path)
    if is_there:
        assert run.status in (0, 2), run.err
    else:
        assert run.status == 3
        assert "The newest 3.5 puts that right when it starts" in run.err


def test_a_cleaned_cluster_has_the_members_that_all_changes_left(tmp_path: Path) -> None:
    binary = required(etcd35(), HOW_35)
    with ExitStack() as stack:
        cluster = Growing(tmp_path, binary, stack)
        left = through_changes(cluster, changes_in_place=False)
        assert [node.name for node in left] == ["m0", "m2", "m3", "m4"]
        for node in left:
            node.begin(binary)
        for node in left[:3]:  # a learner answers no reads
            node.wait()
        served = left[0].api.served()
        assert len(served.members) == 4
        for node in left:
            node.stop()
        run = migrate02("v2store", "clean", "--write", *(node.path for node in left))
        assert run.status == 0, run.err
        for node in left:
            node.begin(binary)
        for node in left[:3]:
            node.wait()
            assert node.api.served() == served
