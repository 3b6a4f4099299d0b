"""Finding the first members through a discovery URL: the steps, what is said meanwhile, and every way it can end."""

import asyncio
import json
import logging

import pytest

from server.cluster.discovery import LONGEST_PAUSE, Discovery, Found
from server.cluster.discoverystate import DiscoveryError, KeysAnswer, Trouble, check_url, full_error
from tests.support.key_space import Clock, KeySpace

URL = "http://127.0.0.1:24750/v2/keys/_etcd/registry/one"
MEMBERS = {f"a{n}": f"infra{n}=http://10.0.1.1{n}:2380" for n in range(20)}
AND_A = [
    f"I discovery token {URL} was used, but failed to bootstrap the cluster.",
    "I please generate a new discovery token and try to bootstrap again.",
]


class Scene:
    """A key space with a size, and the members that are run against it."""

    def __init__(self, size: str | None = "3", limit: float = 0.0) -> None:
        self.clock = Clock()
        self.keys = KeySpace(self.clock)
        self.limit = limit
        if size is not None:
            self.keys.put("/_config/size", size)

    def discovery(self) -> Discovery:
        return Discovery(URL, self.keys.ask, sleep=self.clock.sleep, now=self.clock.now, limit=self.limit)

    async def join(self, member: str, contents: str | None = None) -> Found:
        return await self.discovery().join(member, contents or MEMBERS[member], "/data")

    def refusal(self, member: str = "a0", contents: str | None = None) -> tuple[Trouble, list[str]]:
        with pytest.raises(DiscoveryError) as caught:
            asyncio.run(asyncio.wait_for(self.join(member, contents), 5))
        return caught.value.trouble, [f"{level} {text}" for level, text in caught.value.lines]


def discovery_log(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "server.cluster.discovery"]


# How it goes well


def test_three_members_find_each_other_in_the_order_they_registered() -> None:
    scene = Scene()

    async def run() -> list[Found]:
        tasks = []
        for member in ("a2", "a0", "a1"):
            tasks.append(asyncio.create_task(scene.join(member)))
            while not any(line.startswith(f"PUT /{member}") for line in scene.keys.asked):
                await asyncio.sleep(0)
        return await asyncio.gather(*tasks)

    found = asyncio.run(run())
    assert set(found) == {Found(",".join(MEMBERS[member] for member in ("a2", "a0", "a1")))}


def test_the_requests_are_those_of_the_protocol() -> None:
    scene = Scene(size="1")
    asyncio.run(scene.join("a0"))
    checked = ["GET /_config/size", "GET "]
    assert scene.keys.asked == [*checked, "PUT /a0?prevExist=false", *checked]


def test_a_watch_begins_behind_what_was_seen() -> None:
    scene = Scene(size="2")

    async def run() -> None:
        first = asyncio.create_task(scene.join("a0"))
        while not any("wait=true" in line for line in scene.keys.asked):
            await asyncio.sleep(0)
        await scene.join("a1")
        await first

    asyncio.run(run())
    assert "GET ?recursive=true&wait=true&waitIndex=3" in scene.keys.asked


