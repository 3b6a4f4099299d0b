"""Clusters on loopback, for tests: every member is of a chosen kind, the bundled server or a real etcd, and can be killed,
paused, cut off, added, removed, and started again as another kind on the same directory.

Nothing here waits without saying for what: ``start`` of a member returns at once, ``wait_for_...`` when it has come.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import pytest

from tests.support.faultproxy import FaultProxy
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Process, Reply, keys_below, request
from tests.support.real_etcd import HOW_34, HOW_35, etcd34, etcd35, required

ETCD02 = str(Path(sys.executable).with_name("etcd02"))

_ETCD23 = "MIGRATE02_ETCD_2_3"
HAS_ETCD23 = _ETCD23 in os.environ
"""Whether that names a real 2.3, which no package index has."""
_PANIC = re.compile(r"panic|goroutine \d|\bfatal\b|Traceback|\bC \| ")
CLUSTER_PATIENCE = 6 * PATIENCE
"""Seconds for what a cluster has to agree on: where members are kept from running for longer than an election time-out, it
elects again and again."""

_COMPACTED = re.compile(r"compacted raft log at (\d+)|\"compacted Raft logs\",\"compact-index\":(\d+)")
_T = TypeVar("_T")


class Kind(NamedTuple):
    """What a member is: its command, and the flags that only this kind knows. Its ``str()`` names tests."""

    name: str
    command: tuple[str, ...]
    flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    def handed_over(self) -> Kind:
        """The same etcd, started as ``etcd02 --engine PATH``."""
        return self._replace(command=(ETCD02, "--engine", *self.command))


def kind(name: str) -> Kind:
    """``bundled``, ``3.4``, ``3.5``, or ``2.3`` where an environment variable names such a binary.

    A test that asks for one that is not installed is skipped, and fails on CI, as everywhere.
    """
    match name:
        case "bundled":
            return Kind(name, (ETCD02,))
        case "2.3":
            found = os.environ.get(_ETCD23)
            return Kind(name, (str(required(Path(found) if found else None, f"set {_ETCD23}")),))
        case "3.4":
            return Kind(name, (str(required(etcd34(), HOW_34)),), ("--enable-v2",))
        case "3.5":
            return Kind(name, (str(required(etcd35(), HOW_35)),), ("--enable-v2",))
    raise ValueError(f"no kind of member is called {name!r}")


def kinds(*names: str) -> list[object]:
    """Parameters of a test: these kinds by name, and a real 2.3 where there is one."""
    wanted = [*names, "2.3"] if HAS_ETCD23 else names
    return [
        pytest.param(name, marks=[pytest.mark.real_etcd] if name != "bundled" else [])
        for name in dict.fromkeys(wanted)
    ]


def wait_until(condition: Callable[[], _T | None], what: str, patience: float = CLUSTER_PATIENCE) -> _T:
    """Returns what the condition gives as soon as that counts as true. Raises AssertionError in the end."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, f"in {patience:.0f} s it never came that {what}"
        time.sleep(0.02)
    return value


