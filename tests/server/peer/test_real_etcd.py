"""A member of ours between two real ones: it follows them, leads them, forwards to them and takes their snapshots.

Real members panic at a wrong commit index or a conflict below it; their logs have to stay free of that.
"""

import asyncio
import contextlib
import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from server.cluster.ids import runtime_member_id
from server.cluster.members import Member
from server.peer import Versions
from server.raft import MessageType, Snapshot
from server.storage.boltfile import empty_database
from server.storage.codec import ConfChange, ConfChangeType
from tests.support.memory_members import MemoryMember, loopback, until, url_of
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.real_etcd import HOW_34, HOW_35, etcd34, etcd35, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

VERSIONS = Versions("3.4.0", "3.0.0")
"""What 3.4 and 3.5 want to hear."""

PATIENCE = 300


class Real(NamedTuple):
    process: Process
    peer_url: str


@pytest.fixture(params=["3.4", "3.5"])
def binary(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The members in memory apply the log with the rules of a server of this version.
    monkeypatch.setattr("server.node.applier.NEWEST_CLUSTER_VERSION", "3.5.0")
    if request.param == "3.4":
        return required(etcd34(), HOW_34)
    return required(etcd35(), HOW_35)


@contextlib.asynccontextmanager
async def real_members(
    binary: Path, where: Path, ours: dict[str, str], *flags: str
) -> AsyncIterator[list[Real]]:
    """Two real members of a new cluster, with the members of ``ours`` if there are any. No panic may come of it."""
    ports = free_ports(4)
    urls = {f"r{n}": f"http://127.0.0.1:{port}" for n, port in enumerate(ports[:2])}
    cluster = ",".join(f"{name}={url}" for name, url in (ours | urls).items())
    with contextlib.ExitStack() as stack:
        members = []
        for (name, url), port in zip(urls.items(), ports[2:], strict=True):
            client = f"http://127.0.0.1:{port}"
            argv = [
                str(binary), "--enable-v2", "--name", name, "--data-dir", str(where / name),
                "--listen-peer-urls", url, "--initial-advertise-peer-urls", url, "--initial-cluster", cluster,
                "--listen-client-urls", client, "--advertise-client-urls", client, *flags,
            ]  # fmt: skip
            members.append(Real(stack.enter_context(Process(argv, port)), url))
        yield members
        for member in members:
            assert member.process.popen.poll() is None
            for word in ("panic", "fatal", "goroutine"):
                assert word not in member.process.log


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), PATIENCE))


async def put(member: Real, key: str, value: str) -> None:
    """A write, repeated until it is acknowledged: what is forwarded while the leader changes may be lost on the way."""
    while (await asyncio.to_thread(member.process.put, key, value)).status not in (200, 201):
        await asyncio.sleep(0.05)


async def has(member: Real, key: str, value: str) -> None:
    while True:
        reply = await asyncio.to_thread(member.process.get, key)
        if reply.status == 200 and json.loads(reply.body)["node"]["value"] == value:
            return
        await asyncio.sleep(0.05)


