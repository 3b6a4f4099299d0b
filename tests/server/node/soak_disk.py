"""``make soak-disk STATES=N``: power cuts of three members by the thousand, on all processors, from ``--first`` on.

Prints what was found, and the seeds that broke something; then the exit status is 1.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from multiprocessing import Pool
from pathlib import Path

from tests.server.node.powercuts import Broken, check

STATES_OF_A_PLAY = 50


def run(states: int, seed: int) -> tuple[int, Counter[str], str]:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="power-cuts-") as directory:
        try:
            return seed, check(seed, states, Path(directory)), ""
        except Broken as broken:
            return seed, Counter(), str(broken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1_000_000)
    options = parser.parse_args()
    plays = -(-options.states // STATES_OF_A_PLAY)
    started, figures, broken = time.monotonic(), Counter[str](), 0
    with Pool() as pool:
        seeds = range(options.first, options.first + plays)
        for seed, of_one, what in pool.imap_unordered(partial(run, STATES_OF_A_PLAY), seeds):
            figures += of_one
            if what:
                broken += 1
                print(
                    f"\n{what}\nTo see it again: check({seed}, {STATES_OF_A_PLAY}, directory)",
                    file=sys.stderr,
                )
    for what, count in sorted(figures.items()):
        print(f"{what:36} {count:12,}")
    print(f"{broken} of {plays} plays broke something, in {time.monotonic() - started:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
