"""A bolt file, which is what the database of etcd 3.x is: looked up in, every length checked. Changes nothing.

A bolt file is pages, each with a head: number, kind, count of elements, further pages it extends over. Pages 0 and 1
are two versions of the meta page, of which the one with a right checksum and the higher transaction counts; it names
the root page. A page of a tree is a leaf (keys and values) or a branch (keys and pages). The root's leaves hold the
buckets: a value is a bucket's root page, or page 0 and then the bucket's only leaf itself, without its own page.
Numbers are those of the machine that wrote them, little-endian on all that etcd supports for more than experiments.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

PAGE = struct.Struct("<QHHI")  # number, kind, count, overflow
META = struct.Struct(
    "<IIIIQQQQQ"
)  # magic, version, page size, flags, root, sequence, freelist, end, transaction
LEAF_ELEMENT = struct.Struct(
    "<IIII"
)  # flags, position from the element's own, length of the key, of the value
_BRANCH_ELEMENT = struct.Struct("<IIQ")  # position, length of the key, page
BUCKET = struct.Struct("<QQ")  # root page, sequence
CHECKSUM = struct.Struct("<Q")

MAGIC, VERSION = 0xED0CDAED, 2
"""Of bolt's file format, as are the next four."""

BRANCH, LEAF, META_PAGE, FREELIST = 0x01, 0x02, 0x04, 0x10
IS_BUCKET = 0x01
_PAGE_SIZES = (4096, 8192, 16384, 32768, 65536)
Element = tuple[int, bytes, bytes]
"""Flags, key, value."""


def fnv1a(data: bytes) -> int:
    """The 64-bit FNV-1a hash, which is the checksum of a meta page."""
    hashed = 0xCBF29CE484222325
    for byte in data:
        hashed = (hashed ^ byte) * 0x100000001B3 & 0xFFFF_FFFF_FFFF_FFFF
    return hashed


class Unreadable(Exception):
    """This is not a whole bolt file."""


class Tree:
    """Looks things up in a bolt file, every length checked. Raises Unreadable, or struct.error where it ends."""

    def __init__(self, raw: memoryview) -> None:
        self._raw = raw
        metas = [meta for size in _PAGE_SIZES for offset in (0, size) if (meta := _meta(raw, offset, size))]
        if not metas:
            raise Unreadable
        _, self._page_bytes, self.root, pages = max(metas)
        if pages * self._page_bytes > len(raw):
            raise Unreadable  # it was cut short, and the older meta page has pages that were written over since
        self._unvisited = len(raw) // self._page_bytes  # no page belongs to two trees, or to one twice

    def bucket(self, value: bytes) -> Iterator[Element]:
        """The elements of the bucket that an element of the root has for its value."""
        root, _ = BUCKET.unpack_from(value)
        if root:
            return self.elements(root)
        return _leaf_elements(memoryview(value)[BUCKET.size :])

    def elements(self, number: int) -> Iterator[Element]:
        """Those below a page, in order."""
        page = self._page(number)
        _, kind, count, _ = PAGE.unpack_from(page)
        if kind == LEAF:
            yield from _leaf_elements(page)
        elif kind == BRANCH:
            for n in range(count):
                _, _, child = _BRANCH_ELEMENT.unpack_from(page, PAGE.size + n * _BRANCH_ELEMENT.size)
                yield from self.elements(child)
        else:
            raise Unreadable

    def _page(self, number: int) -> memoryview:
        start = number * self._page_bytes
        self._unvisited -= 1
        if start >= len(self._raw) or self._unvisited < 0:
            raise Unreadable
        recorded, _, _, overflow = PAGE.unpack_from(self._raw, start)
        end = start + (overflow + 1) * self._page_bytes
        if recorded != number or end > len(self._raw):
            raise Unreadable
        return self._raw[start:end]


def _meta(raw: memoryview, offset: int, page_bytes: int) -> tuple[int, int, int, int] | None:
    """Transaction, page size, root and pages in use of a meta page, if a whole one for pages of this size is there."""
    start, end = offset + PAGE.size, offset + PAGE.size + META.size
    if end + CHECKSUM.size > len(raw):
        return None
    magic, version, size, _, root, _, _, high_water, transaction = META.unpack_from(raw, start)
    if (magic, version, size) != (MAGIC, VERSION, page_bytes):
        return None
    if CHECKSUM.unpack_from(raw, end) != (fnv1a(bytes(raw[start:end])),):
        return None
    return transaction, size, root, high_water


def _leaf_elements(page: memoryview) -> Iterator[Element]:
    _, kind, count, _ = PAGE.unpack_from(page)
    if kind != LEAF:
        raise Unreadable
    for n in range(count):
        at = PAGE.size + n * LEAF_ELEMENT.size
        flags, position, key_length, value_length = LEAF_ELEMENT.unpack_from(page, at)
        start, middle, end = (
            at + position,
            at + position + key_length,
            at + position + key_length + value_length,
        )
        if end > len(page):
            raise Unreadable
        yield flags, bytes(page[start:middle]), bytes(page[middle:end])
