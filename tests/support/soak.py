"""Runs that are tried by the thousand, on all processors: what they went through is added up, what broke is shown."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import Pool

Figures = Counter[str]
Run = Callable[[int], tuple[Figures, str]]
"""One seed: what it went through, and what it broke, with how to see it again; empty if nothing."""


def soak(run: Run, seeds: range, *, noun: str) -> int:
    """Prints the figures, and what broke to standard error; then the exit status, 1, says so too."""
    started, figures, broken = time.monotonic(), Figures(), 0
    with Pool() as pool:
        for done, (of_one, what) in enumerate(
            pool.imap_unordered(run, seeds, chunksize=max(1, min(10, len(seeds) // 20))), 1
        ):
            figures += of_one
            if what:
                broken += 1
                print(f"\n{what}", file=sys.stderr)
            if done % 100 == 0 and sys.stderr.isatty():
                print(f"\r{done} of {len(seeds)}", end="", file=sys.stderr)
    for name, count in sorted(figures.items()):
        print(f"{name:36} {count:12,}")
    print(f"{broken} of {len(seeds)} {noun} broke something, in {time.monotonic() - started:.0f} s")
    return 1 if broken else 0
