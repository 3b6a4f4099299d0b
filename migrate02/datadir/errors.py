"""What can be wrong with data, said so that a person can act on it."""

from __future__ import annotations

from pathlib import Path


class DataError(Exception):
    """Data that cannot be used, and why.

    ``offset`` is in bytes from the start of the file, None where the error is about all of it. ``remedy`` is what to
    do, ``""`` where the message says it.
    """

    def __init__(
        self, message: str, path: Path | None = None, offset: int | None = None, remedy: str = ""
    ) -> None:
        self.message = message
        self.path = path
        self.offset = offset
        self.remedy = remedy
        super().__init__(message, path, offset)

    def __str__(self) -> str:
        where = "" if self.path is None else f"{self.path}: "
        if self.offset is not None:
            where = f"{self.path}, byte {self.offset}: "
        return f"{where}{self.message}" + (f" - {self.remedy}" if self.remedy else "")


class NotAMember(DataError):
    """The directory is of a node that is no member: a standby, or one that was removed."""
