"""Who the members are: what their answers say, how often they are asked, what is remembered; with a clock of our own."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random

import pytest

from server.peer.asked import Answer, DialError
from server.proxy.clusterfile import ClusterFile
from server.proxy.connection import Timeouts
from server.proxy.dial import Dial
from server.proxy.director import Director
from server.proxy.exchange import Exchanges
from server.proxy.metrics import ProxyMetrics
from server.proxy.refresh import Refresher
from server.proxy.sparing import Sparing
from server.proxy.upstream import Upstream
from tests.support import virtual_time

P1, P2 = "http://10.0.1.10:2380", "http://10.0.1.11:2380"
C1, C2 = "http://10.0.1.10:2379", "http://10.0.1.11:2379"
CLUSTER = {"X-Etcd-Cluster-ID": "7e27652122e8b2ae"}


def listing(*members: Mapping[str, object], headers: Mapping[str, str] = CLUSTER) -> Answer:
    return Answer(200, headers, json.dumps(members).encode())


M1 = {"id": 1, "name": "a", "peerURLs": [P1], "clientURLs": [C1]}
M2 = {"id": 2, "name": "b", "peerURLs": [P2], "clientURLs": [C2]}


class Peers:
    """Peers that answer as ``answers`` says at the time; remembers when each was asked."""

    def __init__(self, answers: Callable[[str, float], Answer | None]) -> None:
        self.asked: list[tuple[float, str]] = []
        self._answers = answers

    async def get(self, url: str, path: str, patience: float) -> Answer:
        assert (path, patience) == ("/members", 10.0)
        now = asyncio.get_running_loop().time() - virtual_time.BEGIN
        self.asked.append((round(now, 3), url))
        answer = self._answers(url, now)
        if answer is None:
            raise DialError("dial tcp 10.0.1.10:2380: connect: connection refused")
        return answer


def refreshed(
    tmp_path: Path,
    peers: Peers,
    seconds: float,
    *,
    known: tuple[str, ...] = (P1, P2),
    interval: float = 30.0,
    own: frozenset[str] = frozenset(),
    meanwhile: Callable[[Refresher, Director], Awaitable[None]] | None = None,
) -> Director:
    """The director after so many seconds in which its list was kept up to date."""
    director = Director(Random(1), 5.0)
    file = ClusterFile(tmp_path)
    file.make_directory()

    async def own_among(urls: list[str]) -> set[str]:
        return set(own.intersection(urls))

    async def body() -> None:
        refresher = Refresher(
            list(known), peers.get, director, file, Sparing(60.0),
            interval=interval, own_among=own_among, on_list=lambda: None,
        )  # fmt: skip
        task = asyncio.create_task(refresher.run())
        if meanwhile is not None:
            await meanwhile(refresher, director)
        await asyncio.sleep(seconds)
        task.cancel()

    virtual_time.run(body())
    return director


def test_while_there_is_no_endpoint_it_asks_often_and_then_at_its_interval(tmp_path: Path) -> None:
    peers = Peers(lambda _, now: listing(M1) if now > 3 else None)
    refreshed(tmp_path, peers, 70.0, known=(P1,))
    times = [time for time, _ in peers.asked]
    assert times[:6] == pytest.approx([0, 0.1, 0.3, 0.7, 1.5, 2.5])
    assert times[6:] == pytest.approx([3.5, 33.5, 63.5])


def test_the_peers_are_asked_in_turn_until_one_tells(tmp_path: Path) -> None:
    peers = Peers(lambda url, _: listing(M1, M2) if url == P2 else None)
    director = refreshed(tmp_path, peers, 1.0)
    assert [url for _, url in peers.asked] == [P1, P2]
    assert sorted(director.endpoints) == [C1, C2]
    assert ClusterFile(tmp_path).read() == [P1, P2]


def test_the_last_good_list_is_kept_when_nobody_answers_or_tells_nothing(tmp_path: Path) -> None:
    def answers(_: str, now: float) -> Answer | None:
        return listing(M1, M2) if now < 1 else listing() if now < 40 else None

    director = refreshed(tmp_path, Peers(answers), 200.0)
    assert sorted(director.endpoints) == [C1, C2]
    assert ClusterFile(tmp_path).read() == [P1, P2]


def test_new_members_are_asked_next_and_remembered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "server.proxy")
    peers = Peers(lambda _, now: listing(M1 if now < 1 else M2))
    director = refreshed(tmp_path, peers, 70.0, known=(P1,))
    assert [url for _, url in peers.asked] == [P1, P1, P2]
    assert director.endpoints == [C2]
    assert ClusterFile(tmp_path).read() == [P2]
    assert caplog.messages == [
        f'endpoints found ["{C1}"]',
        f"proxy: updated peer urls in cluster file from [{P1}] to [{P2}]",
    ]


def test_a_failed_endpoint_has_the_members_asked_soon_but_not_more_than_once_a_second(tmp_path: Path) -> None:
    async def failures(refresher: Refresher, _: Director) -> None:
        for _n in range(100):
            await asyncio.sleep(0.05)
            refresher.hurry()

    peers = Peers(lambda _, now: listing(M1))
    refreshed(tmp_path, peers, 1.0, known=(P1,), meanwhile=failures)
    assert 4 <= len(peers.asked) <= 7


def test_the_proxys_own_urls_are_left_out_and_it_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    director = refreshed(tmp_path, Peers(lambda _, now: listing(M1, M2)), 300.0, own=frozenset((C1,)))
    assert director.endpoints == [C2]
    assert [C1 in message and "left out" in message for message in caplog.messages].count(True) == 5


def test_a_cluster_file_that_cannot_be_written_keeps_nobody_from_being_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "proxy" / "cluster.tmp").mkdir(parents=True)
    director = refreshed(tmp_path, Peers(lambda _, now: listing(M1)), 300.0)
    assert director.endpoints == [C1]
    assert ["error on writing urls" in message for message in caplog.messages].count(True) in range(1, 7)


def test_ten_minutes_without_an_endpoint_do_not_flood_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Peers and members that do not answer, and ten requests a second."""
    caplog.set_level(logging.INFO)

    async def requests(refresher: Refresher, director: Director) -> None:
        upstream = Upstream(Timeouts(1.0, 5.0, 0.0))
        exchanges = Exchanges(
            director, upstream, Dial(upstream, None), ProxyMetrics(), Sparing(60.0), refresher.hurry
        )
        director.update(["http://127.0.0.1:1"])
        statuses = set()
        for _ in range(6000):
            begun = exchanges.begin("GET", b"GET / HTTP/1.1\r\n\r\n")
            statuses.add((begun if hasattr(begun, "status") else await begun).status)
            await asyncio.sleep(0.1)
        assert statuses == {502, 503}

    peers = Peers(lambda _, now: None)
    refreshed(tmp_path, peers, 0.0, meanwhile=requests)
    assert 550 < len(peers.asked) < 1500
    assert len(caplog.messages) < 70


def test_a_peer_that_is_gone_for_good_is_complained_of_now_and_then(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    peers = Peers(lambda url, _: listing(M1, M2) if url == P2 else None)
    refreshed(tmp_path, peers, 605.0)
    assert len(peers.asked) == 42
    assert len(caplog.messages) == 11


@pytest.mark.parametrize("body", [b"404 page not found", b"{}", b"[1]", b"[" * 100_000])
def test_an_answer_that_tells_no_members_is_passed_over(
    tmp_path: Path, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    odd = Answer(200, CLUSTER, body)
    director = refreshed(tmp_path, Peers(lambda url, _: odd if url == P1 else listing(M1)), 1.0)
    assert director.endpoints == [C1]
    assert "could not unmarshal cluster response" in caplog.messages[0]


def test_a_member_that_has_not_started_has_no_client_urls(tmp_path: Path) -> None:
    unstarted = {"id": 2, "peerURLs": [P2]}
    director = refreshed(
        tmp_path, Peers(lambda _, now: listing(M1, unstarted, {"id": 3, "clientURLs": None})), 1.0
    )
    assert director.endpoints == [C1]
    assert ClusterFile(tmp_path).read() == [P1, P2]
