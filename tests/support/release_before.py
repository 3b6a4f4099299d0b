"""What the release before did otherwise, where its members and ours stand in one cluster."""

import heapq

from server.store.expiry import Expiry, ExpiryQueue
from server.store.node import Directory, StoreNode
from server.store.store import Store


class QueueOfBefore(ExpiryQueue):
    """Equal times in the order in which they were set, as in releases before this one."""

    def add(self, node: StoreNode | Directory) -> None:
        if node.expiration is not None:
            self._number += 1
            heapq.heappush(self._heap, Expiry(node.expiration, "", self._number, node))


class StoreOfBefore(Store):
    def __init__(self) -> None:
        super().__init__()
        self.tree.expiries = QueueOfBefore(self.tree.still_expires)
