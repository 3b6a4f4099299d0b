"""A directory written here opens in real etcd, which then serves the keys in it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from server.raft.types import Entry, EntryType, HardState
from server.storage.codec import ConfChange, ConfChangeType, WalMetadata, encode_conf_change
from server.storage.datadir import prepare
from server.storage.errors import NewerFormatError
from server.storage.replay import read_wal
from server.storage.requests import Request, encode_request
from server.storage.wal import WAL
from tests.support import real_etcd

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

PEER_URL = "http://127.0.0.1:17001"
TOKEN = "etcd-cluster"
LATE = 4_000_000_000 * 10**9  # unix nanoseconds, in the year 2096

REQUESTS = [
    Request(method="PUT", path="/1/a", val=b"first"),
    Request(method="PUT", path="/1/dir/b", val="zwölf".encode()),
    Request(method="PUT", path="/1/a", val=b"second"),
    Request(method="PUT", path="/1/gone", val=b"x"),
    Request(method="DELETE", path="/1/gone"),
    Request(method="PUT", path="/1/empty", dir=True),
    Request(method="PUT", path="/1/ttl", val=b"t", expiration=LATE),
    Request(method="POST", path="/1/queue", val=b"q"),
    Request(method="PUT", path="/1/a", val=b"third", prev_value=b"second"),
    Request(method="PUT", path="/1/a", val=b"fails", prev_exist=False),
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
