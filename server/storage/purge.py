"""Removes old segments and snapshots. The node calls it again and again; it has no timer."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from server.storage.errors import LockedError, reporting
from server.storage.files import REAL_FILES
from server.storage.locks import lock_file

logger = logging.getLogger(__name__)


def purge(directory: Path, suffix: str, keep: int) -> list[Path]:
    """Deletes the oldest files whose names end in ``suffix`` ("wal", "snap") until ``keep`` are left.

    ``keep`` 0 keeps all. Stops at the first file that somebody has locked, as a member has those it still needs.
    Returns what was deleted, oldest first. Raises StorageError when a file cannot be opened or deleted.
    """
    with reporting("read the directory", directory):
        paths = sorted(path for path in directory.iterdir() if path.name.endswith(suffix))
    removed: list[Path] = []
    for path in paths[:-keep] if keep else []:
        with reporting("purge", path):
            if not _remove_unlocked(path):
                break
        logger.info("purged file %s successfully", path)
        removed.append(path)
    return removed


def _remove_unlocked(path: Path) -> bool:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        lock_file(fd, path)
        REAL_FILES.remove(path)
    except LockedError:
        return False
    finally:
        os.close(fd)
    return True
