"""The directories that the commands of ``v2store`` are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from migrate02.cli.parsing import Misuse


def directories_given(inputs: Sequence[str], wal_dir: str, one_by_one: str) -> tuple[list[Path], Path | None]:
    """The data directories, and where the log of the only one is, if elsewhere. Raises Misuse, which says what to do
    ``one_by_one`` instead."""
    if not inputs:
        raise Misuse("no data directory is given")
    if wal_dir and len(inputs) > 1:
        raise Misuse(f"--wal-dir goes with one directory; {one_by_one} the members one by one")
    return [Path(name) for name in inputs], Path(wal_dir) if wal_dir else None
