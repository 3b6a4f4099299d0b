"""Ids for requests: unique among members and over restarts, without communication. Pure."""


class RequestIds:
    """64 bits, as in etcd: the low 16 of the member's id, 40 of the unix time in milliseconds, an 8-bit
    counter that carries into the time. A restart jumps ahead as long as less than 256 requests came per
    millisecond."""

    def __init__(self, member: int, unix_milliseconds: int) -> None:
        self._prefix = (member & 0xFFFF) << 48
        self._suffix = (unix_milliseconds & 0xFF_FFFF_FFFF) << 8

    def next(self) -> int:
        self._suffix = (self._suffix + 1) & 0xFFFF_FFFF_FFFF
        return self._prefix | self._suffix
