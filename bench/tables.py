"""Rows of Markdown tables, and what they say of goals."""

from __future__ import annotations

import argparse
from collections.abc import Iterable


def print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def verdict(met: bool) -> str:
    return "met" if met else "**not met**"


def print_summary(all_met: bool) -> int:
    """The last line; gives the exit status."""
    print(f"\ngoals: {'all met' if all_met else 'NOT all met'}")
    return 0 if all_met else 1


def chosen(parser: argparse.ArgumentParser, only: str | None, known: Iterable[str]) -> list[str]:
    """What ``--only`` names, or all there are. Ends the program for a name that is not known."""
    names = list(known)
    wanted = only.split(",") if only else names
    if unknown := set(wanted) - set(names):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return wanted
