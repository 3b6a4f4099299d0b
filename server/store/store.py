"""What etcd's v2 API does to a tree: get, set, create, update, compare-and-swap, delete, expire, watch. Each operation
is refused or done, counted, and made known to its watchers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from server.store.errors import ErrorCode, EtcdError
from server.store.event import Action, Event
from server.store.listing import listing
from server.store.node import Directory, StoreNode, directory_view, file_view
from server.store.paths import clean
from server.store.snapshot import FrozenStore, StoreState, read_snapshot
from server.store.stats import Stats
from server.store.tree import KeyTree
from server.store.watcher import Watcher, WatcherHub

NAMESPACES = ("/0", "/1")

# An expiry before the year 2000 is taken for the product of an overflow, and means "none" (set and create only).
_EARLIEST_EXPIRATION = 946_684_800 * 1_000_000_000
"""Unix nanoseconds of 2000-01-01, ``minExpireTime`` of etcd."""


class Store:
    """One member's key space.

    Every operation takes ``now`` in Unix nanoseconds, from which the TTLs shown are counted. ``expiration`` is
    absolute, in Unix nanoseconds, None for no TTL. Paths are cleaned here, so any text will do as one. Operations
    raise :class:`EtcdError` as etcd 2.3.8 does; a refused one changes nothing but a counter.
    """

    def __init__(self, namespaces: Iterable[str] = NAMESPACES) -> None:
        self.tree = KeyTree(namespaces)
        """To look at; it is changed by operations alone."""
        self.stats = Stats()
        self.recursive_gets = 0
        """How many of the gets in ``stats`` were recursive, of those in this process."""
        self.on_event: Callable[[Event, list[str], list[str]], object] | None = None
        """Called after each change, in the middle of an operation, so it must neither change anything nor raise: with
        the event, and the paths of the files and of the directories that went away with it."""
        self._stats_before = Stats()  # what others had counted when a snapshot was taken over
        self._hub = WatcherHub()
        self._read_only = frozenset(("/", *namespaces))

    @property
    def index(self) -> int:
        """How many changes there were: what X-Etcd-Index says."""
        return self.tree.index

    # Reading

    def get(
        self, path: str, recursive: bool = False, sorted: bool = False, *, now: int, whole: bool = True
    ) -> Event:
        """A file, or a directory with its visible children (with all below it if ``recursive``).

        Unsorted listings come in the order of creation. Unless it must be ``whole``, a listing that would take long
        to make is not made: the event is ``unlisted``, and :meth:`freeze` has the rows. Raises EtcdError 100, 104.
        """
        if recursive:
            self.recursive_gets += 1
        file = self.tree.files.get(path)
        if file is not None:
            self.stats.gets_success += 1
            return Event(Action.GET, file_view(file, now), None, self.index)
        try:
            event = self.look(path, recursive, sorted, now=now, whole=whole)
        except EtcdError:
            self.stats.gets_fail += 1
            raise
        self.stats.gets_success += 1
        return event

    def look(
        self, path: str, recursive: bool = False, sorted: bool = False, *, now: int, whole: bool = True
    ) -> Event:
        """As :meth:`get`, but does not count as one."""
        found = self.tree.find(clean(path))
        if isinstance(found, StoreNode):
            return Event(Action.GET, file_view(found, now), None, self.index)
        shown = listing(self.tree, found, recursive, sorted, now, whole)
        if shown is None:
            return Event(Action.GET, directory_view(found, now), None, self.index, unlisted=True)
        return Event(Action.GET, shown, None, self.index)

    def peek(self, path: str) -> bytes | None:
        """The value of a file, by its clean path; None when there is none. Counts as a get."""
        file = self.tree.files.get(path)
        if file is None:
            self.stats.gets_fail += 1
            return None
        self.stats.gets_success += 1
        return file.value

    def due(self, now: int, most: int) -> int | None:
        """The cutoff for a :meth:`delete_expired` that removes what is due at ``now``, or of that the ``most`` that
        are due first; None when nothing is. Few nodes at a time keep a loop's other clients from waiting."""
        return self.tree.expiries.due(now, most)

    # Writing

    def set(
        self,
        path: str,
        value: bytes = b"",
        *,
        dir: bool = False,
        expiration: int | None = None,
        refresh: bool = False,
        now: int,
    ) -> Event:
        """Create or replace a file; with ``dir`` an empty directory, which may replace a file.

        ``refresh`` keeps the value of the file that is there. Raises EtcdError 100 (refresh), 102, 104, 107.
        """
        files, stats = self.tree.files, self.stats
        old = files.get(path)
        if old is None:
            path = clean(path)
            old = files.get(path)
        try:
            if old is None:
                self._check_settable(path, refresh)
            elif refresh and old.value is not None:
                value = old.value
            node = self._put(path, value, dir, expiration, now)
        except EtcdError:
            stats.sets_fail += 1
            raise
        stats.sets_success += 1
        previous = None if old is None else file_view(old, now)
        return self._publish(Event(Action.SET, node, previous, self.index, refresh))

    def create(
        self,
        path: str,
        value: bytes = b"",
        *,
        dir: bool = False,
        unique: bool = False,
        expiration: int | None = None,
        now: int,
    ) -> Event:
        """Create a file or directory that is not there; with ``unique`` below ``path``, named by the new index.

        Raises EtcdError 104, 105, 107.
        """
        if unique:
            path = f"{path}/{self.index + 1:020d}"
        path = clean(path)
        try:
            if path in self._read_only:
                raise self._refusal(ErrorCode.ROOT_READ_ONLY, "/")
            if path in self.tree.files or path in self.tree.directories:
                raise self._refusal(ErrorCode.KEY_EXISTS, path)
            node = self._put(path, value, dir, expiration, now)
        except EtcdError as error:
            self.stats.create_fail += 1
            if error.code == ErrorCode.NOT_A_DIRECTORY:
                self.stats.sets_fail += 1  # etcd counts this one twice
            raise
        self.stats.create_success += 1
        return self._publish(Event(Action.CREATE, node, None, self.index))

    def update(
        self,
        path: str,
        value: bytes = b"",
        *,
        expiration: int | None = None,
        refresh: bool = False,
        now: int,
    ) -> Event:
        """Change the value and TTL of a file, or the TTL of a directory, that is there.

        A directory's own modified index stays, though the event shows the new one. Raises EtcdError 100, 102, 104,
        107.
        """
        stats = self.stats
        path = clean(path)
        if path in self._read_only:
            stats.update_success += 1  # so etcd counts it
            raise self._refusal(ErrorCode.ROOT_READ_ONLY, "/")
        try:
            found = self.tree.find(path)
        except EtcdError:
            stats.update_fail += 1
            raise
        stats.update_success += 1
        if isinstance(found, StoreNode):
            return self._rewrite(Action.UPDATE, found, value, expiration, refresh, now)
        if value:
            raise self._refusal(ErrorCode.NOT_A_FILE, path)  # counted as a success, as in etcd
        previous = directory_view(found, now)
        node = directory_view(self.tree.keep_until(found, expiration), now)
        node.modified_index = self.index
        return self._publish(Event(Action.UPDATE, node, previous, self.index, refresh))

    def compare_and_swap(
        self,
        path: str,
        value: bytes,
        *,
        prev_value: bytes = b"",
        prev_index: int = 0,
        expiration: int | None = None,
        refresh: bool = False,
        now: int,
    ) -> Event:
        """Change a file if it is still as expected; an empty ``prev_value`` or a 0 ``prev_index`` always match.

        Raises EtcdError 100, 101, 102, 104, 107.
        """
        stats = self.stats
        path = clean(path)
        if path in self._read_only:
            stats.compare_and_swap_success += 1  # so etcd counts it
            raise self._refusal(ErrorCode.ROOT_READ_ONLY, "/")
        try:
            found = self.tree.find(path)
            if isinstance(found, Directory):
                raise self._refusal(ErrorCode.NOT_A_FILE, path)
            self._compare(found, prev_value, prev_index)
        except EtcdError:
            stats.compare_and_swap_fail += 1
            raise
        stats.compare_and_swap_success += 1
        return self._rewrite(Action.COMPARE_AND_SWAP, found, value, expiration, refresh, now)

    def delete(self, path: str, *, dir: bool = False, recursive: bool = False, now: int) -> Event:
        """Remove a file, an empty directory (``dir``) or a directory with all in it (``recursive``).

        Raises EtcdError 100, 102, 104, 107, 108.
        """
        stats = self.stats
        path = clean(path)
        if path in self._read_only:
            stats.delete_success += 1  # so etcd counts it
            raise self._refusal(ErrorCode.ROOT_READ_ONLY, "/")
        try:
            found = self.tree.find(path)
            if isinstance(found, Directory):
                if not (dir or recursive):
                    raise self._refusal(ErrorCode.NOT_A_FILE, path)
                if found.children and not recursive:
                    raise self._refusal(ErrorCode.DIRECTORY_NOT_EMPTY, path)
        except EtcdError:
            stats.delete_fail += 1
            raise
        stats.delete_success += 1
        return self._remove(Action.DELETE, found, now)

    def compare_and_delete(
        self, path: str, *, prev_value: bytes = b"", prev_index: int = 0, now: int
    ) -> Event:
        """Remove a file if it is still as expected. Raises EtcdError 100, 101, 102, 104."""
        stats = self.stats
        path = clean(path)
        try:
            found = self.tree.find(path)
        except EtcdError:
            stats.compare_and_delete_fail += 1
            raise
        stats.compare_and_delete_success += 1  # whatever comes of it: so etcd counts
        if isinstance(found, Directory):
            raise self._refusal(ErrorCode.NOT_A_FILE, path)
        self._compare(found, prev_value, prev_index)
        return self._remove(Action.COMPARE_AND_DELETE, found, now)

    def delete_expired(self, cutoff: int, *, now: int) -> None:
        """Remove all that is due at or before ``cutoff`` (Unix nanoseconds): one index and one event each."""
        while (first := self.tree.expiries.first()) is not None and first.at <= cutoff:
            self._remove(Action.EXPIRE, self.tree.find(first.node.key), now)
            self.stats.expire_count += 1

    # Watching

    def watch(self, path: str, recursive: bool = False, stream: bool = False, since: int = 0) -> Watcher:
        """A watcher for events from index ``since`` on, 0 for those to come; see :mod:`server.store.watcher`.

        Raises EtcdError 401 when events that old are forgotten.
        """
        return self._hub.watch(clean(path), recursive, stream, since or self.index + 1, self.index)

    @property
    def watchers(self) -> int:
        """Watches that are open and may still get an event."""
        return self._hub.count

    @property
    def watch_requests(self) -> int:
        """How many watches were asked for in this process."""
        return self._hub.requests

    def end_watches(self) -> None:
        """Ends all that are open: what they wait for may be in what the store is about to take over."""
        self._hub.end_all()

    def stats_of_process(self) -> Stats:
        """What was counted in this process, without what a snapshot brought along."""
        return self.stats - self._stats_before

    def stats_json(self) -> bytes:
        """What ``/v2/stats/store`` answers, without newline."""
        self.stats.watchers = self._hub.count
        return self.stats.to_json().encode()

    # Snapshots

    def freeze(self) -> FrozenStore:
        """The state as of now, to be written out later or elsewhere.

        Costs the copy of two dicts and of the history.
        """
        files, directories = self.tree.freeze()
        return FrozenStore(files, directories, self._hub.history.copy(), self.index, self.stats.to_json())

    def save(self) -> bytes:
        """The state as the JSON that etcd 2.3 puts into a snapshot."""
        return self.freeze().encode()

    def recover(self, data: bytes) -> None:
        """Become what :meth:`save` of this or etcd 2.0 to 2.3 wrote; live watchers stay.

        Raises SnapshotFormatError, and then nothing has changed.
        """
        self.become(read_snapshot(data))

    def become(self, state: StoreState) -> None:
        """Take over a state that was read from a snapshot and that nobody else keeps; live watchers stay."""
        self.tree.become(state.files, state.directories, state.index)
        self._hub.history = state.history
        self._stats_before = state.stats - self.stats_of_process()
        self.stats = state.stats

    # Inside

    def _refusal(self, code: ErrorCode, cause: str) -> EtcdError:
        return EtcdError(code, cause, self.index)

    def _check_settable(self, path: str, refresh: bool) -> None:
        """Refuse a set where there is no file, as etcd does: what is in the way decides first, then refresh."""
        if path in self._read_only:
            raise self._refusal(ErrorCode.ROOT_READ_ONLY, "/")
        if path in self.tree.directories:
            raise self._refusal(ErrorCode.NOT_A_FILE, path)
        if refresh:
            self.tree.find(path)

    def _compare(self, file: StoreNode, prev_value: bytes, prev_index: int) -> None:
        failed = []
        if prev_value and file.value != prev_value:
            wanted, actual = (
                text.decode("utf-8", "surrogateescape") for text in (prev_value, file.value or b"")
            )
            failed.append(f"[{wanted} != {actual}]")
        if prev_index and file.modified_index != prev_index:
            failed.append(f"[{prev_index} != {file.modified_index}]")
        if failed:
            raise self._refusal(ErrorCode.COMPARE_FAILED, " ".join(failed))

    def _put(self, path: str, value: bytes, dir: bool, expiration: int | None, now: int) -> StoreNode:
        """Put a new node where there is none, or a file; returns it as its event shows it."""
        if expiration is not None and expiration < _EARLIEST_EXPIRATION:
            expiration = None
        if dir:
            return directory_view(self.tree.put_directory(path, expiration), now)
        return file_view(self.tree.put_file(path, value, expiration), now)

    def _rewrite(
        self, action: str, file: StoreNode, value: bytes, expiration: int | None, refresh: bool, now: int
    ) -> Event:
        """Give a file a new value and TTL, keeping its created index."""
        if refresh and file.value is not None:
            value = file.value
        previous = file_view(file, now)
        node = file_view(self.tree.rewrite(file, value, expiration), now)
        return self._publish(Event(action, node, previous, self.index, refresh))

    def _remove(self, action: str, found: StoreNode | Directory, now: int) -> Event:
        """Take a node out with all below it: one index, one event."""
        previous = file_view(found, now) if isinstance(found, StoreNode) else directory_view(found, now)
        gone, files, directories = self.tree.remove(found)
        shown_as_directory = previous.dir and action == Action.DELETE
        node = StoreNode(found.key, None, self.index, found.created_index, dir=shown_as_directory)
        event = Event(action, node, previous, self.index)
        self._hub.tell_removed(event, gone)
        self._hub.add(event)
        if self.on_event is not None:
            self.on_event(event, files, directories)
        return event

    def _publish(self, event: Event) -> Event:
        self._hub.add(event)
        if self.on_event is not None:
            self.on_event(event, [], [])
        return event
