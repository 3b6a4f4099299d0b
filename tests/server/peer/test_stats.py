"""Counts, rates and latencies, by etcd's arithmetic."""

import pytest

from server.peer.stats import FollowerStats, StatsQueue
from server.raft import Entry, Message, MessageType


def append(size: int) -> Message:
    return Message(MessageType.APPEND, 1, 2, 3, 4, entries=(Entry(3, 5, b"x" * size),))


def test_rates_are_those_of_the_last_200_messages() -> None:
    flow = StatsQueue()
    for tenth in range(300):
        flow.note(append(34), tenth / 10)
    assert flow.count == 300
    messages, size = flow.rates(29.9)
    assert messages == pytest.approx(200 / 19.9)
    assert size == pytest.approx(100 * 200 / 19.9)


def test_rates_end_a_second_after_the_last_message() -> None:
    flow = StatsQueue()
    assert flow.rates(0) == (0, 0)
    flow.note(append(1), 10)
    assert flow.rates(10) == (0, 0)  # of one there is none
    flow.note(append(1), 11)
    assert flow.rates(12) != (0, 0)
    assert flow.rates(12.1) == (0, 0)
    assert flow.count == 2


def test_latencies_are_milliseconds() -> None:
    latency = FollowerStats()
    assert (latency.minimum, latency.successes, latency.failures) == (9223372036854775808.0, 0, 0)
    for seconds in (0.002, 0.004, 0.004, 0.005, 0.005, 0.007, 0.009):
        latency.succeeded(seconds)
    latency.failed()
    assert (latency.current, latency.minimum, latency.maximum) == pytest.approx((9, 2, 9))
    assert latency.average == pytest.approx(36 / 7)
    assert latency.standard_deviation == pytest.approx((216 / 7 - (36 / 7) ** 2) ** 0.5)
    assert (latency.successes, latency.failures) == (7, 1)
