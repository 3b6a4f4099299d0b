"""Writes a member's data directory of etcd 2.x: one snapshot with all keys, and a log that begins behind it.

Written aside, synced, opened again with the reader that a start uses, compared, and only then renamed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import Counted, digest, keys_of, user_keys, without_machinery
from migrate02.datadir.members import Cluster
from migrate02.datadir.replay04 import Registered
from migrate02.files.stopping import Stopped, held
from server.cluster.ids import id_text
from server.cluster.members import MEMBERS, Member, compact_json
from server.raft.types import HardState, Snapshot
from server.storage.codec import WalMetadata, WalPosition
from server.storage.errors import StorageError
from server.storage.files import REAL_FILES, make_private_directory
from server.storage.snapshots import SnapshotDir, read_snapshot
from server.storage.wal import WAL
from server.store import FrozenStore, SnapshotFormatError, Store
from server.store.deepjson import loads
from server.store.node import Directory, StoreNode
from server.store.snapshot import read_document

TERM = 1
"""Of the snapshot. 0.4's terms begin with 0, which 2.x does not have; and nothing of them is needed any more."""

STAGE = re.compile(r"\.member\.migrate02-\d+\Z")
"""What is written aside is called so, until it becomes ``member``."""


@dataclass(slots=True, frozen=True)
class Image:
    """What is written for every member alike: the key space in 2.x's form, as of one index of the log.

    The index is that of the keys, not 0.4's: two members whose last entries did nothing have the same keys but not
    the same last entry, and a cluster whose members disagree about what is committed does not work.
    """

    raft_index: int
    pieces: Sequence[bytes]
    digest: str
    keys: int
    nodes: tuple[int, ...]

    def without_pieces(self) -> Image:
        """What is needed to compare it with what was written."""
        return replace(self, pieces=())


def image_of(store: Store, cluster: Cluster, registered: Mapping[str, Registered]) -> Image:
    """What to write for this key space and these members."""
    frozen = without_machinery(store.freeze())
    _enter_members(frozen, cluster, registered)
    keys = Counted(keys_of(frozen))
    total = digest(keys, frozen.index)
    nodes = tuple(sorted(member.id for member in cluster.members.values()))
    return Image(max(frozen.index, 1), list(frozen.pieces()), total, keys.count, nodes)


def _enter_members(frozen: FrozenStore, cluster: Cluster, registered: Mapping[str, Registered]) -> None:
    """Puts the members where 2.x has them, with the indexes of their entries in 0.4's registry."""
    _add_directory(frozen, MEMBERS, 0)
    for name, member in cluster.members.items():
        created, modified = registered[name].created_index, registered[name].modified_index
        path = f"{MEMBERS}/{id_text(member.id)}"
        _add_directory(frozen, path, created)
        for file, value in _attributes(member).items():
            key = f"{path}/{file}"
            frozen.files[key] = StoreNode(key, value, modified, created)
            frozen.directories[path].children[key] = None


def _attributes(member: Member) -> dict[str, bytes]:
    return {
        "raftAttributes": compact_json({"peerURLs": list(member.peer_urls)}),
        "attributes": member.attributes,
    }


def _add_directory(frozen: FrozenStore, path: str, index: int) -> None:
    parent = path.rpartition("/")[0]
    above = frozen.directories[parent]
    copy = frozen.directories[parent] = above.copy(above.age)
    copy.children[path] = None
    frozen.directories[path] = Directory(path, index, index)


