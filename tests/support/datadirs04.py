"""The data directories recorded from real etcd 0.4.9, in ``fixtures/datadirs04``, and logs and snapshots made as 0.4
makes them.

``NAME.tar.gz`` unpacks to ``NAME/DIR/...``, ``NAME.expected.json`` says what a 0.4.9 started on it serves: for the large
one only the digest of that.
"""

from __future__ import annotations

import base64
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from migrate02.datadir.listing import Key
from migrate02.datadir.log04 import Log
from server.store.gojson import parse_time

_ROOT = Path(__file__).parents[2] / "fixtures" / "datadirs04"


@dataclass(slots=True, frozen=True)
class Recorded:
    """One node's recorded directory; ``str()`` of it names the test it is a parameter of."""

    fixture: str
    directory: str

    def __str__(self) -> str:
        return f"{self.fixture}/{self.directory}"

    def unpack(self, into: Path) -> Path:
        """Puts all directories of the fixture under ``into`` and returns the path of this one."""
        return unpack(self.fixture, into) / self.directory

    @property
    def expected(self) -> dict[str, Any]:
        return expected(self.fixture)

    @property
    def role(self) -> str:
        """``member``, ``standby`` or ``removed``."""
        return str(next(one["role"] for one in self.expected["dirs"] if one["path"] == self.directory))

    def keys(self) -> dict[str, Key]:
        """What 0.4.9 serves from it, without its own registry of members."""
        return {path: _key(path, found) for path, found in self.expected["keys"].items()}


def unpack(fixture: str, into: Path) -> Path:
    with tarfile.open(_ROOT / f"{fixture}.tar.gz") as archive:
        archive.extractall(into, filter="data")
    return into / fixture


def expected(fixture: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_ROOT / f"{fixture}.expected.json").read_bytes())
    return content


def recorded(*roles: str) -> list[Recorded]:
    """All of them, found by walking the folder, or those with one of these roles."""
    every = [
        Recorded(archive.name.removesuffix(".tar.gz"), one["path"])
        for archive in sorted(_ROOT.glob("*.tar.gz"))
        for one in expected(archive.name.removesuffix(".tar.gz"))["dirs"]
    ]
    return [one for one in every if not roles or one.role in roles]


def _key(path: str, found: Mapping[str, Any]) -> Key:
    value = None if found.get("dir") else found["value"].encode()
    expiration = found.get("expiration")
    return Key(
        path,
        value,
        found["createdIndex"],
        found["modifiedIndex"],
        None if expiration is None else parse_time(expiration),
    )


# Made here

JOIN = ("etcd:join", {"name": "m", "raftURL": "http://127.0.0.1:7001", "etcdURL": "http://127.0.0.1:4001"})
FIRST = (
    JOIN,
    ("raft:nop", None),
    ("etcd:setClusterConfig", {"config": {"activeSize": 9, "removeDelay": 1800, "syncInterval": 5}}),
)
"""What the log of a new single node begins with; two of the three take an index."""

PERMANENT = "0001-01-01T00:00:00Z"

Command = tuple[str, Mapping[str, Any] | None]


def set_to(key: str, value: str, **more: Any) -> Command:
    return ("etcd:set", {"key": key, "value": value, "expireTime": PERMANENT, "dir": False, **more})


def encode_entry(index: int, term: int, name: str, command: Mapping[str, Any] | None) -> bytes:
    """An entry as it lies in 0.4's log."""
    body = b"\x08" + _varint(index) + b"\x10" + _varint(term) + b"\x1a" + _varint(len(name)) + name.encode()
    if command is not None:
        text = json.dumps(command, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        body += b"\x22" + _varint(len(text)) + text
    return b"%8x\n" % len(body) + body


def encode_log(commands: Iterable[Command], first: int = 1, term: int = 0) -> bytes:
    return b"".join(encode_entry(index, term, *command) for index, command in enumerate(commands, first))


def write_directory(
    path: Path, commands: Iterable[Command], first: int = 1, term: int = 0, peers: Iterable[str] = ()
) -> Path:
    """A directory of 0.4 with a log of these commands, and a conf that names these other members."""
    (path / "snapshot").mkdir(parents=True)
    (path / "log").write_bytes(encode_log(commands, first, term))
    conf = {"commitIndex": 1, "peers": [{"name": name, "connectionString": ""} for name in peers]}
    (path / "conf").write_text(json.dumps(conf))
    return path


def node04(path: str, index: int, value: str | None = None, **children: dict[str, Any]) -> dict[str, Any]:
    """A file, or without a value a directory, as it stands in a snapshot of 0.4."""
    return {
        "Path": path,
        "CreatedIndex": index,
        "ModifiedIndex": index,
        "ExpireTime": PERMANENT,
        "ACL": "",
        "Value": value or "",
        "Children": children if value is None else None,
    }


def event04(action: str, key: str, value: str, created: int, modified: int) -> dict[str, Any]:
    node = {"key": key, "value": value, "modifiedIndex": modified, "createdIndex": created}
    return {"action": action, "node": node}


def encode_snapshot(
    index: int, root: dict[str, Any], current: int, events: Iterable[dict[str, Any]] = (), term: int = 0
) -> bytes:
    """A .ss file."""
    ring: list[dict[str, Any] | None] = list(events)
    size = len(ring)
    first = ring[0]["node"]["modifiedIndex"] if ring and ring[0] else 0
    ring += [None] * (1000 - size)
    state = {
        "Root": root,
        "WatcherHub": {
            "EventHistory": {
                "Queue": {"Events": ring, "Size": size, "Front": 0, "Back": size, "Capacity": 1000},
                "StartIndex": first,
                "LastIndex": current,
            }
        },
        "CurrentIndex": current,
        "Stats": {},
        "CurrentVersion": 2,
    }
    outer = {
        "lastIndex": index,
        "lastTerm": term,
        "peers": [{"name": "m", "connectionString": ""}],
        "state": base64.b64encode(json.dumps(state).encode()).decode(),
        "path": "",
    }
    body = json.dumps(outer).encode()
    return b"%08x\n" % crc32(body) + body


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def renamed(directory: Path, names: Mapping[str, str]) -> None:
    """The same log, of members with other names. Not for a directory with a snapshot."""
    entries = []
    for entry in Log(directory / "log"):
        command = dict(entry.command)
        if command.get("name") in names:
            command["name"] = names[command["name"]]
        entries.append(encode_entry(entry.index, entry.term, entry.name, command or None))
    (directory / "log").write_bytes(b"".join(entries))
    conf = json.loads((directory / "conf").read_text())
    for peer in conf["peers"]:
        peer["name"] = names.get(peer["name"], peer["name"])
    (directory / "conf").write_text(json.dumps(conf))
    assert not list((directory / "snapshot").iterdir())
