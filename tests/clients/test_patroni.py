"""Patroni's etcd code runs against the bundled server as against a real etcd: members race for the leader key, follow it,
and take over; no PostgreSQL is needed for that."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import etcd
import pytest
import urllib3.util.connection
from patroni.dcs import AbstractDCS, Cluster, get_dcs
from patroni.exceptions import DCSError

from tests.clients.side_by_side import Pair, Side
from tests.support.ports import free_ports
from tests.support.process import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

TTL = 5


@pytest.fixture(autouse=True)
def _what_patroni_changes_in_other_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Is put back: it resolves all names of the process by itself, and knows one error more."""
    monkeypatch.setattr(
        urllib3.util.connection, "create_connection", urllib3.util.connection.create_connection
    )
    with monkeypatch.context() as patch:
        for options in ("_comparison_conditions", "_read_options", "_del_conditions"):
            patch.setattr(etcd.Client, options, set(getattr(etcd.Client, options)))
        yield


def patroni(side: Side, name: str, **settings: Any) -> AbstractDCS:
    """A member of the PostgreSQL cluster ``demo``, of which only its view of etcd exists."""
    where = {"host": f"127.0.0.1:{side.port}"} if "etcd" not in settings else settings.pop("etcd")
    config = {"scope": "demo", "name": name, "ttl": TTL, "retry_timeout": 30, "loop_wait": 1, "etcd": where}
    return get_dcs({**config, **settings})


def seen(side: Side, cluster: Cluster) -> dict[str, Any]:
    """What a cluster looks like, without times and with indices as distances."""
    return {
        "initialize": cluster.initialize,
        "config": cluster.config and (cluster.config.data, side.since(cluster.config.modify_version)),
        "leader": cluster.leader and (cluster.leader.name, side.since(cluster.leader.version)),
        "status": (cluster.status.last_lsn, cluster.status.slots),
        "members": sorted(
            (m.name, m.data, side.since(m.version), m.session is not None) for m in cluster.members
        ),
        "failover": cluster.failover and (cluster.failover.leader, cluster.failover.candidate),
        "sync": (cluster.sync.leader, cluster.sync.sync_standby),
        "history": cluster.history and cluster.history.lines,
        "failsafe": cluster.failsafe,
    }


def compare(both: Pair, tell: Callable[[Side], list[Any]]) -> list[Any]:
    """Tells it of both servers at the same time; what was seen must not differ. Returns it."""
    with ThreadPoolExecutor(2) as pool:
        ours, real = pool.map(tell, (both.ours, both.real))
    assert ours == real
    return ours


def leader_gone(dcs: AbstractDCS) -> bool:
    """Whether the leader's key expires, which it should within its time to live."""
    deadline = time.monotonic() + 10 * TTL
    while time.monotonic() < deadline:
        if dcs.get_cluster().is_unlocked():
            return True
        time.sleep(0.05)
    return False


def test_one_member_wins_the_race_and_keeps_the_key(both: Pair) -> None:
    def tell(side: Side) -> list[Any]:
        first, second = patroni(side, "first"), patroni(side, "second")
        story: list[Any] = [first.get_cluster().is_unlocked(), first.initialize(create_new=True, sysid="")]
        story += [second.initialize(create_new=True), first.initialize(create_new=False, sysid="4711")]
        story += [dcs.touch_member({"role": "x", "conn_url": "postgres://"}) for dcs in (first, second)]
        with ThreadPoolExecutor(2) as pool:
            racing = [pool.submit(dcs.acquire_leader_lock) for dcs in (first, second)]
        story.append(sorted(race.result() for race in racing))
        winner, loser = (first, second) if racing[0].result() else (second, first)
        cluster = winner.get_cluster()
        story.append(cluster.leader is not None and cluster.leader.name == winner.get_cluster().leader_name)
        for lsn in (100, 200):
            story.append(winner.update_leader(cluster, lsn, {"slot": lsn}, {"a": "b"}))
        story += [loser.attempt_to_acquire_leader(), loser.update_leader(loser.get_cluster(), 300)]
        return story

    story = compare(both, tell)
    assert story == [True, True, False, True, True, True, [False, True], True, True, True, False, False]


def test_another_takes_over_when_the_leader_falls_silent(both: Pair) -> None:
    def tell(side: Side) -> list[Any]:
        first, second = patroni(side, "first"), patroni(side, "second")
        story: list[Any] = [first.attempt_to_acquire_leader(), first.touch_member({"role": "primary"})]
        story += [second.attempt_to_acquire_leader(), seen(side, second.get_cluster())]
        version = _version(second.get_cluster())
        story.append(second.watch(version, 10 * TTL))  # returns when the key expires, not at its time limit
        story += [leader_gone(second), second.attempt_to_acquire_leader()]
        cluster = second.get_cluster()
        story += [cluster.leader_name, first.update_leader(cluster, 1), second.update_leader(cluster, 1)]
        story.append(second.delete_leader(cluster.leader, 7))
        story += [second.get_cluster().is_unlocked(), first.attempt_to_acquire_leader()]
        story.append(first.get_cluster().status.last_lsn)
        return story

    story = compare(both, tell)
    assert story[:3] == [True, True, False]
    assert story[4:] == [True, True, True, "second", False, True, True, True, True, 7]


