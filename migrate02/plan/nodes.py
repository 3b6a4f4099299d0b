"""A node of 0.4 as a plan sees it: its settings in 2.x's words, and whom it joined through. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from compat.findings import ERROR, Finding
from compat.settings import Given
from compat.translate import ERA_04, Surroundings, translate
from migrate02.convert.clusters import given_size
from migrate02.convert.conversion import unmasked
from migrate02.formats.placeholders import unmask
from migrate02.formats.reading import Runs

BOOTSTRAP = frozenset(
    (
        "peers",
        "peers-file",
        "discovery",
        "discovery-srv",
        "discovery-fallback",
        "initial-cluster",
        "initial-cluster-state",
        "initial-cluster-token",
        "proxy",
    )
)
"""How a node found its cluster: what a plan decides anew."""

MEMBER, LEADER, FOLLOWER, STANDBY = "member", "leader", "follower", "standby"
"""What a node was. Files alone only say that it is one."""

PEER_URLS, CLIENT_URLS = "initial-advertise-peer-urls", "advertise-client-urls"
LISTEN_PEER_URLS, LISTEN_CLIENT_URLS = "listen-peer-urls", "listen-client-urls"


_CONTAINERS = re.compile(
    r"(?:\A|/)(?:Dockerfile[^/]*|(?:[^/]*[.-])?compose[^/]*\.ya?ml|fig\.ya?ml|manifests/[^/]+)\Z"
)
"""Files that set up nothing else, where none of them names an image."""


class Node(NamedTuple):
    """``settings`` are 2.x's, as flags take them, without those of ``BOOTSTRAP``. ``peers`` are the addresses it joined
    through, as HOST:PORT; ``discovery`` its token's URL. ``files`` are where it is set up, the one that starts it
    first; none for a node that was found in a running cluster, whose ``source`` is a URL. ``active_size`` is 0 where
    nothing says it."""

    name: str
    settings: Mapping[str, str]
    source: str
    files: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    discovery: str = ""
    active_size: int = 0
    was: str = MEMBER
    old_directory: str = ""
    """Where 0.4 kept the data, if 2.x is to keep it elsewhere."""
    findings: tuple[Finding, ...] = ()
    runs: Runs = Runs()
    left_over: tuple[str, ...] = ()
    """Those of its files that nothing reads any more once the others are converted."""

    @property
    def peer_url(self) -> str:
        return self.settings.get(PEER_URLS, "")

    @property
    def client_url(self) -> str:
        return self.settings.get(CLIENT_URLS, "")

    @property
    def peer_address(self) -> str:
        return address_of(self.peer_url)

    @property
    def host(self) -> str:
        return host_of(self.peer_url)

    @property
    def machine(self) -> str:
        """The host to call it by from elsewhere; a loopback address where it is on this machine, ``""`` if unknown."""
        client = host_of(self.client_url)
        return client if client and (not self.host or is_loopback(self.host)) else self.host

    @property
    def data_dir(self) -> str:
        return self.settings.get("data-dir", "")

    @property
    def is_in_a_container(self) -> bool:
        return bool(self.runs.image) or any(map(_CONTAINERS.search, self.files))

    @property
    def is_refused(self) -> bool:
        return any(finding.severity == ERROR for finding in self.findings)


def to_write_in(node: Node) -> str:
    """In the place of a directory that nobody knows."""
    return f"/DATA-DIR-OF-{node.name}"


class Found(NamedTuple):
    """What a search for nodes came back with."""

    nodes: list[Node]
    findings: list[Finding]


def node_of(
    given: Mapping[str, Given],
    source: str,
    *,
    files: Sequence[str] = (),
    host: str = "",
    host_is_given: bool = False,
) -> Node:
    """A node by its merged settings of 0.4. ``host`` is its host's name, which 0.4 took for the node's where it had no
    other; ``host_is_given`` says that the files or a person did. What else is to be said of it ``convert`` reports."""
    rest = {name: item for name, item in given.items() if name not in BOOTSTRAP}
    around = Surroundings(host, hostname_given=host_is_given, member_has_data=True)
    translation = translate(rest, around, ERA_04)
    settings = {key: unmask(value) for key, value in translation.config.items() if key not in BOOTSTRAP}
    if not settings.get("name"):
        settings.pop("data-dir", None)
    findings = [unmasked(item) for item in translation.findings if item.severity == ERROR]
    return Node(
        settings.get("name", ""),
        settings,
        source,
        tuple(files),
        _peers(given),
        given["discovery"].value if "discovery" in given else "",
        given_size(given),
        findings=tuple(findings),
    )


def _peers(given: Mapping[str, Given]) -> tuple[str, ...]:
    return addresses_in(unmask(given["peers"].value)) if "peers" in given else ()


def addresses_in(text: str) -> tuple[str, ...]:
    """Of ``-peers``, or of the file of ``-peers-file``: HOST:PORT with commas between."""
    return tuple(filter(None, (item.strip() for item in text.split(","))))


def address_of(url: str) -> str:
    """``http://10.0.0.1:7001`` is at ``10.0.0.1:7001``."""
    return url.partition("://")[2]


def host_of(url: str) -> str:
    """Without brackets; ``""`` where it is filled in from elsewhere."""
    return "" if is_filled_in(url) else address_of(url).rpartition(":")[0].strip("[]")


def is_loopback(host: str) -> bool:
    return host == "localhost" or host == "::1" or host.startswith("127.")


def is_filled_in(text: str) -> bool:
    """Whether somebody fills in a part of it later: ``$private_ipv4``, ``%H``, ``{{ ip }}``."""
    return bool(re.search(r"\$|\{\{|<%|%[A-Za-z(]|@[A-Za-z_]+@", text))
