"""The key space as far as the log has been applied, and its changes since the last checkpoint. Pure: no socket, no
clock.

Every gateway has one, and all of them are equal at the same revision of the log; the running sum of all events shows
when one differs.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from server.gateway.changes import Applied, Logged, Position, applied
from server.gateway.layout import FIRST_RULES, LayoutError, Mark, decode_record, read_request, shown, sum_of
from server.storage.requests import StoreRequest
from server.store import EtcdError, Event, Store, apply_request
from server.store.snapshot import StoreState

Rules = Mapping[int, Callable[[Store, StoreRequest, int], Event | None]]
"""How a request is applied, by the number of the rules in force."""

RULES: Rules = {FIRST_RULES: apply_request}
"""The rules that this release knows. A release that applies a request in another way gets another row, with the next
number; it uses the earlier rules until a record of the log changes them."""


class Diverged(Exception):
    """The key space here is not the one that the log makes, and must be loaded again. The message says how that was
    found."""


class Replica:
    """Applies records of the log to ``store``, by one of the ``rules``.

    ``changes`` are those since the last checkpoint, ``records`` those that may still be in the log, in order.
    """

    def __init__(self, store: Store, rules: Rules = RULES) -> None:
        self.store = store
        self.rules = rules
        self.mark = Mark(0, 0, 0, 0, 0)
        """The mark of the last checkpoint that is known here."""
        self.position = Position(0, 0, 0)
        self.sum = 0
        self.changes: deque[Applied] = deque()
        self.records: deque[Logged] = deque()
        self.bytes_logged = 0
        """Of ``records``."""
        store.on_event = self._note

    def become(self, state: StoreState, mark: Mark, stale: Sequence[Logged] = ()) -> None:
        """Begins again from a checkpoint; ``stale`` are records that it covers and that are still there. Open watches
        end. Raises LayoutError when rules are in force there that this release does not know."""
        self._check_rules(mark.rules)
        self.store.become(state)
        self.store.end_watches()
        self.mark = mark
        self.sum = mark.sum
        self.position = Position(mark.revision, mark.done, mark.tail, mark.rules)
        self.changes.clear()
        self.records = deque(stale)
        self.bytes_logged = sum(record.size for record in stale)

    @property
    def here(self) -> Mark:
        """The mark of a checkpoint that would contain everything."""
        revision, done, tail, rules = self.position
        return Mark(revision, done, self.store.index, self.sum, tail, rules)

    @property
    def is_ahead(self) -> bool:
        """Whether there is something for a checkpoint."""
        return bool(self.changes) or self.here != self.mark

    def apply(
        self, revision: int, key: bytes, value: bytes, own: Sequence[StoreRequest | None], now: int
    ) -> list[Event | EtcdError | None]:
        """Applies a record, and returns the outcome of each of its requests.

        ``own`` are the decoded requests of a record that this gateway has appended, and empty for another's. Where the
        checkpoint has the first requests of a record, they are skipped: their outcome is None. Raises LayoutError.
        """
        found = decode_record(key, value)
        rules = self.position.rules
        skipped, tail = 0, self.position.tail + 1
        if revision == self.position.revision:
            skipped, tail = self.position.done, self.position.tail
        if isinstance(found, int):
            rules, found = self._check_rules(found), []
        do = self.rules[rules]
        outcomes: list[Event | EtcdError | None] = []
        for place, data in enumerate(found):
            if place < skipped:
                outcomes.append(None)
                continue
            self.position = Position(revision, place, tail, rules)
            request = own[place] if own else None
            if request is None:
                request = read_request(key, data)
            before = self.store.index
            try:
                outcomes.append(do(self.store, request, now))
            except EtcdError as error:
                outcomes.append(error.with_traceback(None))
            self.position = Position(revision, place + 1, tail, rules)
            if self.store.index != before:  # the last of its events is the end of it
                self.changes[-1].position = self.position
        self.position = Position(revision, len(found), tail, rules)
        self.records.append(Logged(revision, key, len(found), len(value)))
        self.bytes_logged += len(value)
        return outcomes

    def _note(self, event: Event, files: list[str], directories: list[str]) -> None:
        self.sum = sum_of(event, self.sum)
        self.changes.append(applied(event, files, directories, self.store, self.position, self.sum))

    def _check_rules(self, number: int) -> int:
        if number in self.rules:
            return number
        known = ", ".join(map(str, sorted(self.rules)))
        what = (
            "update it"
            if number > max(self.rules)
            else "run an earlier one, until those after them are in force"
        )
        raise LayoutError(
            f"the gateways of this etcd go by rules {number}, and this release knows {known} only: {what}"
        )

    def covered_by(self, mark: Mark) -> None:
        """A checkpoint has been written. Raises Diverged when it was made of other events than are known here."""
        if mark == self.mark:
            return
        last: Applied | None = None
        changes = self.changes
        if mark.index > self.store.index or mark.index < self.mark.index:
            raise Diverged(f"a checkpoint is at index {mark.index}, and this gateway at {self.store.index}")
        while changes and changes[0].index <= mark.index:
            last = changes.popleft()
        expected = self.mark.sum if last is None else last.sum
        if mark.sum != expected:
            raise Diverged(f"a checkpoint at index {mark.index} was made of other events than are known here")
        self.mark = mark

    def forget(self, count: int) -> None:
        """The first ``count`` records are not in the log any more."""
        for _ in range(count):
            self.bytes_logged -= self.records.popleft().size


def check_tail(found: int, tail: int, counted: int, key: bytes) -> None:
    """Raises LayoutError when records behind a checkpoint are missing in the log."""
    if found != tail + counted:
        raise LayoutError(
            f"{shown(key)} counts {found} appends, but the checkpoint has {tail} and {counted} lie behind it: records "
            "of the log have been lost"
        )
