"""``make soak-disk STATES=N``: power cuts of three members by the thousand, from ``--first`` on."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.server.node.powercuts import Broken, check
from tests.support.soak import Figures, soak

STATES_OF_A_PLAY = 50


def run(states: int, seed: int) -> tuple[Figures, str]:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="power-cuts-") as directory:
        try:
            return check(seed, states, Path(directory)), ""
        except Broken as broken:
            return Figures(), f"{broken}\nTo see it again: check({seed}, {states}, directory)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1_000_000)
    options = parser.parse_args()
    plays = -(-options.states // STATES_OF_A_PLAY)
    return soak(partial(run, STATES_OF_A_PLAY), range(options.first, options.first + plays), noun="plays")


if __name__ == "__main__":
    sys.exit(main())
