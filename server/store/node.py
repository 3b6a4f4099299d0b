"""What a tree is made of: files, which are never changed but replaced, and directories, which are,
unless a frozen copy of the tree shares them.

Because a file's record never changes after it was made, the very same object serves as the tree's file, as the
``node`` of the event that wrote it, as the ``prevNode`` of the event that replaced it, and as a line of any
listing. That is what makes a write cheap and a frozen copy of the whole tree a copy of two dicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SECOND = 1_000_000_000
"""In nanoseconds, which etcd counts time in."""

_MIN_DURATION = -(1 << 63)
_MAX_DURATION = (1 << 63) - 1
"""The range of Go's ``time.Duration``; a difference beyond it counts as the nearest end."""


@dataclass(slots=True, init=False)
class StoreNode:
    """A file of the tree, or how an event or a listing shows a file or directory. Never changed once made.

    ``value`` is None for directories and for the node of a delete or expire event. ``expiration`` is in Unix
    nanoseconds, None for no TTL. ``ttl`` is whole seconds as of the event, 0 in the tree itself. ``nodes`` is
    None where children are not listed. (Not ``frozen=True``, which would make every write pay for the check; and with
    its own ``__init__``, since the one that dataclass makes is never compiled.)
    """

    key: str
    value: bytes | None
    modified_index: int
    created_index: int
    expiration: int | None
    ttl: int
    dir: bool
    nodes: list[StoreNode] | None

    def __init__(
        self,
        key: str,
        value: bytes | None,
        modified_index: int,
        created_index: int,
        expiration: int | None = None,
        ttl: int = 0,
        dir: bool = False,
        nodes: list[StoreNode] | None = None,
    ) -> None:
        self.key = key
        self.value = value
        self.modified_index = modified_index
        self.created_index = created_index
        self.expiration = expiration
        self.ttl = ttl
        self.dir = dir
        self.nodes = nodes


@dataclass(slots=True)
class Directory:
    """A directory of the tree. ``children`` holds the full paths of its direct children, in order of creation.

    ``age`` is how often the tree had been frozen when this record was made. A frozen copy shares the records
    older than itself, so only one of the tree's present age may be changed.
    """

    key: str
    modified_index: int
    created_index: int
    expiration: int | None = None
    children: dict[str, None] = field(default_factory=dict)
    age: int = 0

    def copy(self, age: int) -> Directory:
        return Directory(
            self.key, self.modified_index, self.created_index, self.expiration, self.children.copy(), age
        )


def remaining(expiration: int, now: int) -> int:
    """Seconds left at ``now``, rounded up: 1 for the last second, 0 in the first second after, then negative."""
    left = max(_MIN_DURATION, min(_MAX_DURATION, expiration - now))
    return -(-left // SECOND)


def file_view(node: StoreNode, now: int) -> StoreNode:
    """The file as an event at ``now`` shows it."""
    if node.expiration is None:
        return node
    return StoreNode(
        node.key,
        node.value,
        node.modified_index,
        node.created_index,
        node.expiration,
        remaining(node.expiration, now),
    )


def directory_view(directory: Directory, now: int, nodes: list[StoreNode] | None = None) -> StoreNode:
    """The directory as an event or listing at ``now`` shows it."""
    expiration = directory.expiration
    return StoreNode(
        directory.key,
        None,
        directory.modified_index,
        directory.created_index,
        expiration,
        0 if expiration is None else remaining(expiration, now),
        True,
        nodes,
    )
