"""An event: what one request did, as it is answered, watched and remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from server.store.node import StoreNode


class Action:
    """The words for what happened."""

    GET: Final = "get"
    CREATE: Final = "create"
    SET: Final = "set"
    UPDATE: Final = "update"
    DELETE: Final = "delete"
    COMPARE_AND_SWAP: Final = "compareAndSwap"
    COMPARE_AND_DELETE: Final = "compareAndDelete"
    EXPIRE: Final = "expire"


@dataclass(slots=True, init=False)
class Event:
    """Never changed once made. ``etcd_index`` is the store index to report with it (X-Etcd-Index). ``unlisted``: a get
    of a directory with so much in it that its node does not have it."""

    action: str
    node: StoreNode
    prev_node: StoreNode | None
    etcd_index: int
    refresh: bool
    unlisted: bool

    def __init__(
        self,
        action: str,
        node: StoreNode,
        prev_node: StoreNode | None,
        etcd_index: int,
        refresh: bool = False,
        unlisted: bool = False,
    ) -> None:
        self.action = action
        self.node = node
        self.prev_node = prev_node
        self.etcd_index = etcd_index
        self.refresh = refresh
        self.unlisted = unlisted

    @property
    def index(self) -> int:
        """The index of the write; for a get, that of the node's last write."""
        return self.node.modified_index

    @property
    def created(self) -> bool:
        """Whether the answer is 201 rather than 200."""
        return self.action == Action.CREATE or (self.action == Action.SET and self.prev_node is None)