class ClusterMember:
    """One member: its addresses and settings stay, its processes come and go."""

    def __init__(self, name: str, kind: Kind, where: Path, settings: Mapping[str, str]) -> None:
        self.name, self.kind = name, kind
        self.data_dir = where / name
        self.client_port, self.peer_port = free_ports(2)
        self.peer_url = f"http://127.0.0.1:{self.peer_port}"
        self.settings = dict(settings)
        self.process: Process | None = None
        self._ended: list[Process] = []
        self._id = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"

    # Its process

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.popen.poll() is None

    @property
    def pid(self) -> int:
        """Of the process that runs, or ran last; 0 before the first."""
        return self.process.popen.pid if self.process else 0

    def start(self, kind: Kind | None = None) -> None:
        """Starts it, from now on as another kind if one is given, and does not wait for anything."""
        assert not self.running, f"{self} runs already"
        if self.process is not None:
            self._ended.append(self.process)
        self.kind = kind or self.kind
        client = f"http://127.0.0.1:{self.client_port}"
        settings = {
            "name": self.name,
            "data-dir": str(self.data_dir),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": f"http://127.0.0.1:{self.peer_port}",
            "initial-advertise-peer-urls": self.peer_url,
        } | self.settings
        flags = [f"--{name}={value}" for name, value in settings.items()]
        arch = {"ETCD_UNSUPPORTED_ARCH": os.uname().machine}
        self.process = Process([*self.kind.command, *flags, *self.kind.flags], self.client_port, env=arch)

    def stop(self) -> int:
        """Ends it in an orderly way; the exit status, negative for a signal."""
        return self._running().stop()

    def kill(self) -> None:
        """``kill -9``, whether it runs or is paused."""
        self._running().kill()

    def pause(self) -> None:
        self._running().popen.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._running().popen.send_signal(signal.SIGCONT)

    def wait_for_end(self) -> int:
        """The exit status, once it has ended by itself."""
        return self._running().popen.wait(PATIENCE)

    def _running(self) -> Process:
        assert self.process is not None, f"{self} was never started"
        return self.process

    @property
    def log(self) -> str:
        """All that its processes wrote, from the first on."""
        return "".join(process.log for process in [*self._ended, *([self.process] if self.process else [])])

    def close(self) -> None:
        for process in [*self._ended, *([self.process] if self.process else [])]:
            process.__exit__()

    # What it is asked

    def request(
        self, method: str, path: str, form: Mapping[str, str] | None = None, *, timeout: float = PATIENCE
    ) -> Reply:
        return request(self.client_port, method, path, form, timeout=timeout)

    def put(self, key: str, value: str, **form: str) -> Reply:
        return self.request("PUT", f"/v2/keys{key}", {"value": value, **form})

    def write(self, key: str, value: str) -> None:
        """A write, repeated until it is acknowledged: what is forwarded while the leader changes may be lost on the way."""
        replies: list[Reply] = []

        def written() -> bool:
            replies.append(self.put(key, value))
            return replies[-1].status in (200, 201)

        try:
            wait_until(written, f"{self} takes a write")
        except AssertionError as error:
            raise AssertionError(f"{error}: {replies}") from None

    def value(self, key: str, *, quorum: bool = False) -> str | None:
        """What this member has under the key, None if nothing."""
        reply = self.request("GET", f"/v2/keys{key}{'?quorum=true' if quorum else ''}")
        if reply.status == 404:
            return None
        node = reply.json()["node"]
        assert isinstance(node, dict), reply
        return str(node["value"])

    def content(self) -> list[tuple[str, str | None, int, int]]:
        """Every key it has, hidden ones left out: path, value, created and modified index."""
        return list(keys_below(self.request("GET", "/v2/keys/?recursive=true&sorted=true").json()["node"]))

    @property
    def id(self) -> str:
        """Its id, by its peer URL in its own list of members when it was first asked."""
        if not self._id:
            self._id = wait_until(self._find_id, f"{self} lists itself")
        return self._id

    def _find_id(self) -> str:
        listed: list[dict[str, object]] = json.loads(self.request("GET", "/v2/members").body)["members"]
        return next((str(one["id"]) for one in listed if one["peerURLs"] == [self.peer_url]), "")

    def leader_id(self) -> str:
        """The id of the leader as this member sees it; empty when it has none, or does not answer."""
        if not self.running:
            return ""
        with contextlib.suppress(OSError, http.client.HTTPException):
            reply = self.request("GET", "/v2/members/leader", timeout=1.0)
            if reply.status == 200:
                return str(reply.json()["id"])
        return ""


