"""``import``: every key of a 0.4 snapshot arrives, whatever the file's form and the number of clients."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from compat.etcdctl02.snapshot04 import Copied, SnapshotError, read_snapshot
from tests.compat.etcdctl02.ran import Ran, run
from tests.compat.etcdctl02.scripted import Scripted, answer
from tests.support.process import Member, Process, keys_below

NOW = datetime(2015, 1, 1, tzinfo=UTC)
NEVER = "0001-01-01T00:00:00Z"


def node(
    path: str, value: str = "", children: dict[str, Any] | None = None, expires: str = NEVER
) -> dict[str, Any]:
    """As 0.4.9 writes one; ``children`` is None for a key."""
    return {
        "Path": path,
        "CreatedIndex": 1,
        "ModifiedIndex": 1,
        "ExpireTime": expires,
        "ACL": "",
        "Value": value,
        "Children": children,
    }


def store(**children: dict[str, Any]) -> bytes:
    return json.dumps({"Root": node("/", "", children), "CurrentIndex": 9, "CurrentVersion": 2}).encode()


def file_of(state: bytes) -> bytes:
    """The file in ``snapshot/``: the checksum's line, and the state in it."""
    content = json.dumps(
        {"lastIndex": 5, "lastTerm": 1, "peers": None, "state": base64.b64encode(state).decode(), "path": "x"}
    ).encode()
    return b"%08x\n" % binascii.crc32(content) + content


STATE = store(
    a=node("/a", "one"),
    dir=node(
        "/dir",
        children={
            "b": node("/dir/b", "é €"),
            "empty": node("/dir/empty", children={}),
            "_hidden": node("/dir/_hidden", "not shown"),
        },
    ),
    _secret=node("/_secret", children={"c": node("/_secret/c", "hidden")}),
    soon=node("/soon", "s", expires="2015-01-01T00:00:10.25Z"),
    later=node("/later", "l", expires="2015-01-01T02:00:00.123456789+01:00"),
    gone=node("/gone", "g", expires="2014-12-31T00:00:00Z"),
)


@pytest.mark.parametrize("raw", [STATE, file_of(STATE)], ids=["bare", "file"])
def test_a_snapshot_is_read_in_both_its_forms(raw: bytes) -> None:
    assert list(read_snapshot(raw).below("/", NOW)) == [
        Copied("/a", "one", False, 0),
        Copied("/dir/b", "é €", False, 0),
        Copied("/dir/empty", "", True, 0),
        Copied("/gone", "g", False, -86400),
        Copied("/later", "l", False, 3601),
        Copied("/soon", "s", False, 11),
    ]
    assert list(read_snapshot(raw).below("/_secret", NOW)) == [Copied("/_secret/c", "hidden", False, 0)]
    with pytest.raises(KeyError):
        list(read_snapshot(raw).below("/_secret/d", NOW))


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"{}", b"00000000\n{}", file_of(STATE)[:-1], file_of(b"{}"), b'{"Root":1}x'],
)
def test_what_is_no_snapshot_is_refused(raw: bytes, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError):
        read_snapshot(raw)
    path = tmp_path / "x.ss"
    path.write_bytes(raw)
    ran = run("import", "--snap", str(path))
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith(f"cannot read snapshot file {path}: ")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    with Member(tmp_path / "server").start() as process:
        yield process


def import_into(process: Process, tmp_path: Path, raw: bytes, *more: str) -> Ran:
    path = tmp_path / "x.ss"
    path.write_bytes(raw)
    return run("--endpoints", process.url, "import", "--snap", str(path), *more)


def values(process: Process, path: str = "/") -> dict[str, str | None]:
    listing = process.get(path, "recursive=true").json()["node"]
    return {key: value for key, value, _, _ in keys_below(listing)}


def ttl(process: Process, path: str) -> int:
    found: Any = process.get(path).json()["node"]
    return int(found.get("ttl", 0))


@pytest.mark.slow
def test_every_key_arrives(server: Process, tmp_path: Path) -> None:
    many = {f"k{number}": node(f"/k{number}", str(number)) for number in range(500)}
    ran = import_into(server, tmp_path, file_of(store(**many)), "-c", "7")
    assert ran.status == 0
    assert ran.out.splitlines() == [
        f"starting to import snapshot {tmp_path / 'x.ss'} with 7 clients",
        "finished importing 500 keys",
    ]
    assert values(server) == {f"/k{number}": str(number) for number in range(500)}
    assert ran.err.count("copying key: /k") == 500


@pytest.mark.slow
def test_hidden_keys_come_when_they_are_named_and_short_lives_are_made_longer(
    server: Process, tmp_path: Path
) -> None:
    expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    state = STATE.replace(b"2015-01-01T02:00:00.123456789+01:00", expires.encode())
    ran = import_into(server, tmp_path, state, "--hidden", "/_secret", "--hidden", "/dir/_hidden")
    assert (ran.status, ran.out.splitlines()[-1]) == (0, "finished importing 7 keys")
    assert values(server) == {
        "/a": "one",
        "/dir": None,
        "/dir/b": "é €",
        "/dir/empty": None,
        "/gone": "g",
        "/later": "l",
        "/soon": "s",
    }
    assert values(server, "/_secret") == {"/_secret": None, "/_secret/c": "hidden"}
    assert values(server, "/dir/_hidden") == {"/dir/_hidden": "not shown"}
    lives = {name: ttl(server, f"/{name}") for name in ("a", "gone", "later", "soon")}
    assert lives["a"] == 0
    assert 290 < lives["gone"] <= 300
    assert 290 < lives["soon"] <= 300
    assert 3500 < lives["later"] <= 3600
    assert ran.err.count("ttl to 300 seconds") == 2
    assert import_into(server, tmp_path, state).status == 0  # again, over what is there


def test_the_first_key_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    many = {f"k{number}": node(f"/k{number}", str(number)) for number in range(500)}
    path = tmp_path / "x.ss"
    path.write_bytes(store(**many))
    full = {"errorCode": 300, "message": "Raft Internal Error", "cause": "x", "index": 1}
    with Scripted(answer(400, full)) as server:
        ran = run("--no-sync", "--endpoints", server.url, "import", "--snap", str(path))
        assert len(server.asked) <= 20
    assert (ran.status, ran.out.count("finished")) == (1, 0)
    assert "failed to copy key: 300: Raft Internal Error (x) [1]\n" in ran.err


def test_a_hidden_key_that_is_not_there_ends_it_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x.ss"
    path.write_bytes(STATE)
    with Scripted(answer(500)) as server:
        ran = run("--no-sync", "--endpoints", server.url, "import", "--snap", str(path), "--hidden", "/_none")
        assert not server.asked
    assert (ran.status, ran.err) == (4, "Error:  100: Key not found (/_none) [9]\n")
