"""Files of data: opened without waiting for anybody, and read no further than a limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from migrate02.datadir.errors import DataError

MOST_BYTES = 1 << 30
"""Of a file that is read as a whole: a snapshot, an export. They are in memory several times then."""

_PIECE = 1 << 20


def open_file(path: Path) -> BinaryIO:
    """A file in a data directory, to be read from its beginning. Raises OSError, and DataError when it is no file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DataError("cannot be read: it is no file", path)
    return os.fdopen(descriptor, "rb", _PIECE)


def read_file(path: Path, *, named: bool = False) -> bytes:
    """All that is in a file, which may be a pipe when somebody ``named`` it. Raises DataError."""
    try:
        with open(path, "rb", _PIECE) if named else open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            found = bytearray()
            while size <= MOST_BYTES and len(found) <= MOST_BYTES and (piece := file.read(_PIECE)):
                found += piece
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path) from error
    if size > MOST_BYTES or len(found) > MOST_BYTES:
        raise DataError(f"larger than {MOST_BYTES} bytes, which is more than is read of one file", path)
    return bytes(found)
