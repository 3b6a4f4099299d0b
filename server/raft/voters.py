"""The members whose votes and logs count, and what is known of the log of each."""

from collections.abc import Iterable

from server.raft.progress import Progress


class Voters:
    """As one of the members, ``member``, knows them. ``progress`` is by voter, in the order in which they were added;
    it means something to a leader alone."""

    def __init__(self, member: int, voters: Iterable[int]) -> None:
        self._member = member
        self.progress = {voter: Progress(0, 1) for voter in voters}
        self.others: list[int] = []
        """All but the member itself."""
        self._changed()

    def __contains__(self, member: int) -> bool:
        return member in self.progress

    @property
    def quorum(self) -> int:
        return len(self.progress) // 2 + 1

    def is_only(self, member: int) -> bool:
        """Whether nobody else has a vote."""
        return len(self.progress) == 1 and member in self.progress

    def add(self, voter: int, match: int, next: int) -> None:
        """A new one, whose log has the entries up to ``match``, and is sent those from ``next`` on."""
        self.progress[voter] = Progress(match, next)
        self._changed()

    def remove(self, voter: int) -> None:
        del self.progress[voter]
        self._changed()

    def forget_logs(self, next: int) -> None:
        """A new leader knows nothing of the others' logs, and begins with the entry ``next``."""
        self.progress = {voter: Progress(0, next) for voter in self.progress}

    def agreed(self) -> int:
        """The last index up to which a quorum has the leader's log."""
        matches = [progress.match for progress in self.progress.values()]
        if len(matches) > 1:
            matches.sort(reverse=True)
        return matches[self.quorum - 1]

    def _changed(self) -> None:
        self.others = [voter for voter in self.progress if voter != self._member]
