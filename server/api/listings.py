"""Listings that are too long to be made in one go: what was in a directory at one moment, gathered in pieces.

A client that asks while one is being gathered waits for the next, which is of a later moment: an answer is never older
than its question. All who ask for the same of the same moment share it. What is gathered is a list of the nodes, which
never change; the text is made from it as each client takes it.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple

from server.api.node import ServedNode
from server.api.rendering import Rendering, Turns
from server.store import EtcdError, Event
from server.store.node import StoreNode

MOST_HELD = 16 << 20
"""Nodes in all the lists that are held for clients, 8 bytes each. With more the oldest list's clients are cut off."""

_Wanted = tuple[str, bool, bool]
"""A clean store path, whether it is recursive, whether it is sorted."""


class Moment(NamedTuple):
    """A moment of the key space: in Unix nanoseconds, and in indexes."""

    now: int
    etcd_index: int
    raft_index: int
    raft_term: int


class Listing:
    """``rows`` as :meth:`server.store.FrozenStore.rows` has them. ``renderings`` are the bodies that are being made of
    it."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self.rows: list[StoreNode | None] = []
        self.renderings: dict[Rendering, None] = {}


Found = Listing | Event | EtcdError
"""What there is: also something short by now, or nothing."""


class Listings:
    """Those of one node; ``turns`` is the work on all its long answers."""

    def __init__(self, node: ServedNode, turns: Turns) -> None:
        self._node = node
        self._turns = turns
        self._asked: dict[_Wanted, list[Callable[[Found], object]]] = {}
        self._gathering: Iterator[None] | None = None
        self._held: dict[Listing, None] = {}
        self._rows_held = 0

    def ask(self, path: str, *, recursive: bool, in_order: bool, tell: Callable[[Found], object]) -> None:
        """Has ``tell`` called with what is at a clean store path, at some moment from now on. It must not raise
        anything."""
        self._asked.setdefault((path, recursive, in_order), []).append(tell)
        if self._gathering is None:
            self._gathering = self._gather()
            self._turns.ask(self._go_on)

    async def of(self, path: str, *, recursive: bool = False, in_order: bool = False) -> Listing | Event:
        """What is at a store path. Raises EtcdError."""
        arrived: asyncio.Future[Found] = asyncio.get_running_loop().create_future()

        def tell(found: Found) -> None:
            if not arrived.done():
                arrived.set_result(found)

        self.ask(path, recursive=recursive, in_order=in_order, tell=tell)
        found = await arrived
        if isinstance(found, EtcdError):
            raise found
        return found

    def rendering(self, listing: Listing, pieces: Iterator[str]) -> Rendering:
        """The body made of a listing, which is held until it is closed."""
        rendering = Rendering(self._turns, pieces, lambda closed: self._release(listing, closed))
        if not listing.renderings:
            self._held[listing] = None
            self._rows_held += len(listing.rows)
        listing.renderings[rendering] = None
        while self._rows_held > MOST_HELD and len(self._held) > 1:
            for each in list(next(iter(self._held)).renderings):
                each.break_off()
        return rendering

    def _release(self, listing: Listing, rendering: Rendering) -> None:
        del listing.renderings[rendering]
        if not listing.renderings:
            del self._held[listing]
            self._rows_held -= len(listing.rows)

    def _go_on(self) -> None:
        assert self._gathering is not None
        for _ in self._gathering:
            self._turns.ask(self._go_on)
            return
        self._gathering = None

    def _gather(self) -> Iterator[None]:
        """Gathers for all who have asked, with a breath at each yield."""
        node = self._node
        while self._asked:
            asked, self._asked = self._asked, {}
            moment = Moment(node.clock(), node.store.index, node.raft_index, node.raft_term)
            frozen = node.store.freeze()
            for wanted, tells in asked.items():
                path, recursive, in_order = wanted
                if path not in frozen.directories:
                    self._look_again(wanted, tells)
                    continue
                listing = Listing(moment)
                for portion in frozen.rows(path, recursive, in_order, moment.now):
                    listing.rows += portion
                    yield
                for tell in tells:
                    tell(listing)
            del frozen, asked
            yield

    def _look_again(self, wanted: _Wanted, tells: list[Callable[[Found], object]]) -> None:
        """It was removed, or is a file now."""
        path, recursive, in_order = wanted
        found: Found
        try:
            found = self._node.store.look(path, recursive, in_order, now=self._node.clock(), whole=False)
        except EtcdError as error:
            found = error.with_traceback(None)
        if isinstance(found, Event) and found.unlisted:
            self._asked.setdefault(wanted, []).extend(tells)
            return
        for tell in tells:
            tell(found)
