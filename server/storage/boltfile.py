"""The database file of etcd 3.x as far as a member without v3 data needs it: an empty one made, another's looked into.

etcd 3.1 to 3.5 keep what came in by the v3 API in a bolt (bbolt) file, ``snap/db``, and want one beside every snapshot
of the v2 key space: at the start, and behind the message of a snapshot that a leader sends. This room has nothing to
put into it; it never changes a database that is there, and understands no more of one than whether it is empty.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterator
from typing import IO

from server.storage.bolt import (
    BUCKET,
    CHECKSUM,
    FREELIST,
    IS_BUCKET,
    LEAF,
    LEAF_ELEMENT,
    MAGIC,
    META,
    META_PAGE,
    PAGE,
    VERSION,
    Element,
    Tree,
    Unreadable,
    fnv1a,
)

PAGE_BYTES = 4096
"""Of a page in the files made here. A reader takes the size from the meta page."""

_INDEX = struct.Struct(">Q")  # etcd's own numbers are big-endian


def empty_database(index: int, term: int) -> bytes:
    """A database without any v3 data, as of the entry at ``index``, which has that ``term``.

    3.4.23 and 3.5.1 take it as ``snap/db`` beside a .snap of this index and as what follows a snapshot message; they
    die for want of a bucket in the latter case, so all those are there that they use. ``index`` is what they call
    ``consistent_index``: entries up to it do nothing to the database any more. The revision of the accounts begins
    with 1, and must be the same in all members' databases.
    """
    content = {
        b"auth": {b"authRevision": 1},
        b"meta": {b"consistent_index": index, b"term": term},
    }
    buckets = [(IS_BUCKET, name, _inline_bucket(content.get(name, {}))) for name in sorted(_JUDGES)]
    pages = [
        _meta_page(0),
        _meta_page(1),
        PAGE.pack(2, FREELIST, 0, 0),
        _leaf_page(3, buckets),
    ]
    return b"".join(page.ljust(PAGE_BYTES, b"\0") for page in pages)


def _meta_page(number: int) -> bytes:
    meta = META.pack(MAGIC, VERSION, PAGE_BYTES, 0, 3, 0, 2, 4, number)
    return PAGE.pack(number, META_PAGE, 0, 0) + meta + CHECKSUM.pack(fnv1a(meta))


def _inline_bucket(numbers: dict[bytes, int]) -> bytes:
    return BUCKET.pack(0, 0) + _leaf_page(0, [(0, key, _INDEX.pack(n)) for key, n in sorted(numbers.items())])


def _leaf_page(number: int, elements: list[Element]) -> bytes:
    """A page without its padding. ``elements`` must be in the order of their keys."""
    table, content = [], b""
    for position, (flags, key, value) in enumerate(elements):
        distance = (len(elements) - position) * LEAF_ELEMENT.size + len(content)
        table.append(LEAF_ELEMENT.pack(flags, distance, len(key), len(value)))
        content += key + value
    return PAGE.pack(number, LEAF, len(elements), 0) + b"".join(table) + content


def holds_v3_data(database: bytes | bytearray | memoryview | IO[bytes]) -> bool:
    """Whether a database of etcd 3.x holds, or ever held, anything of a user's: keys, leases, users, roles, alarms.

    ``database`` is its bytes or a real file (one with a ``fileno``), which is not read as a whole. What is not a bolt
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
        tree = Tree(raw)
        for flags, name, value in tree.elements(tree.root):
            judge = _JUDGES.get(name)
            if judge is None or not flags & IS_BUCKET or judge(tree.bucket(value)):
                return True
            has_keys_bucket |= name == b"key"
    except (Unreadable, struct.error, RecursionError):
        return True
    return not has_keys_bucket  # then it is no etcd's


def _if_not_empty(elements: Iterator[Element]) -> bool:
    return next(elements, None) is not None


def _never(_: Iterator[Element]) -> bool:
    return False


def _if_accounts_were_touched(elements: Iterator[Element]) -> bool:
    """A revision of 1, or 0, is that of accounts that nobody has made yet."""
    values = {key: value for _, key, value in elements}
    (revision,) = _INDEX.unpack(values.get(b"authRevision", bytes(8)))
    return values.get(b"authEnabled", b"\0") != b"\0" or revision > 1


def _if_keys_were_compacted(elements: Iterator[Element]) -> bool:
    """Keys that were written, deleted and compacted leave nothing but the revision reached; none begins at 1."""
    return any(
        _INDEX.unpack_from(value)[0] > 1
        for _, key, value in elements
        if key in (b"scheduledCompactRev", b"finishedCompactRev")
    )


_JUDGES: dict[bytes, Callable[[Iterator[Element]], bool]] = {
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
