"""``make soak SEEDS=N``: simulated clusters by the thousand, on all processors, from ``--first`` on.

Every fourth seed is besieged, too: somebody on the peer port then says what is plausible, and no member may break.
Prints what they went through, and the seeds that broke something; then the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from multiprocessing import Pool

from tests.server.raft.simulator import Siege, Simulation, Violation

SIEGES = 4
"""One siege for so many seeds."""


def run(seed: int) -> tuple[int, Counter[str], str]:
    runs = (Simulation(seed), Siege(seed)) if seed % SIEGES == 0 else (Simulation(seed),)
    figures = Counter[str]()
    broken = ""
    for simulation in runs:
        try:
            simulation.run()
        except Violation as violation:
            broken = f"{violation}\nTo see it again: {type(simulation).__name__}({seed}).run()"
        figures += simulation.figures
    return seed, figures, broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=1_000_000)
    options = parser.parse_args()
    started, figures, broken = time.monotonic(), Counter[str](), 0
    with Pool() as pool:
        seeds = range(options.first, options.first + options.seeds)
        for done, (_, of_one, violation) in enumerate(pool.imap_unordered(run, seeds, chunksize=10), 1):
            figures += of_one
            if violation:
                broken += 1
                print(f"\n{violation}", file=sys.stderr)
            if done % 100 == 0 and sys.stderr.isatty():
                print(f"\r{done} of {options.seeds}", end="", file=sys.stderr)
    for what, count in sorted(figures.items()):
        print(f"{what:24} {count:12,}")
    print(f"{broken} of {options.seeds} seeds broke something, in {time.monotonic() - started:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
