"""A member does not begin with a configuration it cannot run with; etcd's ``raft.Config`` refuses the same."""

from random import Random

import pytest

from server.raft import Raft, RaftLog


def begin(member: int = 1, *, election: int = 10, heartbeat: int = 1) -> Raft:
    return Raft(member, RaftLog(), election_ticks=election, heartbeat_ticks=heartbeat, random=Random(1))


@pytest.mark.parametrize(
    ("member", "election", "heartbeat", "error"),
    [
        (0, 10, 1, "cannot use none as id"),
        (-1, 10, 1, "an unsigned number of 64 bits, not -1"),
        (1 << 64, 10, 1, "an unsigned number of 64 bits, not 18446744073709551616"),
        (1, 10, 0, "heartbeat tick must be greater than 0, not 0"),
        (1, 10, -1, "heartbeat tick must be greater than 0, not -1"),
        (1, 1, 1, "election tick must be greater than heartbeat tick: 1 is not greater than 1"),
        (1, 0, 1, "election tick must be greater than heartbeat tick: 0 is not greater than 1"),
        (1, 9, 10, "election tick must be greater than heartbeat tick: 9 is not greater than 10"),
    ],
)
def test_what_no_member_can_run_with_is_refused(
    member: int, election: int, heartbeat: int, error: str
) -> None:
    with pytest.raises(ValueError, match=error):
        begin(member, election=election, heartbeat=heartbeat)


def test_an_election_timeout_just_longer_than_a_heartbeat_is_enough() -> None:
    raft = begin((1 << 64) - 1, election=2, heartbeat=1)
    assert (raft.id, raft.election_ticks) == ((1 << 64) - 1, 2)
