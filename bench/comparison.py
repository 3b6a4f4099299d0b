"""Runs workloads against the bundled server and real etcds in turn, and prints what came of it as ratios to goals.

Each workload starts one server, loads it, ends it, then does the same with the next, and so on in turn, so that what
else the machine does hits all alike. Compared are the medians of the rounds; in brackets are the least and the
greatest ratio of a single round. Where two real etcds are measured, the worse ratio decides.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from load import check_wrk
from members import Server, add_options, bundled, check_disk, machine, references
from tables import chosen, print_row, print_summary, verdict

P99_GOAL = 1.0

Subject = TypeVar("Subject")


class Figures(NamedTuple):
    """One run. ``value`` is what the workload is about; seconds for ``p99``, and processor time per request."""

    value: float
    p99: float | None = None
    cpu: float | None = None


@dataclass(slots=True, frozen=True)
class Workload(Generic[Subject]):
    """``run`` gets what is measured, a member or a cluster, and how many seconds it has. ``goal`` is for the ratio of
    ours to theirs (or for our value itself, if ``absolute``): at least that, or at most if ``less_is_better``;
    ``cpu_goal`` is for the ratio of processor time, at most. ``against`` is how the title of a real etcd begins that
    decides, the others are printed only."""

    title: str
    unit: str
    run: Callable[[Subject, float], Figures]
    goal: float
    less_is_better: bool = False
    absolute: bool = False
    once: bool = False
    digits: int = 0
    flags: tuple[str, ...] = ()
    cpu_goal: float | None = None
    against: str = ""


Start = Callable[[Server, Path | None, tuple[str, ...]], AbstractContextManager[Subject]]
"""Starts what is measured: of a kind, in a directory, with these flags."""


def measure(
    workload: Workload[Subject],
    start: Start[Subject],
    servers: Sequence[Server],
    rounds: int,
    seconds: float,
    directory: Path | None,
) -> dict[Server, list[Figures]]:
    """The figures of each round, by server."""
    found: dict[Server, list[Figures]] = {server: [] for server in servers}
    for _ in range(1 if workload.once else rounds):
        for server, figures in found.items():
            with start(server, directory, workload.flags) as subject:
                figures.append(workload.run(subject, seconds))
    return found


class Ratio(NamedTuple):
    """Of ours to theirs: of the medians, and the least and the greatest of a single round."""

    middle: float
    least: float
    greatest: float

    def __str__(self) -> str:
        if self.least == self.greatest:
            return f"{self.middle:.2f}"
        return f"{self.middle:.2f} ({self.least:.2f} to {self.greatest:.2f})"


def ratio(ours: list[float], theirs: list[float]) -> Ratio:
    each = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Ratio(statistics.median(ours) / statistics.median(theirs), min(each), max(each))


def row(workload: Workload[Any], found: dict[Server, list[Figures]]) -> tuple[list[str], bool]:
    """The cells of a table's row, and whether all goals are met. The first server is ours."""
    judges = [n for n, server in enumerate(found) if n and server.title.startswith(workload.against)]
    values = [[run.value for run in runs] for runs in found.values()]
    ratios = {n: ratio(values[0], values[n]) for n in range(1, len(values))}
    if workload.absolute:
        judged = statistics.median(values[0])
    else:
        judged = _worst([ratios[n].middle for n in judges], workload.less_is_better)
    met = judged <= workload.goal if workload.less_is_better else judged >= workload.goal
    goal = f"{'at most' if workload.less_is_better else 'at least'} {workload.goal:g}"
    if workload.absolute:
        goal += workload.unit
    cells = [workload.title]
    cells += [f"{statistics.median(each):,.{workload.digits}f}{workload.unit}" for each in values]
    cells += [" / ".join(map(str, ratios.values())), f"{goal}: {verdict(met)}"]
    late = [[run.p99 * 1e3 for run in runs if run.p99 is not None] for runs in found.values()]
    late_cells, late_met = _judged_at_most(late, judges, P99_GOAL, "ms", 2)
    cpu = [[run.cpu * 1e6 for run in runs if run.cpu is not None] for runs in found.values()]
    cpu_cells, cpu_met = _judged_at_most(cpu, judges, workload.cpu_goal, "µs", 1)
    return cells + late_cells + cpu_cells, met and late_met and cpu_met


def _judged_at_most(
    values: list[list[float]], judges: list[int], goal: float | None, unit: str, digits: int
) -> tuple[list[str], bool]:
    """The cells of figures that are the better the less they are: the medians, and the greatest ratio with whether
    it is at most the goal. Empty where there are none."""
    if not values[0]:
        return ["", ""], True
    medians = " / ".join(f"{statistics.median(each):.{digits}f}" for each in values) + f" {unit}"
    worst = _worst([ratio(values[0], values[n]).middle for n in judges], less_is_better=True)
    met = goal is None or worst <= goal
    said = "" if goal is None else f", at most {goal:g}: {verdict(met)}"
    return [medians, f"{worst:.2f}{said}"], met


def _worst(ratios: list[float], less_is_better: bool) -> float:
    return max(ratios) if less_is_better else min(ratios)


def compare(about: str, workloads: dict[str, Workload[Subject]], start: Start[Subject]) -> int:
    """Runs what the command line asks for and prints the table; the exit status says whether all goals are met."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--only", help=f"some of {','.join(workloads)}")
    parser.add_argument("--seconds", type=float, default=8, help="of load in each round (default 8)")
    parser.add_argument("--rounds", type=int, default=5, help="of each server (default 5; for some always 1)")
    add_options(parser)
    args = parser.parse_args()
    names = chosen(parser, args.only, workloads)
    check_wrk()
    check_disk(args.data)
    servers = bundled(), *references(args.etcd)
    titles = [server.title for server in servers]
    print(f"{machine()}; {' '.join(['python', *sys.argv])}\n")
    print_row(
        "what",
        *titles,
        f"ratio to {' / '.join(titles[1:])}",
        "goal",
        f"p99, {' / '.join(titles)}",
        "worst ratio",
        f"CPU per request, {' / '.join(titles)}",
        "worst ratio",
    )
    print_row(*["---"] * (len(titles) + 7))
    all_met = True
    for name in names:
        found = measure(workloads[name], start, servers, args.rounds, args.seconds, args.data)
        cells, met = row(workloads[name], found)
        print_row(*cells)
        all_met = all_met and met
    return print_summary(all_met)