def test_progress_is_told_with_names(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene = Scene()
    scene.keys.put("/a1", MEMBERS["a1"])

    async def run() -> None:
        waiting = asyncio.create_task(scene.join("a0"))
        while not any("wait=true" in line for line in scene.keys.asked):
            await asyncio.sleep(0)
        scene.keys.put("/a2", MEMBERS["a2"])
        await waiting

    asyncio.run(run())
    assert discovery_log(caplog) == [
        "found peer a1 in the cluster (infra1)",
        "found self a0 in the cluster (infra0)",
        "found 2 peer(s), waiting for 1 more: 2 of 3 found (infra1, infra0)",
        "found peer a2 in the cluster (infra2)",
        "found 3 needed peer(s)",
    ]


def test_a_member_may_have_several_urls() -> None:
    scene = Scene(size="1")
    two = "infra0=http://10.0.1.10:2380,infra0=http://10.0.1.10:7001"
    assert asyncio.run(scene.join("a0", two)) == Found(two)


def test_a_proxy_waits_for_the_members_and_registers_nothing() -> None:
    scene = Scene(size="2")

    async def run() -> str:
        proxy = asyncio.create_task(scene.discovery().find())
        await asyncio.gather(scene.join("a0"), scene.join("a1"))
        return await proxy

    cluster = asyncio.run(run())
    assert sorted(cluster.split(",")) == [MEMBERS["a0"], MEMBERS["a1"]]
    assert len([line for line in scene.keys.asked if line.startswith("PUT")]) == 2


def test_the_size_is_no_member_even_where_a_store_lists_it() -> None:
    listing = {
        "action": "get",
        "node": {
            "key": "/_etcd/registry/one",
            "dir": True,
            "nodes": [
                {"key": "/_etcd/registry/one/_config", "dir": True, "createdIndex": 3},
                {"key": "/_etcd/registry/one/a0", "value": MEMBERS["a0"], "createdIndex": 5},
            ],
        },
    }

    async def ask(method: str, path: str, value: str | None = None, *, patience: float) -> KeysAnswer:
        node = {"action": "get", "node": {"key": "/_etcd/registry/one/_config/size", "value": "1"}}
        return KeysAnswer(200, 5, json.dumps(node if path else listing).encode())

    clock = Clock()
    discovery = Discovery(URL, ask, sleep=clock.sleep, now=clock.now)
    assert asyncio.run(discovery.find()) == MEMBERS["a0"]


def test_twenty_race_for_three_places_and_no_key_is_lost() -> None:
    scene = Scene()

    async def run() -> list[Found]:
        return await asyncio.gather(*map(scene.join, MEMBERS))

    found = asyncio.run(run())
    assert sum(not one.full for one in found) == 3
    assert len({one.initial_cluster for one in found}) == 1
    registered = asyncio.run(scene.discovery().look()).registered
    assert len(registered) == sum(line.startswith("PUT") for line in scene.keys.asked)


# Full


def test_who_comes_to_a_full_cluster_learns_its_members_and_registers_nothing() -> None:
    scene = Scene(size="1")
    scene.keys.put("/a1", MEMBERS["a1"])
    assert asyncio.run(scene.join("a0")) == Found(MEMBERS["a1"], full=True)
    assert not [line for line in scene.keys.asked if line.startswith("PUT")]


def test_a_full_cluster_without_a_proxy_is_an_error() -> None:
    error = full_error(URL, MEMBERS["a1"])
    lines = [f"{level} {text}" for level, text in error.lines]
    assert lines[0] == "E failed to join discovery cluster (discovery: cluster is full)"
    assert MEMBERS["a1"] in lines[1]
    assert lines[2:] == AND_A
    assert error.status == 1


# Errors


def test_no_size_is_configured() -> None:
    scene = Scene(size=None)
    scene.keys.put("/a1", MEMBERS["a1"])
    trouble, lines = scene.refusal()
    assert trouble is Trouble.SIZE_NOT_FOUND
    assert lines == [
        "E failed to join discovery cluster (100: Key not found (/_etcd/registry/one/_config) [1])",
        f"I error: the cluster doesn’t have a size configuration value in {URL}/_config (discovery: size key not found)",
        f"I say how many members the cluster is to begin with: curl -X PUT {URL}/_config/size -d value=3",
        *AND_A,
    ]


def test_there_is_no_such_token() -> None:
    trouble, lines = Scene(size=None).refusal()
    assert trouble is Trouble.TOKEN_NOT_FOUND
    assert lines[0] == "E failed to join discovery cluster (100: Key not found (/_etcd) [0])"
    assert "doesn’t have a size configuration value" in lines[1]
    assert "discovery: token not found" in lines[1]
    assert "/new?size=3" in lines[2]


def test_a_token_that_expires_while_members_wait_ends_their_wait() -> None:
    scene = Scene()

    async def run() -> None:
        waiting = asyncio.create_task(scene.join("a0"))
        while not any("wait=true" in line for line in scene.keys.asked):
            await asyncio.sleep(0)
        scene.keys.delete("")
        await waiting

    with pytest.raises(DiscoveryError) as caught:
        asyncio.run(asyncio.wait_for(run(), 5))
    assert caught.value.trouble is Trouble.TOKEN_NOT_FOUND


@pytest.mark.parametrize("size", ["three", "0", "-1", "", "3.0", "٣"])
def test_a_size_that_is_no_number_of_members(size: str) -> None:
    trouble, lines = Scene(size=size).refusal()
    assert trouble is Trouble.BAD_SIZE
    assert lines[0] == "E failed to join discovery cluster (discovery: size key is bad)"
    assert "curl -X PUT" in lines[1]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'"x"', b"\xff"])
def test_what_answers_is_no_key_space(body: bytes) -> None:
    async def ask(method: str, path: str, value: str | None = None, *, patience: float) -> KeysAnswer:
        return KeysAnswer(200, 0, body)

    clock = Clock()
    with pytest.raises(DiscoveryError) as caught:
        asyncio.run(Discovery(URL, ask, sleep=clock.sleep, now=clock.now).join("a0", MEMBERS["a0"], "/data"))
    assert caught.value.trouble is Trouble.BAD_ENDPOINT
    assert caught.value.lines[0] == (
        "E",
        "failed to join discovery cluster (discovery: bad discovery endpoint)",
    )


