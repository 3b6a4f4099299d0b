"""The bundled server against a real etcd: rates, latencies, processor time and memory, as ratios.

    python bench/server.py [--only put64,get64] [--seconds N] [--rounds N] [--etcd PATH] [--data DIR]

Each workload starts one server on an empty directory, loads it, ends it, then does the same with the other, and so on
in turn, so that what else the machine does hits both alike. Compared are the medians of the rounds; in brackets are the
least and the greatest ratio of a single round. The bundled server is that of the environment this runs in: with
``make compiled`` and ``.venv-compiled/bin/python`` the compiled one.

The load is wrk's (``keys.lua``), that of watchers and memory ``generator.py``'s. Prints a table in Markdown. Processor
time per request or event is the server's alone, and hardly depends on what else is running.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import generator
from load import check_wrk, wrk
from members import Running, Server, add_options, bundled, check_disk, machine, real, running
from pauses import SNAPSHOT_FLAG, gaps_during_snapshot

KEYS = 1000
"""Keys that requests are spread over, all of them there before the clock starts."""

MANY_KEYS = 20_000
"""Too many for the bundled server to have the last answer at hand when a key's turn comes again."""

VALUE_BYTES = 64
MEMORY_KEYS = 200_000
REST_SECONDS = 5.0
"""Between the last write and the look at the memory."""

WATCHERS = 200
WRITES = 100

P99_GOAL = 1.2


Subject = TypeVar("Subject")


class Figures(NamedTuple):
    """One run. ``value`` is what the workload is about; seconds for ``p99``, and processor time per request."""

    value: float
    p99: float | None = None
    cpu: float | None = None


@dataclass(slots=True, frozen=True)
class Workload(Generic[Subject]):
    """``run`` gets what is measured, a member or a cluster, and how many seconds it has. ``goal`` is for the ratio of
    ours to theirs (or for our value itself, if ``absolute``): at least that, or at most if ``less_is_better``."""

    title: str
    unit: str
    run: Callable[[Subject, float], Figures]
    goal: float
    less_is_better: bool = False
    absolute: bool = False
    once: bool = False
    digits: int = 0
    flags: tuple[str, ...] = ()


def with_wrk(
    method: str, connections: int, query: str = "", keys: int = KEYS
) -> Callable[[Running, float], Figures]:
    def run(member: Running, seconds: float) -> Figures:
        return load(member, method, connections, query, keys, seconds, member.cpu_seconds)

    return run


def load(
    member: Running,
    method: str,
    connections: int,
    query: str,
    keys: int,
    seconds: float,
    cpu_seconds: Callable[[], float],
) -> Figures:
    """Loads a member with wrk; ``cpu_seconds`` tells the processor time spent so far by all that do the work."""
    writes = (generator.put(f"bench/{n:06d}", b"v" * VALUE_BYTES) for n in range(keys))
    generator.send_all(member.port, writes, min(connections, 64))
    # warm caches, and a garbage collector at its usual pace
    wrk(member, method, connections, 1.0, query=query, keys=keys, value_bytes=VALUE_BYTES)
    before = cpu_seconds()
    told = wrk(member, method, connections, seconds, query=query, keys=keys, value_bytes=VALUE_BYTES)
    cpu = cpu_seconds() - before
    if told["failed"]:
        raise SystemExit(f"{member.server.title}: {told['failed']:.0f} of {told['requests']:.0f} failed")
    return Figures(told["requests"] / told["seconds"], told["p99"], cpu / told["requests"])


def watch_events(member: Running, seconds: float) -> Figures:
    """Events that 200 streaming watchers of a directory get while one client writes 100 times, one write after the
    other; again and again until the time is over."""
    watchers = generator.Watchers(member.port, ["bench/watched"] * WATCHERS)
    watchers.wait_for_heads()
    writer = generator.Client(member.port)
    rates, latencies = [], list[float]()
    before, rounds, end = member.cpu_seconds(), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        value = generator.MARK + b"v" * (VALUE_BYTES - 1)
        writes = [generator.put(f"bench/watched/{rounds:06d}-{n:03d}", value) for n in range(WRITES)]
        followed = watchers.write_and_follow(writer, writes)
        rates.append(WRITES * WATCHERS / followed.took)
        latencies += followed.events
        rounds += 1
    cpu = member.cpu_seconds() - before
    writer.close()
    watchers.close()
    return Figures(statistics.median(rates), generator.percentile(latencies, 99), cpu / len(latencies))


def memory(member: Running, _: float) -> Figures:
    """Resident memory in MiB after so many keys were written."""
    generator.send_all(member.port, generator.tree_of_keys(MEMORY_KEYS, VALUE_BYTES))
    time.sleep(REST_SECONDS)
    return Figures(member.resident_bytes() / (1 << 20))


def pause(member: Running, _: float) -> Figures:
    """The longest wait for an answer, in ms, while a snapshot of so many keys is taken."""
    return Figures(gaps_during_snapshot(member, MEMORY_KEYS).longest * 1e3)