class Cluster:
    """A new cluster of one member of each given kind, in this order. A context manager that ends what it started.

    ``settings`` are 2.x settings of every member. With ``proxied`` the members reach one another through ``proxy`` only.
    Where a test fails, the ends of the members' logs are printed.
    """

    def __init__(self, where: Path, kinds: Iterable[Kind], *, proxied: bool = False, **settings: str) -> None:
        self._where = where
        self._settings = {name.replace("_", "-"): value for name, value in settings.items()}
        self._stack = contextlib.ExitStack()
        self._proxy = self._stack.enter_context(FaultProxy(self._pids)) if proxied else None
        self._numbers = itertools.count(1)
        self.members: list[ClusterMember] = []
        for kind in kinds:
            self._new_member(kind)
        self._expect(self.members, "new", self.members)

    @property
    def proxy(self) -> FaultProxy:
        assert self._proxy is not None, "the cluster was made without a proxy"
        return self._proxy

    def _new_member(self, kind: Kind) -> ClusterMember:
        name = f"m{next(self._numbers)}"
        member = ClusterMember(name, kind, self._where, self._settings)
        if self._proxy is not None:
            member.peer_url = f"http://127.0.0.1:{self._proxy.front(name, member.peer_port)}"
        self._stack.callback(member.close)
        self.members.append(member)
        return member

    @staticmethod
    def _expect(who: Iterable[ClusterMember], state: str, all_of: Iterable[ClusterMember]) -> None:
        listed = ",".join(f"{member.name}={member.peer_url}" for member in all_of)
        for member in who:
            member.settings |= {"initial-cluster": listed, "initial-cluster-state": state}

    def _pids(self) -> dict[str, int]:
        return {member.name: member.pid for member in self.members if member.pid}

    @property
    def running(self) -> list[ClusterMember]:
        return [member for member in self.members if member.running]

    def start(self) -> Self:
        """Starts all members, and waits until all of them take writes."""
        for member in self.members:
            member.start()
        self.wait_until_healthy()
        return self

    def others(self, *than: ClusterMember) -> list[ClusterMember]:
        """The running members but these."""
        return [member for member in self.running if member not in than]

    # Leaders

    def leader_of(self, members: Sequence[ClusterMember]) -> ClusterMember | None:
        """The leader all of these agree on, if they do and it is one of them."""
        seen = {member.leader_id() for member in members}
        (leader,) = seen if len(seen) == 1 else ("",)
        return next((member for member in members if leader and member.id == leader), None)

    def wait_for_leader(
        self, members: Sequence[ClusterMember] | None = None, patience: float = CLUSTER_PATIENCE
    ) -> ClusterMember:
        """Returns the leader when all of these (by default all that run) agree on it and it is one of them."""

        def leader() -> ClusterMember | None:
            return self.leader_of(self.running if members is None else members)

        return wait_until(leader, "there is one leader", patience)

    def wait_until_healthy(self, members: Sequence[ClusterMember] | None = None) -> ClusterMember:
        """Returns the leader when each of these (by default all that run) has taken a write, which all of them have."""
        among = self.running if members is None else members

        def wrote(member: ClusterMember) -> bool:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return member.put(f"/_healthy/{member.name}", str(time.monotonic_ns())).status in (200, 201)
            return False

        leader = self.wait_for_leader(members)
        for member in among:
            wait_until(lambda member=member: wrote(member), f"{member} takes writes")  # type: ignore[misc]
        self.wait_until_same(among)
        return leader

    def wait_until_same(self, members: Sequence[ClusterMember] | None = None) -> None:
        """Returns when all of these (by default all that run) hold the same keys, with the same indices."""
        among = self.running if members is None else members

        def same() -> bool:
            first, *others = [member.content() for member in among]
            return all(other == first for other in others)

        wait_until(same, f"{', '.join(map(str, among))} hold the same keys")

    def wait_until_compacted(self, index: int = 1) -> None:
        """Returns when all that run have shortened their logs up to there or beyond, so that whoever leads has to send a
        snapshot to one who lacks what came before: a snapshot is taken beside the requests, and may be late."""

        def compacted(member: ClusterMember) -> bool:
            return any(int("".join(at)) >= index for at in _COMPACTED.findall(member.log))

        for member in self.running:
            wait_until(lambda member=member: compacted(member), f"{member} has compacted its log at {index}")  # type: ignore[misc]

    # Membership

    def change_members(self, method: str, path: str, body: object = None, *, via: ClusterMember) -> Reply:
        """One request to the members API, as it is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", via.client_port, timeout=PATIENCE)
        try:
            kind = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, f"/v2/members{path}", json.dumps(body) if body else None, kind)
            got = connection.getresponse()
            return Reply(got.status, dict(got.getheaders()), got.read())
        finally:
            connection.close()

    def _until_accepted(self, *change: object, via: ClusterMember) -> None:
        """Members that check their health first refuse changes for some seconds after a start, or lose an answer."""
        refusals: list[Reply] = []

        def accepted() -> bool:
            refusals.append(self.change_members(*change, via=via))  # type: ignore[arg-type]
            return refusals[-1].status in (201, 204, 409, 410)

        try:
            wait_until(accepted, f"{change} is accepted")
        except AssertionError as error:
            raise AssertionError(f"{error}: {refusals[-1]}") from None

    def add(self, kind: Kind, *, via: ClusterMember | None = None) -> ClusterMember:
        """Adds a member to the cluster, which is not started yet; ``via`` is asked, the first that runs by default."""
        via = via or self.running[0]
        member = self._new_member(kind)
        self._until_accepted("POST", "", {"peerURLs": [member.peer_url]}, via=via)
        # Whichever member the new one asks, it has to hear of itself.
        wait_until(
            lambda: all(len(self.listed(via=one)) == len(self.members) for one in self.others(member)),
            f"all know of {member}",
        )
        self._expect([member], "existing", self.members)
        return member

    def remove(self, member: ClusterMember, *, via: ClusterMember | None = None) -> None:
        """Takes it out of the cluster and of ``members``; its process is left alone."""
        via = via or self.others(member)[0]
        self._until_accepted("DELETE", f"/{member.id}", via=via)
        self.members.remove(member)

    def listed(self, via: ClusterMember) -> list[dict[str, object]]:
        """``{"id", "name", "peerURLs", "clientURLs"}`` of each member, as this one lists them."""
        found: list[dict[str, object]] = json.loads(self.change_members("GET", "", via=via).body)["members"]
        return found

    # Trouble

    def panics(self, among: Collection[ClusterMember] | None = None) -> list[str]:
        """The first panic, fatal error or traceback in the log of each of these members, by default of all, and what
        follows it."""
        found = []
        for member in self.members if among is None else among:
            log = member.log
            if panic := _PANIC.search(log):
                found.append(f"{member}: {log[log.rfind(chr(10), 0, panic.start()) + 1 :][:3000]}")
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            for member in self.members:
                print(f"--- {member}, pid {member.pid} ---\n{member.log[-6000:]}")
        self._stack.close()
