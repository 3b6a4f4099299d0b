"""Who forms a cluster with whom, where members find each other through ``-peers``: known from all their settings. Pure.

0.4's nodes joined through the addresses of others; 2.x wants every member's name and address, which are known when
every one of those addresses is some node's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from compat.flags04 import BY_NAME
from compat.settings import Given
from migrate02.convert.groups import Groups, Key

ACTIVE_SIZE = 9
"""0.4's default: so many nodes vote, the others stand by."""
LEAST_ACTIVE_SIZE = 3
"""0.4 takes no smaller number."""


LOCAL = "<"
"""In a resolved text, what stands for a value that a file gives once, and that is only known when it runs."""


class Member(NamedTuple):
    """``peers`` are the addresses that it joins through, ``address`` its own, as HOST:PORT; ``name`` may be empty.

    ``written`` is NAME=HOST:PORT as its ``file`` has it, where the file says one of them with a variable.
    """

    name: str
    address: str
    scheme: str
    peers: tuple[str, ...]
    has_peers_file: bool = False
    active_size: int = 0
    """0 where nothing says it."""
    written: tuple[str, str] = ("", "")
    file: str = ""

    @property
    def is_known_in_its_file_alone(self) -> bool:
        return any(LOCAL in text for text in (self.name, self.address, *self.peers))

    def entry(self, file: str) -> str:
        """As it may stand in that file, which knows its own variables."""
        name, address = self.written if self.file == file else (self.name, self.address)
        return f"{name}={self.scheme}://{address}"


class KnownCluster(NamedTuple):
    """A cluster that is known as a whole. ``initial_cluster`` has all of its nodes; ``surplus`` of them stood by, since
    no more than ``active_size`` voted."""

    initial_cluster: str
    nodes: int
    active_size: int

    @property
    def surplus(self) -> int:
        return max(self.nodes - self.active_size, 0)


def active_size(sizes: Iterable[int]) -> int:
    """How many nodes of a cluster voted, by the sizes that its nodes were given; 0 is none."""
    return max(min(filter(None, sizes), default=ACTIVE_SIZE), LEAST_ACTIVE_SIZE)


def _were(standbys: int) -> str:
    return "1 was a standby" if standbys == 1 else f"{standbys} were standbys"


def standbys_unknown(nodes: int, size: int) -> str:
    """The words for a cluster with more nodes than voted."""
    return f"{nodes} nodes, but only {size} may vote, so {_were(nodes - size)}; the files do not say which."


def given_size(given: Mapping[str, Given]) -> int:
    """``-cluster-active-size``, 0 where it is not given."""
    text = given["cluster-active-size"].value if "cluster-active-size" in given else ""
    return int(text) if text.isascii() and text.isdigit() else 0


def member_of(
    given: Mapping[str, Given], host: str = "", file: str = "", resolve: Callable[[str], str] = str
) -> Member:
    """A member by its merged settings of 0.4; ``host`` is its host's name, which it has when it has no other.

    ``resolve`` fills in the variables that its ``file`` sets plainly.
    """

    def value(name: str) -> str:
        return given[name].value if name in given else ""

    name, address = value("name") or host, value("peer-addr") or BY_NAME["peer-addr"].default
    peers = tuple(filter(None, (resolve(item.strip()) for item in value("peers").split(","))))
    return Member(
        resolve(name),
        resolve(address),
        "https" if value("peer-cert-file") and value("peer-key-file") else "http",
        peers,
        "peers-file" in given,
        given_size(given),
        (name, address),
        file,
    )


def known_clusters(members: Mapping[Key, Member]) -> dict[Key, KnownCluster]:
    """For every member of a cluster that is known as a whole: all by name, the same for each.

    A cluster is known when it is more than one member, each has a name of its own and an address of its own, and no
    address that one of them joins through is missing.
    """
    owner: dict[str, Key] = {}
    twice = set()
    for key, member in members.items():
        if member.address in owner:
            twice.add(member.address)
        owner[member.address] = key
    found: dict[Key, KnownCluster] = {}
    for keys in _connected(members, owner):
        cluster = sorted((members[key] for key in keys), key=lambda member: member.name)
        if len(cluster) > 1 and all(_is_plain(member, owner, twice) for member in cluster):
            names = {member.name for member in cluster}
            if len(names) == len(cluster):
                size = active_size(member.active_size for member in cluster)
                files = {members[key].file for key in keys}
                if len(files) > 1 and any(member.is_known_in_its_file_alone for member in cluster):
                    continue
                entries = {file: ",".join(member.entry(file) for member in cluster) for file in files}
                found |= {key: KnownCluster(entries[members[key].file], len(cluster), size) for key in keys}
    return found


def _is_plain(member: Member, owner: Mapping[str, object], twice: set[str]) -> bool:
    said = (member.name, member.address, *member.peers)
    return (
        bool(member.name)
        and not member.has_peers_file
        and not any("$" in text for text in said)
        and member.address not in twice
        and all(peer in owner for peer in member.peers)
    )


def _connected(members: Mapping[Key, Member], owner: Mapping[str, Key]) -> list[list[Key]]:
    """The members that reach each other through peers."""
    groups = Groups[Key]()
    for key, member in members.items():
        groups.join([key, *(owner[peer] for peer in member.peers if peer in owner)])
    found: dict[Key, list[Key]] = {}
    for key in members:
        found.setdefault(groups.leader(key), []).append(key)
    return list(found.values())
