"""A whole data directory of etcd 0.4: the newest snapshot that is good, the log after it, and whose it is."""

from __future__ import annotations

import fcntl
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

from migrate02.datadir import log04, notes04, snapshot04
from migrate02.datadir.commands04 import BadField
from migrate02.datadir.errors import DataError
from migrate02.datadir.kinds import kind_of
from migrate02.datadir.replay04 import Registered, Replayer, UnknownCommand, registered
from server.storage.datadir import Kind
from server.store import Store


@dataclass(slots=True)
class Source:
    """What a 0.4 directory holds. ``index`` and ``term`` are those of the last entry, (0, 0) without any.

    ``name`` is the node's own, ``""`` when nothing in the directory tells it. ``warnings`` are damage that was passed
    over, each with its place. ``entries`` is how many of the log's were applied.
    """

    path: Path
    store: Store
    index: int
    term: int
    members: dict[str, Registered]
    name: str = ""
    standby: notes04.Standby | None = None
    entries: int = 0
    snapshot_index: int = 0
    torn: log04.Torn | None = None
    warnings: list[str] = field(default_factory=list)

    def take_keys(self) -> Store:
        """The keys, which are gone from here then: they may be many, and nobody should keep them longer than needed."""
        taken, self.store = self.store, Store()
        return taken

    @property
    def is_standby(self) -> bool:
        """Whether the node was no member any more, or not yet, when it was stopped."""
        return self.standby is not None and self.standby.running


def read_source(path: Path) -> Source:
    """Reads and replays a directory, which stays as it is. Raises DataError."""
    _check_kind(path)
    log_path = path / "log"
    warnings: list[str] = []
    snapshot = _newest_snapshot(path / "snapshot", log_path, warnings)
    store, after, term = Store(), 0, 0
    if snapshot is not None:
        store, after, term = snapshot.store, snapshot.index, snapshot.term
    log = log04.Log(log_path)
    replayer = Replayer(store)
    index, applied = after, 0
    for entry in log:
        if entry.index <= after:
            continue  # 0.4 keeps 200 entries from before the snapshot
        if entry.index != index + 1:
            raise _hole(log_path, entry, index)
        _apply(replayer, entry, log_path)
        index, term = entry.index, entry.term
        applied += 1
    _warn_of_what_is_lost(path / "snapshot", index, log_path, warnings)
    if log.torn is not None:
        warnings.append(
            f"{log_path}, byte {log.torn.offset}: the log ends with {log.torn.bytes} bytes that are no whole entry, as "
            "a crash leaves them; they are skipped"
        )
    source = Source(
        path,
        store,
        index,
        term,
        {member.name: member for member in registered(store)},
        entries=applied,
        snapshot_index=after,
        torn=log.torn,
        warnings=warnings,
    )
    _read_notes(source)
    return source


def in_use(path: Path) -> bool:
    """Whether a process still has the log open for writing, as a running 0.4 has.

    The kernel grants a lease for reading only on a file that nobody writes. Where it grants none to us at all, as on
    other people's files or over the network, nothing can be said, and the answer is no.
    """
    try:
        descriptor = os.open(path / "log", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # who breaks a lease must not end us
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def entry_at(source: Source, index: int) -> log04.Entry | None:
    """The entry of the log with that index, None when the log has it no more, or not yet."""
    return next((entry for entry in log04.Log(source.path / "log") if entry.index == index), None)


def _check_kind(path: Path) -> None:
    kind = kind_of(path)
    if kind is Kind.EMPTY:
        what = "does not exist" if not path.exists() else "holds no data of etcd 0.4"
        raise DataError(f"{what}: give the directory with log, conf and snapshot in it", path)
    if kind is not Kind.ETCD04:
        raise DataError(
            "holds the data of etcd 2.x, which is newer than any of 0.4 beside it: start 2.x on it", path
        )


def _newest_snapshot(directory: Path, log_path: Path, warnings: list[str]) -> snapshot04.Snapshot | None:
    """The newest good one. What is broken is passed over as long as nothing is missing then."""
    broken: DataError | None = None
    first = _first_index(log_path)
    for path in snapshot04.newest_first(directory):
        try:
            snapshot = snapshot04.read_snapshot(path, lambda index: _elected_since(log_path, index))
        except DataError as error:
            broken = broken or error
            warnings.append(f"{error}; skipped")
            continue
        if broken is not None and not (first and first <= snapshot.index + 1):
            break
        return snapshot
    else:
        if broken is None or first == 1:
            return None
    begins = f"begins with entry {first}" if first else "has no entries"
    raise DataError(
        f"{broken.message}; the log {begins}, so what it held is not here a second time",
        broken.path,
        broken.offset,
        log04.OTHER_MEMBER,
    )


def _warn_of_what_is_lost(directory: Path, index: int, log_path: Path, warnings: list[str]) -> None:
    """A snapshot that had to be passed over says by its name how far things had come."""
    beyond = [
        path for path in snapshot04.newest_first(directory) if snapshot04.term_and_index(path)[1] > index
    ]
    if beyond:
        warnings.append(
            f"{log_path}: ends with entry {index}; what came after it, up to {beyond[0].name}, is in that damaged "
            "snapshot alone, and lost here. Another member may have it"
        )


def _first_index(log_path: Path) -> int:
    """0 when there is none."""
    return next((entry.index for entry in log04.Log(log_path)), 0)


def _elected_since(log_path: Path, index: int) -> bool:
    return any(entry.index > index and entry.name == "raft:nop" for entry in log04.Log(log_path))


def _apply(replayer: Replayer, entry: log04.Entry, log_path: Path) -> None:
    try:
        replayer.apply(entry.name, entry.command)
    except (UnknownCommand, BadField) as error:
        raise DataError(
            f"entry {entry.index}, {entry.name}: {error}", log_path, entry.offset, log04.OTHER_MEMBER
        ) from error


def _hole(log_path: Path, entry: log04.Entry, index: int) -> DataError:
    what = f"the snapshot holds what came before, up to entry {index}" if index else "there is no snapshot"
    return DataError(
        f"the log begins with entry {entry.index}, and {what}: entries are missing",
        log_path,
        entry.offset,
        log04.OTHER_MEMBER,
    )


def _read_notes(source: Source) -> None:
    """Whose directory it is, as far as it tells. What cannot be read of that costs no key, so it only warns."""
    others: frozenset[str] | None = None
    try:
        others = notes04.other_members(source.path / "conf")
    except DataError as error:
        source.warnings.append(f"{error}; skipped")
    try:
        source.standby = notes04.standby_info(source.path / "standby_info")
    except DataError as error:
        source.warnings.append(f"{error}; taken for a member's directory")
    left = set(source.members) - (others or frozenset())
    if len(left) == 1:
        (source.name,) = left
