"""``migrate02 discovery inspect``: what it makes of a discovery URL's state, and of those that are none."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate02.cli.discovery import as_text, judged
from server.cluster.discoverystate import DiscoveryState, RegisteredMember
from tests.migrate02.running import migrate02
from tests.support.discovery import DiscoveryService, new_url
from tests.support.ports import free_ports
from tests.support.process import Process

URL = "http://127.0.0.1:24750/one"


def state(size: int, *values: str) -> DiscoveryState:
    registered = tuple(RegisteredMember(f"a{n}", value, n) for n, value in enumerate(values))
    return DiscoveryState(size, registered, 9)


def shown(size: int, *values: str) -> str:
    return as_text(judged(URL, state(size, *values)))


def test_members_are_missing() -> None:
    assert shown(3, "infra0=http://10.0.1.10:2380", "b=http://10.0.1.11:2380,b=http://10.0.1.11:7001") == (
        "size     3\n"
        "found    2\n"
        "  infra0  http://10.0.1.10:2380  (id a0)\n"
        "  b       http://10.0.1.11:2380,http://10.0.1.11:7001  (id a1)\n"
        "missing  1\n"
        "next     the cluster begins when one more member started with this URL, each with a --name of its own\n"
    )


def test_all_are_there_and_one_came_too_late() -> None:
    text = shown(1, "a=http://10.0.1.10:2380", "b=http://10.0.1.11:2380")
    assert "missing  0\ntoo late 1\n  b  http://10.0.1.11:2380  (id a1)\n" in text
    assert "who comes now becomes a proxy of it" in text


@pytest.mark.parametrize("size", [2, 3])
def test_two_of_one_name(size: int) -> None:
    text = shown(size, "a=http://10.0.1.10:2380", "a=http://10.0.1.11:2380")
    assert (
        f"trouble  member with duplicated name has registered with discovery service token({URL}).\n" in text
    )
    assert "a=http://10.0.1.10:2380,a=http://10.0.1.11:2380" in text
    assert "next     no cluster" in text


@pytest.mark.parametrize("value", ["a=nonsense", "a", ""])
def test_a_registration_that_is_none(value: str) -> None:
    text = shown(3, value)
    assert "trouble  failed to join discovery cluster (discovery: invalid URL)\n" in text
    assert f"trouble  member a0 has registered {value!r}" in text


def test_a_url_that_is_none() -> None:
    run = migrate02("discovery", "inspect", "foo")
    assert (run.status, run.out) == (3, "")
    assert "discovery: invalid URL" in run.err


def test_nobody_answers() -> None:
    (port,) = free_ports(1)
    run = migrate02("discovery", "inspect", f"http://127.0.0.1:{port}/x")
    assert (run.status, run.out) == (3, "")
    assert run.err == f"migrate02: http://127.0.0.1:{port}/x does not answer: Connection refused\n"


@pytest.mark.parametrize("argv", [[], ["inspect"], ["look", "http://h/x"], ["inspect", "--nosuch", "x"]])
def test_misuse(argv: list[str]) -> None:
    run = migrate02("discovery", *argv)
    assert (run.status, run.out) == (3, "")
    assert run.err.startswith("migrate02 discovery")
    assert len(run.err.splitlines()) == 1


def test_help() -> None:
    assert "  inspect  " in migrate02("discovery", "--help").out
    assert "Registers nothing" in migrate02("discovery", "inspect", "--help").out


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder: Path = tmp_path_factory.mktemp("discovery")
    with DiscoveryService("--data-dir", str(folder / "tokens")).start() as process:
        yield process


@pytest.mark.slow
def test_a_running_service_is_asked(service: Process) -> None:
    url = new_url(service, 2)
    path = url.removeprefix(service.url)
    waiting = migrate02("discovery", "inspect", "--json", url)
    assert waiting.status == 0
    assert json.loads(waiting.out) == {
        "url": url,
        "size": 2,
        "members": [],
        "missing": 2,
        "late": [],
        "trouble": [],
        "next": "the cluster begins when 2 more members started with this URL, each with a --name of its own",
    }
    for member in ("a", "b", "c"):
        service.request("PUT", f"{path}/{member}?prevExist=false", {"value": f"{member}=http://10.0.0.1:1"})
    full = migrate02("discovery", "inspect", "--json", url)
    assert full.status == 2
    found = json.loads(full.out)
    assert found["members"][1] == {"id": "b", "name": "b", "peerURLs": ["http://10.0.0.1:1"]}
    assert [one["name"] for one in found["late"]] == ["c"]


@pytest.mark.slow
def test_a_token_that_is_not_there(service: Process) -> None:
    run = migrate02("discovery", "inspect", f"{service.url}/deadbeef")
    assert (run.status, run.out) == (3, "")
    assert "discovery: token not found" in run.err
    assert "no such discovery token" in run.err
