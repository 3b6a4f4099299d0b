"""What must not get into the log: entries from peers of which the applier could make nothing, and would have to end the
member, and with it every other one. Judged by what the applier itself decodes with; changes nothing.
"""

from server.cluster.ids import id_text
from server.cluster.members import VERSION, Member, MemberError, Members, check_put
from server.node.applier import CannotApply, check_not_newer
from server.raft import Entry, EntryType
from server.storage.codec import ConfChange, ConfChangeType, decode_conf_change
from server.storage.errors import CodecError
from server.storage.requests import Request, decode_request
from server.version import numbers

_MOST_KEPT = 2048
"""Requests that have been decoded and not been applied yet,"""
_LONGEST_KEPT = 4096
"""and bytes of one; others are decoded again."""


class Judge:
    """Judges entries before they are in the log. What they decode to is kept until they are applied: a follower decodes
    no write twice."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._kept: dict[bytes, Request] = {}

    def fault_of(self, entry: Entry) -> str:
        """Why an entry of a leader's cannot be applied, whatever the key space and members are; ``""`` if it can."""
        data = entry.data
        try:
            if entry.type is EntryType.CONF_CHANGE:
                _decode_change(entry)
            elif data:
                request = decode_request(data)
                if request is None:
                    return ""
                if request.method == "PUT" and request.path.startswith("/0/"):
                    _check_value(request.path, request.val)
                if len(data) <= _LONGEST_KEPT:
                    self._keep(data, request)
        except (CodecError, MemberError) as error:
            return str(error)
        return ""

    def fault_of_proposal(self, entry: Entry) -> str:
        """Why an entry that a member proposes must not get into the log; ``""`` if it may.

        Stricter than of what a leader has put there: real etcd ends at a change of members whose context is not that
        member's, and here no member may write of one that never was.
        """
        if fault := self.fault_of(entry):
            return fault
        try:
            if entry.type is EntryType.CONF_CHANGE:
                _check_context(_decode_change(entry))
            elif entry.data:
                self._check_put(entry.data)
        except (CannotApply, MemberError) as error:
            return str(error)
        return ""

    def take(self, data: bytes) -> Request | None:
        """What the data of an entry decode to, if that is still known. They are applied now, and will not be again."""
        return self._kept.pop(data, None)

    def _keep(self, data: bytes, request: Request) -> None:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()  # most of it never was applied, but gave way to other entries
        self._kept[data] = request

    def _check_put(self, data: bytes) -> None:
        request = decode_request(data)
        if request is not None and request.method == "PUT" and request.path.startswith("/0/"):
            self._members.check_put(request.path)
            if request.path == VERSION:
                check_not_newer(request.val.decode("utf-8", "replace"))


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
            raise MemberError(f"the cluster version is to be {value[:80]!r}, which is no version") from None


def _check_context(change: ConfChange) -> None:
    if change.node_id == 0:
        raise MemberError("a change of members for member 0, which nobody is")
    if change.type is ConfChangeType.REMOVE_NODE:
        return
    described = Member.from_context(change.context).id
    if described != change.node_id:
        raise MemberError(f"a conf change for {id_text(change.node_id)} describes {id_text(described)}")
