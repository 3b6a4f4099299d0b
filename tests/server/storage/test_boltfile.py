"""The database of etcd 3.x: what is made here is empty and whole, and of another's it is known whether it is empty."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from server.storage.boltfile import PAGE_BYTES, empty_database, holds_v3_data
from tests.support import real_etcd

STREAMS = Path(__file__).parents[3] / "fixtures" / "streams"
EMPTY = empty_database(20, 3)


def recorded(name: str) -> bytes:
    """The database in the recorded body of a POST /raft/snapshot."""
    body = (STREAMS / f"{name}.bin").read_bytes()
    told = json.loads((STREAMS / f"{name}.json").read_bytes())
    return body[len(body) - told["db_bytes"] :]


def test_what_is_made_is_four_pages_that_hold_no_data() -> None:
    assert len(EMPTY) == 4 * PAGE_BYTES
    assert not holds_v3_data(EMPTY)
    assert not holds_v3_data(bytearray(EMPTY))
    assert not holds_v3_data(memoryview(EMPTY))


def test_index_and_term_are_in_it() -> None:
    made = empty_database(0x1122334455667788, 2**64 - 1)
    assert b"consistent_index" + bytes.fromhex("1122334455667788") in made
    assert b"term" + b"\xff" * 8 in made
    assert not holds_v3_data(made)


def test_a_file_is_looked_into_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(EMPTY)
    with path.open("rb") as file:
        assert not holds_v3_data(file)
    path.write_bytes(b"")
    with path.open("rb") as file:
        assert holds_v3_data(file)


@pytest.mark.parametrize("name", ["snapshot-post-from-3.4.23", "snapshot-post-from-3.5.1"])
def test_a_recorded_database_without_v3_data_is_seen_to_be_empty(name: str) -> None:
    assert not holds_v3_data(recorded(name))


@pytest.mark.parametrize("whole", [EMPTY, recorded("snapshot-post-from-3.5.1")], ids=["made here", "of 3.5"])
def test_one_that_is_cut_short_counts_as_holding_data(whole: bytes) -> None:
    for size in {*range(300), *range(0, len(whole), 997), len(whole) - PAGE_BYTES - 1}:
        assert holds_v3_data(whole[:size])


def test_what_is_no_database_counts_as_holding_data() -> None:
    for content in (b"", b"\0" * 70_000, b"garbage" * 10_000, os.urandom(20_000)):
        assert holds_v3_data(content)


def test_damage_anywhere_is_survived() -> None:
    """It may go unseen, as bbolt itself would not see it; but it raises nothing and takes no time."""
    rng = random.Random(5)
    for whole in (EMPTY, recorded("snapshot-post-from-3.4.23")):
        for _ in range(500):
            damaged = bytearray(whole)
            for _ in range(rng.randint(1, 4)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            assert holds_v3_data(damaged) in (True, False)


def test_a_page_that_leads_to_itself_counts_as_holding_data() -> None:
    looping = bytearray(EMPTY)
    root = 3 * PAGE_BYTES
    looping[root + 8 : root + 12] = (1).to_bytes(2, "little") + (2).to_bytes(2, "little")  # a branch of two
    for element in range(2):
        at = root + 16 + 16 * element
        looping[at + 8 : at + 16] = (3).to_bytes(8, "little")
    assert holds_v3_data(looping)


def test_damage_of_the_newer_meta_page_leaves_the_older() -> None:
    damaged = bytearray(EMPTY)
    damaged[PAGE_BYTES + 20] ^= 1
    assert not holds_v3_data(damaged)
    damaged[20] ^= 1
    assert holds_v3_data(damaged)


def test_a_database_of_another_program_counts_as_holding_data() -> None:
    other = bytearray(EMPTY)
    other[3 * PAGE_BYTES + 10 : 3 * PAGE_BYTES + 12] = bytes(2)  # no buckets at all
    assert holds_v3_data(other)


def test_a_bucket_nobody_knows_counts_as_holding_data() -> None:
    assert EMPTY.count(b"lease") == 1
    assert holds_v3_data(EMPTY.replace(b"lease", b"leash"))


# Of real etcd


@pytest.fixture(
    params=[(real_etcd.etcd34, real_etcd.HOW_34), (real_etcd.etcd35, real_etcd.HOW_35)], ids=["3.4", "3.5"]
)
def binary(request: pytest.FixtureRequest) -> Path:
    find, how = request.param
    return real_etcd.required(find(), how)


def database_after(
    binary: Path, where: Path, act: Callable[[real_etcd.RunningEtcd, Callable[..., str]], None]
) -> Path:
    """The database that a new real member leaves when it ends, after clients did something to it."""
    etcdctl = real_etcd.required(real_etcd.etcdctl(), real_etcd.HOW_CTL)
    with real_etcd.running(
        binary, where / "d", where / "log", "--name=solo", "--enable-v2", "--logger=zap"
    ) as member:

        def v3(*words: str, stdin: str = "") -> str:
            return subprocess.run(
                [etcdctl, f"--endpoints={member.url}", *words],
                input=stdin,
                env={**os.environ, "ETCDCTL_API": "3"},
                check=True,
                timeout=30,
                capture_output=True,
                text=True,
            ).stdout

        act(member, v3)
    return where / "d" / "member" / "snap" / "db"


@pytest.mark.slow
@pytest.mark.real_etcd
def test_v2_writes_and_v3_reads_leave_a_database_without_data(binary: Path, tmp_path: Path) -> None:
    def act(member: real_etcd.RunningEtcd, v3: Callable[..., str]) -> None:
        assert member.request("PUT", "/v2/keys/a", {"value": "1"}).status == 201
        for words in (
            ("get", "a"),
            ("member", "list"),
            ("alarm", "list"),
            ("user", "list"),
            ("lease", "list"),
        ):
            v3(*words)

    with database_after(binary, tmp_path, act).open("rb") as database:
        assert not holds_v3_data(database)


DOINGS: dict[str, list[str]] = {
    "a key": ["put a 1"],
    "a key that was deleted": ["put a 1", "del a"],
    "a key that was deleted and compacted": ["put a 1", "del a", "compact 3 --physical"],
    "a lease": ["lease grant 1000"],
    "a user": ["user add u:p"],
    "a user that was deleted": ["user add u:p", "user delete u"],
    "a role": ["role add r"],
    "many keys": [f"put key{n} {'x' * 400}" for n in range(40)],
}


@pytest.mark.slow
@pytest.mark.real_etcd
@pytest.mark.parametrize("what", DOINGS)
def test_what_a_user_of_v3_did_is_seen(what: str, binary: Path, tmp_path: Path) -> None:
    def act(member: real_etcd.RunningEtcd, v3: Callable[..., str]) -> None:
        for doing in DOINGS[what]:
            v3(*doing.split())

    database = database_after(binary, tmp_path, act)
    with database.open("rb") as file:
        assert holds_v3_data(file)
    assert holds_v3_data(database.read_bytes())


@pytest.mark.slow
@pytest.mark.real_etcd
def test_a_real_etcd_keeps_v3_data_in_a_database_made_here(binary: Path, tmp_path: Path) -> None:
    """A directory of v2 data with a snapshot, without its database: with ours it starts, twice, and v3 works."""
    etcdctl = real_etcd.required(real_etcd.etcdctl(), real_etcd.HOW_CTL)
    flags = ("--name=solo", "--enable-v2", "--logger=zap", "--snapshot-count=5")
    data_dir = tmp_path / "d"
    with real_etcd.running(binary, data_dir, tmp_path / "log", *flags) as member:
        for n in range(20):
            assert member.request("PUT", f"/v2/keys/{n}", {"value": "x"}).status == 201
    snap = data_dir / "member" / "snap"
    newest = max(path.name for path in snap.iterdir() if path.name.endswith(".snap"))
    term, index = (int(part, 16) for part in newest.removesuffix(".snap").split("-"))
    (snap / "db").unlink()
    shutil.copytree(data_dir, tmp_path / "without")
    with (
        pytest.raises(AssertionError, match="failed to find database snapshot file"),
        real_etcd.running(binary, tmp_path / "without", tmp_path / "log", *flags),
    ):
        pass
    (snap / "db").write_bytes(empty_database(index, term))
    for start in range(2):
        with real_etcd.running(binary, data_dir, tmp_path / "log", *flags) as member:
            assert member.get("/v2/keys/19").body["node"]["value"] == "x"
            if not start:
                answered = subprocess.run(
                    [etcdctl, f"--endpoints={member.url}", "put", "v3", "data"],
                    env={**os.environ, "ETCDCTL_API": "3"},
                    check=True,
                    timeout=30,
                    capture_output=True,
                    text=True,
                )
                assert answered.stdout == "OK\n"
    assert holds_v3_data((snap / "db").read_bytes())
