"""Everybody who asks others, against everything that may be answered: one clear line, the documented status, in time, and
nothing kept beyond the bounds. The bounds are small here, so that it is quick."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from compat.etcdctl02 import client as etcdctl_client
from compat.etcdctl02 import responses, transport
from migrate02.cli import discovery as inspecting
from migrate02.datadir import carry, live
from migrate02.datadir.errors import DataError
from migrate02.plan import live as plan_live
from server import discoveryclient
from server.ask import PeerAsk
from server.bounded import Bounds
from server.cluster.discovery import Discovery
from server.cluster.discoverystate import DiscoveryError
from server.cluster.members import Member
from server.cluster.remote import joinable_version, running_cluster
from server.discovery import remote
from server.discoveryclient import DiscoveryClient
from server.http.messages import Request, Response
from server.peer import dialer as dialing
from server.peer import peer as peers
from server.peer.asked import DialError
from server.peer.checks import Identity, Refused, check_post_answer
from server.peer.dialer import Dialer
from server.peer.peer import Peer, Picker, Prober
from server.proxy import refresh
from server.proxy.clusterfile import ClusterFile
from server.proxy.director import Director
from server.proxy.refresh import Refresher
from server.proxy.sparing import Sparing
from server.tls import TlsFiles
from tests.compat.etcdctl02.ran import run as etcdctl
from tests.migrate02.running import migrate02
from tests.support.hostile_http import HARMFUL, MISSHAPEN, Behaviour, HostileServer, whole

SECONDS = 0.4
BODY = 64 << 10
SMALL = Bounds(body=BODY, seconds=SECONDS, depth=64, head=16 << 10)

IN_TIME = 20.0
"""Seconds for a whole command, on the busiest machine: without a total time many of these would never end."""
TRIES = 10
"""On a busy machine the time may be up before the question is out."""

MOST_SENT = 64 << 20
"""Bytes that all questions of one command may take from the server together, with what the kernel holds of each."""

pytestmark = pytest.mark.interpreted


class Outcome(NamedTuple):
    """``lines`` are what a person gets to read. ``harmless``: an answer was taken, which was one as far as it goes."""

    lines: list[str]
    status: int | None = None
    harmless: bool = False


class Asker(NamedTuple):
    """``statuses`` are the documented ones for who does not get an answer."""

    ask: Callable[[str, Path, pytest.LogCaptureFixture], Outcome]
    statuses: tuple[int, ...] = ()
    judges: bool = True
    """Whether it looks into the body; others pass it on, or need the status alone."""
    names_url: bool = True
    """Whether its lines are its own; those of etcdctl02 are etcdctl's, which do not always name an endpoint."""


