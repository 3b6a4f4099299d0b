"""What a proxy leaves of a member's rate: the bundled one before a bundled member, a real one before a real one.

    python bench/proxy.py [--only put64,get64] [--seconds N] [--rounds N] [--etcd PATH] [--data DIR]

In each round a member and a proxy before it are started, and wrk's load goes to the one and to the other in turn, in
slices, so that what else the machine does hits both alike. Then the same with the other kind, and so on in turn.
Compared are the medians of the rounds. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import urllib.request
from pathlib import Path
from typing import NamedTuple

import generator
from load import check_wrk, wrk
from members import Running, Server, add_options, bundled, check_disk, machine, real, running
from tables import chosen, print_row, print_summary, verdict

CONNECTIONS = 64
VALUE_BYTES = 64
SLICES = 4

KEPT_GOAL = 0.5


class Workload(NamedTuple):
    title: str
    method: str
    keys: int
    query: str = ""


WORKLOADS = {
    "get64": Workload("GET", "GET", 1000),
    "get64many": Workload("GET, no key twice within 20,000", "GET", 20_000),
    "qget64": Workload("quorum GET", "GET", 1000, "?quorum=true"),
    "put64": Workload("PUT", "PUT", 1000),
}


class Round(NamedTuple):
    """Rates per second, and the processor time per request of the proxy, in seconds."""

    direct: float
    through: float
    cpu: float


def measure(server: Server, work: Workload, seconds: float, directory: Path | None) -> Round:
    with running(server, directory) as member:
        flags = "--proxy=on", f"--initial-cluster=bench={_peer_url(member)}"
        with running(server, directory, *flags) as proxy:
            writes = (generator.put(f"bench/{n:06d}", b"v" * VALUE_BYTES) for n in range(work.keys))
            generator.send_all(member.port, writes, CONNECTIONS)
            for one in (member, proxy):
                _rate(one, work, 1.0)
            direct = through = 0.0
            before = proxy.cpu_seconds()
            for _ in range(SLICES):
                direct += _rate(member, work, seconds / SLICES)
                through += _rate(proxy, work, seconds / SLICES)
            cpu = proxy.cpu_seconds() - before
    return Round(direct / SLICES, through / SLICES, cpu / (through / SLICES * seconds))


def _rate(one: Running, work: Workload, seconds: float) -> float:
    return wrk(
        one, work.method, CONNECTIONS, seconds, query=work.query, keys=work.keys, value_bytes=VALUE_BYTES
    ).rate


def _peer_url(member: Running) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{member.port}/v2/members", timeout=10) as response:
        url: str = json.load(response)["members"][0]["peerURLs"][0]
    return url


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", help=f"some of {','.join(WORKLOADS)}")
    parser.add_argument("--seconds", type=float, default=8, help="of load on each, in each round (default 8)")
    parser.add_argument("--rounds", type=int, default=3, help="of each kind (default 3)")
    add_options(parser)
    args = parser.parse_args()
    names = chosen(parser, args.only, WORKLOADS)
    check_wrk()
    check_disk(args.data)
    servers = bundled(), real(args.etcd)
    print(f"{machine()}; {' '.join(['python', *sys.argv])}\n")
    ours, theirs = (server.title for server in servers)
    print_row(
        f"{CONNECTIONS} connections", f"{ours}: direct, through", f"{theirs}: direct, through",
        f"kept: {ours} / {theirs}", "goal", "CPU of the proxy per request",
    )  # fmt: skip
    print_row(*["---"] * 6)
    all_met = True
    for name in names:
        work = WORKLOADS[name]
        rounds: dict[Server, list[Round]] = {server: [] for server in servers}
        for _ in range(args.rounds):
            for server in servers:
                rounds[server].append(measure(server, work, args.seconds, args.data))
        cells, met = _row(work, *(rounds[server] for server in servers))
        print_row(*cells)
        all_met = all_met and met
    return print_summary(all_met)


def _row(work: Workload, ours: list[Round], theirs: list[Round]) -> tuple[list[str], bool]:
    kept, others = (
        statistics.median(one.through / one.direct for one in rounds) for rounds in (ours, theirs)
    )
    goal = max(KEPT_GOAL, others)
    met = kept >= goal
    rates = [
        f"{statistics.median(one.direct for one in rounds):,.0f}/s, "
        f"{statistics.median(one.through for one in rounds):,.0f}/s"
        for rounds in (ours, theirs)
    ]
    cpu = " / ".join(f"{1e6 * statistics.median(one.cpu for one in rounds):.1f}" for rounds in (ours, theirs))
    said = f"at least {goal:.2f}: {verdict(met)}"
    return [work.title, *rates, f"{kept:.2f} / {others:.2f}", said, f"{cpu} µs"], met


if __name__ == "__main__":
    sys.exit(main())
