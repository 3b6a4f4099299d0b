"""``make soak-cluster PLAYS=N``: clusters of real processes under faults, play after play, from seed ``--first`` on.

Prints what they went through. The exit status is 1 if a play broke something; its directory is kept then.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.linearizability.nemesis import FAULTS, ROLES
from tests.linearizability.play import play


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="bundled", help="bundled, 3.4, 3.5, or three of these with commas")
    parser.add_argument("--plays", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=len(FAULTS) * len(ROLES), help="faults in each play")
    parser.add_argument("--first", type=int, default=1000)
    options = parser.parse_args()
    started, figures, broken = time.monotonic(), Counter[str](), []
    for seed in range(options.first, options.first + options.plays):
        where = Path(tempfile.mkdtemp(prefix=f"play-{seed}-"))
        try:
            figures += play(where, options.kind, seed, options.rounds)
        except AssertionError as error:
            broken.append(seed)
            print(f"{error}\nIts directories are in {where}", file=sys.stderr)
        else:
            shutil.rmtree(where)
    for what, count in sorted(figures.items()):
        print(f"{what:40} {count:12,}")
    took = time.monotonic() - started
    print(
        f"{options.kind}: {len(broken)} of {options.plays} plays broke something, in {took:.0f} s: {broken}"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
