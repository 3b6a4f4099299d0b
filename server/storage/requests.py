"""Requests as they are written in log entries: what a client, the publish at start or a SYNC asked of the key space.

Codec only: what a request does is the business of ``server.store``.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.proto import etcdserver_pb2
from server.storage.codec import parse
from server.storage.varint import is_whole, read_size, read_varint, signed_varint, sized, varint

METHODS = frozenset((b"PUT", b"POST", b"DELETE", b"QGET", b"GET", b"HEAD", b"SYNC"))
"""By which a bare request is known, see ``decode_request``."""
_METHOD_NAMES = {name: name.decode() for name in METHODS}
_METHOD_FIELDS = {name.decode(): b"\x12" + sized(name) for name in METHODS}


@dataclass(slots=True, init=False)
class StoreRequest:
    """One request; the fields are those of etcd's ``etcdserverpb.StoreRequest``.

    ``val`` and ``prev_value`` are bytes, for etcd keeps what the client sent, UTF-8 or not. ``path`` is str decoded
    with ``surrogateescape``, so that any bytes come back. ``expiration`` (0 = none) and ``time`` are unix nanoseconds.
    ``prev_exist`` and ``refresh`` are None when the client did not give them.
    """

    id: int
    method: str
    path: str
    val: bytes
    dir: bool
    prev_value: bytes
    prev_index: int
    prev_exist: bool | None
    expiration: int
    wait: bool
    since: int
    recursive: bool
    sorted: bool
    quorum: bool
    time: int
    stream: bool
    refresh: bool | None

    def __init__(
        self,
        id: int = 0,
        method: str = "",
        path: str = "",
        val: bytes = b"",
        dir: bool = False,
        prev_value: bytes = b"",
        prev_index: int = 0,
        prev_exist: bool | None = None,
        expiration: int = 0,
        wait: bool = False,
        since: int = 0,
        recursive: bool = False,
        sorted: bool = False,
        quorum: bool = False,
        time: int = 0,
        stream: bool = False,
        refresh: bool | None = None,
    ) -> None:
        self.id = id
        self.method = method
        self.path = path
        self.val = val
        self.dir = dir
        self.prev_value = prev_value
        self.prev_index = prev_index
        self.prev_exist = prev_exist
        self.expiration = expiration
        self.wait = wait
        self.since = since
        self.recursive = recursive
        self.sorted = sorted
        self.quorum = quorum
        self.time = time
        self.stream = stream
        self.refresh = refresh


def encode_request(request: StoreRequest) -> bytes:
    """The bare form, which all of 2.x, and 3.0 to 3.5 for v2 requests, put into an entry.

    Every scalar is written, as etcd does; the two optional ones only when given. Raises ValueError for a number
    outside its field (64 bits; ``expiration`` and ``time`` are signed).
    """
    path = request.path.encode("utf-8", "surrogateescape")
    method, value = request.method, request.val
    return b"".join(
        (
            b"\x08",
            varint(request.id),
            _METHOD_FIELDS.get(method) or b"\x12" + sized(method.encode("utf-8", "surrogateescape")),
            b"\x1a",
            varint(len(path)),
            path,
            b"\x22",
            varint(len(value)),
            value,
            _encode_rest(request),
        )
    )


def _encode_rest(request: StoreRequest) -> bytes:
    prev_exist, refresh = request.prev_exist, request.refresh
    return b"".join(
        (
            b"\x28\x01\x32" if request.dir else b"\x28\x00\x32",
            sized(request.prev_value),
            b"\x38",
            varint(request.prev_index),
            b"" if prev_exist is None else b"\x40\x01" if prev_exist else b"\x40\x00",
            b"\x48",
            signed_varint(request.expiration),
            b"\x50\x01\x58" if request.wait else b"\x50\x00\x58",
            varint(request.since),
            b"\x60\x01" if request.recursive else b"\x60\x00",
            b"\x68\x01" if request.sorted else b"\x68\x00",
            b"\x70\x01\x78" if request.quorum else b"\x70\x00\x78",
            signed_varint(request.time),
            b"\x80\x01\x01" if request.stream else b"\x80\x01\x00",
            b"" if refresh is None else b"\x88\x01\x01" if refresh else b"\x88\x01\x00",
        )
    )


def decode_request(data: bytes) -> StoreRequest | None:
    """The request in the data of a normal entry, in either form; None if it holds nothing for a v2 member.

    Go tries the wrapped form first and falls back when that fails to parse. Python's protobuf does not fail on every
    bare request (the letters of POST look like unknown groups to it), so the method's name decides: in the wrapped
    form the same field holds a message, which never reads as one. Raises CodecError for bytes that are neither.
    """
    plain = _plain_request(data)
    if plain is not None:
        return plain
    bare = parse(etcdserver_pb2.Request, data, "request")
    if bare.Method in METHODS:
        return _from_message(bare)
    wrapped = parse(etcdserver_pb2.InternalRaftRequest, data, "request")
    return _from_message(wrapped.v2) if wrapped.HasField("v2") else None


_WITHOUT_OPTIONS = _encode_rest(StoreRequest())


def _plain_request(data: bytes) -> StoreRequest | None:
    """A bare request without options, as most are, and with its fields as ``encode_request`` writes them: read in a
    fraction of the time, for a member reads one for each write of another. None for all else, which the protobuf
    library reads."""
    if not data.endswith(_WITHOUT_OPTIONS) or data[0] != 0x08:
        return None
    rest = len(data) - len(_WITHOUT_OPTIONS)
    number, at = read_varint(data, 1)
    if not is_whole(data, 1, at, number, 1 << 64) or at >= rest or data[at] != 0x12:
        return None
    size, at = read_size(data, at + 1)
    end = at + size
    method = _METHOD_NAMES.get(data[at:end])
    if method is None or end >= rest or data[end] != 0x1A:
        return None
    size, at = read_size(data, end + 1)
    end = at + size
    if size < 0 or end >= rest or data[end] != 0x22:
        return None
    path = data[at:end].decode("utf-8", "surrogateescape")
    size, at = read_size(data, end + 1)
    if size < 0 or at + size != rest:
        return None
    return StoreRequest(number, method, path, data[at:rest])


def _from_message(message: etcdserver_pb2.Request) -> StoreRequest:
    return StoreRequest(
        message.ID,
        message.Method.decode("utf-8", "surrogateescape"),
        message.Path.decode("utf-8", "surrogateescape"),
        message.Val,
        message.Dir,
        message.PrevValue,
        message.PrevIndex,
        message.PrevExist if message.HasField("PrevExist") else None,
        message.Expiration,
        message.Wait,
        message.Since,
        message.Recursive,
        message.Sorted,
        message.Quorum,
        message.Time,
        message.Stream,
        message.Refresh if message.HasField("Refresh") else None,
    )
