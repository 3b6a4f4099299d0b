"""The tree and what can be done to it: get, set, create, update, compare-and-swap, delete, expire, watch.

Two flat dicts, path to file and path to directory, make up the tree; a directory also knows the paths of its
children. So a get or an overwriting set is one lookup however deep the key is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from server.store.errors import ErrorCode, EtcdError
from server.store.event import Action, Event
from server.store.expiry import Expiry, ExpiryQueue
from server.store.node import Directory, StoreNode, directory_view, file_view
from server.store.paths import byte_order, clean, parent_of
from server.store.snapshot import FrozenStore, StoreState, read_snapshot
from server.store.stats import Stats
from server.store.watcher import Watcher, WatcherHub

NAMESPACES = ("/0", "/1")

# An expiry before the year 2000 is taken for the product of an overflow, and means "none" (set and create only).
_EARLIEST_EXPIRATION = 946_684_800 * 1_000_000_000
"""Unix nanoseconds of 2000-01-01, ``minExpireTime`` of etcd."""

LISTED_AT_ONCE = 1_000
"""Nodes of a listing that is made in one go: a millisecond or two with what it takes to write it."""
BYTES_AT_ONCE = 64 << 10
"""Of the values in it."""


class Store:
    """One member's key space.

    Every operation takes ``now`` in Unix nanoseconds, from which the TTLs shown are counted. ``expiration`` is
    absolute, in Unix nanoseconds, None for no TTL. Paths are cleaned here, so any text will do as one. Operations
    raise :class:`EtcdError` as etcd 2.3.8 does; a refused one changes nothing but a counter.
    """

    def __init__(self, namespaces: Iterable[str] = NAMESPACES) -> None:
        self.index = 0
        self.stats = Stats()
        self.recursive_gets = 0
        """How many of the gets in ``stats`` were recursive, of those in this process."""
        self.on_event: Callable[[Event, list[str], list[str]], object] | None = None
        """Called after each change, in the middle of an operation, so it must neither change anything nor raise: with
        the event, and the paths of the files and of the directories that went away with it."""
        self._stats_before = Stats()  # what others had counted when a snapshot was taken over
        self._hub = WatcherHub()
        self._files: dict[str, StoreNode] = {}
        self._directories: dict[str, Directory] = {"/": Directory("/", 0, 0)}
        self._expiries = ExpiryQueue(self._still_expires)
        self._age = 0
        self._read_only = frozenset(("/", *namespaces))
        for path in namespaces:
            self._add_directory(Directory(path, 0, 0))

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
        file = self._files.get(path)
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
        found = self._find(clean(path))
        if isinstance(found, StoreNode):
            return Event(Action.GET, file_view(found, now), None, self.index)
        shown = self._listing(found, recursive, sorted, now, whole)
        if shown is None:
            return Event(Action.GET, directory_view(found, now), None, self.index, unlisted=True)
        return Event(Action.GET, shown, None, self.index)

    def peek(self, path: str) -> bytes | None:
        """The value of a file, by its clean path; None when there is none. Counts as a get."""
        file = self._files.get(path)
        if file is None:
            self.stats.gets_fail += 1
            return None
        self.stats.gets_success += 1
        return file.value

    def values_in(self, path: str) -> list[bytes]:
        """The values of all files in a directory, by its clean path; none when there is no such directory. Does not
        count."""
        directory = self._directories.get(path)
        if directory is None:
            return []
        found = [self._files.get(child) for child in directory.children]
        return [file.value or b"" for file in found if file is not None]

    def directory(self, path: str) -> Directory | None:
        """A directory's record by its clean path, to look at; None when there is none. Does not count."""
        return self._directories.get(path)

    def due(self, now: int, most: int) -> int | None:
        """The cutoff for a :meth:`delete_expired` that removes what is due at ``now``, or of that the ``most`` that
        are due first; None when nothing is. Few nodes at a time keep a loop's other clients from waiting."""
        return self._expiries.due(now, most)

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
        stats = self.stats
        old = self._files.get(path)
        if old is None:
            path = clean(path)
            old = self._files.get(path)
        try:
            if old is not None:
                if refresh and old.value is not None:
                    value = old.value
            else:
                self._check_settable(path, refresh)
            node = self._put_new(path, value, dir, expiration, now)
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
            if path in self._files or path in self._directories:
                raise self._refusal(ErrorCode.KEY_EXISTS, path)
            node = self._put_new(path, value, dir, expiration, now)
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
            found = self._find(path)
        except EtcdError:
            stats.update_fail += 1
            raise
        stats.update_success += 1
        if isinstance(found, StoreNode):
            previous = file_view(found, now)
            node = self._rewrite(found, value, expiration, refresh, now)
        else:
            if value:
                raise self._refusal(ErrorCode.NOT_A_FILE, path)  # counted as a success, as in etcd
            previous = directory_view(found, now)
            self.index += 1
            found = self._changeable(found)
            found.expiration = expiration
            self._expiries.add(found)
            node = directory_view(found, now)
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
            found = self._find(path)
            if isinstance(found, Directory):
                raise self._refusal(ErrorCode.NOT_A_FILE, path)
            self._compare(found, prev_value, prev_index)
        except EtcdError:
            stats.compare_and_swap_fail += 1
            raise
        stats.compare_and_swap_success += 1
        previous = file_view(found, now)
        node = self._rewrite(found, value, expiration, refresh, now)
        return self._publish(Event(Action.COMPARE_AND_SWAP, node, previous, self.index, refresh))

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
            found = self._find(path)
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
            found = self._find(path)
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
        while (first := self._expiries.first()) is not None and first.at <= cutoff:
            self._remove(Action.EXPIRE, self._find(first.node.key), now)
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

        Costs the copy of two dicts; directories are copied later, each at its first change (``_changeable``).
        """
        self._age += 1
        return FrozenStore(
            self._files.copy(),
            self._directories.copy(),
            self._hub.history.copy(),
            self.index,
            self.stats.to_json(),
        )

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
        self._files = state.files
        self._directories = state.directories
        self._hub.history = state.history
        self.index = state.index
        self._stats_before = state.stats - self.stats_of_process()
        self.stats = state.stats
        self._expiries = ExpiryQueue(self._still_expires)
        for directory in state.directories.values():
            self._expiries.add(directory)
        for file in state.files.values():
            self._expiries.add(file)

    # Inside

    def _refusal(self, code: ErrorCode, cause: str) -> EtcdError:
        return EtcdError(code, cause, self.index)

    def _find(self, path: str) -> StoreNode | Directory:
        """What is at a clean path; EtcdError names the first component that is missing or is a file."""
        found = self._files.get(path) or self._directories.get(path)
        if found is not None:
            return found
        end = path.find("/", 1)
        while end != -1:
            above = path[:end]
            if above in self._files:
                raise self._refusal(ErrorCode.NOT_A_DIRECTORY, above)
            if above not in self._directories:
                raise self._refusal(ErrorCode.KEY_NOT_FOUND, above)
            end = path.find("/", end + 1)
        raise self._refusal(ErrorCode.KEY_NOT_FOUND, path)

    def _check_settable(self, path: str, refresh: bool) -> None:
        """Refuse a set where there is no file, as etcd does: what is in the way decides first, then refresh."""
        if path in self._read_only:
            raise self._refusal(ErrorCode.ROOT_READ_ONLY, "/")
        if path in self._directories:
            raise self._refusal(ErrorCode.NOT_A_FILE, path)
        if refresh:
            self._find(path)

    def _put_new(self, path: str, value: bytes, dir: bool, expiration: int | None, now: int) -> StoreNode:
        """Put a new node where there is none, or a file; returns it as its event shows it."""
        if expiration is not None and expiration < _EARLIEST_EXPIRATION:
            expiration = None
        if path not in self._files:
            self._make_parents(path)
        index = self.index = self.index + 1
        if dir:
            self._files.pop(path, None)
            directory = Directory(path, index, index, expiration)
            self._add_directory(directory)
            self._expiries.add(directory)
            return directory_view(directory, now)
        node = self._files[path] = StoreNode(path, value, index, index, expiration)
        if expiration is None:
            return node
        self._expiries.add(node)
        return file_view(node, now)

    def _make_parents(self, path: str) -> None:
        """Enter ``path`` as a child of its directory, made with the next index along with those above it."""
        missing = []
        while True:
            above = parent_of(path)
            directory = self._directories.get(above)
            missing.append(path)
            if directory is not None:
                break
            if above in self._files:
                raise self._refusal(ErrorCode.NOT_A_DIRECTORY, above)
            path = above
        directory = self._changeable(directory)
        index = self.index + 1
        for child in reversed(missing):
            directory.children[child] = None
            if child is not missing[0]:
                directory = self._directories[child] = Directory(child, index, index, age=self._age)

    def _add_directory(self, directory: Directory) -> None:
        directory.age = self._age
        self._directories[directory.key] = directory
        self._changeable(self._directories[parent_of(directory.key)]).children[directory.key] = None

    def _changeable(self, directory: Directory) -> Directory:
        """The directory itself, or when a frozen copy shares it, one that takes its place in the tree."""
        if directory.age == self._age:
            return directory
        copy = self._directories[directory.key] = directory.copy(self._age)
        return copy

    def _rewrite(
        self, old: StoreNode, value: bytes, expiration: int | None, refresh: bool, now: int
    ) -> StoreNode:
        """Give a file a new value and TTL, keeping its created index."""
        if refresh and old.value is not None:
            value = old.value
        self.index += 1
        node = self._files[old.key] = StoreNode(old.key, value, self.index, old.created_index, expiration)
        if expiration is None:
            return node
        self._expiries.add(node)
        return file_view(node, now)

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

    def _remove(self, action: str, found: StoreNode | Directory, now: int) -> Event:
        """Take a node out with all below it: one index, one event."""
        path = found.key
        self.index += 1
        files = gone = [path]
        directories: list[str] = []
        if isinstance(found, StoreNode):
            previous = file_view(found, now)
            del self._files[path]
        else:
            gone = self._below(found)
            previous = directory_view(found, now)
            files = []
            for each in gone:
                if self._files.pop(each, None) is None:
                    del self._directories[each]
                    directories.append(each)
                else:
                    files.append(each)
        del self._changeable(self._directories[parent_of(path)]).children[path]
        shown_as_directory = previous.dir and action == Action.DELETE
        node = StoreNode(path, None, self.index, found.created_index, dir=shown_as_directory)
        event = Event(action, node, previous, self.index)
        self._hub.tell_removed(event, gone)
        self._tell_watchers(event)
        if self.on_event is not None:
            self.on_event(event, files, directories)
        return event

    def _below(self, directory: Directory) -> list[str]:
        """The paths of a directory and all in it, children before parents."""
        paths = [directory.key]
        for path in paths:
            if (inner := self._directories.get(path)) is not None:
                paths.extend(inner.children)
        paths.reverse()
        return paths

    def _publish(self, event: Event) -> Event:
        self._tell_watchers(event)
        if self.on_event is not None:
            self.on_event(event, [], [])
        return event

    def _tell_watchers(self, event: Event) -> None:
        if event.refresh:
            self._hub.history.append(event)
        else:
            self._hub.add(event)

    def _still_expires(self, entry: Expiry) -> bool:
        node = entry.node
        if isinstance(node, StoreNode):
            return self._files.get(node.key) is node
        # A directory's record may have been replaced by a copy since; when it was created says whether it is the same.
        directory = self._directories.get(node.key)
        return (
            directory is not None
            and directory.created_index == node.created_index
            and directory.expiration == entry.at
        )

    def _is_long(self, top: Directory, recursive: bool) -> bool:
        """Whether a listing has more nodes than are listed at once; looks at no more than these."""
        count = 0
        todo = [top]
        for directory in todo:
            count += len(directory.children)
            if count > LISTED_AT_ONCE:
                return True
            if recursive:
                for path in directory.children:
                    inner = self._directories.get(path)
                    if inner is not None:
                        todo.append(inner)
        return False

    def _listing(
        self, top: Directory, recursive: bool, in_order: bool, now: int, whole: bool
    ) -> StoreNode | None:
        """A directory with what is visible in it; None when that is too much, unless it must be ``whole``. A tree may
        have any depth."""
        if not whole and self._is_long(top, recursive):
            return None
        shown = directory_view(top, now, [])
        todo = [(top, shown)]
        size = 0
        while todo:
            directory, view = todo.pop()
            if size > BYTES_AT_ONCE and not whole:
                return None
            nodes: list[StoreNode] = []
            name_at = len(directory.key) + (directory.key != "/")
            children = byte_order(list(directory.children)) if in_order else directory.children
            for path in children:
                if path[name_at] == "_":
                    continue
                file = self._files.get(path)
                if file is not None:
                    size += len(file.value or b"")
                    nodes.append(file if file.expiration is None else file_view(file, now))
                    continue
                inner = self._directories[path]
                inner_view = directory_view(inner, now)
                nodes.append(inner_view)
                if recursive:
                    todo.append((inner, inner_view))
            view.nodes = nodes
        return shown if whole or size <= BYTES_AT_ONCE else None