WORKLOADS: dict[str, Workload[Running]] = {
    "put1": Workload("PUT, 1 connection", "/s", with_wrk("PUT", 1), 0.8),
    "put64": Workload("PUT, 64 connections", "/s", with_wrk("PUT", 64), 1.2),
    "put256": Workload("PUT, 256 connections", "/s", with_wrk("PUT", 256), 1.2),
    "get64": Workload("GET, 64 connections", "/s", with_wrk("GET", 64), 1.5),
    "get64many": Workload(
        "GET, 64 connections, no key twice within 20,000", "/s", with_wrk("GET", 64, keys=MANY_KEYS), 1.0
    ),
    "qget64": Workload("quorum GET, 64 connections", "/s", with_wrk("GET", 64, "?quorum=true"), 1.0),
    "watch": Workload(f"events to {WATCHERS} streaming watchers", "/s", watch_events, 1.0),
    "memory": Workload(
        f"memory at {MEMORY_KEYS:,} keys of {VALUE_BYTES} bytes",
        " MiB",
        memory,
        1.0,
        less_is_better=True,
        once=True,
    ),
    "pause": Workload(
        f"longest pause, snapshot of {MEMORY_KEYS:,} keys",
        " ms",
        pause,
        100,
        less_is_better=True,
        absolute=True,
        once=True,
        flags=(SNAPSHOT_FLAG,),
    ),
}


Start = Callable[[Server, Path | None, tuple[str, ...]], AbstractContextManager[Subject]]
"""Starts what is measured: of a kind, in a directory, with these flags."""


def measure(
    workload: Workload[Subject],
    start: Start[Subject],
    servers: tuple[Server, Server],
    rounds: int,
    seconds: float,
    directory: Path | None,
) -> tuple[list[Figures], list[Figures]]:
    """The figures of each round, of ours and of theirs."""
    found: tuple[list[Figures], list[Figures]] = ([], [])
    for _ in range(1 if workload.once else rounds):
        for server, figures in zip(servers, found, strict=True):
            with start(server, directory, workload.flags) as subject:
                figures.append(workload.run(subject, seconds))
    return found


class Ratio(NamedTuple):
    """Of ours to theirs: of the medians, and the least and the greatest of a single round."""

    middle: float
    least: float
    greatest: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.least:.2f} to {self.greatest:.2f})"


def ratio(ours: list[float], theirs: list[float]) -> Ratio:
    each = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Ratio(statistics.median(ours) / statistics.median(theirs), min(each), max(each))


def row(workload: Workload[Any], found: tuple[list[Figures], list[Figures]]) -> tuple[list[str], bool]:
    """The cells of a table's row, and whether all goals are met."""
    ours, theirs = ([run.value for run in runs] for runs in found)
    values = ratio(ours, theirs)
    judged = statistics.median(ours) if workload.absolute else values.middle
    met = judged <= workload.goal if workload.less_is_better else judged >= workload.goal
    goal = f"{'at most' if workload.less_is_better else 'at least'} {workload.goal:g}"
    if workload.absolute:
        goal += workload.unit
    cells = [workload.title]
    cells += [f"{statistics.median(values):,.{workload.digits}f}{workload.unit}" for values in (ours, theirs)]
    cells += [str(values) if len(ours) > 1 else f"{values.middle:.2f}", f"{goal}: {_verdict(met)}"]
    late_ours, late_theirs = ([run.p99 for run in runs if run.p99 is not None] for runs in found)
    if late_ours:
        late = ratio(late_ours, late_theirs)
        met_too = late.middle <= P99_GOAL
        mine, other = (statistics.median(values) * 1e3 for values in (late_ours, late_theirs))
        cells += [f"{mine:.2f} / {other:.2f} ms", f"{late.middle:.2f}: {_verdict(met_too)}"]
        met = met and met_too
    else:
        cells += ["", ""]
    cpu = [[run.cpu for run in runs if run.cpu is not None] for runs in found]
    cells.append(
        " / ".join(f"{statistics.median(values) * 1e6:.1f}" for values in cpu) + " µs" if cpu[0] else ""
    )
    return cells, met


def _verdict(met: bool) -> str:
    return "met" if met else "**not met**"


def main() -> int:
    return compare(
        __doc__ or "", WORKLOADS, lambda server, directory, flags: running(server, directory, *flags)
    )


def compare(about: str, workloads: dict[str, Workload[Subject]], start: Start[Subject]) -> int:
    """Runs what the command line asks for and prints the table; the exit status says whether all goals are met."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--only", help=f"some of {','.join(workloads)}")
    parser.add_argument("--seconds", type=float, default=8, help="of load in each round (default 8)")
    parser.add_argument("--rounds", type=int, default=5, help="of each server (default 5; for some always 1)")
    add_options(parser)
    args = parser.parse_args()
    names = args.only.split(",") if args.only else list(workloads)
    if unknown := set(names) - set(workloads):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(workloads)}")
    check_wrk()
    check_disk(args.data)
    servers = bundled(), real(args.etcd)
    ours, theirs = (server.title for server in servers)
    print(f"{machine()}; {' '.join(['python', *sys.argv])}\n")
    _print_row(
        "what",
        ours,
        theirs,
        "ratio",
        "goal",
        f"p99, {ours} / {theirs}",
        f"at most {P99_GOAL}",
        "CPU per request",
    )
    _print_row(*["---"] * 8)
    all_met = True
    for name in names:
        found = measure(workloads[name], start, servers, args.rounds, args.seconds, args.data)
        cells, met = row(workloads[name], found)
        _print_row(*cells)
        all_met = all_met and met
    print(f"\ngoals: {'all met' if all_met else 'NOT all met'}")
    return 0 if all_met else 1


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
