"""Two members side by side: the bundled server and a real etcd, and what is needed to compare what clients see of them.

``Side`` is one of the two. It knows which words are its own (ports, ids, paths) and takes them out of a text, and it shows
indices by their distance from where a scenario began, so that what is left must be equal on both sides.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.gateway import GatewayMember
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Member, Process

_HIDDEN = ["/_hidden", "/_locks"]
"""What scenarios hide in the root, where no listing shows it."""

_OTHERWISE_SINCE_3 = [
    (r"URL scheme must be http, https, unix, or unixs", "URL scheme must be http or https"),
    (r"membership: peerURL exists", "etcdserver: peerURL exists"),
    (r'\{"health":"true"\}', '{"health": "true"}'),
    (r'(\{"action":"expire","node":\{"key":"[^"]*"),"dir":true', r"\1"),
]
"""What the real etcd that these tests run, 3.4, says otherwise than the 2.3.8 that the bundled server answers as; and
how 2.3.8 says it."""

_NUMBER = re.compile(r"\d+")


@dataclass(slots=True)
class Side:
    """One of the two members. ``start_over`` empties it and begins to count indices anew."""

    process: Process
    peer_port: int
    tls_port: int = 0
    base: int = 0
    _own: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        members = self.process.request("GET", "/v2/members")
        listed: Any = members.json()["members"]
        (member,) = listed
        self._own = [
            (f"127.0.0.1:{self.port}", "CLIENT"),
            (f"127.0.0.1:{self.peer_port}", "PEER"),
            (f"127.0.0.1:{self.tls_port}", "TLS"),
            (member["id"], "MEMBER"),
            (members.headers["x-etcd-cluster-id"], "CLUSTER"),
        ]

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def port(self) -> int:
        return self.process.client_port

    @property
    def member_id(self) -> str:
        return next(word for word, stands_for in self._own if stands_for == "MEMBER")

    def other_id(self) -> str:
        """The id of the one other member of the cluster."""
        members: Any = self.process.request("GET", "/v2/members").json()["members"]
        (other,) = (member["id"] for member in members if member["id"] != self.member_id)
        return str(other)

    def index(self) -> int:
        """The store's index now."""
        return int(self.process.get("/").headers["x-etcd-index"])

    def start_over(self) -> None:
        root: Any = self.process.get("/").json()["node"]
        listed = [node["key"] for node in root.get("nodes", ())]
        for key in listed + _HIDDEN:
            gone = self.process.request("DELETE", f"/v2/keys{quote(key)}?recursive=true")
            assert gone.status == 200 or key in _HIDDEN, gone
        self.base = self.index()

    def leave_out(self, word: str) -> None:
        """Takes a word of its own out of all texts, which the other side does not have."""
        self._own.insert(0, (word, ""))

    def since(self, index: int) -> str:
        """An index as its distance from the start of the scenario; 0 stays what it is."""
        return f"{index - self.base:+d}" if index else "0"

    def neutral(self, text: str) -> str:
        """The text without what belongs to this side alone."""
        for word, stands_for in self._own:
            text = text.replace(word, stands_for)
        for later, earlier in _OTHERWISE_SINCE_3:
            text = re.sub(later, earlier, text)
        text = re.sub(r"\b(?=[0-9]*[a-f])[0-9a-f]{13,16}\b", "ANOTHER", text)
        text = re.sub(r'([Ii]ndex"?[:=] ?)(\d+)', lambda match: match[1] + self.since(int(match[2])), text)
        text = re.sub(r"\[\d+(?:(?: != |/)\d+)?\]", lambda match: _NUMBER.sub(self._since, match[0]), text)
        text = re.sub(r'(expiration"?[:=] ?")[^"]+"', r'\1TIME"', text)
        text = re.sub(
            r'((?:ttl|TTL)"?[:=] ?)(?:9\d\d|1000)\b', r"\g<1>about 1000", text
        )  # the machine may be busy
        return re.sub(r"\b0\d{19}\b", lambda match: f"({self.since(int(match[0]))})", text)

    def _since(self, number: re.Match[str]) -> str:
        return self.since(int(number[0]))

    def watchers(self) -> int:
        count: Any = self.process.request("GET", "/v2/stats/store").json()["watchers"]
        return int(count)

    def wait_for_watchers(self, count: int) -> None:
        """Returns when exactly so many watches are open."""
        deadline = time.monotonic() + PATIENCE
        while self.watchers() != count:
            assert time.monotonic() < deadline, f"{self.watchers()} watches are open, not {count}"
            time.sleep(0.01)


@dataclass(slots=True, frozen=True)
class Pair:
    ours: Side
    real: Side


@contextlib.contextmanager
def pair(
    directory: Path, real_etcd: Path, tls: Mapping[str, str] | None = None, *, keeper: Path | None = None
) -> Iterator[Pair]:
    """Starts both, each a cluster of one with the same settings and a directory below the given one. With a
    ``keeper``, the binary of an etcd 3, ours is a gateway to that.

    With ``tls``, its settings, they listen on a second port for TLS. When it ends, nothing of ours may have ended in a
    traceback.
    """
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        ours, real = members = [Member(directory / name, **(tls or {})) for name in ("ours", "real")]
        if keeper is not None:
            ours = members[0] = GatewayMember(directory / "ours", str(keeper), **(tls or {}))
            stack.callback(ours.keeper.stop)
        tls_ports = free_ports(2) if tls else [0, 0]
        if tls:
            for member, port in zip(members, tls_ports, strict=True):
                member.settings["listen-client-urls"] += f",https://127.0.0.1:{port}"
        starting = [pool.submit(ours.start), pool.submit(real.start_real, str(real_etcd), "--enable-v2")]
        for start in starting:
            if start.exception() is None:
                stack.enter_context(start.result())
        processes = [start.result() for start in starting]
        yield Pair(*map(Side, processes, (member.peer_port for member in members), tls_ports))
        for name, process in zip(("ours", "real"), processes, strict=True):
            print(f"--- {name} ---\n{process.log[-6000:]}")  # shown when a test failed
        assert "Traceback" not in processes[0].log, processes[0].log
        assert "this is a fault in the server" not in processes[0].log, processes[0].log


def difference(ours: Sequence[str], real: Sequence[str]) -> str:
    """Where two transcripts differ, for the message of an assertion."""
    return "\n".join(["", *difflib.unified_diff(real, ours, "real etcd", "bundled server", lineterm="")])
