"""``make soak SEEDS=N``: simulated clusters by the thousand, from ``--first`` on.

Every fourth seed is besieged, too: somebody on the peer port then says what is plausible, and no member may break.
"""

from __future__ import annotations

import argparse
import sys

from tests.server.raft.simulator import Siege, Simulation, Violation
from tests.support.soak import Figures, soak

SIEGES = 4
"""One siege for so many seeds."""


def run(seed: int) -> tuple[Figures, str]:
    runs = (Simulation(seed), Siege(seed)) if seed % SIEGES == 0 else (Simulation(seed),)
    figures = Figures()
    broken = ""
    for simulation in runs:
        try:
            simulation.run()
        except Violation as violation:
            broken = f"{violation}\nTo see it again: {type(simulation).__name__}({seed}).run()"
        figures += simulation.figures
    return figures, broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=1_000_000)
    options = parser.parse_args()
    return soak(run, range(options.first, options.first + options.seeds), noun="seeds")


if __name__ == "__main__":
    sys.exit(main())