def test_another_process_has_the_same_name() -> None:
    scene = Scene()
    scene.keys.put("/b0", "infra0=http://10.0.1.99:2380")
    trouble, lines = scene.refusal()
    assert trouble is Trouble.OTHER_ADDRESS
    assert lines[:3] == [
        f"E member with duplicated name has registered with discovery service token({URL}).",
        "E please check (cURL) the discovery token for more information.",
        "E please do not reuse the discovery token and generate a new one to bootstrap the cluster.",
    ]
    assert "http://10.0.1.99:2380" in lines[3]
    assert MEMBERS["a0"] in lines[3]
    assert not [line for line in scene.keys.asked if line.startswith("PUT")]


def test_two_of_one_name_that_come_at_once_are_both_refused() -> None:
    scene = Scene(size="2")

    async def run() -> tuple[Found | BaseException, ...]:
        return await asyncio.gather(
            scene.join("a0"), scene.join("b0", "infra0=http://10.0.1.99:2380"), return_exceptions=True
        )

    troubles = [error.trouble for error in asyncio.run(run()) if isinstance(error, DiscoveryError)]
    assert troubles == [Trouble.DUPLICATE_NAME] * 2


def test_a_member_that_registered_before_and_lost_its_data() -> None:
    scene = Scene(size="1")
    asyncio.run(scene.join("a0"))
    trouble, lines = scene.refusal()
    assert trouble is Trouble.DUPLICATE_ID
    assert lines == [
        f'E member "infra0" has previously registered with discovery service token ({URL}).',
        "E But etcd could not find valid cluster configuration in the given data dir (/data).",
        "I Please check the given data dir path if the previous bootstrap succeeded",
        "I or use a new discovery token if the previous bootstrap failed.",
    ]


def test_a_member_that_was_stopped_while_it_waited_may_take_its_registration_back() -> None:
    scene = Scene()
    scene.keys.put("/a0", MEMBERS["a0"])
    trouble, lines = scene.refusal()
    assert trouble is Trouble.DUPLICATE_ID
    assert f"curl -X DELETE {URL}/a0" in lines[4]


def test_a_member_at_the_address_of_another() -> None:
    scene = Scene()
    scene.keys.put("/a0", "other=http://10.0.1.10:2380")
    trouble, lines = scene.refusal()
    assert trouble is Trouble.DUPLICATE_ID
    assert "other=http://10.0.1.10:2380: every member needs peer URLs of its own" in lines[4]


def test_a_peer_that_registered_nonsense() -> None:
    scene = Scene(size="2")
    scene.keys.put("/a1", "infra1=nonsense")
    trouble, lines = scene.refusal()
    assert trouble is Trouble.INVALID_URL
    assert lines[0] == "E failed to join discovery cluster (discovery: invalid URL)"
    assert "member a1 has registered 'infra1=nonsense'" in lines[1]


@pytest.mark.parametrize(
    "url", ["foo", "http://", "ftp://host/x", "http://host:99999/x", "http://ho st/x", "http://[::1"]
)
def test_a_discovery_url_that_is_none(url: str) -> None:
    with pytest.raises(DiscoveryError) as caught:
        check_url(url)
    assert caught.value.trouble is Trouble.INVALID_URL


def test_any_other_refusal_is_told_in_its_own_words() -> None:
    async def ask(method: str, path: str, value: str | None = None, *, patience: float) -> KeysAnswer:
        return KeysAnswer(
            401,
            0,
            b'{"errorCode":110,"message":"The request requires user authentication","cause":"x","index":0}',
        )

    clock = Clock()
    with pytest.raises(DiscoveryError) as caught:
        asyncio.run(Discovery(URL, ask, sleep=clock.sleep, now=clock.now).look())
    assert caught.value.lines[0] == (
        "E",
        "failed to join discovery cluster (110: The request requires user authentication (x) [0])",
    )


# No answer


