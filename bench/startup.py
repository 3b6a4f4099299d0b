"""How long migrate02 takes to start, as a multiple of the bare interpreter.

    python bench/startup.py [--rounds N]

Runs ``python -c pass``, ``migrate02 --version`` and ``migrate02 convert FILE`` in turn, each with the interpreter that
runs this, and prints the median and the least of wall time and the least of CPU time (user and system). The goal is
a ratio of 3 at most; a busy machine shows in the medians, hardly in the minima.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

GOAL = 3.0

CONFIGURATION = """\
# the file of one member
name = "m1"
addr = "127.0.0.1:4001"
bind_addr = "127.0.0.1:4001"

[peer]
addr = "127.0.0.1:7001"
"""


class Times(NamedTuple):
    """Seconds, one for each round."""

    wall: list[float]
    cpu: list[float]


def run(argv: list[str]) -> tuple[float, float]:
    """(wall, CPU) seconds of one process."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return wall, cpu


def measure(commands: dict[str, list[str]], rounds: int) -> dict[str, Times]:
    """Interleaved, so that what else the machine does hits all alike."""
    times = {name: Times([], []) for name in commands}
    for argv in commands.values():
        run(argv)  # once, so that the bytecode is written and the files are cached
    for _ in range(rounds):
        for name, argv in commands.items():
            wall, cpu = run(argv)
            times[name].wall.append(wall)
            times[name].cpu.append(cpu)
    return times


def commands(configuration: Path) -> dict[str, list[str]]:
    script = Path(sysconfig.get_path("scripts")) / "migrate02"
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "migrate02 --version": [sys.executable, str(script), "--version"],
        "migrate02 convert FILE": [sys.executable, str(script), "convert", str(configuration)],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        configuration = Path(directory, "etcd.conf")
        configuration.write_text(CONFIGURATION)
        times = measure(commands(configuration), rounds)
    base = times["python -c pass"]
    print(f"{'ms':24}{'wall min':>10}{'median':>10}{'cpu min':>10}{'ratio min':>11}{'median':>10}")
    worst = 0.0
    for name, (wall, cpu) in times.items():
        least = min(wall) / min(base.wall)
        middle = statistics.median(wall) / statistics.median(base.wall)
        worst = max(worst, least)
        print(
            f"{name:24}{min(wall) * 1e3:10.1f}{statistics.median(wall) * 1e3:10.1f}{min(cpu) * 1e3:10.1f}"
            f"{least:11.2f}{middle:10.2f}"
        )
    print(f"goal: {GOAL} at most; {'met' if worst <= GOAL else 'NOT met'}")
    return 0 if worst <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
