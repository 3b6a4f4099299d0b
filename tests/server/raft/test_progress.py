"""What a leader knows of a follower, state by state."""

import pytest

from server.raft import MessageType
from server.raft.log import MAX_BATCH_ENTRIES
from server.raft.progress import AHEAD, WINDOW, Pace, Progress
from tests.server.raft.driving import accepts, elected, log_of, refuses


def probing(match: int = 3, next_index: int = 6) -> Progress:
    return Progress(match, next_index)


def replicating(match: int = 3) -> Progress:
    progress = Progress(match, match + 1)
    progress.replicate()
    return progress


def awaiting_snapshot(match: int = 3, index: int = 8) -> Progress:
    progress = Progress(match, 6)
    progress.send_snapshot(index)
    return progress


def where(progress: Progress) -> tuple[Pace, int, int]:
    return progress.pace, progress.match, progress.next


def waits(progress: Progress) -> bool:
    return progress.is_paused


# Probe


@pytest.mark.parametrize("last", [5, 7])
def test_a_probe_is_one_append_until_an_answer_or_a_heartbeat(last: int) -> None:
    progress = probing()
    progress.sent(last)
    assert waits(progress)
    assert progress.next == 6  # it may not have arrived
    progress.heartbeat_sent()
    assert not waits(progress)
    progress.sent(last)
    progress.heartbeat_answered()
    assert waits(progress)


def test_an_accepted_probe_leads_to_replication() -> None:
    progress = probing()
    progress.sent(7)
    assert progress.accepted(7)
    assert where(progress) == (Pace.REPLICATE, 7, 8)
    assert not waits(progress)


def test_a_probe_without_entries_that_is_accepted_says_as_much() -> None:
    progress = Progress(3, 4)
    progress.sent(3)
    assert progress.accepted(3)
    assert where(progress) == (Pace.REPLICATE, 3, 4)


@pytest.mark.parametrize("index", [0, 2, 3, 4])
def test_what_an_older_append_brought_leads_to_replication_only_if_it_is_news(index: int) -> None:
    progress = probing()
    progress.sent(7)
    assert progress.accepted(index) == (index > 3)
    assert waits(progress) == (index <= 3)
    assert progress.pace is (Pace.REPLICATE if index > 3 else Pace.PROBE)


@pytest.mark.parametrize(("hint", "next_index"), [(0, 4), (3, 4), (4, 5), (5, 5), (99, 5)])
def test_a_refused_probe_goes_back_as_far_as_the_hint_says_but_not_behind_what_matches(
    hint: int, next_index: int
) -> None:
    progress = probing()
    progress.sent(7)
    assert progress.refused(5, hint)
    assert where(progress) == (Pace.PROBE, 3, next_index)
    assert not waits(progress)


@pytest.mark.parametrize("index", [1, 3, 4, 6, 9])
def test_the_refusal_of_an_older_probe_changes_nothing(index: int) -> None:
    progress = probing()
    progress.sent(7)
    assert not progress.refused(index, 1)
    assert (where(progress), waits(progress)) == ((Pace.PROBE, 3, 6), True)


def test_who_refuses_what_it_once_accepted_is_asked_again_only_with_the_heartbeats() -> None:
    """Its log was lost; asking at once would go round and round."""
    progress = Progress(3, 4)
    progress.sent(3)
    assert not progress.refused(3, 0)
    assert (where(progress), waits(progress)) == ((Pace.PROBE, 3, 4), True)


# Replicate


def test_replication_runs_ahead_of_the_answers() -> None:
    progress = replicating()
    for last in (5, 9, 10):
        assert not waits(progress)
        progress.sent(last)
    assert where(progress) == (Pace.REPLICATE, 3, 11)
    assert progress.accepted(9)
    assert where(progress) == (Pace.REPLICATE, 9, 11)


def test_the_window_fills_with_appends_and_opens_with_answers() -> None:
    progress = replicating(0)
    for last in range(1, WINDOW + 1):
        assert not waits(progress)
        progress.sent(last)
        progress.sent(last)  # without new entries: only the commit index
    assert waits(progress)
    assert not progress.accepted(0)
    assert waits(progress)
    assert progress.accepted(2)  # and entry 1 along with it
    for last in (WINDOW + 1, WINDOW + 2):
        assert not waits(progress)
        progress.sent(last)
    assert waits(progress)


