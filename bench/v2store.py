"""Checks and cleans directories of etcd 3.5 with ``migrate02 v2store``: processor time, and memory by their size.

The recorded one with 20,000 v2 keys (``fixtures/datadirs35``), and the same with a database of 2 GB, most of it holes.
Goals: under 1 s of processor time each; of the large database, which is looked into page by page, not more than 4 MB
are in memory. Disk caches are warm.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import sysconfig
import tarfile
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
GOAL_SECONDS, GOAL_BYTES = 1.0, 4 << 20
DATABASE_BYTES = 2 << 30


class Cost(NamedTuple):
    """Seconds of wall time and of the processor, and bytes at the peak."""

    wall: float
    cpu: float
    memory: int


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="the best counts (default: %(default)s)")
    args = parser.parse_args()
    met = []
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        with tarfile.open(ROOT / "fixtures/datadirs35/big.tar.gz") as archive:
            archive.extractall(work, filter="data")
        source = work / "m0"
        for name, words, status in (
            ("check", ["check"], 1),
            ("export", ["export"], 0),
            ("clean", ["clean"], 1),
            ("clean --write", ["clean", "--write"], 0),
        ):
            cost = _best([_on_a_copy(source, work / "copy", words, status) for _ in range(args.rounds)])
            met.append(_print(f"20,000 v2 keys, {name}", cost, GOAL_SECONDS))
        plain = _best([_run(["check", str(source)], 1) for _ in range(args.rounds)])
        with (source / "member" / "snap" / "db").open("r+b") as database:
            database.truncate(DATABASE_BYTES)
        large = _best([_run(["check", str(source)], 1) for _ in range(args.rounds)])
        met.append(_print("the same beside a database of 2 GB, check", large, GOAL_SECONDS))
    more = large.memory - plain.memory
    print(
        f"goal: at most {GOAL_BYTES >> 20} MiB more in memory; {_verdict(more <= GOAL_BYTES)} ({more / 1e6:.1f} MB)"
    )
    return 0 if all(met) and more <= GOAL_BYTES else 1


def _on_a_copy(source: Path, copy: Path, words: list[str], status: int) -> Cost:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.rmtree(f"{copy}.v2store-backup", ignore_errors=True)
    shutil.copytree(source, copy)
    return _run([*words, str(copy)], status)


def _run(words: list[str], status: int) -> Cost:
    script = Path(sysconfig.get_path("scripts")) / "migrate02"
    argv = [sys.executable, str(script), "v2store", *words]
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    begun = time.perf_counter()
    process = os.posix_spawn(argv[0], argv, os.environ, file_actions=silent)
    _, ended, used = os.wait4(process, 0)
    wall = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(ended) != status:
        raise SystemExit(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(ended)}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def _best(costs: list[Cost]) -> Cost:
    return min(costs, key=lambda cost: cost.cpu)


def _print(what: str, cost: Cost, goal: float) -> bool:
    met = cost.cpu < goal
    print(
        f"{what}: {cost.wall:.2f} s, {cost.cpu:.2f} s of CPU time, {cost.memory / 1e6:.0f} MB; "
        f"goal: under {goal:.0f} s of CPU time; {_verdict(met)}"
    )
    return met


def _verdict(met: bool) -> str:
    return "met" if met else "NOT met"


if __name__ == "__main__":
    sys.exit(main())
