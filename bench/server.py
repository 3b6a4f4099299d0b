"""The bundled server against real etcds: rates, latencies, processor time, memory and starts, as ratios.

    python bench/server.py [--only put64,get64] [--seconds N] [--rounds N] [--etcd PATH] [--data DIR]

``comparison.py`` says how it compares. The bundled server is that of the environment this runs in: with
``make compiled`` and ``.venv-compiled/bin/python`` the compiled one. ``ETCD238=PATH`` adds a second real etcd.

The load is wrk's (``keys.lua``), that of watchers and memory ``generator.py``'s. Prints a table in Markdown. Processor
time per request or event is the server's alone, and hardly depends on what else is running.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Callable

import generator
from comparison import Figures, Workload, compare
from load import wrk
from members import Member, Running, alone
from pauses import SNAPSHOT_FLAG, gaps_during_snapshot

KEYS = 1000
"""Keys that requests are spread over, all of them there before the clock starts."""

MANY_KEYS = 20_000
"""Too many for the bundled server to have the last answer in its cache when a key's turn comes again."""

VALUE_BYTES = 64
MEMORY_KEYS = 200_000
REST_SECONDS = 5.0
"""Between the last write and the look at the memory."""

WATCHERS = 200
WRITES = 100
STARTS = 3
"""In each round of a workload that measures starts."""


def with_wrk(
    method: str, connections: int, query: str = "", keys: int = KEYS
) -> Callable[[Member, float], Figures]:
    def run(member: Member, seconds: float) -> Figures:
        running = member.running
        return load(running, method, connections, query, keys, seconds, running.cpu_seconds)

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
    found = wrk(member, method, connections, seconds, query=query, keys=keys, value_bytes=VALUE_BYTES)
    return Figures(found.rate, found.p99, (cpu_seconds() - before) / found.requests)


def watch_events(member: Member, seconds: float) -> Figures:
    """Events that 200 streaming watchers of a directory get while one client writes 100 times, one write after the
    other; again and again until the time is over."""
    watchers = generator.Watchers(member.port, ["bench/watched"] * WATCHERS)
    watchers.wait_for_heads()
    writer = generator.Client(member.port)
    rates, latencies = [], list[float]()
    running = member.running
    before, rounds, end = running.cpu_seconds(), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        value = generator.MARK + b"v" * (VALUE_BYTES - 1)
        writes = [generator.put(f"bench/watched/{rounds:06d}-{n:03d}", value) for n in range(WRITES)]
        followed = watchers.write_and_follow(writer, writes)
        rates.append(WRITES * WATCHERS / followed.took)
        latencies += followed.events
        rounds += 1
    cpu = running.cpu_seconds() - before
    writer.close()
    watchers.close()
    return Figures(statistics.median(rates), generator.percentile(latencies, 99), cpu / len(latencies))


def memory(keys: int) -> Callable[[Member, float], Figures]:
    """Resident memory in MiB after so many keys were written."""

    def run(member: Member, _: float) -> Figures:
        generator.send_all(member.port, generator.tree_of_keys(keys, VALUE_BYTES), min(keys, 64))
        time.sleep(REST_SECONDS)
        return Figures(member.running.resident_bytes() / (1 << 20))

    return run


def start_empty(member: Member, _: float) -> Figures:
    """Seconds from the start on an empty directory to the first answered write."""
    took = []
    for _ in range(STARTS):
        member.stop()
        shutil.rmtree(member.data_dir)
        took.append(member.seconds_to_first_write())
    return Figures(statistics.median(took))


def start_full(member: Member, _: float) -> Figures:
    """Seconds from the start on a directory with many keys to the first answered write."""
    generator.send_all(member.port, generator.tree_of_keys(MEMORY_KEYS, VALUE_BYTES))
    took = []
    for _ in range(STARTS):
        member.stop()
        took.append(member.seconds_to_first_write())
    return Figures(statistics.median(took))


def pause(member: Member, _: float) -> Figures:
    """The longest wait for an answer, in ms, while a snapshot of so many keys is taken."""
    return Figures(gaps_during_snapshot(member.running, MEMORY_KEYS).longest * 1e3)


WORKLOADS: dict[str, Workload[Member]] = {
    "put1": Workload("PUT, 1 connection", "/s", with_wrk("PUT", 1), 1.0),
    "put64": Workload("PUT, 64 connections", "/s", with_wrk("PUT", 64), 1.4, cpu_goal=0.55),
    "put256": Workload("PUT, 256 connections", "/s", with_wrk("PUT", 256), 1.8),
    "qget64": Workload("quorum GET, 64 connections", "/s", with_wrk("GET", 64, "?quorum=true"), 2.2),
    "get64one": Workload("GET, 64 connections, one key", "/s", with_wrk("GET", 64, keys=1), 2.7),
    "get64": Workload(f"GET, 64 connections, {KEYS:,} keys", "/s", with_wrk("GET", 64), 2.3),
    "get64many": Workload(
        f"GET, 64 connections, no key twice within {MANY_KEYS:,}",
        "/s",
        with_wrk("GET", 64, keys=MANY_KEYS),
        1.0,
    ),
    "watch": Workload(f"events to {WATCHERS} streaming watchers", "/s", watch_events, 1.2),
    "start": Workload(
        "start to first answered write, empty",
        " s",
        start_empty,
        0.35,
        less_is_better=True,
        absolute=True,
        digits=2,
    ),
    "startfull": Workload(
        f"start to first answered write, {MEMORY_KEYS:,} keys",
        " s",
        start_full,
        1.0,
        less_is_better=True,
        digits=2,
        flags=(SNAPSHOT_FLAG,),
    ),
    "rest": Workload("memory at rest", " MiB", memory(1), 1.0, less_is_better=True, against="etcd 3."),
    "memory": Workload(
        f"memory at {MEMORY_KEYS:,} keys of {VALUE_BYTES} bytes",
        " MiB",
        memory(MEMORY_KEYS),
        0.5,
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


if __name__ == "__main__":
    sys.exit(
        compare(__doc__ or "", WORKLOADS, lambda server, directory, flags: alone(server, directory, *flags))
    )
