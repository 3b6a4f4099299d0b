"""Requests as they stand in log entries: what a client, the publish at start or a SYNC asked of the key space.

Codec only: what a request does is the business of ``server.store``.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.proto import etcdserver_pb2
from server.storage.codec import parse

METHODS = frozenset((b"PUT", b"POST", b"DELETE", b"QGET", b"GET", b"HEAD", b"SYNC"))
"""By which a bare request is known, see ``decode_request``."""


@dataclass(slots=True)
class Request:
    """One request; the fields are those of etcd's ``etcdserverpb.Request``.

    ``val`` and ``prev_value`` are bytes, for etcd keeps what the client sent, UTF-8 or not. ``path`` is str decoded
    with ``surrogateescape``, so that any bytes come back. ``expiration`` (0 = none) and ``time`` are unix nanoseconds.
    ``prev_exist`` and ``refresh`` are None when the client did not give them.
    """

    id: int = 0
    method: str = ""
    path: str = ""
    val: bytes = b""
    dir: bool = False
    prev_value: bytes = b""
    prev_index: int = 0
    prev_exist: bool | None = None
    expiration: int = 0
    wait: bool = False
    since: int = 0
    recursive: bool = False
    sorted: bool = False
    quorum: bool = False
    time: int = 0
    stream: bool = False
    refresh: bool | None = None


def encode_request(request: Request) -> bytes:
    """The bare form, which all of 2.x, and 3.0 to 3.5 for v2 requests, put into an entry.

    Every scalar is written, as etcd does; the two optional ones only when given. Raises ValueError for a number
    outside its field (64 bits; ``expiration`` and ``time`` are signed).
    """
    return etcdserver_pb2.Request(
        ID=request.id,
        Method=request.method.encode("utf-8", "surrogateescape"),
        Path=request.path.encode("utf-8", "surrogateescape"),
        Val=request.val,
        Dir=request.dir,
        PrevValue=request.prev_value,
        PrevIndex=request.prev_index,
        PrevExist=request.prev_exist,
        Expiration=request.expiration,
        Wait=request.wait,
        Since=request.since,
        Recursive=request.recursive,
        Sorted=request.sorted,
        Quorum=request.quorum,
        Time=request.time,
        Stream=request.stream,
        Refresh=request.refresh,
    ).SerializeToString()


def decode_request(data: bytes) -> Request | None:
    """The request in the data of a normal entry, in either form; None if it holds nothing for a v2 member.

    Go tries the wrapped form first and falls back when that fails to parse. Python's protobuf does not fail on every
    bare request (the letters of POST look like unknown groups to it), so the method's name decides: in the wrapped
    form the same field holds a message, which never reads as one. Raises CodecError for bytes that are neither.
    """
    bare = parse(etcdserver_pb2.Request, data, "request")
    if bare.Method in METHODS:
        return _from_message(bare)
    wrapped = parse(etcdserver_pb2.InternalRaftRequest, data, "request")
    return _from_message(wrapped.v2) if wrapped.HasField("v2") else None


def _from_message(message: etcdserver_pb2.Request) -> Request:
    return Request(
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
