"""Reads inputs; no more than a configuration can have."""

from __future__ import annotations

import io
import os
import stat
from typing import BinaryIO

from migrate02.files.system import WRONG_NAME, remedy_for

FOLDER = ".migrate02"
"""Where a tree's backups are."""

MAX_BYTES = 4 << 20
"""No configuration of etcd is larger; what is, is something else. No more than this and one byte is ever read."""

_PIECE = 64 << 10


class Unreadable(Exception):
    """The file cannot be read; the message is the reason, ``remedy`` what to do."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class NotGiven(Unreadable):
    """The file is there, and the system does not let it be read."""

    def __init__(self, message: str) -> None:
        super().__init__(message, remedy_for(message))


class NotAFile(Unreadable):
    """Something in a folder that is no file, and not opened to be read."""


class TooLarge(Unreadable):
    """The file is no configuration. ``is_text`` says that its beginning could be one's."""

    def __init__(self, *, is_text: bool) -> None:
        super().__init__(
            f"larger than {MAX_BYTES} bytes, so no etcd configuration",
            "give the part of it that is etcd's as a file of its own",
        )
        self.is_text = is_text


def read_text(path: str, *, named: bool = True) -> str:
    """The file's text, line ends as they are; bytes that are no UTF-8 survive a round trip. Raises Unreadable.

    A file that somebody ``named`` may be a pipe or a device, and is waited for. One that was found in a folder may have
    become something else since: nothing is waited for then, no link followed, and nothing but a file is read.
    """
    try:
        if not named and not stat.S_ISREG(mode := os.lstat(path).st_mode):
            raise NotAFile(*_no_file(mode))  # to open a device may do something already
        with open(path, "rb", buffering=0, opener=None if named else _without_waiting) as file:
            state = os.fstat(file.fileno())
            if not named and not stat.S_ISREG(state.st_mode):
                raise NotAFile(*_no_file(state.st_mode))
            if stat.S_ISREG(state.st_mode) and state.st_size > MAX_BYTES:
                raise TooLarge(is_text=b"\0" not in file.read(_PIECE))
            return read_all(file)
    except (OSError, ValueError) as error:
        raise unreadable(error) from None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY)


def read_all(file: io.RawIOBase | BinaryIO) -> str:
    """The text of what comes from an open file, or a pipe, to its end. Raises Unreadable and OSError."""
    pieces = []
    left = MAX_BYTES + 1
    while left and (piece := file.read(min(left, _PIECE))):
        pieces.append(piece)
        left -= len(piece)
    if not left:
        raise TooLarge(is_text=b"\0" not in pieces[0])
    return decode(b"".join(pieces))


_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISLNK, "a link"),
)


def _no_file(mode: int) -> tuple[str, str]:
    """What to say of something in a folder that is no file, and what to do about it."""
    kind = next((said for is_it, said in _KINDS if is_it(mode)), "no file")
    remedy = "Leave it out with --exclude"
    if stat.S_ISFIFO(mode):
        remedy += ", or name it on the command line to read it"
    return f"{kind}: it is not read in a folder", remedy


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def unreadable(error: Exception) -> Unreadable:
    """As the one who named the file has to know it, whether the name is wrong or the system refuses."""
    wrong_name = not isinstance(error, OSError) or error.errno in WRONG_NAME
    return Unreadable(reason(error)) if wrong_name else NotGiven(reason(error))


def reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