def test_writes_pass_both_ways_under_a_leader_of_either_kind(binary: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        sock = loopback()
        ours = {"m0": url_of(sock)}
        patient = "--election-timeout=6000"  # so that ours is elected first
        async with real_members(binary, tmp_path, ours, patient) as (one, other):
            urls = ours | {"r0": one.peer_url, "r1": other.peer_url}
            member = MemoryMember("m0", urls, sock, versions=VERSIONS)
            await member.start()
            try:
                await until(lambda: all(member.transport.active_since(peer) for peer, _ in member.others))
                member.campaign()
                await until(lambda: member.is_leader)
                await member.decide_version("3.4.0")
                for number in range(20):
                    await put(one, f"/real{number}", "x" * 1000)
                await member.put("/ours", "leading")
                await has(other, "/ours", "leading")
                assert member.has("/real19", "x" * 1000)

                member.holds_still = True
                await until(lambda: member.raft.leader not in (0, member.id), "a real leader")
                for number in range(20):
                    await member.put(f"/forwarded{number}", "x" * 1000)
                await has(one, "/forwarded19", "x" * 1000)
                await put(other, "/real", "leading")
                await until(lambda: member.has("/real", "leading"))
                assert member.received[MessageType.APPEND] > 20
                assert member.error is None
            finally:
                await member.stop()

    run(scenario)


def test_a_member_joins_real_ones_by_their_snapshot_and_is_removed(binary: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with real_members(
            binary, tmp_path, {}, "--snapshot-count=10", "--strict-reconfig-check=false"
        ) as (one, other):
            await asyncio.to_thread(one.process.wait_until_serving)
            for number in range(40):
                await put(one, f"/{number}", "x")
            sock = loopback()
            added = await asyncio.to_thread(change_members, one, "POST", "", {"peerURLs": [url_of(sock)]})
            with await asyncio.to_thread(urllib.request.urlopen, one.peer_url + "/members") as answer:
                cluster, known = int(answer.headers["X-Etcd-Cluster-ID"], 16), json.load(answer)
            member_id = int(added["id"], 16)
            others = [(who["id"], who["peerURLs"][0]) for who in known if who["id"] != member_id]
            member = MemoryMember(
                "m0", {"m0": url_of(sock)}, sock, versions=VERSIONS, joins=(member_id, cluster, others)
            )
            await member.start()
            try:
                await until(lambda: member.has("/39", "x"), "it has caught up")
                assert member.received[MessageType.SNAPSHOT] >= 1
                await member.put("/joined", "yes")
                await has(other, "/joined", "yes")
                await asyncio.to_thread(change_members, one, "DELETE", f"/{member_id:x}", None)
                await until(lambda: member.told_removed, "it hears that it is removed")
                assert member.error is None
            finally:
                await member.stop()

    run(scenario)


def test_a_real_member_joins_one_of_ours_by_its_snapshot(binary: Path, tmp_path: Path) -> None:
    """With a database that we made, which it also starts again with."""

    def database(snapshot: Snapshot) -> list[bytes]:
        return [empty_database(snapshot.index, snapshot.term)]

    async def scenario() -> None:
        sock = loopback()
        member = MemoryMember("m0", {"m0": url_of(sock)}, sock, versions=VERSIONS, database=database)
        peer_port, client_port = free_ports(2)
        peer_url, client_url = f"http://127.0.0.1:{peer_port}", f"http://127.0.0.1:{client_port}"
        await member.start()
        try:
            member.campaign()
            await until(lambda: member.is_leader)
            await member.decide_version("3.4.0")
            attributes = Member(member.id, "m0", client_urls=("http://127.0.0.1:1",))
            await asyncio.wait_for(
                member.propose(path=attributes.attributes_path, value=attributes.attributes.decode()),
                PATIENCE,
            )
            for number in range(20):
                await member.put(f"/{number}", "x")
            member.compact()
            joining = Member(runtime_member_id([peer_url], 1), peer_urls=(peer_url,))
            member.change(ConfChange(ConfChangeType.ADD_NODE, joining.id, context=joining.context))
            await until(lambda: joining.id in member.raft.voters)
            argv = [
                str(binary), "--enable-v2", "--name", "r0", "--data-dir", str(tmp_path / "r0"),
                "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url,
                "--listen-client-urls", client_url, "--advertise-client-urls", client_url,
                "--initial-cluster", f"m0={url_of(sock)},r0={peer_url}", "--initial-cluster-state=existing",
            ]  # fmt: skip
            with Process(argv, client_port) as process:
                real = Real(process, peer_url)
                await asyncio.to_thread(process.wait_until_serving)
                await has(real, "/19", "x")
                await put(real, "/joined", "yes")
                assert member.has("/joined", "yes")
                assert member.error is None
                assert "panic" not in process.log
                await asyncio.to_thread(process.stop)
            with Process(argv, client_port) as process:
                await asyncio.to_thread(process.wait_until_serving)
                await has(Real(process, peer_url), "/joined", "yes")
                assert "panic" not in process.log
        finally:
            await member.stop()

    run(scenario)


def change_members(member: Real, method: str, path: str, body: object) -> dict[str, str]:
    """One of the members API's requests, repeated until the cluster is ready for it."""
    request = urllib.request.Request(f"{member.process.url}/v2/members{path}", method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=20) as answer:
        changed: dict[str, str] = json.loads(answer.read() or b"{}")
        return changed
