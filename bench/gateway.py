"""A gateway before an etcd 3, against the v2 API of the same etcd.

    python bench/gateway.py [--only put64,get64,start,lag] [--seconds N] [--rounds N] [--etcd PATH] [--data DIR]

Where the etcd still has a v2 API (3.4, 3.5), the load goes to it directly and through the gateway in turn, in slices,
so that what else the machine does hits both alike; of a later one there are the gateway's figures alone. Compared are
the medians of the rounds. ``start`` is how
long a gateway takes until it serves so many keys; ``lag`` how long a write takes, at that load, until readers of v3
see it. The gateway is that of the environment this runs in. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import generator
from load import check_wrk, wrk
from members import Running, Server, add_options, bundled, check_disk, machine, real, running
from tables import chosen, print_row, print_summary, verdict

VALUE_BYTES = 64
SLICES = 4
KEYS = 1000
STARTED_WITH = 50_000


class Load(NamedTuple):
    title: str
    method: str
    connections: int
    goal: float
    query: str = ""


LOADS = {
    "put64": Load("PUT, 64 connections", "PUT", 64, 0.5),
    "put1": Load("PUT, 1 connection", "PUT", 1, 0.3),
    "get64": Load("GET, 64 connections", "GET", 64, 2.0),
    "qget64": Load("quorum GET, 64 connections", "GET", 64, 0.5, "?quorum=true"),
}
START_GOAL, LAG_GOAL = 5.0, 0.2


class Round(NamedTuple):
    """Rates per second, ``direct`` 0 where the etcd has no v2 API, and the processor time per request of the gateway
    and of the etcd behind it, in seconds."""

    direct: float
    through: float
    cpu: float
    cpu_behind: float


@contextmanager
def gateway(etcd: Running, directory: Path | None) -> Iterator[Running]:
    script = bundled()
    argv = (*script.argv, "--engine=gateway", f"--gateway-endpoints=http://127.0.0.1:{etcd.port}")
    with running(Server("gateway", argv), directory) as started:
        yield started


def measure(server: Server, load: Load, seconds: float, directory: Path | None) -> Round:
    with running(server, directory) as etcd, gateway(etcd, directory) as before:
        writes = [generator.put(f"bench/{n:06d}", b"v" * VALUE_BYTES) for n in range(KEYS)]
        for one in (etcd, before) if server.has_v2 else (before,):
            generator.send_all(one.port, iter(writes), load.connections)
            _rate(one, load, 1.0)
        direct = through = cpu = behind = 0.0
        for _ in range(SLICES):
            if server.has_v2:
                direct += _rate(etcd, load, seconds / SLICES)
            spent, spent_behind = before.cpu_seconds(), etcd.cpu_seconds()
            through += _rate(before, load, seconds / SLICES)
            cpu += before.cpu_seconds() - spent
            behind += etcd.cpu_seconds() - spent_behind
    requests = through / SLICES * seconds
    return Round(direct / SLICES, through / SLICES, cpu / requests, behind / requests)


def _rate(one: Running, load: Load, seconds: float) -> float:
    return wrk(
        one, load.method, load.connections, seconds, query=load.query, keys=KEYS, value_bytes=VALUE_BYTES
    ).rate


def measure_start(server: Server, directory: Path | None) -> float:
    """Seconds until a gateway serves so many keys."""
    with running(server, directory) as etcd:
        with gateway(etcd, directory) as first:
            generator.send_all(first.port, generator.tree_of_keys(STARTED_WITH, VALUE_BYTES))
        began = time.monotonic()
        with gateway(etcd, directory):
            return time.monotonic() - began


def measure_lag(server: Server, seconds: float, directory: Path | None) -> float:
    """Seconds, the median, from the answer to a write until v3 has it."""
    load, lags = LOADS["put64"], list[float]()
    with running(server, directory) as etcd, gateway(etcd, directory) as before:
        loading = threading.Thread(target=_rate, args=(before, load, seconds))
        loading.start()
        client = generator.Client(before.port)
        while loading.is_alive():
            value = f"{time.monotonic()}"
            client.send(generator.put("lag", value.encode()))
            client.receive()
            began = time.monotonic()
            while in_v3(etcd, "/lag") != value:
                time.sleep(0.002)
            lags.append(time.monotonic() - began)
        client.close()
    return statistics.median(lags)


def in_v3(etcd: Running, key: str) -> str:
    body = json.dumps({"key": base64.b64encode(key.encode()).decode()}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{etcd.port}/v3/kv/range", body, timeout=10) as answer:
        found = json.loads(answer.read()).get("kvs", [])
    return base64.b64decode(found[0]["value"]).decode() if found else ""


def row_of(load: Load, rounds: list[Round]) -> tuple[list[str], bool]:
    direct = statistics.median(each.direct for each in rounds)
    through = statistics.median(each.through for each in rounds)
    ratio = through / direct if direct else load.goal
    met = ratio >= load.goal
    cpu = statistics.median(each.cpu for each in rounds) * 1e6
    behind = statistics.median(each.cpu_behind for each in rounds) * 1e6
    cells = [load.title, f"{through:,.0f}/s", "", "", ""]
    if direct:
        cells[2:] = [f"{direct:,.0f}/s", f"{ratio:.2f}", f"at least {load.goal:g}: {verdict(met)}"]
    return [*cells, f"{cpu:.0f} / {behind:.0f} µs"], met


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", help=f"some of {','.join([*LOADS, 'start', 'lag'])}")
    parser.add_argument("--seconds", type=float, default=8, help="of load in each round (default 8)")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    add_options(parser)
    args = parser.parse_args()
    names = chosen(parser, args.only, (*LOADS, "start", "lag"))
    check_wrk()
    check_disk(args.data)
    server = real(args.etcd)
    print(f"{machine()}; {' '.join(['python', *sys.argv])}\n")
    print_row(
        "what",
        "gateway",
        f"{server.title}, directly",
        "ratio",
        "goal",
        "CPU per request, gateway / etcd behind it",
    )
    print_row(*["---"] * 6)
    times: dict[str, tuple[str, float, Callable[[], float]]] = {
        "start": (
            f"start with {STARTED_WITH:,} keys",
            START_GOAL,
            lambda: measure_start(server, args.data),
        ),
        "lag": (
            "from the answer until v3 has it, at PUT with 64 connections",
            LAG_GOAL,
            lambda: measure_lag(server, args.seconds, args.data),
        ),
    }
    all_met = True
    for name in names:
        if name in LOADS:
            rounds = [measure(server, LOADS[name], args.seconds, args.data) for _ in range(args.rounds)]
            cells, met = row_of(LOADS[name], rounds)
        else:
            title, goal, take = times[name]
            took = statistics.median(take() for _ in range(args.rounds))
            met = took <= goal
            cells = [
                title,
                f"{took * 1000:,.0f} ms",
                "",
                "",
                f"at most {goal * 1000:g} ms: {verdict(met)}",
                "",
            ]
        print_row(*cells)
        all_met = all_met and met
    return print_summary(all_met)


if __name__ == "__main__":
    sys.exit(main())