def _version(cluster: Cluster) -> int:
    assert cluster.leader is not None
    version = cluster.leader.version
    assert isinstance(version, int)
    return version


def test_everything_written_is_seen_by_the_other(both: Pair) -> None:
    def tell(side: Side) -> list[Any]:
        first, second = patroni(side, "first", ttl=1000), patroni(side, "second", ttl=1000)
        story: list[Any] = [seen(side, first.get_cluster())]

        def after(*done: Any) -> None:
            story.append(([bool(each) for each in done], seen(side, second.get_cluster())))

        after(first.initialize(create_new=True, sysid="4711"))
        after(first.cancel_initialization(), first.cancel_initialization())
        after(first.touch_member({"conn_url": "postgres://127.0.0.1/", "xlog_location": 1}))
        after(second.touch_member({"conn_url": "postgres://127.0.0.2/", "xlog_location": 0}))
        after(first.set_config_value(json.dumps({"ttl": 30})))
        version = second.get_cluster().config.modify_version
        after(first.set_config_value('{"ttl": 20}', version), first.set_config_value('{"ttl": 9}', version))
        after(first.take_leader(), second.attempt_to_acquire_leader())
        after(first.update_leader(first.get_cluster(), 1234, {"a": 1}, {"first": "http://127.0.0.1:8008"}))
        after(first.manual_failover("first", "second"))
        after(first.set_history_value(json.dumps([[1, 2, "why"]])))
        after(first.set_sync_state_value(json.dumps({"leader": "first", "sync_standby": "second"})))
        after(first.delete_sync_state(1), first.delete_sync_state())
        after(first.manual_failover("", ""))
        after(second.take_leader())
        after(first.delete_leader(first.get_cluster().leader))
        after(second.delete_leader(second.get_cluster().leader))
        after(first.delete_cluster(), first.delete_cluster())
        return story

    assert len(compare(both, tell)) == 18


def test_a_change_of_the_leader_key_ends_a_watch(both: Pair) -> None:
    def tell(side: Side) -> list[Any]:
        first, second = patroni(side, "first", ttl=1000), patroni(side, "second", ttl=1000)
        story: list[Any] = [bool(first.take_leader())]

        def woken(act: Callable[[], object]) -> None:
            side.wait_for_watchers(0)
            with ThreadPoolExecutor(1) as pool:
                watching: Future[bool] = pool.submit(second.watch, _version(second.get_cluster()), PATIENCE)
                side.wait_for_watchers(1)
                first.touch_member({"nothing": "to do with it"})
                story.extend([act(), watching.result()])

        woken(lambda: first.update_leader(first.get_cluster(), None))
        woken(lambda: first.delete_leader(first.get_cluster().leader))
        story.append(first.attempt_to_acquire_leader())
        woken(lambda: first.delete_cluster())
        story.append(bool(first.take_leader()))
        story.append(second.watch(_version(second.get_cluster()), 1))  # nothing happens
        return story

    story = compare(both, tell)
    assert len(story) == 10
    assert story[-2:] == [True, False]


def test_members_that_fall_silent_leave_the_cluster(both: Pair) -> None:
    def tell(side: Side) -> list[Any]:
        first, second = patroni(side, "first", ttl=4), patroni(side, "second", ttl=1000)
        first.touch_member({"role": "x"})
        second.touch_member({"role": "x"})
        story = [seen(side, second.get_cluster())["members"]]
        deadline = time.monotonic() + PATIENCE
        while len(second.get_cluster().members) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        story.append(seen(side, second.get_cluster())["members"])
        return story

    compare(both, tell)


@pytest.mark.parametrize("form", ["url", "hosts", "hosts, one of them silent", "proxy", "quorum reads"])
def test_every_way_to_say_where_etcd_is(both: Pair, form: str) -> None:
    (nobody,) = free_ports(1)

    def tell(side: Side) -> list[Any]:
        here = f"127.0.0.1:{side.port}"
        ways: dict[str, dict[str, Any]] = {
            "url": {"url": f"http://{here}"},
            "hosts": {"hosts": [here]},
            "hosts, one of them silent": {"hosts": f"127.0.0.1:{nobody},{here}"},
            "proxy": {"proxy": f"http://{here}"},
            "quorum reads": {"host": here},
        }
        dcs = patroni(side, "first", ttl=1000, etcd=ways[form], patronictl=form == "quorum reads")
        return [dcs.attempt_to_acquire_leader(), seen(side, dcs.get_cluster()), dcs.delete_cluster()]

    compare(both, tell)


def test_an_error_of_the_server_is_what_patroni_expects(both: Pair) -> None:
    """What it asks for below a file is answered by etcd with an error that it must take for no cluster at all."""

    def tell(side: Side) -> list[Any]:
        dcs = patroni(side, "first", namespace="/file")
        side.process.put("/file", "x")
        story: list[Any] = [dcs.touch_member({}), dcs.attempt_to_acquire_leader(), dcs.initialize()]
        with pytest.raises(DCSError):
            dcs.get_cluster()
        return story

    assert compare(both, tell) == [False, False, False]
