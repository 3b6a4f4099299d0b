"""A directory written here opens in real etcd, which then serves the keys in it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from server.cluster.members import Members
from server.node.applier import Applier
from server.raft import EMPTY_HARD_STATE, Entry, EntryType, HardState, Raft, RaftLog, Snapshot
from server.storage.boltfile import empty_database
from server.storage.codec import ConfChange, ConfChangeType, WalMetadata, encode_conf_change
from server.storage.datadir import prepare
from server.storage.errors import NewerFormatError
from server.storage.replay import read_wal
from server.storage.requests import StoreRequest, encode_request
from server.storage.snapshots import SnapshotDir, persist_received_snapshot
from server.storage.v3 import V3Data, write_mark
from server.storage.wal import WAL
from server.store.store import Store
from tests.support import real_etcd

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

PEER_URL = "http://127.0.0.1:17001"
TOKEN = "etcd-cluster"
LATE = 4_000_000_000 * 10**9  # unix nanoseconds, in the year 2096

REQUESTS = [
    StoreRequest(method="PUT", path="/1/a", val=b"first"),
    StoreRequest(method="PUT", path="/1/dir/b", val="zwölf".encode()),
    StoreRequest(method="PUT", path="/1/a", val=b"second"),
    StoreRequest(method="PUT", path="/1/gone", val=b"x"),
    StoreRequest(method="DELETE", path="/1/gone"),
    StoreRequest(method="PUT", path="/1/empty", dir=True),
    StoreRequest(method="PUT", path="/1/ttl", val=b"t", expiration=LATE),
    StoreRequest(method="POST", path="/1/queue", val=b"q"),
    StoreRequest(method="PUT", path="/1/a", val=b"third", prev_value=b"second"),
    StoreRequest(method="PUT", path="/1/a", val=b"fails", prev_exist=False),
]


def write_data_dir(data_dir: Path) -> WalMetadata:
    """What a member alone in its cluster leaves: born by a conf change, elected in term 2, then the requests."""
    node_id = int.from_bytes(hashlib.sha1((PEER_URL + TOKEN).encode()).digest()[:8])
    cluster_id = int.from_bytes(hashlib.sha1(node_id.to_bytes(8)).digest()[:8])
    metadata = WalMetadata(node_id, cluster_id)
    wal_dir, _ = prepare(data_dir)
    wal = WAL.create(wal_dir, metadata)
    context = json.dumps(
        {"id": node_id, "peerURLs": [PEER_URL], "name": "solo"}, separators=(",", ":")
    ).encode()
    birth = encode_conf_change(ConfChange(ConfChangeType.ADD_NODE, node_id, context=context))
    wal.save(HardState(1, 0, 1), [Entry(1, 1, birth, EntryType.CONF_CHANGE)])
    wal.save(HardState(2, node_id, 1), [Entry(2, 2)])
    for index, request in enumerate(REQUESTS, start=3):
        request.id = node_id & 0xFFFF_0000_0000_0000 | index
        wal.save(HardState(2, node_id, index), [Entry(2, index, encode_request(request))])
    wal.close()
    return metadata


@pytest.mark.parametrize(
    ("find", "how"),
    [(real_etcd.etcd34, real_etcd.HOW_34), (real_etcd.etcd35, real_etcd.HOW_35)],
    ids=["3.4", "3.5"],
)
def test_real_etcd_serves_what_was_written_here(
    tmp_path: Path, find: Callable[[], Path | None], how: str
) -> None:
    binary = real_etcd.required(find(), how)
    data_dir = tmp_path / "solo.etcd"
    metadata = write_data_dir(data_dir)
    flags = ("--name=solo", "--enable-v2", "--logger=zap")
    with real_etcd.running(binary, data_dir, tmp_path / "log", *flags) as member:
        a = member.get("/v2/keys/a")
        assert a.headers["X-Etcd-Cluster-Id"] == f"{metadata.cluster_id:x}"
        assert a.body["node"] == {"key": "/a", "value": "third", "modifiedIndex": 10, "createdIndex": 4}
        assert member.get("/v2/keys/dir/b").body["node"]["value"] == "zwölf"
        assert member.get("/v2/keys/gone").status == 404
        assert member.get("/v2/keys/empty").body["node"]["dir"] is True
        assert member.get("/v2/keys/ttl").body["node"]["expiration"] == "2096-10-02T07:06:40Z"
        (queued,) = member.get("/v2/keys/queue").body["node"]["nodes"]
        assert queued["value"] == "q"
        (self_,) = member.get("/v2/members").body["members"]
        assert (self_["id"], self_["peerURLs"]) == (f"{metadata.node_id:x}", [PEER_URL])
        assert member.request("PUT", "/v2/keys/later", {"value": "v"}).status == 201
    with pytest.raises(NewerFormatError, match=r"written by etcd 3\.x"):  # a one-way upgrade, and we say so
        read_wal(data_dir / "member" / "wal")


def test_real_etcd_takes_a_hard_state_behind_every_append_and_what_was_cut(tmp_path: Path) -> None:
    binary = real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
    data_dir = tmp_path / "solo.etcd"
    metadata = write_data_dir(data_dir)
    wal, contents = WAL.open(data_dir / "member" / "wal")
    first = contents.entries[-1].index + 1
    for index in range(first, first + 20):
        request = StoreRequest(id=index, method="PUT", path=f"/1/again{index - first}", val=b"v" * 300)
        wal.save(EMPTY_HARD_STATE, [Entry(2, index, encode_request(request))])
    wal.save(HardState(2, metadata.node_id, first + 19), [])
    wal.close()
    (path,) = (data_dir / "member" / "wal").iterdir()
    path.write_bytes(path.read_bytes() + bytes(5000))
    WAL.open(data_dir / "member" / "wal")[0].close()
    flags = ("--name=solo", "--enable-v2", "--logger=zap")
    with real_etcd.running(binary, data_dir, tmp_path / "log", *flags) as member:
        for number in range(20):
            assert member.get(f"/v2/keys/again{number}").body["node"]["value"] == "v" * 300


def test_etcdctl_backup_reads_what_was_written_here(tmp_path: Path) -> None:
    etcdctl = real_etcd.required(real_etcd.etcdctl(), real_etcd.HOW_CTL)
    binary = real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
    data_dir, backup_dir = tmp_path / "solo.etcd", tmp_path / "backup"
    write_data_dir(data_dir)
    before = {path.name: path.read_bytes() for path in (data_dir / "member" / "wal").iterdir()}
    subprocess.run(
        [etcdctl, "backup", "--data-dir", data_dir, "--backup-dir", backup_dir],
        env={**os.environ, "ETCDCTL_API": "2"},
        check=True,
        timeout=60,
    )
    assert {path.name: path.read_bytes() for path in (data_dir / "member" / "wal").iterdir()} == before
    flags = ("--name=solo", "--enable-v2", "--logger=zap", "--force-new-cluster")
    with real_etcd.running(binary, backup_dir, tmp_path / "log", *flags) as member:
        assert member.get("/v2/keys/a").body["node"]["value"] == "third"
        assert member.get("/v2/keys/gone").status == 404


@pytest.mark.parametrize(
    ("find", "how"),
    [(real_etcd.etcd34, real_etcd.HOW_34), (real_etcd.etcd35, real_etcd.HOW_35)],
    ids=["3.4", "3.5"],
)
@pytest.mark.parametrize("behind", [0, 3])
def test_real_etcd_opens_a_directory_behind_a_leaders_snapshot(
    tmp_path: Path, find: Callable[[], Path | None], how: str, behind: int
) -> None:
    """And serves nothing of what the snapshot overruled. It minds no mark of v3 data either."""
    binary = real_etcd.required(find(), how)
    data_dir = tmp_path / "solo.etcd"
    index = write_received(data_dir, behind)
    (data_dir / "member" / "snap" / "db").write_bytes(empty_database(index, 2))
    flags = ("--name=solo", "--enable-v2", "--logger=zap")
    for _ in range(2):
        with real_etcd.running(binary, data_dir, tmp_path / "log", *flags) as member:
            check_received(member, behind)


def write_received(data_dir: Path, behind: int) -> int:
    """A member whose log goes beyond a leader's snapshot, with another history, and holds ``behind`` entries that
    follow it. Returns the snapshot's index."""
    metadata = write_data_dir(data_dir)
    wal, contents = WAL.open(data_dir / "member" / "wal")
    store = Store()
    members = Members(metadata.cluster_id)
    raft = Raft(metadata.node_id, RaftLog(), election_ticks=10, random=Random(1))
    applier = Applier(store, members, raft)
    kept = contents.entries[:8]
    for entry in kept:
        applier.apply(entry, None, 10**18)
    overruled = StoreRequest(method="PUT", path="/1/overruled", val=b"x")
    more = [Entry(3, kept[-1].index + 2 + n, encode_request(overruled)) for n in range(5)]
    wal.save(HardState(3, 0, kept[-1].index), [Entry(3, kept[-1].index + 1, b""), *more])
    index = kept[-1].index + 2
    snapshot = Snapshot(index, 2, (metadata.node_id,), b"".join(store.freeze().pieces()))
    entries = [
        Entry(
            4,
            index + 1 + n,
            encode_request(StoreRequest(id=n + 1, method="PUT", path=f"/1/behind{n}", val=b"y")),
        )
        for n in range(behind)
    ]
    state = HardState(4, metadata.node_id, index + behind)
    persist_received_snapshot(wal, SnapshotDir(data_dir / "member" / "snap"), snapshot, state, entries)
    wal.close()
    write_mark(data_dir / "member", V3Data("put", index + 100))
    return index


def check_received(member: real_etcd.RunningEtcd, behind: int) -> None:
    assert member.get("/v2/keys/a").body["node"]["value"] == "second"
    assert member.get("/v2/keys/overruled").status == 404
    for n in range(behind):
        assert member.get(f"/v2/keys/behind{n}").body["node"]["value"] == "y"
    assert member.get(f"/v2/keys/behind{behind}").status == 404
