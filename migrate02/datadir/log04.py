"""The ``log`` of etcd 0.4: how entries lie in the file. What is in a command is ``replay04``'s business.

An entry is 9 bytes, its length in hex padded with blanks and a line feed, and that many bytes of protobuf: index, term,
name of a command, and mostly the command itself, JSON. There is no head, no checksum, nothing between entries.

So damage shows only where it breaks this form: a changed letter inside a value does not. What is checked is all that
there is: the form to the byte, indexes without a gap, terms that never fall, names that 0.4 knows, JSON that is whole.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import PROT_READ, mmap
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from migrate02.datadir.errors import DataError
from migrate02.datadir.reading import open_file

_HEAD_BYTES = 9
_JSON = json.JSONDecoder()
_VARINT = rb"([\x80-\xff]{0,9}[\x00-\x7f])"
_ENTRY = re.compile(
    rb"\x08"
    + _VARINT
    + rb"\x10"
    + _VARINT
    + rb"\x1a([\x01-\x7f])([a-z]+:[A-Za-z]+)(?:\x22"
    + _VARINT
    + rb")?"
)
_LENGTH_BYTES, _BEHIND_HEAD = 8, b"\n\x08"
"""Of a head, and what it ends with, together with the first byte of an entry."""

_CONTROL = re.compile(rb"[\0-\x1f]")
_LONGEST_BEGINNING = 512
"""Bytes of an entry before its command: three numbers and a name."""

_MOST_BYTES = 1 << 30
"""0.4 has no limit for an entry; a length beyond this is damage."""

OTHER_MEMBER = (
    "nothing was changed; convert the directory of another member instead, which has the same keys, or restore this "
    "one from a backup"
)


@dataclass(slots=True, frozen=True)
class Entry:
    """``command`` is the JSON's object, empty for a command without one. ``offset`` is where the entry begins."""

    index: int
    term: int
    name: str
    command: dict[str, Any]
    offset: int


class Torn(NamedTuple):
    """A tail that a crash left: the last ``bytes`` of the file, from ``offset`` on, are no entry."""

    offset: int
    bytes: int


class Log:
    """The entries of a log file, read once and in order; afterwards ``torn`` tells of a tail that was passed over.

    Iterating raises DataError for anything that a crash does not explain: something broken with whole entries behind
    it, an index or a term out of order. A file that is not there is a log without entries, as 0.4 has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.torn: Torn | None = None

    def __iter__(self) -> Iterator[Entry]:
        try:
            with open_file(self.path) as file:
                yield from self._entries(file)
        except FileNotFoundError:
            return
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", self.path) from error

    def _entries(self, file: BinaryIO) -> Iterator[Entry]:
        offset = index = term = 0
        while head := file.read(_HEAD_BYTES):
            body = file.read(length) if (length := _length(head)) else b""
            entry = _decode(body, offset) if len(body) == length else None
            if entry is None:
                self._give_up(file, offset, index)
                return
            if index and entry.index != index + 1:
                raise self._damage(f"entry {entry.index} follows entry {index}", offset)
            if entry.term < term or entry.index == 0:
                raise self._damage(
                    f"entry {entry.index} has term {entry.term}, after one of term {term}", offset
                )
            index, term = entry.index, entry.term
            offset += _HEAD_BYTES + length
            yield entry

    def _give_up(self, file: BinaryIO, offset: int, index: int) -> None:
        """What is at ``offset`` is no entry: a torn tail, unless an entry follows it."""
        with mmap(file.fileno(), 0, prot=PROT_READ) as whole:
            for at in _heads(file.fileno(), whole, offset + 1):
                start = at + _HEAD_BYTES
                end = start + _length(whole[at:start])
                if start < end <= len(whole) and _is_entry(whole, start, end, at):
                    last = f"after entry {index} " if index else ""
                    raise self._damage(
                        f"{last}there is no whole entry, and yet at byte {at} the log goes on", offset
                    )
            self.torn = Torn(offset, len(whole) - offset)

    def _damage(self, what: str, offset: int) -> DataError:
        return DataError(f"the log is damaged: {what}", self.path, offset, OTHER_MEMBER)


def _length(head: bytes) -> int:
    """The length that a head says, 0 when it is none."""
    try:
        length = int(head, 16)
    except ValueError:
        return 0
    return length if 0 < length <= _MOST_BYTES and head == b"%8x\n" % length else 0


def _heads(descriptor: int, whole: mmap, first: int) -> Iterator[int]:
    """Where entries may begin, from ``first`` on. Holes, of which a file may have terabytes, are passed over."""
    for start, end in _written(descriptor, first, len(whole)):
        at = whole.find(_BEHIND_HEAD, max(start, first + _LENGTH_BYTES), end)
        while at >= 0:
            yield at - _LENGTH_BYTES
            at = whole.find(_BEHIND_HEAD, at + 1, end)


def _written(descriptor: int, at: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a file, from a place to its end, that are no holes."""
    while at < size and (part := _part(descriptor, at, size)) is not None:
        yield part
        at = part[1]


def _part(descriptor: int, at: int, size: int) -> tuple[int, int] | None:
    """The first of them; None when there is only a hole."""
    try:
        start = os.lseek(descriptor, at, os.SEEK_DATA)
        return start, os.lseek(descriptor, start, os.SEEK_HOLE)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None
        return at, size  # a file system that cannot tell


def _is_entry(whole: mmap, start: int, end: int, offset: int) -> bool:
    """Whether an entry lies there. What only looks like its beginning is found out before all of it is read: of such
    there may be many, one in the other."""
    match = _ENTRY.match(whole, start, min(end, start + _LONGEST_BEGINNING))
    if match is None:
        return False
    if match[5] is not None:
        control = _CONTROL.search(whole, match.end(), end)
        if control is None or control.start() != end - 1:
            return False  # JSON has none but the line feed that it ends with
    return _decode(whole[start:end], offset) is not None


def _decode(body: bytes, offset: int) -> Entry | None:
    """The entry in these bytes, None when they are none."""
    match = _ENTRY.match(body)
    if match is None:
        return None
    index, term, name_length, name, command_length = match.groups()
    if len(name) != name_length[0]:
        return None
    command: Any = {}
    if command_length is not None:
        if _number(command_length) != len(body) - match.end() or not body.endswith(b"}\n"):
            return None
        try:
            text = str(body[match.end() :], "utf-8")
            command, end = _JSON.raw_decode(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(command, dict) or end != len(text) - 1:
            return None
    elif match.end() != len(body):
        return None
    return Entry(_number(index), _number(term), name.decode("ascii"), command, offset)


def _number(varint: bytes) -> int:
    if len(varint) == 1:
        return varint[0]
    value = 0
    for byte in reversed(varint):
        value = value << 7 | byte & 0x7F
    return value
