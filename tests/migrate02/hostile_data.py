"""Data directories and files of data that grow, for each reader of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

from migrate02.datadir.inspection import inspect
from migrate02.datadir.sides import read_side

Make = Callable[[Path, int], None]
"""(a directory, how often something is repeated)."""


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def entry(index: int, name: str, command: object = None, term: int = 1) -> bytes:
    body = b"\x08" + varint(index) + b"\x10" + varint(term) + b"\x1a" + bytes([len(name)]) + name.encode()
    if command is not None:
        raw = json.dumps(command, separators=(",", ":")).encode() + b"\n"
        body += b"\x22" + varint(len(raw)) + raw
    return b"%8x\n" % len(body) + body


def join(at: int) -> dict[str, object]:
    return {"name": f"m{at}", "raftURL": f"http://m{at}:7001", "etcdURL": f"http://m{at}:4001"}


def log(*entries: tuple[str, object], tail: bytes = b"") -> bytes:
    return b"".join(entry(at, *one) for at, one in enumerate(entries, 1)) + tail


def _log(make: Callable[[int], bytes]) -> Make:
    def write(directory: Path, size: int) -> None:
        (directory / "log").write_bytes(make(size))

    return write


NOP = ("raft:nop", None)
FIRST = (NOP, ("etcd:join", join(0)))
FOREVER = {"config": {"activeSize": 1_000_000_000}}


def keys(size: int) -> bytes:
    return log(*FIRST, *(("etcd:set", {"key": f"/k{at}", "value": "v"}) for at in range(size)))


def _snapshot(make: Callable[[int], object]) -> Make:
    def write(directory: Path, size: int) -> None:
        (directory / "snapshot").mkdir(exist_ok=True)
        state = base64.b64encode(json.dumps(make(size)).encode()).decode()
        raw = json.dumps({"lastIndex": 5, "lastTerm": 1, "peers": [], "state": state}).encode()
        (directory / "snapshot" / "1_5.ss").write_bytes(b"%08x\n" % crc32(raw) + raw)
        (directory / "log").write_bytes(b"")

    return write


def node(path: str, children: object = None, value: str = "") -> dict[str, object]:
    return {
        "Path": path,
        "CreatedIndex": 1,
        "ModifiedIndex": 1,
        "ExpireTime": "0001-01-01T00:00:00Z",
        "ACL": "",
        "Value": value,
        "Children": children,
    }


def store(root: dict[str, object], events: object = None) -> dict[str, object]:
    queue = {"Events": events or [], "Size": 0, "Front": 0, "Back": 0, "Capacity": 1000}
    return {
        "Root": root,
        "WatcherHub": {"EventHistory": {"Queue": queue, "StartIndex": 0, "LastIndex": 0}},
        "CurrentIndex": 1,
        "Stats": {},
        "CurrentVersion": 2,
    }


def wide(size: int) -> object:
    return store(node("/", {f"k{at}": node(f"/k{at}", value="v") for at in range(size)}))


def event(at: int) -> dict[str, object]:
    return {
        "action": "update",
        "node": {"key": f"/{'a/' * 20}k{at}", "createdIndex": 1, "modifiedIndex": at + 1},
    }


def chain(directories: int) -> dict[str, object]:
    found = node("/" + "a/" * directories + "k", value="v")
    for at in range(directories, 0, -1):
        found = node("/" + "/".join("a" * at), {"a" if at < directories else "k": found})
    return node("/", {"a": found})


INSPECTED: dict[str, Make] = {
    "keys": _log(keys),
    "one key": _log(lambda size: log(*FIRST, *(("etcd:set", {"key": "/k", "value": "v"}),) * size)),
    "in-order keys": _log(
        lambda size: log(*FIRST, *(("etcd:create", {"key": "/q", "unique": True, "value": "v"}),) * size)
    ),
    "a deep key": _log(lambda size: log(*FIRST, ("etcd:set", {"key": "/a" * size, "value": "v"}))),
    "deep keys": _log(
        lambda size: log(
            *FIRST, *(("etcd:set", {"key": "/a" * 100 + f"/k{at}", "value": "v"}) for at in range(size))
        )
    ),
    "a long value": _log(lambda size: log(*FIRST, ("etcd:set", {"key": "/k", "value": "v" * size}))),
    "members": _log(
        lambda size: log(
            NOP, ("etcd:setClusterConfig", FOREVER), *(("etcd:join", join(at)) for at in range(size))
        )
    ),
    "members refused": _log(lambda size: log(NOP, *(("etcd:join", join(at)) for at in range(size)))),
    "members that go": _log(
        lambda size: log(
            NOP,
            ("etcd:setClusterConfig", FOREVER),
            *(
                one
                for at in range(size)
                for one in (("etcd:join", join(at)), ("etcd:remove", {"name": f"m{at}"}))
            ),
        )
    ),
    "members with keys between": _log(
        lambda size: log(
            NOP,
            ("etcd:setClusterConfig", FOREVER),
            *(
                one
                for at in range(size)
                for one in (
                    ("etcd:join", join(at)),
                    ("etcd:set", {"key": "/_etcd/machines/x", "value": f"raft=http://x{at}"}),
                )
            ),
        )
    ),
    "keys with times": _log(
        lambda size: log(
            *FIRST,
            *(
                ("etcd:set", {"key": f"/k{at}", "value": "v", "expireTime": "2030-01-01T00:00:00Z"})
                for at in range(size)
            ),
        )
    ),
    "updates": _log(
        lambda size: log(
            *FIRST, ("etcd:set", {"key": "/k"}), *(("etcd:update", {"key": "/k", "value": "v"}),) * size
        )
    ),
    "comparisons": _log(
        lambda size: log(
            *FIRST,
            *(("etcd:compareAndDelete", {"key": "/k", "prevValue": "v"}), ("etcd:get", {"key": "/k"})) * size,
        )
    ),
    "times": _log(lambda size: log(*FIRST, *(("etcd:sync", {"time": "2014-01-01T00:00:00Z"}),) * size)),
    "keys and times": _log(
        lambda size: log(
            *FIRST,
            *(
                one
                for at in range(size)
                for one in (
                    ("etcd:set", {"key": f"/k{at}", "value": "v", "expireTime": "2030-01-01T00:00:00Z"}),
                    ("etcd:sync", {"time": "2014-01-01T00:00:00Z"}),
                )
            ),
        )
    ),
    "directories that are deleted": _log(
        lambda size: log(
            *FIRST,
            *(
                one
                for at in range(size)
                for one in (
                    ("etcd:set", {"key": f"/d{at}/a/b", "value": "v"}),
                    ("etcd:delete", {"key": f"/d{at}", "recursive": True}),
                )
            ),
        )
    ),
    "keys that are missing": _log(lambda size: log(*FIRST, *(("etcd:delete", {"key": "/none"}),) * size)),
    "swaps": _log(
        lambda size: log(
            *FIRST,
            ("etcd:set", {"key": "/k", "value": "v"}),
            *(("etcd:compareAndSwap", {"key": "/k", "value": "v", "prevValue": "v"}),) * size,
        )
    ),
    "unknown fields": _log(
        lambda size: log(*FIRST, ("etcd:set", {"key": "/k", **{f"f{at}": at for at in range(size)}}))
    ),
    "nesting in a command": _log(
        lambda size: log(*FIRST, tail=entry(3, "etcd:set", "?").replace(b'"?"', b"[" * size + b"]" * size))
    ),
    "heads in a tail": _log(lambda size: log(*FIRST, tail=b"x" + b"   fffff\n\x08" * size)),
    "entries in a tail": _log(
        lambda size: log(*FIRST, tail=b"x" + entry(9, "etcd:set", {"key": "/k"})[:-1] * size)
    ),
    "long entries in a tail": _log(
        lambda size: log(
            *FIRST,
            tail=b"x"
            + (b"  100000\n\x08\x03\x10\x01\x1a\x08etcd:set\x22" + varint(0x100000 - 14 - 3) + b'{"key":"')
            * size
            + b"}\n" * 1000,
        )
    ),
    "zeros in a tail": _log(lambda size: log(*FIRST, tail=b"\0" * size)),
    "blanks in a tail": _log(lambda size: log(*FIRST, tail=b" " * size)),
    "a snapshot": _snapshot(wide),
    "a snapshot with events": _snapshot(lambda size: store(node("/", {}), [event(at) for at in range(size)])),
    "a deep snapshot": _snapshot(lambda size: store(chain(min(size, 100)))),
    "nesting in a snapshot": _snapshot(lambda size: [store(node("/", {}))]),
}


def inspected(directory: Path) -> None:
    found = inspect(directory)
    assert found.kind in ("0.4", "none"), found


def _export(make: Callable[[int], str]) -> Make:
    def write(directory: Path, size: int) -> None:
        (directory / "export").write_text(make(size))

    return write


def line(path: str, value: str = "v") -> str:
    return json.dumps(
        {"key": path, "value": value, "createdIndex": 1, "modifiedIndex": 1}, separators=(",", ":")
    )


EXPORTED: dict[str, Make] = {
    "keys": _export(lambda size: "".join(f"{line(f'/k{at}')}\n" for at in range(size))),
    "deep keys": _export(lambda size: "".join(f"{line('/a' * 50 + f'/k{at}')}\n" for at in range(size))),
    "a long value": _export(lambda size: line("/k", "v" * size) + "\n"),
    "an open value": _export(lambda size: line("/k")[:-2] + "v" * size),
    "nesting": _export(lambda size: '{"key":' + "[" * size + "]" * size + "}\n"),
    "blank lines": _export(lambda size: line("/k") + "\n" * size),
}


def exported(directory: Path) -> None:
    from migrate02.datadir.errors import DataError

    try:
        read_side(str(directory / "export"))
    except DataError:
        return