def _command(*words: str) -> Callable[[str, Path, pytest.LogCaptureFixture], Outcome]:
    """Of migrate02; ``URL`` is the server's."""

    def ask(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
        run = migrate02(*(word.replace("URL", url).replace("FOLDER", str(folder)) for word in words))
        return Outcome(run.err.splitlines(), run.status, harmless=run.status in (0, 1, 2))

    return ask


def _etcdctl(*words: str) -> Callable[[str, Path, pytest.LogCaptureFixture], Outcome]:
    def ask(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
        options = ("--no-sync", "--endpoints", url, "--timeout", "300ms", "--total-timeout", "400ms")
        ran = etcdctl(*options, *words)
        lines = (ran.err + (ran.out if ran.status else "")).splitlines()
        return Outcome([line for line in lines if line], ran.status, harmless=ran.status == 0)

    return ask


def _join(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
    async def join() -> None:
        async with DiscoveryClient(f"{url}/token") as client:

            async def ask(method: str, path: str, value: str | None = None, *, patience: float) -> object:
                return await client.ask(method, path, value, patience=min(patience, SECONDS))

            asked = Discovery(f"{url}/token", ask, sleep=asyncio.sleep, now=time.monotonic, limit=0.1)  # type: ignore[arg-type]
            await asked.join("a", "a=http://10.0.0.1:2380", str(folder))

    try:
        asyncio.run(join())
    except DiscoveryError as error:
        return Outcome([text for _, text in error.lines])
    return Outcome([], harmless=True)


def _logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("server")]


def _peer_ask() -> PeerAsk:
    return PeerAsk(TlsFiles("", "", "", "", False), connect_timeout=1.0)


def _cluster_of(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
    found = running_cluster([url], _peer_ask(), patience=SECONDS)
    return Outcome(_logged(caplog), harmless=found is not None)


def _version_of(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
    found = joinable_version([Member(1, "a", (url,))], _peer_ask(), patience=SECONDS)
    return Outcome(_logged(caplog), harmless=found is not None)


def _with_dialer(ask: Callable[[Dialer], Awaitable[bool]]) -> bool:
    async def asked() -> bool:
        dialer = Dialer(None, connect_timeout=1.0, silence=SECONDS)
        try:
            return await ask(dialer)
        finally:
            await dialer.close()

    return asyncio.run(asked())


def _peers_version(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
    async def ask(dialer: Dialer) -> bool:
        peer = SimpleNamespace(member=1, _picker=Picker([url]), _links=SimpleNamespace(dialer=dialer))
        return await Peer.ask_version(peer) is not None  # type: ignore[arg-type]

    answered = _with_dialer(ask)
    return Outcome(_logged(caplog), harmless=answered)


def _probe(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
    async def ask(dialer: Dialer) -> bool:
        prober = Prober(1, Picker([url]), dialer)
        await prober._probe()
        prober._report()
        return prober._healthy

    healthy = _with_dialer(ask)
    return Outcome([f"{url} {line}" for line in _logged(caplog)], harmless=healthy)


def _post(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
    async def ask(dialer: Dialer) -> bool:
        answer = await dialer.post(url, "/raft", {}, b"message", SECONDS)
        check_post_answer(Identity(1, 1, ()), 2, f"{url}/raft", *answer)
        return True

    try:
        return Outcome([], harmless=_with_dialer(ask))
    except (DialError, Refused) as error:
        return Outcome([f"failed to write on {url} ({error})"])


def _refresh(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
    async def ask(dialer: Dialer) -> bool:
        async def nobody(urls: list[str]) -> set[str]:
            return set()

        refresher = Refresher(
            [url],
            dialer.get,
            Director(Random(1), 5.0),
            ClusterFile(folder),
            Sparing(60.0),
            interval=30.0,
            own_among=nobody,
            on_list=lambda: None,
        )
        return await refresher._ask() is not None

    heard = _with_dialer(ask)
    return Outcome(_logged(caplog), harmless=heard)


def _remote_keys(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
    async def ask() -> Response:
        async with remote.RemoteKeys(url) as keys:
            request = Request("GET", b"/v2/keys/x", {})
            return await keys.handle(request)  # type: ignore[misc,no-any-return]

    answer = asyncio.run(ask())
    return Outcome([str(answer.body, "utf-8", "replace")], answer.status, harmless=answer.status != 503)


def _carry(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Outcome:
    try:
        said = carry._Client(url, live.NO_TLS).put("/v2/keys/a", "value=b")
    except DataError as error:
        return Outcome([str(error)])
    return Outcome([f"{url} {said}"], harmless=said == "")


ASKERS: Mapping[str, Asker] = {
    "etcd02 --discovery": Asker(_join),
    "discovery inspect": Asker(_command("discovery", "inspect", "URL/token"), (3,)),
    "plan --live": Asker(_command("plan", "--live", "URL"), (3,)),
    "import --live": Asker(_command("import", "--live", "URL", "--to", "http://127.0.0.1:9"), (3,)),
    "data verify": Asker(_command("data", "verify", "URL", "FOLDER/export"), (3,)),
    "data export": Asker(_command("data", "export", "URL"), (3,)),
    "import's writes": Asker(_carry, judges=False),
    "a member that begins": Asker(_cluster_of),
    "a member that joins": Asker(_version_of),
    "a member, of a peer's release": Asker(_peers_version),
    "a member's probe": Asker(_probe),
    "a member's message": Asker(_post, judges=False),
    "a proxy": Asker(_refresh),
    "the discovery service's store": Asker(_remote_keys, (503,), judges=False),
    "etcdctl02 get": Asker(_etcdctl("get", "foo"), (4,), names_url=False),
    "etcdctl02 set": Asker(_etcdctl("set", "foo", "bar"), (4,), names_url=False),
    "etcdctl02 ls": Asker(_etcdctl("ls", "--recursive", "/"), (4,), names_url=False),
    "etcdctl02 member list": Asker(_etcdctl("member", "list"), (1,), names_url=False),
    "etcdctl02 cluster-health": Asker(_etcdctl("cluster-health"), (4, 5), names_url=False),
    "etcdctl02 user list": Asker(_etcdctl("user", "list"), (1,), names_url=False),
    "etcdctl02 user get": Asker(_etcdctl("user", "get", "root"), (1,), names_url=False),
    "etcdctl02 role get": Asker(_etcdctl("role", "get", "root"), (1,), names_url=False),
}

_ALIKE = ("data export", "etcdctl02 set", "etcdctl02 ls", "etcdctl02 user list", "etcdctl02 user get")
ASKED = [pytest.param(name, marks=pytest.mark.slow if name in _ALIKE else ()) for name in ASKERS]
"""Some ask as others do, and wait for the soak."""

JUDGED_BY_CONTENT = frozenset(
    name
    for name in HARMFUL
    if name.startswith(("brackets", "objects", "quotes", "a number", "an integer", "bytes", "half"))
)
"""What is whole as HTTP: who does not look into a body takes it."""


THROWN_AWAY = (HARMFUL["a chunk's extension without an end"],)
"""What a parser does not even keep: there the time alone is the bound."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (inspecting, "BOUNDS"),
        (plan_live, "BOUNDS"),
        (live, "KEY_SPACE"),
        (carry, "WRITE"),
        (dialing, "BOUNDS"),
        (peers, "BOUNDS"),
        (remote, "BOUNDS"),
        (transport, "BOUNDS"),
        (etcdctl_client, "BOUNDS"),
        (responses, "BOUNDS"),
    ):
        monkeypatch.setattr(module, name, SMALL)
    monkeypatch.setattr(discoveryclient, "BODY", BODY)
    monkeypatch.setattr(carry, "_TRIES", 1)
    monkeypatch.setattr(etcdctl_client, "_LONGEST", SECONDS)
    monkeypatch.setattr(peers, "_VERSION_PATIENCE", SECONDS)
    monkeypatch.setattr(peers, "_PROBE_PATIENCE", SECONDS)
    monkeypatch.setattr(refresh, "_PATIENCE", SECONDS)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def export(tmp_path: Path) -> None:
    (tmp_path / "export").write_text("")


def ask(
    asker: Asker, behaviour: Behaviour, folder: Path, caplog: pytest.LogCaptureFixture
) -> tuple[Outcome, HostileServer]:
    caplog.set_level(logging.DEBUG)
    for _ in range(TRIES):
        begun = time.monotonic()
        with HostileServer(behaviour) as server:
            outcome = asker.ask(server.url, folder, caplog)
        assert time.monotonic() - begun < IN_TIME
        if server.asked:
            break
    assert server.asked, "nothing was asked"
    assert server.sent < MOST_SENT or behaviour in THROWN_AWAY
    text = "\n".join(outcome.lines)
    assert "Traceback" not in text
    assert "fault in" not in text
    assert outcome.harmless or not any(len(line) > 2000 for line in outcome.lines)
    return outcome, server


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("behaviour", HARMFUL)
@pytest.mark.parametrize("asker", ASKED)
def test_what_nobody_can_use_is_refused_in_one_line(
    asker: str, behaviour: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    who = ASKERS[asker]
    outcome, server = ask(who, HARMFUL[behaviour], tmp_path, caplog)
    if outcome.harmless and not who.judges and behaviour in JUDGED_BY_CONTENT:
        return
    assert not outcome.harmless
    if who.statuses:
        assert outcome.status in who.statuses
    assert outcome.lines, "not a word"
    named = [line for line in outcome.lines if server.url.removeprefix("http://") in line]
    assert named or not who.names_url, outcome.lines


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("behaviour", MISSHAPEN)
@pytest.mark.parametrize("asker", ASKED)
def test_json_that_nobody_expects_ends_in_a_line_and_not_in_a_fault(
    asker: str, behaviour: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcome, _ = ask(ASKERS[asker], MISSHAPEN[behaviour], tmp_path, caplog)
    assert outcome.harmless or outcome.lines


def test_the_servers_own_answers_are_answers(tmp_path: Path) -> None:
    """What the table's answers are made with can be read when nothing is wrong with it."""
    node = json.dumps({"action": "get", "node": {"key": "/foo", "value": "bar"}}).encode()
    with HostileServer(lambda url: iter([whole(node)])) as server:
        assert etcdctl("--no-sync", "--endpoints", server.url, "get", "foo").out == "bar\n"
