"""What may follow the last whole record of a log of etcd 3.x: a write that was cut short, or damage. Pure.

As ``server.storage.tails`` for 2.x: what was not synced is at the end, and what was is damaged if it is not whole. At
each sync etcd writes hard states with new commit indexes, which it does not sync alone, and then entries with
one hard state behind them, or it writes a marker. ``additions`` writes a hard state, a marker and entries. More than
that behind what is not whole has been synced later, and so was what is not whole. In doubt it is damage.
"""

from __future__ import annotations

import re
from itertools import pairwise

from server.storage.errors import CodecError
from server.storage.etcd3.messages import decode_hard_state, decode_marker
from server.storage.records import RecordType, is_start_of_record
from server.storage.tails import SECTOR

_LENGTH_BYTES = 8
"""A record begins with its length, a 64-bit number."""

_HEAD_BYTES = 32
"""Bytes of a record from its start within which the length of its data is written."""
_RECORD = re.compile(
    rb"\x08(?:(\x02)\x10[\x80-\xff]{0,4}[\x00-\x7f]\x1a[\x80-\xff]{0,4}[\x00-\x7f]\x08[\x00\x01]\x10"
    rb"|([\x03\x05])\x10[\x80-\xff]{0,4}[\x00-\x7f]\x1a([\x00-\x7f]))"
)
"""The head of an entry, or of a hard state or a marker with the length of its data."""
_BY_ETCD = re.compile("S*E*S?|M")
_BY_US = re.compile("S?M?E*")


def may_be_cut_short(raw: bytes, start: int, size: int, end: int) -> bool:
    """Whether a record of ``size`` bytes at ``start``, that is not whole, lost a sector when it was written.

    As in etcd, all that it has in that sector, with its padding to ``end``, is zeros; and it must begin as a record of
    that size, and nothing that was synced later follows.
    """
    borders = [start, *range(start + SECTOR - start % SECTOR, end, SECTOR), end]
    lost = next((a for a, b in pairwise(borders) if a < b and not any(raw[a:b])), None)
    if lost is None:
        return False
    head = raw[start : min(lost, start + _HEAD_BYTES)]
    return is_start_of_record(head, size) and _BY_ETCD.fullmatch(_kinds_behind(raw, start)) is not None


def may_be_unlinked(raw: bytes, begins: int) -> bool:
    """Whether what follows the zero length at ``begins`` may be a write whose first sector was lost, or one of
    ``additions`` before the last of its writes."""
    head = begins + _LENGTH_BYTES
    kinds = _kinds_behind(raw, head)
    if not any(raw[head : begins + SECTOR - begins % SECTOR]):
        return _BY_ETCD.fullmatch(kinds) is not None or _BY_US.fullmatch(kinds) is not None
    is_state_or_marker = (first := _RECORD.match(raw, head)) is not None and first[2] is not None
    return is_state_or_marker and _BY_US.fullmatch(kinds) is not None


def _kinds_behind(raw: bytes, start: int) -> str:
    """The records from ``start`` on: S for a hard state, M for a marker, E for an entry. What looks like one inside an
    entry counts too: that errs on the safe side."""
    return "".join(_kind(raw, match) for match in _RECORD.finditer(raw, start))


def _kind(raw: bytes, match: re.Match[bytes]) -> str:
    if match[1]:
        return "E"
    is_marker = match[2][0] == RecordType.SNAPSHOT
    data = raw[match.end() : match.end() + match[3][0]]
    try:
        (decode_marker if is_marker else decode_hard_state)(data)
    except CodecError:
        return ""
    return "M" if is_marker else "S"
