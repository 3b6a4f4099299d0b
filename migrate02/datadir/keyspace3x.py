"""The v2 key space of a member of etcd 3.5, and who its members are, entry by entry, as 3.5 itself makes them. Pure."""

from __future__ import annotations

import re

from migrate02.datadir.membership3x import Membership, MembershipError
from server.cluster.ids import parse_id
from server.cluster.members import VERSION, compact_json
from server.raft.types import Entry, EntryType
from server.storage.codec import decode_conf_change
from server.storage.errors import CodecError
from server.storage.etcd3.messages import ConfState, SnapshotOf3x
from server.storage.etcd3.requests import SetAttributes, SetVersion, decode_any
from server.storage.requests import StoreRequest
from server.store import EtcdError, Store, apply_request

ATTRIBUTES = re.compile(r"/0/members/[0-9a-fA-F]{1,16}/attributes")
"""As etcd looks for it: anywhere in a path."""


class KeySpace:
    """``store`` and ``membership`` as of the entry at ``index``, which has ``term``."""

    def __init__(self, snapshot: SnapshotOf3x | None) -> None:
        """As a snapshot has it, or empty. Raises SnapshotFormatError, MembershipError."""
        self.store = Store()
        if snapshot is not None:
            self.store.recover(snapshot.data)
        self.membership = Membership(self.store, snapshot.conf_state if snapshot else ConfState())
        self.index, self.term = (snapshot.index, snapshot.term) if snapshot else (0, 0)
        self._now = 0

    def apply(self, entry: Entry) -> None:
        """The next entry. Raises CodecError and MembershipError, with the index, for what no etcd applies."""
        try:
            self._apply(entry)
        except (CodecError, MembershipError, EtcdError) as error:
            said = error.message if isinstance(error, CodecError) else str(error)
            raise MembershipError(f"entry {entry.index} of the log cannot be applied: {said}") from error
        self.index, self.term = entry.index, entry.term

    def _apply(self, entry: Entry) -> None:
        if entry.type is EntryType.CONF_CHANGE:
            self.membership.change(decode_conf_change(entry.data))
            return
        request = decode_any(entry.data) if entry.data else None
        if isinstance(request, SetVersion):
            self.membership.set_version(request.version.encode("utf-8", "surrogateescape"))
        elif isinstance(request, SetAttributes):
            fields = {"name": request.name, "clientURLs": list(request.client_urls)}
            self.membership.set_attributes(request.member, compact_json(fields))
        elif isinstance(request, StoreRequest):
            self._apply_v2(request)

    def _apply_v2(self, request: StoreRequest) -> None:
        self._now = request.time or self._now
        if request.method == "PUT" and _has_no_condition(request):
            if ATTRIBUTES.search(request.path):
                self.membership.set_attributes(_member_in(request.path), request.val)
                return
            if request.path == VERSION:
                self.membership.set_version(request.val)
                return
        try:
            apply_request(self.store, request, self._now)
        except EtcdError:
            return  # it was refused then, too


def _has_no_condition(request: StoreRequest) -> bool:
    return request.prev_exist is None and not request.prev_index and not request.prev_value


def _member_in(path: str) -> int:
    name = path.rpartition("/")[0].rpartition("/")[2]
    try:
        return parse_id(name)
    except ValueError as error:
        raise MembershipError(f"{path}: {error}") from None
