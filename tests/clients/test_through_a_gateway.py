"""The same clients, through a gateway to an etcd 3.5: they see what they see of an etcd with the v2 API."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import test_etcdctl, test_k3etcd, test_patroni, test_python_etcd
from tests.clients.etcdctl_stories import OF_ITS_OWN, STORIES
from tests.clients.side_by_side import Pair, pair
from tests.support.real_etcd import HOW_34, HOW_35, etcd34, etcd35, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

_ABOUT_MEMBERS = ("about_the_cluster", "member", "cluster")
"""In the names of what is about the members, which are gateways here: docs/gateway.md."""

_patched_by_patroni = test_patroni._what_patroni_changes_in_other_modules


@pytest.fixture(scope="module")
def shared_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """In place of the one with the bundled server."""
    yield from _pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def own_pair(tmp_path: Path) -> Iterator[Pair]:
    yield from _pair(tmp_path)


def _pair(directory: Path) -> Iterator[Pair]:
    keeper = required(etcd35(), HOW_35)
    with pair(directory, required(etcd34(), HOW_34), keeper=keeper) as both:
        # A member has written about itself and its cluster before its clients come.
        while both.ours.index() < both.real.index():
            both.ours.process.put("/padding", "x")
        both.real.process.put("/padding", "x")
        both.ours.process.put("/padding", "x")
        both.real.leave_out(f"http://127.0.0.1:{both.real.peer_port}")  # gateways have no peer URLs
        yield both


def _but_for_members(names: Any) -> list[Any]:
    return [each for each in names if not any(word in _name(each) for word in _ABOUT_MEMBERS)]


def _name(each: Any) -> str:
    return str(getattr(each, "__name__", each))


@pytest.mark.parametrize("scenario", _but_for_members(test_k3etcd.SCENARIOS), ids=_name)
def test_k3etcd_sees_no_difference(both: Pair, scenario: Callable[..., None]) -> None:
    test_k3etcd.test_k3etcd_sees_no_difference(both, scenario)


@pytest.mark.parametrize("scenario", _but_for_members(test_python_etcd.SCENARIOS), ids=_name)
def test_python_etcd_sees_no_difference(both: Pair, scenario: Callable[..., None]) -> None:
    test_python_etcd.test_python_etcd_sees_no_difference(both, scenario)


def test_users_and_roles_are_those_of_python_etcd(own_pair: Pair) -> None:
    test_python_etcd.test_users_roles_and_what_they_may(own_pair)


def test_a_lock_of_python_etcd_goes_with_its_time(both: Pair) -> None:
    test_python_etcd.test_a_lock_that_is_waited_for_in_vain_does_not_stay(both)


@pytest.mark.parametrize(
    "test",
    [
        test_patroni.test_one_member_wins_the_race_and_keeps_the_key,
        test_patroni.test_another_takes_over_when_the_leader_falls_silent,
        test_patroni.test_everything_written_is_seen_by_the_other,
        test_patroni.test_a_change_of_the_leader_key_ends_a_watch,
        test_patroni.test_members_that_fall_silent_leave_the_cluster,
        test_patroni.test_an_error_of_the_server_is_what_patroni_expects,
    ],
    ids=lambda test: str(test.__name__),
)
def test_patroni_sees_no_difference(both: Pair, test: Callable[[Pair], None]) -> None:
    test(both)


etcdctl = test_etcdctl.etcdctl


@pytest.mark.parametrize("name", _but_for_members(STORIES))
def test_etcdctl_sees_no_difference(etcdctl: Path, both: Pair, name: str) -> None:
    test_etcdctl.test_etcdctl_sees_no_difference(etcdctl, both, name)


@pytest.mark.parametrize("name", _but_for_members(OF_ITS_OWN))
def test_etcdctl_sees_no_difference_on_its_own(etcdctl: Path, own_pair: Pair, name: str) -> None:
    test_etcdctl.test_etcdctl_sees_no_difference_on_a_member_of_its_own(etcdctl, own_pair, name)
