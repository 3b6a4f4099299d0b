"""Changes of the cluster's members for clients: adds one, removes one, changes its peer URLs."""

from collections.abc import Callable

from server.cluster.members import Member, Members
from server.node.changes import ChangeFailed, Changes
from server.node.errors import STOPPED
from server.node.leadership import TIMED_OUT
from server.node.requestids import RequestIds
from server.storage.codec import ConfChange, ConfChangeType, encode_conf_change


class Reconfiguration:
    """Makes changes of members and has them logged (``changes``).

    Its methods return when the change is applied here, and raise ChangeRefused, or ChangeFailed when that does not
    happen in ``patience`` seconds. With ``strict``, changes are refused that would leave too few started members for a
    quorum.
    ``wake`` is called when there is a change to propose.
    """

    def __init__(
        self,
        members: Members,
        changes: Changes,
        ids: RequestIds,
        *,
        strict: bool,
        patience: float,
        wake: Callable[[], object],
        is_running: Callable[[], bool],
    ) -> None:
        self._members = members
        self._changes = changes
        self._ids = ids
        self._strict = strict
        self._patience = patience
        self._wake = wake
        self._is_running = is_running

    async def add(self, member: Member) -> None:
        """Adds a new member with its id and peer URLs."""
        if self._strict:
            self._members.check_can_add()
        await self._change(ConfChangeType.ADD_NODE, member.id, member.context)

    async def remove(self, member: int) -> None:
        """Removes a member; its id is never used again. The member itself ends soon after."""
        if self._strict:
            self._members.check_can_remove(member)
        await self._change(ConfChangeType.REMOVE_NODE, member)

    async def update(self, member: Member) -> None:
        """Changes the peer URLs of a member."""
        await self._change(ConfChangeType.UPDATE_NODE, member.id, member.context)

    async def _change(self, kind: ConfChangeType, member: int, context: bytes = b"") -> None:
        if not self._is_running():
            raise ChangeFailed(STOPPED)
        change = encode_conf_change(ConfChange(kind, member, self._ids.next(), context))
        self._wake()
        await self._changes.wait(change, self._patience, TIMED_OUT)
