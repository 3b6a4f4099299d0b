"""What must not get into the log: entries from peers of which the applier could make nothing, and would have to end the
member, and with it every other one. Judged by what the applier itself decodes with; changes nothing.
"""

from server.cluster.ids import id_text
from server.cluster.members import VERSION, Member, MemberError, Members, check_put
from server.node.applier import CannotApply, check_not_newer
from server.raft import Entry, EntryType
from server.storage.codec import ConfChange, ConfChangeType, decode_conf_change
from server.storage.errors import CodecError
from server.storage.requests import parse_request
from server.version import numbers


def fault_of(entry: Entry) -> str:
    """Why an entry of a leader's cannot be applied, whatever the key space and the members are; ``""`` if it can."""
    try:
        if entry.type is EntryType.CONF_CHANGE:
            _decode_change(entry)
        elif entry.data:
            request = parse_request(entry.data)
            if request is not None and request.Path.startswith(b"/0/") and request.Method == b"PUT":
                _check_value(request.Path.decode("utf-8", "surrogateescape"), request.Val)
    except (CodecError, MemberError) as error:
        return str(error)
    return ""


def fault_of_proposal(entry: Entry, members: Members) -> str:
    """Why an entry that a member proposes must not get into the log; ``""`` if it may.

    Stricter than of what a leader has put there: real etcd ends at a change of members whose context is not that
    member's, and here no member may write of one that never was.
    """
    if fault := fault_of(entry):
        return fault
    try:
        if entry.type is EntryType.CONF_CHANGE:
            _check_context(_decode_change(entry))
        elif entry.data:
            _check_put(entry.data, members)
    except (CannotApply, MemberError) as error:
        return str(error)
    return ""


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


def _check_put(data: bytes, members: Members) -> None:
    request = parse_request(data)
    if request is None or request.Method != b"PUT" or not request.Path.startswith(b"/0/"):
        return
    path = request.Path.decode("utf-8", "surrogateescape")
    members.check_put(path)
    if path == VERSION:
        check_not_newer(request.Val.decode("utf-8", "replace"))
