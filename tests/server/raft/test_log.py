"""The log: what it keeps, what it lets go, and what it refuses. Driven at random against a plain list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from server.raft import Entry, LogError, RaftLog


def entries(first: int, *terms: int) -> list[Entry]:
    return [Entry(term, first + n) for n, term in enumerate(terms)]


def test_a_log_read_from_disk_is_stable_and_committed_as_said() -> None:
    log = RaftLog(entries(4, 2, 2, 3), compacted=3, compacted_term=1, committed=5)
    assert (log.first_index, log.last_index, log.last_term) == (4, 6, 3)
    assert (log.stable, log.committed, log.applied) == (6, 5, 3)
    assert [entry.index for entry in log.entries_to_apply()] == [4, 5]
    assert log.unstable_entries() == []


@pytest.mark.parametrize(
    ("index", "term"), [(2, None), (3, 1), (4, 2), (6, 3), (7, None)]
)  # fmt: skip
def test_terms_are_known_from_the_snapshot_to_the_end(index: int, term: int | None) -> None:
    assert RaftLog(entries(4, 2, 2, 3), compacted=3, compacted_term=1).term_at(index) == term


def test_entries_with_a_hole_are_refused() -> None:
    with pytest.raises(LogError, match="entry 3 where entry 2 belongs"):
        RaftLog([*entries(1, 1), *entries(3, 1)])


def test_a_commit_index_outside_the_log_is_refused() -> None:
    with pytest.raises(
        LogError, match=r"tocommit\(4\) is out of range \[lastIndex\(3\)\]. Was the raft log corrupted"
    ):
        RaftLog(entries(1, 1, 1, 1), committed=4)
    with pytest.raises(LogError, match="before the snapshot"):
        RaftLog([], compacted=5, compacted_term=1, committed=4)


def test_appending_over_unstable_entries_makes_the_new_ones_unstable() -> None:
    log = RaftLog(entries(1, 1, 1, 1))
    log.append(entries(2, 2))
    assert (log.last_index, log.stable) == (2, 1)
    assert log.unstable_entries() == entries(2, 2)


def test_committed_entries_never_change() -> None:
    log = RaftLog(entries(1, 1, 1), committed=2)
    with pytest.raises(LogError, match="would replace a committed one"):
        log.append(entries(2, 2))
    with pytest.raises(LogError, match="would leave a gap"):
        log.append(entries(4, 2))


@pytest.mark.parametrize(
    ("previous", "previous_term", "new", "result", "terms"),
    [
        (3, 3, entries(4, 4), 4, [1, 2, 3, 4]),
        (3, 3, [], 3, [1, 2, 3]),
        (1, 1, entries(2, 2), 2, [1, 2, 3]),  # nothing conflicts: nothing is cut off
        (1, 1, entries(2, 4), 2, [1, 4]),
        (2, 2, entries(3, 3, 4, 4), 5, [1, 2, 3, 4, 4]),
        (3, 2, entries(4, 4), None, [1, 2, 3]),
        (4, 4, entries(5, 4), None, [1, 2, 3]),
    ],
)
def test_what_a_leader_sends_is_matched_first(
    previous: int, previous_term: int, new: list[Entry], result: int | None, terms: list[int]
) -> None:
    log = RaftLog(entries(1, 1, 2, 3))
    assert log.append_after(previous, previous_term, new) == result
    assert [entry.term for entry in log.entries_from(1)] == terms


def test_an_entry_replaced_while_it_was_written_is_not_stable() -> None:
    log = RaftLog()
    log.append(entries(1, 1, 1))
    log.append(entries(2, 2))
    log.stable_to(2, 1)
    assert log.stable == 0
    log.stable_to(2, 2)
    assert log.stable == 2


def test_only_what_is_committed_and_on_disk_is_applied() -> None:
    log = RaftLog()
    log.append(entries(1, 1, 1, 1))
    log.commit_to(3)
    assert log.entries_to_apply() == []
    log.stable_to(2, 1)
    assert [entry.index for entry in log.entries_to_apply()] == [1, 2]
    with pytest.raises(LogError, match=r"applied\(3\) is out of range"):
        log.applied_to(3)


def test_compaction_keeps_the_term_of_the_last_entry_gone() -> None:
    log = RaftLog(entries(1, 1, 2, 3), committed=3)
    log.applied_to(2)
    log.compact(2)
    assert (log.first_index, log.term_at(2), log.term_at(1)) == (3, 2, None)
    log.compact(1)
    assert log.first_index == 3
    with pytest.raises(LogError, match="cannot be compacted away"):
        log.compact(3)
    with pytest.raises(LogError, match="compacted away"):
        log.entries_from(2)


@pytest.mark.parametrize(
    ("index", "term", "last"),
    [
        (9, 9, 9),
        (9, 6, 9),
        (9, 5, 8),
        (9, 4, 6),
        (7, 4, 6),
        (5, 4, 5),
        (9, 3, 4),
        (9, 2, 4),  # no lower than the snapshot
        (9, 0, 4),
        (3, 1, 3),  # of what is compacted away nothing is known
        (12, 5, 8),
    ],
)
def test_where_a_log_with_that_term_can_match_at_the_latest(index: int, term: int, last: int) -> None:
    log = RaftLog(entries(5, 4, 4, 5, 5, 6), compacted=4, compacted_term=3)
    assert log.last_up_to(index, term) == last


@pytest.mark.parametrize(
    ("sizes", "count"), [((), 0), ((1,), 1), ((40, 60, 1), 2), ((200, 1), 1), ((1,) * 9, 5)]
)
def test_a_batch_is_limited_in_bytes_and_entries_but_never_empty(
    sizes: tuple[int, ...], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.raft.log.MAX_BATCH_BYTES", 100)
    monkeypatch.setattr("server.raft.log.MAX_BATCH_ENTRIES", 5)
    log = RaftLog([Entry(1, index, bytes(size)) for index, size in enumerate(sizes, 1)], committed=len(sizes))
    assert log.batch_from(1) == log.entries_from(1, count)
    assert log.batch_from(1, 2) == log.entries_from(1, min(2, count))
    assert log.entries_to_apply() == log.entries_from(1, count)


def test_a_snapshot_takes_the_place_of_the_log() -> None:
    log = RaftLog(entries(1, 1, 1, 1), committed=2)
    log.restore(5, 2)
    assert (log.first_index, log.last_index, log.last_term) == (6, 5, 2)
    assert (log.applied, log.committed, log.stable) == (5, 5, 5)
    log.applied_to(2)  # what was handed out before it came
    assert log.applied == 5
    with pytest.raises(LogError, match="would take back what is committed"):
        log.restore(5, 2)


@given(st.lists(st.integers(1, 5)), st.lists(st.integers(1, 5)))
def test_the_more_up_to_date_log_is_the_one_with_the_later_end(left: list[int], right: list[int]) -> None:
    one, other = (RaftLog(entries(1, *sorted(terms))) for terms in (left, right))
    ends = [(log.last_term, log.last_index) for log in (one, other)]
    assert one.is_up_to_date(other.last_index, other.last_term) == (ends[1] >= ends[0])


class LogAgainstList(RuleBasedStateMachine):
    """Whatever a leader or follower does to its log, it equals a list, and its marks keep their order."""

    indexes = Bundle("indexes")

    def __init__(self) -> None:
        super().__init__()
        self.log = RaftLog()
        self.model: list[Entry] = []
        self.term = 1

    @rule(grow=st.integers(0, 2), count=st.integers(1, 4), back=st.integers(0, 4))
    def append(self, grow: int, count: int, back: int) -> None:
        self.term += grow
        first = max(self.log.committed, self.log.last_index - back) + 1
        new = entries(first, *[self.term] * count)
        self.log.append(new)
        self.model[first - 1 :] = new

    @rule(back=st.integers(0, 3))
    def write(self, back: int) -> None:
        index = max(0, self.log.last_index - back)
        if index and (term := self.log.term_at(index)) is not None:
            self.log.stable_to(index, term)

    @rule(step=st.integers(0, 4))
    def commit(self, step: int) -> None:
        self.log.commit_to(min(self.log.last_index, self.log.committed + step))

    @rule()
    def apply(self) -> None:
        ready = self.log.entries_to_apply()
        assert ready == self.model[self.log.applied : self.log.applied + len(ready)]
        if ready:
            self.log.applied_to(ready[-1].index)

    @rule(back=st.integers(0, 3))
    def compact(self, back: int) -> None:
        self.log.compact(self.log.applied - back)

    @invariant()
    def marks_are_in_order(self) -> None:
        log = self.log
        assert log.first_index - 1 <= log.applied <= log.committed <= log.last_index
        assert log.applied <= log.stable <= log.last_index

    @invariant()
    def content_is_that_of_the_list(self) -> None:
        first = self.log.first_index
        assert self.log.entries_from(first) == self.model[first - 1 :]
        assert self.log.unstable_entries() == self.model[self.log.stable :]
        for entry in self.model[first - 1 :]:
            assert self.log.term_at(entry.index) == entry.term


TestLogAgainstList = LogAgainstList.TestCase
