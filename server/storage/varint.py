"""Protobuf's numbers and byte strings, for the messages that are written with every request.

What is seldom written is left to the protobuf library, which takes microseconds for each message, and so is what does
not look as etcd writes it.
"""

from __future__ import annotations

_SINGLE = [bytes((number,)) for number in range(0x80)]


def varint(number: int) -> bytes:
    """An unsigned number: seven bits to a byte, the lowest first, the top bit of all but the last byte set.

    Raises ValueError for one that does not fit into 64 bits.
    """
    if number < 0x80:
        if number < 0:
            raise ValueError(f"{number} is out of range: an unsigned number was expected")
        return _SINGLE[number]
    if number < 1 << 14:
        return (number & 0x7F | 0x80 | (number & 0x3F80) << 1).to_bytes(2, "little")
    if number < 1 << 21:
        spread = number & 0x7F | (number & 0x3F80) << 1 | number >> 14 << 16
        return (spread | 0x8080).to_bytes(3, "little")
    low = number & 0xFFF_FFFF
    spread = low & 0x7F | (low & 0x3F80) << 1 | (low & 0x1F_C000) << 2 | low >> 21 << 24
    if number < 1 << 28:
        return (spread | 0x80_8080).to_bytes(4, "little")
    if number >> 64:
        raise ValueError(f"{number} is out of range: it has more than 64 bits")
    return (spread | 0x8080_8080).to_bytes(4, "little") + varint(number >> 28)


def signed_varint(number: int) -> bytes:
    """A signed number, as int64 has it. Raises ValueError for one that does not fit into 64 bits."""
    if number >= 0:
        if number >> 63:
            raise ValueError(f"{number} is out of range: it has more than 64 bits, its sign included")
        return varint(number)
    if number < -1 << 63:
        raise ValueError(f"{number} is out of range: it has more than 64 bits, its sign included")
    return varint(number + (1 << 64))


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """The unsigned number that begins there, and where it ends: after ten bytes, or with the data, at the latest.

    Whether it is well formed is not judged; the protobuf library has done that, or will, or ``is_whole`` says so.
    """
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            break
        shift += 7
    return value, position


def is_whole(data: bytes, begin: int, end: int, number: int, limit: int) -> bool:
    """Whether what ``read_varint`` has found from ``begin`` to ``end`` is a number below ``limit``, at most 2^64, that
    does not end only with the data: then it is the one that the protobuf library reads there."""
    return begin < end and number < limit and data[end - 1] < 0x80


def read_size(data: bytes, position: int) -> tuple[int, int]:
    """The number of bytes that follow, and where they begin; -1 for one that the protobuf library may refuse: it is not
    whole, or of more than the four bytes that any value needs."""
    size, at = read_varint(data, position)
    if at == position or at > position + 4 or data[at - 1] >= 0x80:
        return -1, at
    return size, at


def sized(data: bytes) -> bytes:
    """Bytes, their number before them."""
    return varint(len(data)) + data
