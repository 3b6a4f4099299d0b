"""What a normal entry in a log of etcd 3.x asks for: something of v2, of the members, or of the v3 API.

Codec only. Of the v3 API no more is known here than which requests there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.proto import etcd3_pb2
from server.storage.codec import parse
from server.storage.errors import CodecError
from server.storage.requests import StoreRequest, decode_request
from server.storage.v3 import ALARM, HARMLESS, STORING, fields_of

KINDS = STORING | HARMLESS | {ALARM: "alarm", 9900: "downgrade version test"}
"""Every field of ``InternalRaftRequest`` in etcd 3.0 to 3.7, with a name. A log with any other is refused."""

_IDS = frozenset((1, 100))
"""Fields of the request and of its header that hold ids, not what is asked."""

_V2, _VERSION, _ATTRIBUTES = 2, 1300, 1301
"""Field numbers of ``InternalRaftRequest`` for what belongs to v2 or to the members."""


@dataclass(slots=True, frozen=True)
class SetVersion:
    """The cluster's version, as members of 3.6 put it into the log; before, that was a PUT of v2."""

    version: str


@dataclass(slots=True, frozen=True)
class SetAttributes:
    """What a member published of itself, likewise."""

    member: int
    name: str
    client_urls: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class OfV3:
    """A request that has nothing to do with v2 or the members; ``name`` is for a person."""

    name: str


AnyRequest = StoreRequest | SetVersion | SetAttributes | OfV3


def decode_any(data: bytes) -> AnyRequest:
    """The request in the data of a normal entry, which must not be empty. Raises CodecError for what no etcd up to
    3.7 writes."""
    request = decode_request(data)
    if request is not None:
        return request
    numbers = [number for number, _ in fields_of(data)]
    for number in numbers:
        if number not in KINDS:
            raise CodecError(f"a request of kind {number}, which no etcd up to 3.7 has")
    asked = [number for number in numbers if number not in _IDS]
    if _VERSION in asked or _ATTRIBUTES in asked:
        return _about_members(data)
    return OfV3(KINDS[asked[0]] if asked else "nothing")


def _about_members(data: bytes) -> SetVersion | SetAttributes:
    message = parse(etcd3_pb2.InternalRaftRequest, data, "request about members")
    if message.HasField("cluster_version_set"):
        return SetVersion(_text(message.cluster_version_set.ver))
    asked = message.cluster_member_attr_set
    attributes = asked.member_attributes
    return SetAttributes(
        asked.member_ID, _text(attributes.name), tuple(_text(url) for url in attributes.client_urls)
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
