"""Member and cluster ids: unsigned 64-bit numbers, the first 8 bytes of a SHA-1, big-endian. Pure.

Checked against ids printed by etcd 2.3.8, 3.4.23 and 3.5.1 (``fixtures/ids.json``).
"""

from collections.abc import Iterable
from hashlib import sha1


def member_id(peer_urls: Iterable[str], token: str) -> int:
    """The id of a first member, from its advertised peer URLs and the cluster token. Its name has no part
    in it."""
    return _hashed("".join(sorted(peer_urls)) + token)


def runtime_member_id(peer_urls: Iterable[str], unix_seconds: int) -> int:
    """The id of a member that is added to a running cluster at that time; the token has no part in it."""
    return _hashed("".join(sorted(peer_urls)) + str(unix_seconds))


def cluster_id(member_ids: Iterable[int]) -> int:
    """The id of the cluster that these first members make. It never changes, whichever members come or go later."""
    return _first8(b"".join(member.to_bytes(8, "big") for member in sorted(member_ids)))


def id_text(number: int) -> str:
    """An id as it is written in headers, keys and logs: lower-case hex, no leading zeros."""
    return f"{number:x}"


def parse_id(text: str) -> int:
    """The id that a text of 1 to 16 hex digits is. Raises ValueError."""
    if not 1 <= len(text) <= 16 or not set(text.lower()) <= set("0123456789abcdef"):
        raise ValueError(f"{text!r} is not an id: 1 to 16 hex digits are")
    return int(text, 16)


def _hashed(text: str) -> int:
    return _first8(text.encode("utf-8", "surrogateescape"))


def _first8(data: bytes) -> int:
    return int.from_bytes(sha1(data, usedforsecurity=False).digest()[:8], "big")