def test_a_service_that_is_away_is_asked_again_with_longer_pauses(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene = Scene(size="1")
    scene.keys.down = 8
    assert asyncio.run(scene.join("a0")) == Found(MEMBERS["a0"])
    assert scene.clock.slept == [2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert discovery_log(caplog)[:5] == [
        "error #0: dial tcp 127.0.0.1:24750: connect: connection refused",
        "check the way there",
        "cluster status check: error connecting to http://127.0.0.1:24750, retrying in 2s",
        "error #0: dial tcp 127.0.0.1:24750: connect: connection refused",
        "cluster status check: error connecting to http://127.0.0.1:24750, retrying in 4s",
    ]


def test_a_service_that_dies_while_members_wait_and_comes_back_loses_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    scene = Scene(size="2")
    scene.keys.quiet = True

    async def run() -> Found:
        waiting = asyncio.create_task(scene.join("a0"))
        while not any("wait=true" in line for line in scene.keys.asked):
            await asyncio.sleep(0)
        scene.keys.down = 3
        while scene.keys.down:
            await asyncio.sleep(0)
        return (await asyncio.gather(waiting, scene.join("a1")))[0]

    assert asyncio.run(run()) == Found(f"{MEMBERS['a0']},{MEMBERS['a1']}")
    assert (
        "waiting for other nodes: error connecting to http://127.0.0.1:24750, retrying in 2s"
        in discovery_log(caplog)
    )


def test_a_server_error_is_no_answer() -> None:
    scene = Scene(size="1")
    broken = 2

    async def ask(method: str, path: str, value: str | None = None, *, patience: float) -> KeysAnswer:
        nonlocal broken
        if broken:
            broken -= 1
            return KeysAnswer(503, 0, b"no leader")
        return await scene.keys.ask(method, path, value, patience=patience)

    discovery = Discovery(URL, ask, sleep=scene.clock.sleep, now=scene.clock.now)
    assert asyncio.run(discovery.join("a0", MEMBERS["a0"], "/data")) == Found(MEMBERS["a0"])
    assert scene.clock.slept == [2, 4]


def test_a_registration_whose_answer_was_lost_counts() -> None:
    scene = Scene(size="1")
    scene.keys.deaf = 1
    assert asyncio.run(scene.join("a0")) == Found(MEMBERS["a0"])
    assert [line for line in scene.keys.asked if line.startswith("PUT")] == ["PUT /a0?prevExist=false"] * 2


def test_a_watch_that_comes_back_empty_is_begun_anew_after_a_rest() -> None:
    scene = Scene(size="2")
    empty = 2

    async def ask(method: str, path: str, value: str | None = None, *, patience: float) -> KeysAnswer:
        nonlocal empty
        if "wait=true" in path and empty:
            empty -= 1
            if not empty:
                scene.keys.put("/a1", MEMBERS["a1"])
            return KeysAnswer(200, 0, b"")
        return await scene.keys.ask(method, path, value, patience=patience)

    discovery = Discovery(URL, ask, sleep=scene.clock.sleep, now=scene.clock.now)
    asyncio.run(discovery.join("a0", MEMBERS["a0"], "/data"))
    assert scene.clock.slept == [1, 1]


def test_a_limit_ends_the_wait_and_tells_who_is_there(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(limit=150)
    scene.keys.quiet = True
    scene.keys.put("/a1", MEMBERS["a1"])
    trouble, lines = scene.refusal()
    assert trouble is Trouble.TIMED_OUT
    assert lines[0] == (
        "E failed to join discovery cluster (discovery: time-out while waiting for other nodes)"
    )
    assert "after 150s (--discovery-timeout): 2 of 3 found (infra1, infra0), 1 missing" in lines[1]
    assert scene.clock.seconds == 1150


def test_a_limit_ends_the_tries_to_reach_a_service() -> None:
    scene = Scene(limit=10)
    scene.keys.down = 100
    trouble, lines = scene.refusal()
    assert trouble is Trouble.UNREACHABLE
    assert lines[0] == (
        "E failed to join discovery cluster (discovery: too many retries: "
        "dial tcp 127.0.0.1:24750: connect: connection refused)"
    )
    assert "did not answer for 10s" in lines[1]
    assert scene.clock.seconds == 1010


def test_without_a_limit_it_waits_for_ever() -> None:
    scene = Scene()
    scene.keys.quiet = True
    waits = 0

    class Enough(Exception): ...

    async def ask(method: str, path: str, value: str | None = None, *, patience: float) -> KeysAnswer:
        nonlocal waits
        waits += "wait=true" in path
        if waits > 1000:
            raise Enough
        return await scene.keys.ask(method, path, value, patience=patience)

    discovery = Discovery(URL, ask, sleep=scene.clock.sleep, now=scene.clock.now)
    with pytest.raises(Enough):
        asyncio.run(discovery.join("a0", MEMBERS["a0"], "/data"))
    assert scene.clock.seconds > 50_000