def test_a_full_window_lets_one_append_out_for_every_heartbeat_that_is_answered() -> None:
    progress = replicating(0)
    for last in range(1, WINDOW + 1):
        progress.sent(last)
    progress.heartbeat_sent()
    assert waits(progress)
    progress.heartbeat_answered()
    progress.heartbeat_answered()
    assert not waits(progress)
    progress.sent(WINDOW + 1)
    assert waits(progress)


def test_a_refusal_while_replicating_leads_back_to_what_matches() -> None:
    progress = replicating()
    progress.sent(9)
    assert not progress.refused(3, 0)  # late: it has that by now
    assert progress.refused(9, 8)
    assert where(progress) == (Pace.PROBE, 3, 4)
    assert not waits(progress)


def test_a_full_window_is_forgotten_with_the_replication() -> None:
    progress = replicating(0)
    for last in range(1, WINDOW + 1):
        progress.sent(last)
    progress.probe()
    progress.accepted(1)
    assert (where(progress), waits(progress)) == ((Pace.REPLICATE, 1, 2), False)


# Snapshot


def test_while_a_snapshot_is_on_its_way_nothing_else_is() -> None:
    progress = awaiting_snapshot()
    progress.heartbeat_sent()
    progress.heartbeat_answered()
    assert waits(progress)
    assert progress.pace is Pace.SNAPSHOT


@pytest.mark.parametrize(
    ("index", "after"), [(4, (Pace.SNAPSHOT, 4)), (8, (Pace.PROBE, 8)), (9, (Pace.PROBE, 9))]
)
def test_an_answer_from_the_snapshot_on_ends_the_wait(index: int, after: tuple[Pace, int]) -> None:
    progress = awaiting_snapshot()
    assert progress.accepted(index)
    assert (progress.pace, progress.match) == after
    assert waits(progress) == (progress.pace is Pace.SNAPSHOT)


def test_a_snapshot_that_arrived_is_followed_by_what_is_behind_it() -> None:
    progress = awaiting_snapshot()
    progress.snapshot_ended(arrived=True)
    assert (where(progress), waits(progress)) == ((Pace.PROBE, 3, 9), True)
    progress.heartbeat_sent()
    assert not waits(progress)


def test_a_snapshot_that_did_not_arrive_leads_back_to_what_matches() -> None:
    progress = awaiting_snapshot()
    progress.snapshot_ended(arrived=False)
    assert (where(progress), waits(progress)) == ((Pace.PROBE, 3, 4), True)


@pytest.mark.parametrize("progress", [probing(), replicating()], ids=["probe", "replicate"])
def test_the_end_of_a_snapshot_is_news_only_to_who_waits_for_it(progress: Progress) -> None:
    before = where(progress)
    progress.snapshot_ended(arrived=True)
    assert where(progress) == before


def test_only_an_answer_says_that_a_follower_is_there() -> None:
    progress = probing()
    progress.sent(7)
    progress.heartbeat_sent()
    assert not progress.heard
    progress.heartbeat_answered()
    assert progress.heard


def test_a_follower_that_lags_gets_a_few_full_appends_at_once_and_no_more() -> None:
    raft = elected(log=log_of(*[1] * (10 * MAX_BATCH_ENTRIES)), term=1)
    sent = refuses(raft, 2, raft.log.last_index - 1, 0)
    (probe,) = [message for message in sent if message.to == 2]
    sent = accepts(raft, 2, probe.entries[-1].index)
    appends = [message for message in sent if message.type is MessageType.APPEND and message.to == 2]
    assert [len(message.entries) for message in appends] == [MAX_BATCH_ENTRIES] * AHEAD
    assert [message.index for message in appends] == [MAX_BATCH_ENTRIES * n for n in range(1, AHEAD + 1)]
    sent = accepts(raft, 2, appends[0].entries[-1].index)
    assert len([message for message in sent if message.type is MessageType.APPEND and message.to == 2]) == 1
