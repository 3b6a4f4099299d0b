"""The database file of etcd 3.x as far as a member without v3 data needs it: an empty one made, another's looked into.

etcd 3.1 to 3.5 keep what came in by the v3 API in a bolt (bbolt) file, ``snap/db``, and want one beside every snapshot
of the v2 key space: at the start, and behind the message of a snapshot that a leader sends. This room has nothing to
put into it; it never changes a database that is there, and understands no more of one than whether it is empty.

A bolt file is pages, each with a head: number, kind, count of elements, further pages it extends over. Pages 0 and 1
are two versions of the meta page, of which the one with a right checksum and the higher transaction counts; it names
the root page. A page of a tree is a leaf (keys and values) or a branch (keys and pages). The root's leaves hold the
buckets: a value is a bucket's root page, or page 0 and then the bucket's only leaf itself, without a page of its own.
Numbers are those of the machine that wrote them, little-endian on all that etcd supports for more than experiments.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterator
from typing import IO

PAGE_BYTES = 4096
"""Of a page in the files made here. A reader takes the size from the meta page."""

_PAGE = struct.Struct("<QHHI")  # number, kind, count, overflow
_META = struct.Struct(
    "<IIIIQQQQQ"
)  # magic, version, page size, flags, root, sequence, freelist, end, transaction
_LEAF_ELEMENT = struct.Struct(
    "<IIII"
)  # flags, position from the element's own, length of the key, of the value
_BRANCH_ELEMENT = struct.Struct("<IIQ")  # position, length of the key, page
_BUCKET = struct.Struct("<QQ")  # root page, sequence
_CHECKSUM = struct.Struct("<Q")
_INDEX = struct.Struct(">Q")  # etcd's own numbers are big-endian

_MAGIC, _VERSION = 0xED0CDAED, 2
_BRANCH, _LEAF, _META_PAGE, _FREELIST = 0x01, 0x02, 0x04, 0x10
_IS_BUCKET = 0x01
_PAGE_SIZES = (4096, 8192, 16384, 32768, 65536)
_Element = tuple[int, bytes, bytes]
"""Flags, key, value."""


def empty_database(index: int, term: int) -> bytes:
    """A database without any v3 data, as of the entry at ``index``, which has that ``term``.

    3.4.23 and 3.5.1 take it as ``snap/db`` beside a .snap of this index and as what follows a snapshot message; they
    die for want of a bucket in the latter case, so all those are there that they use. ``index`` is what they call
    ``consistent_index``: entries up to it do nothing to the database any more. The revision of the accounts begins
    with 1, and has to be the same in all members' databases.
    """
    content = {
        b"auth": {b"authRevision": 1},
        b"meta": {b"consistent_index": index, b"term": term},
    }
    buckets = [(_IS_BUCKET, name, _inline_bucket(content.get(name, {}))) for name in sorted(_JUDGES)]
    pages = [
        _meta_page(0),
        _meta_page(1),
        _PAGE.pack(2, _FREELIST, 0, 0),
        _leaf_page(3, buckets),
    ]
    return b"".join(page.ljust(PAGE_BYTES, b"\0") for page in pages)


def _meta_page(number: int) -> bytes:
    meta = _META.pack(_MAGIC, _VERSION, PAGE_BYTES, 0, 3, 0, 2, 4, number)
    return _PAGE.pack(number, _META_PAGE, 0, 0) + meta + _CHECKSUM.pack(_fnv1a(meta))


def _inline_bucket(numbers: dict[bytes, int]) -> bytes:
    return _BUCKET.pack(0, 0) + _leaf_page(
        0, [(0, key, _INDEX.pack(n)) for key, n in sorted(numbers.items())]
    )


def _leaf_page(number: int, elements: list[_Element]) -> bytes:
    """A page without its padding. ``elements`` must be in the order of their keys."""
    table, content = [], b""
    for position, (flags, key, value) in enumerate(elements):
        distance = (len(elements) - position) * _LEAF_ELEMENT.size + len(content)
        table.append(_LEAF_ELEMENT.pack(flags, distance, len(key), len(value)))
        content += key + value
    return _PAGE.pack(number, _LEAF, len(elements), 0) + b"".join(table) + content


def _fnv1a(data: bytes) -> int:
    """The 64-bit FNV-1a hash."""
    hashed = 0xCBF29CE484222325
    for byte in data:
        hashed = (hashed ^ byte) * 0x100000001B3 & 0xFFFF_FFFF_FFFF_FFFF
    return hashed


def holds_v3_data(database: bytes | bytearray | memoryview | IO[bytes]) -> bool:
    """Whether a database of etcd 3.x holds, or ever held, anything of a user's: keys, leases, users, roles, alarms.

    ``database`` is its bytes or a real file (one with a ``fileno``), which is not read as a whole. What is no bolt
    file, is cut short or damaged, or has a bucket that no etcd up to 3.5 has, counts as holding data.
    """
    if isinstance(database, bytes | bytearray | memoryview):
        return _holds_data(memoryview(database))
    try:
        mapped = mmap.mmap(database.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:  # an empty file
        return True
    with mapped, memoryview(mapped) as view:
        return _holds_data(view)


def _holds_data(raw: memoryview) -> bool:
    has_keys_bucket = False
    try:
        tree = _Tree(raw)
        for flags, name, value in tree.elements(tree.root):
            judge = _JUDGES.get(name)
            if judge is None or not flags & _IS_BUCKET or judge(tree.bucket(value)):
                return True
            has_keys_bucket |= name == b"key"
    except (_Unreadable, struct.error, RecursionError):
        return True
    return not has_keys_bucket  # then it is no etcd's


def _if_not_empty(elements: Iterator[_Element]) -> bool:
    return next(elements, None) is not None


def _never(_: Iterator[_Element]) -> bool:
    return False


def _if_accounts_were_touched(elements: Iterator[_Element]) -> bool:
    """A revision of 1, or 0, is that of accounts that nobody has made yet."""
    values = {key: value for _, key, value in elements}
    (revision,) = _INDEX.unpack(values.get(b"authRevision", bytes(8)))
    return values.get(b"authEnabled", b"\0") != b"\0" or revision > 1


def _if_keys_were_compacted(elements: Iterator[_Element]) -> bool:
    """Keys that were written, deleted and compacted leave nothing but the revision reached; none begins at 1."""
    return any(
        _INDEX.unpack_from(value)[0] > 1
        for _, key, value in elements
        if key in (b"scheduledCompactRev", b"finishedCompactRev")
    )


_JUDGES: dict[bytes, Callable[[Iterator[_Element]], bool]] = {
    b"alarm": _if_not_empty,
    b"auth": _if_accounts_were_touched,
    b"authRoles": _if_not_empty,
    b"authUsers": _if_not_empty,
    b"cluster": _never,  # its version, which the v2 store has too
    b"key": _if_not_empty,  # every revision of every key, deletions too
    b"lease": _if_not_empty,
    b"members": _never,
    b"members_removed": _never,
    b"meta": _if_keys_were_compacted,
}
"""The buckets that etcd 3.4 and 3.5 have, and when what is in one is a user's."""


