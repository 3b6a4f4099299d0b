"""Who gives way, and what bodies may hold together: without sockets, with the time passed in."""

import tracemalloc
from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from server.http.limits import (
    FREE,
    STALLED,
    Doing,
    Gathered,
    Holdings,
    first_to_go,
)


@dataclass(eq=False)
class Somebody:
    doing: Doing = Doing.WAITING
    address: str = "1.1.1.1"
    since: float = 0.0
    has_left: bool = field(default=False)

    def leave(self) -> None:
        self.has_left = True


guests = st.lists(
    st.builds(
        Somebody,
        st.sampled_from(Doing),
        st.sampled_from(("1.1.1.1", "2.2.2.2", "3.3.3.3")),
        st.floats(0, 100),
    ),
    max_size=20,
)


@given(guests)
def test_who_goes_is_in_nobodys_way_and_of_the_largest_crowd_and_the_longest_silent(
    there: list[Somebody],
) -> None:
    found = first_to_go(there)
    may = [one for one in there if one.doing is not Doing.STREAMING]
    if found is None:
        assert not may
        return
    assert found.doing == min(one.doing for one in may)
    same = [one for one in may if one.doing is found.doing]

    def crowd(guest: Somebody) -> int:
        return sum(one.address == guest.address for one in same)

    assert crowd(found) == max(map(crowd, same))
    assert all(found.since <= one.since for one in same if crowd(one) == crowd(found))


@given(st.integers(5, 50), st.integers(1, 200))
def test_a_flood_from_one_address_does_not_drive_out_a_member_at_another(room: int, flood: int) -> None:
    there = [Somebody(address="member", since=0.0), *(Somebody(since=1.0) for _ in range(room - 1))]
    for n in range(flood):
        gone = first_to_go(there)
        assert gone is not None
        there.remove(gone)
        there.append(Somebody(since=2.0 + n))
    assert there[0].address == "member"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10 * FREE)), max_size=100))
def test_bodies_never_hold_more_together_than_they_may(pieces: Iterable[tuple[int, int]]) -> None:
    most = 3 * FREE
    holdings = Holdings(most)
    shares = [holdings.share(Somebody()) for _ in range(6)]
    sizes = [0] * 6
    for which, size in pieces:
        if not shares[which].hold(sizes[which] + size, 0.0):
            shares[which].leave()  # as who reads it has it do
            shares[which] = holdings.share(Somebody())
            sizes[which] = 0
        else:
            sizes[which] += size
        assert sum(max(0, size - FREE) for size in sizes) == holdings.total <= most


def test_short_bodies_are_taken_even_when_long_ones_hold_everything() -> None:
    holdings = Holdings(1000)
    long, short = holdings.share(Somebody()), holdings.share(Somebody())
    assert long.hold(FREE + 1000, 0.0)
    assert short.hold(FREE, 0.0)
    assert not short.hold(FREE + 1, 0.0)
    assert holdings.total == 1001  # until it is given up
    short.leave()
    assert holdings.total == 1000


def test_a_stalled_body_gives_way_to_one_that_comes_and_one_that_comes_too_does_not() -> None:
    holdings = Holdings(1000)
    stalled, lively = Somebody(since=0.0), Somebody(since=STALLED)
    one, other = holdings.share(stalled), holdings.share(lively)
    assert one.hold(FREE + 500, 0.0)
    assert other.hold(FREE + 500, 0.0)
    early = holdings.share(Somebody())
    assert not early.hold(FREE + 400, STALLED - 1)
    early.leave()
    assert [guest.has_left for guest in (stalled, lively)] == [False, False]
    late = holdings.share(Somebody())
    assert late.hold(FREE + 400, STALLED + 1)
    assert [guest.has_left for guest in (stalled, lively)] == [True, False]
    assert holdings.total == 900


@given(st.lists(st.binary(max_size=200_000), max_size=8))
def test_a_body_is_put_together_as_it_came(pieces: list[bytes]) -> None:
    body = Gathered()
    for piece in pieces:
        body.add(piece)
    assert (body.size, body.whole()) == (sum(map(len, pieces)), b"".join(pieces))


def test_a_body_that_comes_byte_by_byte_takes_no_more_than_another() -> None:
    tracemalloc.start()
    try:
        body = Gathered()
        for n in range(300_000):
            body.add(bytes((n % 256,)))
        assert tracemalloc.get_traced_memory()[0] < 3 * 300_000
    finally:
        tracemalloc.stop()
