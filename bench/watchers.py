"""What very many idle watchers cost one member, and whether writes still answer quickly.

    python bench/watchers.py [--watchers N] [--etcd PATH] [--data DIR] [--theirs]

Half of the watchers are long polls and half are streams, each on a key of its own. Prints memory per watcher, the
processor time while nothing happens, and how long a write takes that wakes none of them and one that wakes one. Then
as many streams on one directory take their place, and each write wakes them all. The goal is that a write which
wakes at most one answers in under 20 ms. ``--theirs`` measures a real etcd too.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import generator
from members import Running, add_options, bundled, check_disk, machine, raise_file_limit, real, running

GOAL = 0.02
WATCHERS = 10_000
IDLE_SECONDS = 10.0
WRITES = 500
WRITES_TO_ALL = 20
VALUE = generator.MARK + b"v" * 63


def report(member: Running, count: int) -> bool:
    """Prints one server's lines; whether the goal is met."""
    before = member.resident_bytes()
    half = count // 2
    polls = generator.Watchers(member.port, [f"idle/{n}" for n in range(half)], "?wait=true")
    streams = generator.Watchers(
        member.port, [f"idle/{n}" for n in range(half, count)], "?wait=true&stream=true"
    )
    for watchers in (polls, streams):
        watchers.wait_for_heads()
    line(
        f"{count:,} idle watchers: memory",
        f"{(member.resident_bytes() - before) / count / 1024:.1f} KiB each",
    )
    busy = member.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    line("processor time", f"{(member.cpu_seconds() - busy) / IDLE_SECONDS:.2%} of one core")
    writer = generator.Client(member.port)
    unseen = []
    for n in range(WRITES):
        start = time.perf_counter()
        writer.ask(generator.put(f"other/{n}", VALUE))
        unseen.append(time.perf_counter() - start)
        time.sleep(0.002)
    line("a write that wakes none: answer", in_ms(unseen))
    one = generator.Watchers(member.port, ["idle/one"])
    one.wait_for_heads()
    waking = one.write_and_follow(writer, [generator.put(f"idle/one/{n}", VALUE) for n in range(WRITES)])
    line("a write that wakes one: answer", in_ms(waking.answers))
    line("its event", in_ms(waking.events))
    for watchers in (one, polls, streams):
        watchers.close()
    time.sleep(2.0)
    together = generator.Watchers(member.port, ["all"] * count)
    together.wait_for_heads()
    waking_all = [
        together.write_and_follow(writer, [generator.put(f"all/{n}", VALUE)]) for n in range(WRITES_TO_ALL)
    ]
    together.close()
    line("a write that wakes all: answer", in_ms([each.answers[0] for each in waking_all]))
    line("all have its event", in_ms([each.took for each in waking_all]))
    return max(unseen + waking.answers) < GOAL


def in_ms(seconds: list[float]) -> str:
    middle, late = statistics.median(seconds), generator.percentile(seconds, 99)
    return f"{middle * 1e3:.1f} ms, p99 {late * 1e3:.1f}, longest {max(seconds) * 1e3:.1f}"


def line(what: str, figure: str) -> None:
    print(f"| {what} | {figure} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--watchers", type=int, default=WATCHERS, help=f"how many (default {WATCHERS})")
    parser.add_argument("--theirs", action="store_true", help="measure a real etcd too")
    add_options(parser)
    args = parser.parse_args()
    check_disk(args.data)
    raise_file_limit(args.watchers + 100)
    print(f"{machine()}; {' '.join(['python', *sys.argv])}")
    met = True
    for server in (bundled(), real(args.etcd)) if args.theirs else (bundled(),):
        print()
        line(server.title, "")
        line("---", "---")
        with running(server, args.data) as member:
            found = report(member, args.watchers)
        if server.title == "bundled":
            met = found
    print(
        f"\ngoal: a write that wakes at most one answers in {GOAL * 1e3:.0f} ms; {'met' if met else 'NOT met'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
