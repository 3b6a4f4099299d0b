"""A log with numbers in it that leave no room to count on begins again: with all that is good in it, and with the old
one kept beside. Such numbers came in by a forged message of a peer, before those were judged; nothing else makes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from server.storage.codec import WalPosition
from server.storage.errors import reporting
from server.storage.files import REAL_FILES, Files, free_backup_name, make_private_directory, write_new_file
from server.storage.held import hold
from server.storage.replay import Segment, choose_segments, list_segments, replay
from server.storage.wal import WAL


def begin_anew(directory: Path, at: WalPosition, *, files: Files = REAL_FILES) -> Path:
    """Puts one new segment in the place of all others, and these into a directory beside the log's, which it returns.

    1. The old segments are copied to ``WAL.broken`` (or ``.broken.2`` and so on).
    2. The new segment appears under its name, whole. It is named as the one to begin with, so from here on it alone is
       read, by etcd too.
    3. The old segments are removed.

    Ended at any point, it leaves the log as it was or the new one, and can be called again. Raises StorageError.
    """
    segments = list_segments(directory)
    with _locked(segments):
        contents = replay(choose_segments(directory, at.index), at, leave_out_forged=True)
        kept = free_backup_name(directory)
        with reporting("keep a copy of the log in", kept):
            make_private_directory(kept)
            for old in segments:
                write_new_file(files, kept / old.path.name, [old.path.read_bytes()], 0o600)
        new = Segment.named(directory, segments[-1].sequence + 1, at.index)
        WAL.write_whole(new, contents.metadata, at, contents, files=files)
        for old in segments:
            with reporting("remove", old.path):
                old.path.unlink()
        with reporting("sync the directory", directory):
            files.sync_directory(directory)
    return kept


@contextmanager
def _locked(segments: Sequence[Segment]) -> Iterator[None]:
    """Nobody else has the log open meanwhile. Raises LockedError."""
    with ExitStack() as stack:
        for segment in segments:
            stack.callback(os.close, hold(segment).fd)
        yield
