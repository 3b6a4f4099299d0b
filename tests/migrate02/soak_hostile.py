"""Large inputs made to be slow, for every kind of file and every reader of data: ``make soak-hostile``.

Lines of Python are counted, which are the same each time. What they do not see, regular expressions first of all, is
timed: an input of four times the length may take ten times as long, where what is quadratic takes sixteen times.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial

from tests.migrate02 import hostile, hostile_data, work
from tests.migrate02.work import Measure

BYTES, BYTES_OF_PUMPS = 64 << 10, 16 << 10
"""Of an input that is timed, and four times as many. There are thousands of those that repeat something without a
meaning."""
LINES = (200, 400, 800)
LONGER = 2.5
"""How much longer a byte may take in the longer input."""
MOMENT = 0.05
"""Seconds; what takes no longer is not judged."""
PATIENCE = 120.0

Measured = Callable[[int, Callable[[Callable[[], None]], float]], Measure]


def inputs(*, pumps: bool) -> Iterator[tuple[str, Measured]]:
    for case in [*hostile.cases(), *(hostile.pumped() if pumps else ())]:
        yield str(case), partial(_of_text, case)
    for what, make in hostile_data.INSPECTED.items():
        yield f"data inspect: {what}", partial(work.of_data, make, hostile_data.inspected)
    for what, make in hostile_data.EXPORTED.items():
        yield f"an export: {what}", partial(work.of_data, make, hostile_data.exported)


def _of_text(case: hostile.Case, size: int, count: Callable[[Callable[[], None]], float]) -> Measure:
    return work.of_text(case.text, size, count)


def trouble(name: str, measured: Measured) -> str:
    """``""`` when the work is linear."""
    is_pump = ": '" in name or ': "' in name
    if not is_pump:
        growth = work.growth(measured(size, work.lines_for) for size in LINES)
        if growth >= work.MOST:
            return f"{growth:.2f} times the lines of Python for another byte"
    unit = max(measured(20, lambda _run: 0).size - measured(10, lambda _run: 0).size, 10) // 10
    most = 400 if "deep" in name or "doubling" in name or "alias" in name or "merges" in name else BYTES
    size = max(min((BYTES_OF_PUMPS if is_pump else BYTES) // unit, most), 8)
    try:
        short, long = (measured(at, partial(work.seconds_for, most=PATIENCE)) for at in (size, 4 * size))
    except work.TooLong:
        return f"more than {PATIENCE:g} seconds"
    if long.work < MOMENT:
        return ""
    longer = (long.work / long.size) / (max(short.work, MOMENT / 8) / short.size)
    return (
        f"{longer:.1f} times as long for a byte of {long.size}: {long.work:.2f} s" if longer >= LONGER else ""
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="names with this in them")
    parser.add_argument(
        "--no-pumps", action="store_true", help="leave out what is repeated without a meaning"
    )
    args = parser.parse_args()
    tried = bad = 0
    for name, measured in inputs(pumps=not args.no_pumps):
        if args.only not in name:
            continue
        tried += 1
        with work.as_if_large(product=name.partition(": ")[2] in hostile.PRODUCTS):
            said = trouble(name, measured)
        if said:
            bad += 1
            print(f"{name}: {said}", flush=True)
    print(f"{tried} inputs that grow, {bad} of them faster than linear")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
