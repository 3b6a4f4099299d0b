"""What must not get into the log: entries from peers that the applier could not apply. They would end this member, and
with it every other one. Uses the applier's own decoders; changes nothing.
"""

from collections.abc import Mapping

from server.cluster.ids import id_text
from server.cluster.members import VERSION, Member, MemberError, Members, check_put
from server.node.applier import CannotApply, check_not_newer
from server.raft import Entry, EntryType
from server.storage.codec import ConfChange, ConfChangeType, decode_conf_change
from server.storage.errors import CodecError
from server.storage.requests import StoreRequest, decode_request
from server.version import numbers

MOST_KEPT = 1 << 15
"""Requests that have been decoded and not been applied yet. A choice: more than a leader usually sends at a time, which
is a megabyte."""
MOST_BYTES_KEPT = 4 << 20
"""Bytes of the entries that they were in: of four such messages. Beyond that all are dropped, and are decoded again
when they are applied."""


class Judge:
    """Judges entries before they are in the log. Their decoded requests are kept until they are applied, so that most
    are decoded once. ``own`` are the data that this member encoded itself, which it does not decode at all."""

    def __init__(self, members: Members, own: Mapping[bytes, object]) -> None:
        self._members = members
        self._own = own
        self._kept: dict[bytes, StoreRequest] = {}
        self._bytes_kept = 0  # at least: what came twice is counted twice

    def fault_of(self, entry: Entry) -> str:
        """Why a leader's entry can never be applied, whatever the key space and members are; ``""`` if it can."""
        try:
            if entry.type is EntryType.CONF_CHANGE:
                _decode_change(entry)
            else:
                self._request_in(entry.data)
        except (CodecError, MemberError) as error:
            return str(error)
        return ""

    def fault_of_proposal(self, entry: Entry) -> str:
        """Why an entry that a member proposes must not get into the log; ``""`` if it may.

        Stricter than for a leader's entries: real etcd ends at a change of members whose context is another member's,
        and no member may write about one that never existed.
        """
        try:
            if entry.type is EntryType.CONF_CHANGE:
                _check_context(_decode_change(entry))
                return ""
            request = self._request_in(entry.data)
            if request is not None and _is_of_members(request):
                self._members.check_put(request.path)
                if request.path == VERSION:
                    check_not_newer(request.val.decode("utf-8", "replace"))
        except (CannotApply, CodecError, MemberError) as error:
            return str(error)
        return ""

    def take(self, data: bytes) -> StoreRequest | None:
        """The decoded request of an entry that is applied now, if it is still known; it is not kept any longer."""
        request = self._kept.pop(data, None)
        if request is not None:
            self._bytes_kept -= len(data)
        return request

    def _request_in(self, data: bytes) -> StoreRequest | None:
        """Decodes a request, and keeps it; None if there is none to decode. Raises CodecError, MemberError."""
        if not data or data in self._own:
            return None
        request = decode_request(data)
        if request is None:
            return None
        if _is_of_members(request):
            _check_value(request.path, request.val)
        self._bytes_kept += len(data)
        if self._bytes_kept > MOST_BYTES_KEPT or len(self._kept) >= MOST_KEPT:
            self._kept.clear()  # most of these were never applied: other entries replaced theirs in the log
            self._bytes_kept = len(data)
        if len(data) <= MOST_BYTES_KEPT:
            self._kept[data] = request
        return request


def _is_of_members(request: StoreRequest) -> bool:
    return request.method == "PUT" and request.path.startswith("/0/")


def _decode_change(entry: Entry) -> ConfChange:
    if not entry.data:
        raise CodecError("a change of members that says nothing")
    return decode_conf_change(entry.data)


def _check_value(path: str, value: bytes) -> None:
    check_put(path, value)
    if path == VERSION:
        try:
            numbers(value.decode("utf-8", "replace"))
        except ValueError:
            raise MemberError(
                f"the cluster version would be {value[:80]!r}, which is not a version"
            ) from None


def _check_context(change: ConfChange) -> None:
    if change.node_id == 0:
        raise MemberError("a change of members for member 0, which nobody is")
    if change.type is ConfChangeType.REMOVE_NODE:
        return
    described = Member.from_context(change.context).id
    if described != change.node_id:
        raise MemberError(f"a conf change for {id_text(change.node_id)} describes {id_text(described)}")
