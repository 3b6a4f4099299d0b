"""Which endpoints a request may go to: order, failures, new lists."""

from random import Random

from server.proxy.director import Director

A, B, C = (f"http://10.0.1.1{n}:2379" for n in range(3))


def director(*urls: str, seed: int = 1) -> Director:
    made = Director(Random(seed), failure_wait=5.0)
    made.update(urls)
    return made


def test_it_begins_with_no_endpoint() -> None:
    assert Director(Random(1), 5.0).available(0.0) == []


def test_every_endpoint_comes_first_now_and_then() -> None:
    firsts = {director(A, B, C, seed=seed).available(0.0)[0] for seed in range(50)}
    assert firsts == {A, B, C}


def test_a_url_listed_twice_is_one_endpoint() -> None:
    assert sorted(director(A, B, A).available(0.0)) == [A, B]


def test_a_failed_endpoint_is_set_aside_for_the_failure_wait_and_then_tried_again() -> None:
    one = director(A, B)
    one.failed(A, now=10.0)
    assert one.available(10.0) == [B]
    assert one.available(14.9) == [B]
    assert sorted(one.available(15.0)) == [A, B]


def test_a_failure_is_news_until_the_endpoint_answers() -> None:
    one = director(A)
    assert one.failed(A, now=0.0)
    assert not one.failed(A, now=6.0)
    assert one.answered(A)
    assert not one.answered(A)
    assert one.available(7.0) == [A]
    assert one.failed(A, now=8.0)


def test_a_new_list_does_not_forget_what_has_failed() -> None:
    one = director(A, B)
    one.failed(A, now=0.0)
    one.update([A, C])
    assert one.available(1.0) == [C]
    one.update([C])
    one.update([A, C])  # a member that had gone begins anew
    assert sorted(one.available(1.0)) == [A, C]


def test_the_failure_of_an_endpoint_that_is_gone_is_nothing() -> None:
    one = director(A)
    assert not one.failed(B, now=0.0)
    assert one.available(0.0) == [A]


def test_a_dropped_endpoint_is_out_until_the_next_list() -> None:
    one = director(A, B)
    one.drop(A)
    assert one.available(0.0) == [B]
    one.update([A, B])
    assert sorted(one.available(0.0)) == [A, B]


def test_one_request_finds_out_for_all_whether_a_failed_endpoint_is_back() -> None:
    one = director(A, B, C)
    one.failed(B, now=0.0)
    assert B not in one.choose(4.9)
    assert one.choose(5.0)[0] == B
    assert [B in one.choose(now) for now in (5.0, 6.0, 9.9)] == [False] * 3
    assert one.choose(10.0)[0] == B
    one.answered(B)
    assert sorted(one.choose(10.0)) == [A, B, C]


def test_when_all_have_failed_every_request_tries_those_that_are_due() -> None:
    one = director(A, B)
    one.failed(A, now=0.0)
    one.failed(B, now=1.0)
    assert one.choose(4.0) == []
    assert [one.choose(5.5) for _ in range(2)] == [[A], [A]]
    assert [sorted(one.choose(6.0)) for _ in range(2)] == [[A, B], [A, B]]
