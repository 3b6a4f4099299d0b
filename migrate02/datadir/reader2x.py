"""Reads a member's data directory of etcd 2.x, as far as its log is known to be agreed on. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from migrate02.datadir.errors import DataError
from server.cluster.members import MemberError, Members
from server.raft.types import Entry, EntryType
from server.storage.codec import WalPosition, decode_conf_change
from server.storage.errors import DamagedError, StorageError
from server.storage.replay import choose_segments, replay
from server.storage.requests import decode_request
from server.storage.snapshots import read_snapshot
from server.store import EtcdError, SnapshotFormatError, Store, apply_request


@dataclass(slots=True)
class MemberState:
    """``index`` is the last entry agreed on, ``last_index`` the last in the log. ``warnings`` name damage."""

    path: Path
    store: Store
    members: Members
    member_id: int
    term: int
    index: int
    last_index: int
    snapshot_index: int
    warnings: list[str] = field(default_factory=list)


def read_member(path: Path) -> MemberState:
    """Reads a directory of the layout of 2.0.0 or of any later 2.x. Raises DataError."""
    top = path / "member" if (path / "member").is_dir() else path
    try:
        return _read(path, top / "wal", top / "snap")
    except StorageError as error:
        raise DataError(error.message, error.path, error.offset) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", Path(error.filename or path)) from error


def _read(path: Path, wal: Path, snap: Path) -> MemberState:
    warnings: list[str] = []
    at, store = WalPosition(), Store()
    for file in sorted(snap.glob("*.snap"), reverse=True) if snap.is_dir() else ():
        try:
            snapshot = read_snapshot(file)
            store.recover(snapshot.data)
        except (DamagedError, SnapshotFormatError) as error:
            warnings.append(f"{error if isinstance(error, DamagedError) else f'{file}: {error}'}; skipped")
            continue
        at = WalPosition(snapshot.index, snapshot.term)
        break
    segments = choose_segments(wal, at.index)
    contents = replay(segments, at)
    if contents.torn_at is not None:
        warnings.append(
            f"{segments[-1].path}, byte {contents.torn_at}: the last record was not written whole; skipped"
        )
    members = Members(contents.metadata.cluster_id)
    try:
        members.recover(store, 0)
        now = 0
        for entry in contents.entries:
            if entry.index > contents.hard_state.commit:
                break
            now = _apply(entry, store, members, now)
    except MemberError as error:
        raise DataError(f"its list of members cannot be read: {error}", path) from error
    last = at.index + len(contents.entries)
    return MemberState(
        path,
        store,
        members,
        contents.metadata.node_id,
        contents.hard_state.term,
        max(at.index, min(last, contents.hard_state.commit)),
        last,
        at.index,
        warnings,
    )


def _apply(entry: Entry, store: Store, members: Members, now: int) -> int:
    """Does what a member does with an entry; returns the latest time that the log has told."""
    if entry.type is EntryType.CONF_CHANGE:
        try:
            members.apply_conf_change(decode_conf_change(entry.data), store, now)
        except MemberError:
            return now  # a change that is not valid any more changes nothing
        return now
    request = decode_request(entry.data) if entry.data else None
    if request is None:
        return now
    now = request.time or now
    plain = request.prev_exist is None and not request.prev_index and not request.prev_value
    if (
        request.method == "PUT"
        and plain
        and request.path.startswith("/0/")
        and not members.apply_put(request.path, request.val)
    ):
        return now
    try:
        apply_request(store, request, now)
    except EtcdError:
        return now  # it was refused then, too
    return now