class _Unreadable(Exception):
    """This is not a whole bolt file."""


class _Tree:
    """Looks things up in a bolt file, every length checked. Raises _Unreadable, or struct.error where it ends."""

    def __init__(self, raw: memoryview) -> None:
        self._raw = raw
        metas = [meta for size in _PAGE_SIZES for offset in (0, size) if (meta := _meta(raw, offset, size))]
        if not metas:
            raise _Unreadable
        _, self._page_bytes, self.root = max(metas)
        self._unvisited = len(raw) // self._page_bytes  # no page belongs to two trees, or to one twice

    def bucket(self, value: bytes) -> Iterator[_Element]:
        """The elements of the bucket that an element of the root has for its value."""
        root, _ = _BUCKET.unpack_from(value)
        if root:
            return self.elements(root)
        return _leaf_elements(memoryview(value)[_BUCKET.size :])

    def elements(self, number: int) -> Iterator[_Element]:
        """Those below a page, in order."""
        page = self._page(number)
        _, kind, count, _ = _PAGE.unpack_from(page)
        if kind == _LEAF:
            yield from _leaf_elements(page)
        elif kind == _BRANCH:
            for n in range(count):
                _, _, child = _BRANCH_ELEMENT.unpack_from(page, _PAGE.size + n * _BRANCH_ELEMENT.size)
                yield from self.elements(child)
        else:
            raise _Unreadable

    def _page(self, number: int) -> memoryview:
        start = number * self._page_bytes
        self._unvisited -= 1
        if start >= len(self._raw) or self._unvisited < 0:
            raise _Unreadable
        recorded, _, _, overflow = _PAGE.unpack_from(self._raw, start)
        end = start + (overflow + 1) * self._page_bytes
        if recorded != number or end > len(self._raw):
            raise _Unreadable
        return self._raw[start:end]


def _meta(raw: memoryview, offset: int, page_bytes: int) -> tuple[int, int, int] | None:
    """Transaction, page size and root of a meta page, if a whole one for pages of this size is there."""
    start, end = offset + _PAGE.size, offset + _PAGE.size + _META.size
    if end + _CHECKSUM.size > len(raw):
        return None
    magic, version, size, _, root, _, _, high_water, transaction = _META.unpack_from(raw, start)
    if (magic, version, size) != (_MAGIC, _VERSION, page_bytes):
        return None
    if _CHECKSUM.unpack_from(raw, end) != (_fnv1a(bytes(raw[start:end])),):
        return None
    return (transaction, size, root) if high_water * size <= len(raw) else None


def _leaf_elements(page: memoryview) -> Iterator[_Element]:
    _, kind, count, _ = _PAGE.unpack_from(page)
    if kind != _LEAF:
        raise _Unreadable
    for n in range(count):
        at = _PAGE.size + n * _LEAF_ELEMENT.size
        flags, position, key_length, value_length = _LEAF_ELEMENT.unpack_from(page, at)
        start, middle, end = (
            at + position,
            at + position + key_length,
            at + position + key_length + value_length,
        )
        if end > len(page):
            raise _Unreadable
        yield flags, bytes(page[start:middle]), bytes(page[middle:end])
