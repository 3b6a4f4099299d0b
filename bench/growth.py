"""How the price of a request grows with the keys there are, with the watchers, and with the size of values.

    python bench/growth.py [--seconds N] [--etcd PATH] [--data DIR] [--into DIR]

PUT and GET by wrk: by 64 connections with 1,000 to 1,000,000 keys and with 1 to 10,000 idle watchers, and by 8 with
values of 64 bytes to 512 KiB. Each server is loaded alone, on an empty directory for each point, and takes no snapshot
meanwhile: those cost by the keys there are, for each 10,000 writes (``pauses.py``). Prints a table in
Markdown, and draws two plots into ``--into`` (default ``docs/plots``): requests a second, and processor time per
request. ``ETCD238=PATH`` adds a second real etcd.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import generator
import matplotlib
from load import Loaded, check_wrk, wrk
from members import (
    Running,
    Server,
    add_options,
    bundled,
    check_disk,
    machine,
    raise_file_limit,
    references,
    running,
)
from tables import print_row

matplotlib.use("svg")
# The same figures give the same file:
matplotlib.rcParams["svg.hashsalt"] = "growth"
matplotlib.rcParams["svg.fonttype"] = "none"  # text that can be read, and a fraction of the size

from matplotlib import pyplot  # noqa: E402 - after its backend was chosen

FEW_KEYS = 1000
MOST_REQUESTED = 20_000
"""Keys that requests are spread over, where there are more."""

LARGE_VALUES = 100
"""Keys of the last axis: with 512 KiB each they fit into memory many times over, as a history of 1000 events needs."""

FEW_CONNECTIONS = 8
"""For large values: 64 of them at once are 32 MiB for each sync, which no disk here writes several times a second."""

NO_SNAPSHOT = "--snapshot-count=1000000000"
"""With snapshots 2.3.8 does not even get to 1,000,000 keys: it answers nothing for so long that writes time out."""

METHODS = ("PUT", "GET")
IMAGES = {"rate": "requests a second", "cpu": "processor time per request, µs"}


class Point(NamedTuple):
    """What a server holds while it is loaded."""

    keys: int = FEW_KEYS
    watchers: int = 0
    value_bytes: int = 64
    connections: int = 64


class Axis(NamedTuple):
    """One thing that grows: what it is called, and the points by how much of it there is."""

    title: str
    points: dict[int, Point]


AXES = (
    Axis("keys", {n: Point(keys=n) for n in (1000, 100_000, 1_000_000)}),
    Axis("idle watchers", {n: Point(watchers=n) for n in (1, 100, 10_000)}),
    Axis("bytes of a value", {n: Point(LARGE_VALUES, 0, n, FEW_CONNECTIONS) for n in (64, 4096, 524_288)}),
)


class Cost(NamedTuple):
    rate: float
    """Requests a second."""
    cpu: float
    """Microseconds of processor time per request."""


Costs = dict[tuple[str, str, int], list[Cost]]
"""By axis, method and how much there is: of each server."""


def costs_at(point: Point, server: Server, directory: Path | None, seconds: float) -> dict[str, Cost]:
    """By method."""
    with running(server, directory, NO_SNAPSHOT) as member:
        value = b"v" * point.value_bytes
        writes = (generator.put(f"bench/{n:06d}", value) for n in range(point.keys))
        generator.send_all(member.port, writes, point.connections)
        watchers = generator.Watchers(member.port, [f"idle/{n}" for n in range(point.watchers)])
        watchers.wait_for_heads()
        costs = {method: _cost(member, method, point, seconds) for method in METHODS}
        watchers.close()
    return costs


def _cost(member: Running, method: str, point: Point, seconds: float) -> Cost:
    requested = min(point.keys, MOST_REQUESTED)

    def load(seconds: float) -> Loaded:
        return wrk(
            member,
            method,
            point.connections,
            seconds,
            keys=requested,
            value_bytes=point.value_bytes,
            stride=point.keys // requested,
        )

    load(1.0)  # warm caches, and a garbage collector at its usual pace
    before = member.cpu_seconds()
    found = load(seconds)
    return Cost(found.rate, (member.cpu_seconds() - before) / found.requests * 1e6)


def draw(into: Path, figure: str, servers: Sequence[Server], costs: Costs) -> None:
    """One plot: a row for each method, a column for each axis, a line for each server."""
    image, cells = pyplot.subplots(
        len(METHODS), len(AXES), figsize=(11, 6), sharey="row", layout="constrained"
    )
    for row, method in zip(cells, METHODS, strict=True):
        for cell, axis in zip(row, AXES, strict=True):
            for n, server in enumerate(servers):
                heights = [getattr(costs[axis.title, method, much][n], figure) for much in axis.points]
                cell.plot(list(axis.points), heights, marker="o", label=server.title)
            cell.set(xscale="log", yscale="log", xlabel=axis.title)
            cell.grid(visible=True, which="major", alpha=0.3)
        row[0].set_ylabel(f"{method}: {IMAGES[figure]}")
    cells[0][0].legend()
    into.mkdir(parents=True, exist_ok=True)
    image.savefig(into / f"growth-{figure}.svg", metadata={"Date": None})
    pyplot.close(image)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3, help="of load at each point (default 3)")
    parser.add_argument("--into", type=Path, default=Path("docs/plots"), help="where the plots go")
    add_options(parser)
    args = parser.parse_args()
    check_wrk()
    check_disk(args.data)
    raise_file_limit(max(point.watchers for axis in AXES for point in axis.points.values()) + 100)
    servers = bundled(), *references(args.etcd)
    titles = " / ".join(server.title for server in servers)
    print(f"{machine()}; {' '.join(['python', *sys.argv])}\n")
    print_row("what grows", "how many", "method", f"requests a second, {titles}", "CPU, µs")
    print_row(*["---"] * 5)
    costs: Costs = {}
    for axis in AXES:
        for much, point in axis.points.items():
            found = [costs_at(point, server, args.data, args.seconds) for server in servers]
            for method in METHODS:
                costs[axis.title, method, much] = of_all = [each[method] for each in found]
                rates = " / ".join(f"{cost.rate:,.0f}" for cost in of_all)
                cpu = " / ".join(f"{cost.cpu:.1f}" for cost in of_all)
                print_row(axis.title, f"{much:,}", method, rates, cpu)
    for figure in IMAGES:
        draw(args.into, figure, servers, costs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
