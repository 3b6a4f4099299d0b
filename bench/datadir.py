"""Converts data directories of etcd 0.4 with ``migrate02 data``: time and memory, by the number of log entries.

The recorded one of 20,000 keys (``fixtures/datadirs04``), then generated ones: mostly writes to a tenth as many keys,
every tenth with a TTL, a sync every few entries, as 0.4 has them. Goals: under 3 s for the recorded one; a cost per
entry that does not grow; 1 GB for 1,000,000 entries. Disk caches are warm.

``--etcd-migrate PATH`` names etcd 2.0's own converter, which is then run on a copy of each: it works in place, and
carries the log over as it is, without what it does not know.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import sysconfig
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
GOAL_SECONDS, GOAL_BYTES = 3.0, 1_000_000_000
GROWTH = 1.5
"""The cost per entry of the largest may be so many times that of the smallest: caches of the processor count."""


class Cost(NamedTuple):
    """Seconds of wall time and of the processor, and bytes at the peak."""

    wall: float
    cpu: float
    memory: int


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--entries", type=int, default=1_000_000, help="of the largest (default: %(default)s)"
    )
    parser.add_argument("--keys", type=int, default=10, help="entries for each key (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of the recorded one; the best counts")
    parser.add_argument("--etcd-migrate", type=Path, help="etcd 2.0's converter, to compare with")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        met = _recorded(work, args.rounds, args.etcd_migrate)
        sizes = [args.entries // 16, args.entries // 4, args.entries]
        costs = {size: _generated(work, size, args.keys, args.etcd_migrate) for size in sizes}
    per_entry = [costs[size].cpu / size for size in (sizes[0], sizes[-1])]
    growth = per_entry[1] / per_entry[0]
    largest = costs[sizes[-1]]
    print(f"goal: the cost per entry grows by less than {GROWTH}; {_verdict(growth < GROWTH)} ({growth:.2f})")
    print(f"goal: at most {GOAL_BYTES / 1e9:.0f} GB; {_verdict(largest.memory <= GOAL_BYTES)}")
    return 0 if met and growth < GROWTH and largest.memory <= GOAL_BYTES else 1


def _recorded(work: Path, rounds: int, theirs: Path | None) -> bool:
    with tarfile.open(ROOT / "fixtures/datadirs04/s-large.tar.gz") as archive:
        archive.extractall(work, filter="data")
    source = work / "s-large" / "large"
    _compare(theirs, source, work / "theirs", "large")
    costs = [_convert(source, work / f"new-{n}") for n in range(rounds)]
    best = min(costs, key=lambda cost: cost.wall)
    print(f"recorded, 20,000 keys: {_shown(best)}")
    print(f"goal: under {GOAL_SECONDS:.0f} s; {_verdict(best.wall < GOAL_SECONDS)}")
    return best.wall < GOAL_SECONDS


def _generated(work: Path, entries: int, per_key: int, theirs: Path | None) -> Cost:
    source = work / f"entries-{entries}"
    source.mkdir()
    (source / "conf").write_text(json.dumps({"commitIndex": entries, "peers": []}))
    size = 0
    with (source / "log").open("wb") as log:
        for entry in _entries(entries, max(entries // per_key, 1)):
            size += log.write(entry)
    _compare(theirs, source, work / f"theirs-{entries}", "m")
    cost = _convert(source, work / f"new-{entries}")
    print(
        f"{entries:,} entries, {size / 1e6:.0f} MB of log: {_shown(cost)}, {cost.cpu / entries * 1e6:.1f} us of CPU "
        "time an entry"
    )
    return cost


def _convert(source: Path, target: Path) -> Cost:
    script = Path(sysconfig.get_path("scripts")) / "migrate02"
    return _run([sys.executable, str(script), "data", str(source), str(target)])


def _compare(binary: Path | None, source: Path, copy: Path, name: str) -> None:
    if binary is not None:
        shutil.copytree(source, copy)
        print(f"etcd-migrate: {_shown(_run([str(binary), '-data-dir', str(copy), '-name', name]))}")


def _run(words: list[str]) -> Cost:
    begun = time.perf_counter()
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    process = os.posix_spawn(words[0], words, os.environ, file_actions=silent)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - begun
    if status:
        raise SystemExit(f"{words[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def _entries(count: int, keys: int) -> Iterator[bytes]:
    """So many entries of a log: a member that joins, then writes and syncs."""
    join: dict[str, object] = {
        "name": "m",
        "raftURL": "http://127.0.0.1:7001",
        "etcdURL": "http://127.0.0.1:4001",
    }
    yield _entry(1, "etcd:join", join)
    for index in range(2, count + 1):
        if index % 7 == 0:
            yield _entry(index, "etcd:sync", {"time": f"2026-11-22T08:{index % 60:02d}:00.123456789Z"})
            continue
        number = index * 7919 % keys
        yield _entry(
            index,
            "etcd:set",
            {
                "key": f"/services/{number % 997:03d}/{number}",
                "value": f"10.0.{number % 256}.{index % 256}:8080 {index}",
                "expireTime": "2036-05-25T14:14:25.631783389Z" if index % 10 == 0 else "0001-01-01T00:00:00Z",
                "dir": False,
            },
        )


def _entry(index: int, name: str, command: dict[str, object]) -> bytes:
    text = json.dumps(command, separators=(",", ":")).encode() + b"\n"
    head = b"\x08" + _varint(index) + b"\x10\x00\x1a" + _varint(len(name)) + name.encode()
    body = head + b"\x22" + _varint(len(text)) + text
    return b"%8x\n" % len(body) + body


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _shown(cost: Cost) -> str:
    return f"{cost.wall:.2f} s, {cost.cpu:.2f} s of CPU time, {cost.memory / 1e6:.0f} MB"


def _verdict(met: bool) -> str:
    return "met" if met else "NOT met"


if __name__ == "__main__":
    sys.exit(main())
