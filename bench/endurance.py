"""A gateway before an etcd 3 at the load of ``bench/gateway.py`` for half an hour, with the etcd compacted meanwhile.

    python bench/endurance.py [--minutes N] [--etcd PATH] [--data DIR]

64 connections of wrk write 1,000 keys over and over, one client more writes others and notes what was acknowledged. The
etcd compacts nothing by itself: the gateway does, every minute. A row for each two minutes: writes a second, the
database's size and what of it is in use, the gateway's memory, the processor time of a write. What must hold: the
database stays below ``BOUND``, the etcd raises no alarm, and in the end this gateway, one that is started then, and v3
have the last value acknowledged of every noted key. The exit status is 1 if something does not.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import generator
from gateway import KEYS, VALUE_BYTES, gateway, in_v3
from load import check_wrk, wrk
from members import Running, add_options, check_disk, machine, real, running
from tables import print_row, print_summary, verdict

BOUND = 1 << 30
"""Bytes: half of what an etcd takes by default."""
SLICE = 30
"""Seconds of load between two looks."""
SLICES_A_ROW = 4
NOTED = 500
"""Keys whose every write is noted."""


@dataclass
class Noter(threading.Thread):
    """Writes ``noted/N`` in turn, each a number that grows, and keeps the last that was acknowledged."""

    port: int
    last: dict[str, str] = field(default_factory=dict)
    over: bool = False

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        client, count = generator.Client(self.port), 0
        while not self.over:
            key, value = f"noted/{count % NOTED}", str(count)
            client.ask(generator.put(key, value.encode()))
            self.last[key] = value
            count += 1
        client.close()

    def __hash__(self) -> int:
        return id(self)


def status(etcd: Running) -> dict[str, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{etcd.port}/v3/maintenance/status", b"{}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def lost(before: Running, last: dict[str, str]) -> list[str]:
    """Keys that have another value than the last that was acknowledged."""
    client = generator.Client(before.port)
    answers = {key: client.ask(generator.get(key, "?quorum=true")) for key in last}
    client.close()
    return [key for key, value in last.items() if f'"value":"{value}"'.encode() not in answers[key]]


def lost_in_v3(etcd: Running, last: dict[str, str]) -> list[str]:
    """The same for readers of v3, a checkpoint later."""
    deadline = time.monotonic() + 10
    while missing := [key for key, value in last.items() if in_v3(etcd, f"/{key}") != value]:
        if time.monotonic() > deadline:
            return missing
    return []


def load(etcd: Running, before: Running, minutes: float) -> tuple[int, int, list[str]]:
    """Prints the rows. How many writes there were, how large the database was at most, and alarms."""
    writes = largest = 0
    alarms: list[str] = []
    began = time.monotonic()
    while time.monotonic() - began < 60 * minutes:
        since, cpu, behind, written = time.monotonic(), before.cpu_seconds(), etcd.cpu_seconds(), 0.0
        for _ in range(SLICES_A_ROW):
            written += wrk(before, "PUT", 64, SLICE, keys=KEYS, value_bytes=VALUE_BYTES).requests
            seen = status(etcd)
            largest = max(largest, int(seen["dbSize"]))
            alarms += seen.get("errors", [])
        writes += int(written)
        spent, spent_behind = before.cpu_seconds() - cpu, etcd.cpu_seconds() - behind
        print_row(
            f"{(time.monotonic() - began) / 60:.0f}",
            f"{written / (time.monotonic() - since):,.0f}/s",
            f"{int(seen['dbSize']) >> 20} MiB",
            f"{int(seen.get('dbSizeInUse', 0)) >> 20} MiB",
            f"{before.resident_bytes() >> 20} MiB",
            f"{spent / written * 1e6:.0f} / {spent_behind / written * 1e6:.0f} µs",
        )
    return writes, largest, alarms


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30, help="default 30")
    add_options(parser)
    args = parser.parse_args()
    check_wrk()
    check_disk(args.data)
    server = real(args.etcd)
    print(f"{machine()}; {server.title}; {' '.join(['python', *sys.argv])}\n")
    print_row("minute", "writes", "database", "in use", "gateway's memory", "CPU per write, gateway / etcd")
    print_row(*["---"] * 6)
    with running(server, args.data) as etcd, gateway(etcd, args.data) as before:
        noter = Noter(before.port)
        noter.start()
        writes, largest, alarms = load(etcd, before, args.minutes)
        noter.over = True
        noter.join()
        missing = lost(before, noter.last)
        missing_in_v3 = lost_in_v3(etcd, noter.last)
        with gateway(etcd, args.data) as another:
            missing_later = lost(another, noter.last)
    holds = {
        f"{writes:,} writes; the database had {largest >> 20} MiB at most, bound {BOUND >> 20}": largest
        < BOUND,
        f"alarms of the etcd: {', '.join(sorted(set(alarms))) or 'none'}": not alarms,
        f"{len(noter.last)} keys noted; lost: {len(missing)} here, {len(missing_later)} at a gateway that started "
        f"then, {len(missing_in_v3)} in v3": not (missing or missing_later or missing_in_v3),
    }
    print()
    for what, is_so in holds.items():
        print(f"- {what}: {verdict(is_so)}")
    return print_summary(all(holds.values()))


if __name__ == "__main__":
    sys.exit(main())
