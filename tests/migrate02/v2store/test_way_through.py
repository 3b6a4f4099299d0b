"""A person's way from 3.5 with v2 content to a directory that 3.6 takes, with real etcd 3.5; and its byways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrate02.v2store.verdicts import CLEAN, IN_BOTH
from tests.migrate02.running import migrate02
from tests.support.cluster import wait_until
from tests.support.etcd3 import Node, Served, cluster_flags
from tests.support.process import request
from tests.support.real_etcd import HOW_35, etcd35, required

pytestmark = [pytest.mark.real_etcd, pytest.mark.slow]

SNAPSHOTS_SOON = "--snapshot-count=15"
FAR = "86400"
"""A TTL in seconds."""


@contextmanager
def alone(path: Path, *flags: str) -> Iterator[Node]:
    with Node(path, *flags) as node:
        yield node


def put_v2(node: Node, path: str, **form: str) -> None:
    got = request(node.client_port, "PUT", f"/v2/keys{path}", form)
    assert got.status == 201, got.body


def make_role(node: Node, name: str) -> None:
    role = {"role": name, "permissions": {"kv": {"read": ["/*"], "write": []}}}
    got = request(
        node.client_port,
        "PUT",
        f"/v2/auth/roles/{name}",
        headers={"Content-Type": "application/json"},
        body=json.dumps(role),
    )
    assert got.status == 201, got.body


def filled(node: Node, binary: Path, *options: str | Path) -> Served:
    """v2 keys with and without a TTL, a role of v2, and v3 keys; snapshots of it, and more of it in the log behind. What
    of v3 is there; the member is stopped. ``options`` are for check."""
    node.start(binary, "--enable-v2", SNAPSHOTS_SOON, cluster_flags([node]))
    make_role(node, "dev")
    for number in range(20):
        put_v2(node, f"/app/k{number}", value=f"v2 {number}")
        node.api.put(f"k{number}", f"v3 {number}")
    put_v2(node, "/leased", value="v2", ttl=FAR)
    wait_until(
        lambda: "SYNC" in migrate02("v2store", "check", *options, node.path).out, "the leader writes SYNC"
    )
    for number in range(20, 25):
        node.api.put(f"k{number}", f"v3 {number}")
    served = node.api.served()
    assert len(served.keys) == 25
    node.stop()
    return served


def test_from_the_finding_to_a_clean_directory(tmp_path: Path) -> None:
    binary = required(etcd35(), HOW_35)
    path = tmp_path / "m0"
    with alone(path) as node:
        before = filled(node, binary)

        run = migrate02("v2store", "check", path)
        assert run.status == 1
        assert run.out.splitlines()[0] == IN_BOTH
        assert "v2 role dev" in run.out
        assert "SYNC" in run.out
        assert "etcd 3.6 does not start" in run.out
        assert f"migrate02 v2store clean --write {path}" in run.out

        run = migrate02("v2store", "export", path)
        assert run.status == 0, run.err
        rows = {row["key"]: row for row in map(json.loads, run.out.splitlines())}
        values = {key: row["value"] for key, row in rows.items() if "value" in row}
        assert values == {f"/app/k{number}": f"v2 {number}" for number in range(20)} | {"/leased": "v2"}
        exported = run.out

        assert migrate02("v2store", "clean", path).status == 1
        run = migrate02("v2store", "clean", "--write", path)
        assert run.status == 0, run.err
        assert (tmp_path / "m0.v2store-backup" / "v2-keys.jsonl").read_text() == exported

        run = migrate02("v2store", "check", "--for", "3.6", path)
        assert (run.status, run.out.splitlines()[0]) == (0, CLEAN)
        node.start(binary)
        assert node.api.served() == before
        assert request(node.client_port, "GET", "/v2/keys/app").status == 404
        node.api.put("since", "then")
        node.stop()
        run = migrate02("v2store", "check", "--for", "3.6", path)
        assert (run.status, run.out.splitlines()[0]) == (0, CLEAN)


def test_a_running_member_is_read_by_check_and_refused_by_clean(tmp_path: Path) -> None:
    binary = required(etcd35(), HOW_35)
    with alone(tmp_path / "m0") as node:
        node.start(binary, "--enable-v2", cluster_flags([node]))
        put_v2(node, "/a", value="x")
        run = migrate02("v2store", "check", node.path)
        assert (run.status, run.err) == (1, "")
        run = migrate02("v2store", "clean", "--write", node.path)
        assert run.status == 3
        assert f"process {node.pid} holds the lock" in run.err
        assert not (tmp_path / "m0.v2store-backup").exists()
        node.stop()
        assert migrate02("v2store", "clean", "--write", node.path).status == 0


def test_a_log_in_a_place_of_its_own(tmp_path: Path) -> None:
    binary = required(etcd35(), HOW_35)
    path, wal = tmp_path / "m0", tmp_path / "wal"
    with alone(path, f"--wal-dir={wal}") as node:
        before = filled(node, binary, "--wal-dir", wal)
        assert migrate02("v2store", "check", path).status == 3
        options = ("--wal-dir", wal, path)
        assert migrate02("v2store", "check", *options).status == 1
        run = migrate02("v2store", "clean", "--write", *options)
        assert run.status == 0, run.err
        assert migrate02("v2store", "check", *options).status == 0
        node.start(binary)
        assert node.api.served() == before


def test_v2_in_the_first_of_two_segments_of_the_log(tmp_path: Path) -> None:
    binary = required(etcd35(), HOW_35)
    path = tmp_path / "m0"
    with alone(path) as node:
        node.start(binary, "--enable-v2", cluster_flags([node]))
        put_v2(node, "/a", value="x")
        for number in range(66):
            node.api.put(f"big/{number}", "v" * 1_000_000)
        put_v2(node, "/b", value="y")
        before = node.api.served()
        node.stop()
        assert len(list((path / "member" / "wal").glob("*.wal"))) == 2
        run = migrate02("v2store", "clean", "--write", path)
        assert run.status == 0, run.err
        assert "2 v2 keys" in run.out
        assert migrate02("v2store", "check", path).status == 0
        node.start(binary)
        assert node.api.served() == before
