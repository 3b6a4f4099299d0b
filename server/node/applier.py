"""Applies committed entries to the key space, the members and the voters. One entry at a time, in order; no I/O.

The same code runs for entries just committed and for those replayed at a start, so both give the same indexes.
"""

import logging

from server.cluster.ids import id_text
from server.cluster.members import ChangeRefused, MemberError, Members
from server.log import NOTICE
from server.node.answer import Outcome
from server.raft import Entry, EntryType, Raft
from server.storage.codec import ConfChangeType, decode_conf_change
from server.storage.errors import CodecError
from server.storage.requests import StoreRequest, decode_request
from server.store.apply import apply_request
from server.store.errors import EtcdError
from server.store.store import Store
from server.version import NEWEST_CLUSTER_VERSION, VERSION, major_minor, numbers

logger = logging.getLogger(__name__)


class CannotApply(Exception):
    """The log has an entry that this server must not apply: without it, it would differ from the other members."""


class Applier:
    """Changes ``store``, ``members`` and the voters of ``raft`` as the entries say."""

    def __init__(self, store: Store, members: Members, raft: Raft) -> None:
        self._store = store
        self._members = members
        self._raft = raft

    def apply(self, entry: Entry, request: StoreRequest | None, now: int) -> Outcome | MemberError:
        """Applies one entry at ``now`` (unix nanoseconds), and returns the answer to its request: for a change of
        members a MemberError if it changed nothing.

        ``request`` is the entry's decoded data, if the caller has it already. Raises CannotApply.
        """
        try:
            if entry.type is EntryType.CONF_CHANGE:
                return self._apply_conf_change(entry, now)
            if request is None and entry.data:
                request = decode_request(entry.data)
            if request is None:
                return None  # the start of a term, or a request of 3.x that does not concern v2
            if request.path.startswith("/0/") and _is_plain_put(request) and not self._apply_put(request):
                return None
        except (CodecError, MemberError) as error:
            raise CannotApply(
                f"entry {entry.index} of the log, of term {entry.term}, cannot be applied: {error}. The cluster has "
                "agreed on it, so no member can go on beyond it: restore the data directories from a backup"
            ) from error
        try:
            return apply_request(self._store, request, now)
        except EtcdError as error:
            return error.with_traceback(None)  # else it and its receiver's frames would hold each other

    def _apply_put(self, request: StoreRequest) -> bool:
        """Applies a PUT below /0 to the members or the cluster version. False when the key space must not get it."""
        known = self._members.version
        if not self._members.apply_put(request.path, request.val):
            logger.warning("skipped updating attributes of removed member: %s", request.path)
            return False
        version = self._members.version
        if version is not None and version != known:
            check_not_newer(version)
            if known is None:
                logger.log(NOTICE, "set the initial cluster version to %s", major_minor(version))
            else:
                logger.log(
                    NOTICE,
                    "updated the cluster version from %s to %s",
                    major_minor(known),
                    major_minor(version),
                )
        return True

    def _apply_conf_change(self, entry: Entry, now: int) -> MemberError | None:
        change = decode_conf_change(entry.data)
        try:
            member = self._members.apply_conf_change(change, self._store, now)
        except ChangeRefused as error:
            self._raft.drop_conf_change()
            return error.with_traceback(None)
        except MemberError as error:
            logger.warning("the change of members in entry %d changes nothing: %s", entry.index, error)
            self._raft.drop_conf_change()
            return error.with_traceback(None)
        if change.type is ConfChangeType.ADD_NODE:
            self._raft.apply_conf_change(add=change.node_id)
        elif change.type is ConfChangeType.REMOVE_NODE:
            self._raft.apply_conf_change(remove=change.node_id)
        else:
            self._raft.drop_conf_change()
        who = "local member" if change.node_id == self._raft.id else "member"
        urls = "" if member is None else f" [{' '.join(member.peer_urls)}]"
        done, where = _CHANGES[change.type]
        cluster = id_text(self._members.cluster_id)
        logger.log(
            NOTICE, "%s %s %s%s %s cluster %s", done, who, id_text(change.node_id), urls, where, cluster
        )
        return None


_CHANGES = {
    ConfChangeType.ADD_NODE: ("added", "to"),
    ConfChangeType.REMOVE_NODE: ("removed", "from"),
    ConfChangeType.UPDATE_NODE: ("update", "in"),
}


def check_not_newer(version: str) -> None:
    """Raises CannotApply when the cluster's version is newer than this server, as etcd refuses a downgrade."""
    try:
        is_newer = numbers(version) > numbers(NEWEST_CLUSTER_VERSION)
    except ValueError:
        raise CannotApply(f"the cluster version is {version!r}, which is not a version") from None
    if is_newer:
        raise CannotApply(
            f"cluster cannot be downgraded (current version: {VERSION} is lower than determined cluster "
            f"version: {major_minor(version)})."
        )


def _is_plain_put(request: StoreRequest) -> bool:
    return (
        request.method == "PUT"
        and request.prev_exist is None
        and not request.prev_index
        and not request.prev_value
    )
