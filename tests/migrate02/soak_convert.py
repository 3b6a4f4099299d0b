"""Scripts made from an allow-list, by the thousand: converted, and run before and after in a sandbox.

``make soak-convert``; what breaks is shown as the smallest script of its kind. ``--seed`` tries one batch again.
"""

from __future__ import annotations

import argparse
import sys

from hypothesis import given, seed, settings

from tests.migrate02.generated import tried
from tests.migrate02.grammar import Plan, plans
from tests.support import sandbox
from tests.support.soak import Figures, soak

BATCH = 50
"""Scripts of a seed."""


def run(number: int) -> tuple[Figures, str]:
    figures = Figures()

    @seed(number)
    @settings(max_examples=BATCH, deadline=None, database=None, print_blob=False)
    @given(plan=plans())
    def converted(plan: Plan) -> None:
        script = plan.script()
        found = tried(script)
        figures["scripts"] += 1
        figures["scripts that were converted"] += found.converted
        figures["layers around them"] += len(plan.layers)
        assert not found.wrong, f"{found.wrong}\n{script}\nbecame\n{found.text}"

    try:
        converted()
    except AssertionError as error:
        return figures, f"{error}\nagain: python -m tests.migrate02.soak_convert --seed {number}"
    return figures, ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scripts", type=int, default=2000, metavar="COUNT")
    parser.add_argument("--seed", type=int, help="of one batch, to see it again")
    given = parser.parse_args()
    if sandbox.trouble():
        print(sandbox.trouble(), file=sys.stderr)
        return 1
    if given.seed is not None:
        return soak(run, range(given.seed, given.seed + 1), noun="batches")
    return soak(run, range(-(-given.scripts // BATCH)), noun="batches")


if __name__ == "__main__":
    sys.exit(main())
