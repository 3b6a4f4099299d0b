"""How long a member makes its clients wait while it takes a snapshot, removes many expired keys at once, has clients
that ask for all there is and never read it, or has a slow disk.

    python bench/pauses.py [--keys N] [--etcd PATH] [--data DIR] [--theirs] [--only snapshot|expiry|listings|disk]

One client reads and another writes, each every millisecond, and both note how long every answer takes. The goal is
that none takes longer than 100 ms with 200,000 keys, and 250 ms where sixty clients ask for listings of as many; and
that no read takes longer than 2 ms where every sync takes 20 ms. ``--theirs`` measures a real etcd too, but for that.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import generator
from members import Running, Server, add_options, bundled, check_disk, machine, real, running

GOAL, LISTING_GOAL = 0.1, 0.25
DISK_GOAL = 0.002
"""For reads: a write waits for its sync."""
SYNC_MILLISECONDS = 20
KEYS = 200_000
VALUE_BYTES = 64
SNAPSHOT_COUNT = 10_000
SNAPSHOT_FLAG = f"--snapshot-count={SNAPSHOT_COUNT}"
EXPIRING = 20_000
UNREAD = 60
"""Clients that never read the listing they have asked for."""
_UNREAD_FOR = 10.0
_SLOW_FOR = 10.0
_PATIENCE = 120.0


class Gaps(NamedTuple):
    """How long answers took, in seconds, ascending; ``lasted`` is from the first question to the last answer."""

    reads: list[float]
    writes: list[float]
    lasted: float

    @property
    def longest(self) -> float:
        return max(self.reads[-1], self.writes[-1])


def ask_until(member: Running, over: Callable[[], bool]) -> Gaps:
    """Has one client read and another write, each every millisecond, until it is over and half a second more."""
    stopped = threading.Event()

    def ask(question: bytes) -> list[float]:
        client = generator.Client(member.port)
        waits = []
        while not stopped.is_set():
            before = time.perf_counter()
            client.ask(question)
            took = time.perf_counter() - before
            waits.append(took)
            time.sleep(max(0.0, 0.001 - took))
        client.close()
        return sorted(waits)

    start = time.perf_counter()
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(ask, each) for each in (generator.get("ready"), generator.put("pace", b"v"))]
        while not over() and time.perf_counter() - start < _PATIENCE and not any(map(Future.done, asked)):
            time.sleep(0.05)
        time.sleep(0.5)
        stopped.set()
        reads, writes = (each.result() for each in asked)
    if not over():
        raise SystemExit(f"{member.server.title}: not over in {_PATIENCE:.0f} s")
    return Gaps(reads, writes, time.perf_counter() - start)


def gaps_during_snapshot(member: Running, keys: int) -> Gaps:
    """Fills a member started with ``SNAPSHOT_FLAG``, and asks while it takes a snapshot of it all."""
    generator.send_all(member.port, generator.tree_of_keys(keys, VALUE_BYTES))
    deadline = time.monotonic() + _PATIENCE
    while (left := _writes_left(member)) < 0:  # one is under way still
        if time.monotonic() > deadline:
            raise SystemExit(f"{member.server.title}: no snapshot in {_PATIENCE:.0f} s")
        time.sleep(0.2)
        # Only a write begins one that is due.
        generator.send_all(member.port, iter([generator.put("pace", b"v")]))
    generator.send_all(member.port, (generator.put("pace", b"v") for _ in range(left - 100)))
    known = _newest_snapshot(member)
    return ask_until(member, lambda: _newest_snapshot(member) != known)


def gaps_during_expiry(member: Running, keys: int) -> Gaps:
    """Writes keys that all expire within the same second, and asks until the last one is gone."""
    deadline = time.time() + 10 + keys / 4000

    def writes() -> Iterator[bytes]:
        for n in range(keys):
            left = int(deadline - time.time())
            if left < 2:
                raise SystemExit(
                    f"{member.server.title}: writing the keys took too long for them to expire at once"
                )
            yield generator.put(f"leases/{n // 200:05d}/{n:08d}", b"v" * VALUE_BYTES, ttl=str(left))

    generator.send_all(member.port, writes())
    time.sleep(max(0.0, deadline - 2 - time.time()))
    return ask_until(member, lambda: time.time() > deadline + 1 and _removed(member) >= keys)


def gaps_during_listings(member: Running, keys: int) -> Gaps:
    """Fills a member, has clients ask for a listing of it all that they never read, and asks meanwhile."""
    generator.send_all(member.port, generator.tree_of_keys(keys, VALUE_BYTES))
    before = member.resident_bytes()
    clients: list[generator.Client] = []
    began = 0.0

    def over() -> bool:
        nonlocal began
        if not clients:
            began = time.perf_counter()
            for _ in range(UNREAD):
                clients.append(generator.Client(member.port))
                clients[-1].send(generator.get("bench", "?recursive=true&sorted=true"))
        return time.perf_counter() - began > _UNREAD_FOR

    found = ask_until(member, over)
    more = (member.resident_bytes() - before) / (1 << 20)
    print(f"{member.server.title}: {more:.0f} MiB more memory with {UNREAD} listings unread", file=sys.stderr)
    for client in clients:
        client.close()
    return found


def gaps_on_a_slow_disk(member: Running) -> Gaps:
    """Asks for a while. The first syncs have told the member already what its disk is like."""
    generator.send_all(member.port, (generator.put(f"warm/{n}", b"v") for n in range(20)))
    until = time.perf_counter() + _SLOW_FOR
    return ask_until(member, lambda: time.perf_counter() > until)


def on_a_slow_disk() -> Server:
    script = Path(__file__).with_name("slow_disk.py")
    return Server("bundled", (sys.executable, "-P", str(script), str(SYNC_MILLISECONDS)))


def _writes_left(member: Running) -> int:
    """Writes until the next snapshot begins; negative when one is due or being taken."""
    answer = generator.Client(member.port).ask(generator.get("ready"))
    head = answer.lower()
    raft_index = int(head[head.index(b"x-raft-index:") + 13 :].split(b"\r\n", 1)[0])
    return _newest_snapshot(member) + SNAPSHOT_COUNT - raft_index


def _newest_snapshot(member: Running) -> int:
    """The index that the newest snapshot file has in its name, 0 when there is none."""
    names = (member.data_dir / "member" / "snap").glob("*.snap")
    return max((int(path.stem.partition("-")[2], 16) for path in names), default=0)


def _removed(member: Running) -> int:
    """Keys that expired since the start."""
    answer = generator.Client(member.port).ask(generator.STORE_STATS)
    count: int = json.loads(answer.partition(b"\r\n\r\n")[2])["expireCount"]
    return count


def in_ms(waits: list[float]) -> str:
    p99 = generator.percentile(waits, 99)
    return f"{len(waits):,}, p99 {p99 * 1e3:.1f} ms, longest {waits[-1] * 1e3:.1f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keys", type=int, default=KEYS, help=f"in the snapshot (default {KEYS})")
    parser.add_argument(
        "--expiring", type=int, default=EXPIRING, help=f"keys that expire (default {EXPIRING})"
    )
    parser.add_argument("--theirs", action="store_true", help="measure a real etcd too")
    parser.add_argument(
        "--only", choices=("snapshot", "expiry", "listings", "disk"), help="measure nothing else"
    )
    add_options(parser)
    args = parser.parse_args()
    check_disk(args.data)
    print(f"{machine()}; {' '.join(['python', *sys.argv])}\n")
    print("| server | while | reads | writes |\n| --- | --- | --- | --- |")
    met = True
    title = f"{UNREAD} clients ask for a listing of {args.keys:,} keys and never read it"
    measurements: list[tuple[str, str, float, tuple[str, ...], Callable[[Running], Gaps]]] = [
        (
            "snapshot",
            f"a snapshot of {args.keys:,} keys",
            GOAL,
            (SNAPSHOT_FLAG,),
            lambda m: gaps_during_snapshot(m, args.keys),
        ),
        (
            "expiry",
            f"{args.expiring:,} keys expire",
            GOAL,
            (),
            lambda m: gaps_during_expiry(m, args.expiring),
        ),
        ("listings", title, LISTING_GOAL, (), lambda m: gaps_during_listings(m, args.keys)),
    ]
    measurements = [each for each in measurements if args.only in (None, each[0])]
    for server in (bundled(), real(args.etcd)) if args.theirs else (bundled(),):
        for _, title, goal, flags, measure in measurements:
            failed = ""
            with running(server, args.data, *flags) as member:
                try:
                    found = measure(member)
                except generator.Failed as error:
                    failed = str(error).strip().splitlines()[-1]
            if failed:
                print(f"| {server.title} | {title} | failed: {failed} | |", flush=True)
                met = met and server.title != "bundled"
                continue
            row = [server.title, f"{title} ({found.lasted:.1f} s)", in_ms(found.reads), in_ms(found.writes)]
            print(f"| {' | '.join(row)} |", flush=True)
            if server.title == "bundled":
                met = met and found.longest <= goal
    if args.only in (None, "disk"):
        with running(on_a_slow_disk(), args.data) as member:
            found = gaps_on_a_slow_disk(member)
        title = f"every sync takes {SYNC_MILLISECONDS} ms ({found.lasted:.1f} s)"
        print(f"| bundled | {title} | {in_ms(found.reads)} | {in_ms(found.writes)} |", flush=True)
        met = met and found.reads[-1] <= DISK_GOAL
    goals = (
        f"{GOAL * 1e3:.0f} ms at most, {LISTING_GOAL * 1e3:.0f} ms with listings, "
        f"{DISK_GOAL * 1e3:.0f} ms for reads on a slow disk"
    )
    print(f"\ngoal: {goals}; {'met' if met else 'NOT met'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
