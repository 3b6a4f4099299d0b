"""Ids of requests: never twice, over a member's restarts and over all members."""

from server.node.requestids import RequestIds


def ids(member: int, at: int, count: int) -> list[int]:
    source = RequestIds(member, at)
    return [source.next() for _ in range(count)]


def test_an_id_is_made_of_member_time_and_counter() -> None:
    first, second = ids(0xABCD_1234, 0x12_3456_789A, 2)
    assert f"{first:016x}" == "1234" + "123456789a" + "01"
    assert second == first + 1


def test_a_restart_one_millisecond_later_repeats_nothing() -> None:
    now = 1_700_000_000_000
    before, after = ids(5, now, 255), ids(5, now + 1, 255)
    assert not set(before) & set(after)
    assert len(set(before)) == len(before)


def test_many_requests_in_one_millisecond_carry_into_the_time_and_not_into_the_member() -> None:
    last = ids(5, (1 << 40) - 1, 300)[-1]
    assert last >> 48 == 5
    assert len(set(ids(5, (1 << 40) - 1, 300))) == 300


def test_members_have_ids_of_their_own() -> None:
    assert not set(ids(5, 1000, 300)) & set(ids(6, 1000, 300))
