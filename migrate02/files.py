"""Reads inputs."""

from __future__ import annotations

FOLDER = ".migrate02"
"""Where a tree's backups are."""

MAX_BYTES = 4 << 20
"""No configuration of etcd is larger; a file that is, is something else."""

_PIECE = 64 << 10


class Unreadable(Exception):
    """The file cannot be read; the message is the reason."""


class TooLarge(Unreadable):
    """The file is no configuration."""


def read_text(path: str) -> str:
    """The file's text, line ends as they are; bytes that are no UTF-8 survive a round trip. Raises Unreadable."""
    try:
        with open(path, "rb", buffering=0) as file:  # most are read in one piece
            pieces = []
            left = MAX_BYTES + 1
            while left and (piece := file.read(min(left, _PIECE))):
                pieces.append(piece)
                left -= len(piece)
    except (OSError, ValueError) as error:
        raise Unreadable(reason(error)) from None
    data = b"".join(pieces)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"larger than {MAX_BYTES} bytes, so no etcd configuration")
    return decode(data)


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