@contextmanager
def staging(targets: Sequence[Path], like: Path) -> Iterator[list[Path]]:
    """Places to write the members' directories in, one for each target. When the block ends well they become
    ``TARGET/member``, all or, should the system fail in between, those that could; when it does not, nothing stays.

    What root makes belongs to whom ``like`` belongs to, or a service could not open it. Raises DataError when a target
    cannot take one. A signal that comes when they are being renamed waits until all are.
    """
    stages = [target / f".member.migrate02-{os.getpid()}" for target in targets]
    made: list[Path] = []
    try:
        for target, stage in zip(targets, stages, strict=True):
            made.extend(path for path in (target, *target.parents) if not path.exists())
            make_private_directory(stage)
        yield stages
        if os.geteuid() == 0:
            _give(like, [path for stage in stages for path in (stage, *stage.rglob("*"))] + made)
        with held():
            for target, stage in zip(targets, stages, strict=True):
                stage.rename(target / "member")
                REAL_FILES.sync_directory(target)
    except Stopped as stopped:
        _clean_up(stages, made)
        if all((target / "member").exists() for target in targets):
            stopped.done = f"everything was written: {', '.join(map(str, targets))}"
        raise
    except OSError as error:
        _clean_up(stages, made)
        raise DataError(f"cannot be written: {error.strerror}", Path(error.filename or targets[0])) from error
    except BaseException:
        _clean_up(stages, made)
        raise


def _give(like: Path, paths: Sequence[Path]) -> None:
    state = like.stat()
    for path in paths:
        os.chown(path, state.st_uid, state.st_gid)


def _clean_up(stages: Sequence[Path], made: Sequence[Path]) -> None:
    for stage in stages:
        shutil.rmtree(stage, ignore_errors=True)
    for directory in sorted(made, key=lambda path: len(path.parts), reverse=True):
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()


def write_member(stage: Path, image: Image, member: Member, cluster: Cluster) -> None:
    """Writes ``wal`` and ``snap`` below ``stage``. Raises DataError.

    The log: metadata, the marker of its beginning, the marker of the snapshot, the hard state. No entries.
    """
    at = WalPosition(image.raft_index, TERM)
    snap = stage / "snap"
    try:
        make_private_directory(snap)
        wal = WAL.create(stage / "wal", WalMetadata(member.id, cluster.id))
        try:
            wal.save_snapshot(at)
            wal.save(HardState(TERM, 0, image.raft_index), ())
        finally:
            wal.close()
        path = SnapshotDir(snap).save(Snapshot(image.raft_index, TERM, image.nodes, b""), image.pieces)
        path.chmod(0o600)
        REAL_FILES.sync_directory(stage)
    except StorageError as error:
        raise DataError(error.message, error.path, error.offset) from error


def check_member(stage: Path, image: Image, member: Member, cluster: Cluster) -> None:
    """Opens what was written with the readers that a start uses, and compares it. Raises DataError."""
    try:
        _check_log(stage / "wal", WalPosition(image.raft_index, TERM), WalMetadata(member.id, cluster.id))
        (path,) = (stage / "snap").iterdir()
        _check_snapshot(path, image)
    except StorageError as error:
        raise DataError(error.message, error.path, error.offset) from error


def _check_log(directory: Path, at: WalPosition, metadata: WalMetadata) -> None:
    wal, contents = WAL.open(directory, at)
    wal.close()
    if (contents.metadata, contents.hard_state, contents.entries, contents.torn_at) != (
        metadata,
        HardState(TERM, 0, at.index),
        [],
        None,
    ):
        raise DataError("was read back otherwise than it was written; the disk may be failing", directory)


def _check_snapshot(path: Path, image: Image) -> None:
    """Reads the snapshot as a start would, and compares every key. Lets go of each form of it as soon as it can."""
    snapshot = read_snapshot(path)
    found = (snapshot.index, snapshot.term, snapshot.nodes)
    text = snapshot.data.decode()
    del snapshot
    store = Store()
    try:
        document = loads(text)
        del text
        store.become(read_document(document))
        del document
    except (SnapshotFormatError, ValueError) as error:
        raise DataError(str(error), path) from error
    if (
        found != (image.raft_index, TERM, image.nodes)
        or digest(user_keys(store), store.index) != image.digest
    ):
        raise DataError("was read back otherwise than it was written; the disk may be failing", path)
