"""The owner of the transport: what the transport asks it, and reports to it."""

from collections.abc import Sequence
from typing import Protocol

from server.raft import Message, MessageRefusal


class Host(Protocol):
    """The member's side of the transport. All of it is called on the loop, must return at once, and must not raise.

    ``unreachable`` and ``snapshot_ended`` may come while ``Transport.send`` is still running.
    """

    def receive(self, messages: Sequence[Message]) -> Sequence[tuple[Message, MessageRefusal]]:
        """Peers sent these: ``Raft.step`` each of them, and see to it that there is a ``ready`` soon. Returns those
        that were refused, and so changed nothing; they are counted already."""

    def refused(self, reason: str) -> None:
        """Something was refused before it came to the host, to be counted under that word."""

    def receive_database(self, index: int, database: bytes | None) -> None:
        """The database of 3.x that came along with a snapshot at this index, right after that was taken; None for one
        that is too large to be looked at."""

    def unreachable(self, member: int) -> None:
        """A message to that member was lost for sure: ``Raft.unreachable``."""

    def snapshot_ended(self, member: int, *, arrived: bool) -> None:
        """What became of a SNAPSHOT to that member: ``Raft.snapshot_ended``."""

    def is_removed(self, member: int) -> bool:
        """Whether that id was a member's and was removed: it is never used again. True must be certain, as the member
        that hears it stops permanently."""

    def removed(self) -> None:
        """A peer says that this member was removed from the cluster: it has to stop. May come more than once."""

    def failed(self, error: Exception) -> None:
        """A fault in the transport, or an exception out of one of these methods. What it was about is left undone."""
