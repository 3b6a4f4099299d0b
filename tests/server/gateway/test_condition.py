"""What is said of the etcd behind a gateway, and when nothing more is written to it."""

import logging

import pytest

from server.gateway.condition import USUAL_QUOTA, Condition, advice
from server.gateway.v3 import Status
from server.metrics import MemberMetrics
from tests.server.gateway.memory import Etcd, MemoryV3
from tests.support.virtual_time import VIRTUAL_TIME


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("3.3.27", "3.4 and later"),
        ("3.4.23", "Update it to 3.4.34"),
        ("3.4.34", ""),
        ("3.5.1", "Update it to 3.5.16"),
        ("3.5.16", ""),
        ("3.6.0", ""),
        ("3.7.0-rc.0", ""),
        ("unknown", ""),
    ],
)
def test_releases_that_lose_events_are_named(version: str, says: str) -> None:
    assert says in advice(version)
    assert bool(says) == bool(advice(version))


def test_a_database_that_grows_is_told_once_and_at_last_not_written_to(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    condition = Condition(MemoryV3(Etcd()), VIRTUAL_TIME, MemberMetrics())
    condition.see(Status("3.6.1", 40, 100))
    assert not caplog.messages
    for size in (50, 60):
        condition.see(Status("3.6.1", size, 100))
    assert [text.partition(":")[0] for text in caplog.messages] == [
        "the database of the etcd is more than half as large as it may be (100 bytes)"
    ]
    held_back = []
    for size in (60, 90, 20):
        condition.see(Status("3.6.1", size, 100))
        held_back.append(condition.is_full)
    assert held_back == [False, True, False]
    assert "nothing more is written" in caplog.messages[-1]


def test_where_the_quota_is_not_told_nothing_is_held_back(caplog: pytest.LogCaptureFixture) -> None:
    condition = Condition(MemoryV3(Etcd()), VIRTUAL_TIME, MemberMetrics())
    condition.see(Status("3.5.20", 4 * USUAL_QUOTA, 0))
    assert not condition.is_full
    assert "by default" in caplog.messages[-1]
    condition.see(Status("3.5.20", 1, 0, ("NOSPACE",)))
    assert "alarm: NOSPACE" in caplog.messages[-1]
