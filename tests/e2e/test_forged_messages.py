"""Forged messages posted to the peer port of real processes: the cluster goes on, and so does each member after a restart."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from server.peer.codec import encode_message
from server.raft import Entry, EntryType, HardState, Message, MessageType, Snapshot
from server.storage.codec import ConfChange, ConfChangeType, encode_conf_change
from server.storage.wal import WAL
from server.store.store import Store
from tests.support.cluster import Cluster, ClusterMember, kind
from tests.support.process import Member, keys_below, request
from tests.support.real_etcd import HOW_34, etcd34, required

pytestmark = pytest.mark.slow

LAST = (1 << 64) - 1
STRANGER = 0xBAD

Forged = Callable[[int, int, int, Sequence[int]], Message]
"""A message, of: to, from, term, members."""

FORGED: dict[str, Forged] = {
    "a heartbeat of the last term": lambda to, sender, term, members: Message(
        MessageType.HEARTBEAT, to, sender, LAST
    ),
    "a vote of the last term": lambda to, sender, term, members: Message(
        MessageType.VOTE, to, sender, LAST, LAST, LAST
    ),
    "an append of the last index": lambda to, sender, term, members: Message(
        MessageType.APPEND, to, sender, term, LAST - 1, term, LAST, (Entry(term, LAST, b"x"),)
    ),
    "a commit beyond the log": lambda to, sender, term, members: Message(
        MessageType.HEARTBEAT, to, sender, term, commit=1 << 40
    ),
    "a snapshot at the last index": lambda to, sender, term, members: Message(
        MessageType.SNAPSHOT, to, sender, term, snapshot=Snapshot(LAST, term, tuple(members), Store().save())
    ),
    "an empty snapshot": lambda to, sender, term, members: Message(
        MessageType.SNAPSHOT,
        to,
        sender,
        term + 1,
        snapshot=Snapshot(10_000, term, tuple(members), Store().save()),
    ),
    "a snapshot that is none": lambda to, sender, term, members: Message(
        MessageType.SNAPSHOT, to, sender, term + 1, snapshot=Snapshot(10_000, term, tuple(members), b"junk")
    ),
    "a junk proposal": lambda to, sender, term, members: Message(
        MessageType.PROPOSE, to, sender, entries=(Entry(0, 0, b"\xff\xff"),)
    ),
    "a junk change": lambda to, sender, term, members: Message(
        MessageType.PROPOSE, to, sender, entries=(Entry(0, 0, b"\xff\xff", EntryType.CONF_CHANGE),)
    ),
    "an answer of a stranger": lambda to, sender, term, members: Message(
        MessageType.APPEND_RESPONSE, to, STRANGER, term + 1, index=5
    ),
    "a message to another": lambda to, sender, term, members: Message(
        MessageType.HEARTBEAT, STRANGER, sender, term + 1
    ),
}


def post(member: ClusterMember, message: Message) -> int:
    """Posts it as anybody can, who knows the cluster's id; that is told to everybody."""
    cluster = request(member.peer_port, "GET", "/members").headers["x-etcd-cluster-id"]
    headers = {"X-Etcd-Cluster-ID": cluster, "X-Server-Version": "2.3.8", "X-Min-Cluster-Version": "2.2.0"}
    return request(member.peer_port, "POST", "/raft", body=encode_message(message), headers=headers).status


def ids(member: ClusterMember) -> dict[str, int]:
    members: list[dict[str, object]] = json.loads(request(member.peer_port, "GET", "/members").body)
    return {str(one["name"]): int(str(one["id"])) for one in members}


def test_no_forged_message_outside_the_bounds_moves_a_cluster_or_outlives_it(tmp_path: Path) -> None:
    with Cluster(tmp_path, [kind("bundled")] * 3) as cluster:
        cluster.start()
        leader = cluster.wait_until_healthy()
        known = ids(leader)
        for member in cluster.members:
            sender = known[next(other.name for other in cluster.members if other is not member)]
            for name, forged in FORGED.items():
                message = forged(known[member.name], sender, _term(member), tuple(known.values()))
                assert post(member, message) == 500, name
        assert cluster.wait_until_healthy() is leader  # nobody had to be elected
        for member in cluster.members:
            member.write("/by", member.name)
            text = member.request("GET", "/metrics").body.decode()
            for reason in ("commit", "entry", "index", "receiver", "sender", "snapshot", "term"):
                assert f'etcd_server_peer_messages_refused_total{{reason="{reason}"}}' in text
            assert "refused a message of type HEARTBEAT from " in member.log
        for member in cluster.members:
            member.kill()
        for member in cluster.members:
            member.start()
        cluster.wait_until_healthy()
        cluster.wait_until_same()
        assert cluster.panics() == []


def _term(member: ClusterMember) -> int:
    """Of the last entry, which is the leader's own term."""
    return int(member.request("GET", "/v2/keys/").headers["x-raft-term"])


def test_plausible_urls_that_nobody_can_dial_end_nobody(tmp_path: Path) -> None:
    with Cluster(tmp_path, [kind("bundled")] * 3) as cluster:
        cluster.start()
        leader = cluster.wait_until_healthy()
        known = ids(leader)
        for number, url in enumerate(("junk", "http://[::1", "http://\\ud800:x", "")):
            context = b'{"id":%d,"peerURLs":["%s"]}' % (number + 5, url.encode())
            change = encode_conf_change(ConfChange(ConfChangeType.ADD_NODE, number + 5, 1, context))
            sender = next(number for name, number in known.items() if name != leader.name)
            entry = Entry(0, 0, change, EntryType.CONF_CHANGE)
            assert (
                post(leader, Message(MessageType.PROPOSE, known[leader.name], sender, entries=(entry,)))
                == 204
            )
            if number == 0:
                leader.write("/after", "one of four is not there")
        assert cluster.panics() == []
        assert all(member.running for member in cluster.members)


@pytest.mark.real_etcd
def test_a_real_etcd_opens_what_force_new_cluster_made_of_a_log_with_a_forged_term(tmp_path: Path) -> None:
    binary = str(required(etcd34(), HOW_34))
    member = Member(tmp_path / "d")
    with member.start() as ours:
        for number in range(20):
            assert ours.put(f"/k{number}", "v").status == 201
        ours.kill()
    wal, contents = WAL.open(tmp_path / "d" / "member" / "wal")
    wal.save(HardState(LAST, 0, contents.hard_state.commit), [])
    wal.close()
    with member.launch() as refused:
        assert refused.popen.wait(20) == 1
        assert "--force-new-cluster" in refused.log
        assert "Traceback" not in refused.log
    member.settings["force-new-cluster"] = "true"
    with member.start() as forced:
        expected = list(keys_below(forced.get("/", "recursive=true&sorted=true").json()["node"]))
        assert len(expected) == 20
        forced.stop()
    del member.settings["force-new-cluster"]
    with member.start_real(binary, "--enable-v2") as real:
        assert list(keys_below(real.get("/", "recursive=true&sorted=true").json()["node"])) == expected
        assert real.put("/more", "x").status == 201
