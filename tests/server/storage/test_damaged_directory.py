"""A whole directory, log and snapshots, with a byte changed or a file cut short anywhere: opened as it was, or refused.

What opening a directory means is what a start does: the newest snapshot that can be read, and the log behind it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.raft.types import EMPTY_HARD_STATE, Entry, HardState, Snapshot
from server.storage.codec import WalMetadata, WalPosition
from server.storage.errors import StorageError
from server.storage.files import Files
from server.storage.replay import WalContents, list_segments, read_wal
from server.storage.snapshots import SnapshotDir, persist_received_snapshot, persist_snapshot
from server.storage.wal import WAL

METADATA = WalMetadata(0xD2304450BBEDAB53, 0x258FD313DC12711)
SEGMENT_BYTES = 400

pytestmark = pytest.mark.slow


@dataclass(slots=True)
class Life:
    """What a member wrote, and what of it is good: the entries of its log by index, the hard states, the snapshots."""

    directory: Path
    entries: dict[int, Entry]
    states: list[HardState]
    snapshots: list[Snapshot]

    @property
    def last(self) -> int:
        return max(self.entries)


def write(directory: Path, *, received: bool) -> Life:
    """Some 25 entries, a snapshot of its own at 5, and another at 14: its own, or a leader's that overruled 11 to 18."""
    (directory / "snap").mkdir(parents=True)
    wal = WAL.create(directory / "wal", METADATA, segment_bytes=SEGMENT_BYTES)
    snapshots = SnapshotDir(directory / "snap")
    life = Life(directory, {}, [EMPTY_HARD_STATE], [])

    def save(term: int, first: int, last: int, commit: int) -> None:
        entries = [Entry(term, index, b"%d.%d " % (term, index) * 3) for index in range(first, last + 1)]
        life.states.append(HardState(term, 1, commit))
        wal.save(life.states[-1], entries)
        life.entries |= {entry.index: entry for entry in entries}

    def snapshot(index: int, term: int) -> Snapshot:
        life.snapshots.append(Snapshot(index, term, (1, 2, 3), b"the keys as of %d" % index))
        return life.snapshots[-1]

    for index in range(1, 11):
        save(2, index, index, index)
        if index == 5:
            persist_snapshot(wal, snapshots, snapshot(5, 2))
    if received:
        for index in range(11, 19):
            save(3, index, index, 10)
        life.states.append(HardState(4, 0, 14))
        persist_received_snapshot(wal, snapshots, snapshot(14, 2), life.states[-1])
        for index in range(11, 19):
            del life.entries[index]
        life.states.append(HardState(4, 0, 10))  # as long as the snapshot is not there
    else:
        save(4, 11, 16, 14)
        persist_snapshot(wal, snapshots, snapshot(14, 4))
    for index in range(15 if received else 17, 40):
        save(4, index, index, index)
        newest = list_segments(directory / "wal")[-1]
        if index > 24 and newest.index < index:
            break  # the newest segment has two entries
    wal.close()
    assert len(list_segments(directory / "wal")) > 3
    return life


@pytest.fixture(params=[False, True], ids=["own snapshots", "a leader's snapshot"])
def life(request: pytest.FixtureRequest, tmp_path: Path) -> Life:
    return write(tmp_path / "whole", received=request.param)


def opened(directory: Path) -> tuple[Snapshot | None, WalContents]:
    """As a start does it, but for the locks and the syncs, which would take most of the time."""
    snapshot = SnapshotDir(directory / "snap", files=Unsynced()).load_newest()
    at = WalPosition(snapshot.index, snapshot.term) if snapshot else WalPosition()
    return snapshot, read_wal(directory / "wal", at)


class Unsynced(Files):
    def sync_directory(self, path: Path) -> None:
        pass


def as_written(life: Life, snapshot: Snapshot | None, contents: WalContents) -> bool:
    """Whether all is there. Fails if anything is that was never written, or that gave way to something else."""
    assert snapshot is None or snapshot in life.snapshots
    assert contents.metadata == METADATA
    start = snapshot.index if snapshot else 0
    found = contents.entries
    assert found == [life.entries[index] for index in range(start + 1, start + 1 + len(found))]
    state = contents.hard_state
    assert any(state == known or state == known._replace(commit=start) for known in life.states)
    assert start <= state.commit <= start + len(found)
    return start + len(found) == life.last and state == life.states[-1]


def test_the_whole_directory_is_read_as_it_was_written(life: Life) -> None:
    snapshot, contents = opened(life.directory)
    assert snapshot == life.snapshots[-1]
    assert as_written(life, snapshot, contents)


def with_each_file_changed(
    life: Life, changes: Callable[[bytes], Iterable[bytes]]
) -> list[tuple[Path, bytes, str]]:
    """Opens the directory once for each change of each file; what came of each: its file, content, outcome."""
    outcomes = []
    for path in sorted(path for path in life.directory.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for content in changes(whole):
            path.write_bytes(content)
            try:
                outcome = "whole" if as_written(life, *opened(life.directory)) else "shorter"
            except StorageError as error:
                outcome = "refused" if error.path is not None else "refused without a place"
            outcomes.append((path, content, outcome))
            set_aside = path.with_name(path.name + ".broken")
            if set_aside.exists():
                assert set_aside.read_bytes() == content
                set_aside.unlink()
        path.write_bytes(whole)
    return outcomes


def test_a_byte_changed_anywhere_is_noticed_or_harmless(life: Life) -> None:
    rng = random.Random(11)

    def changes(raw: bytes) -> list[bytes]:
        return [
            raw[:position] + bytes([raw[position] ^ (1 << rng.randrange(8))]) + raw[position + 1 :]
            for position in range(len(raw))
        ]

    outcomes = with_each_file_changed(life, changes)
    assert {outcome for *_, outcome in outcomes} == {"whole", "refused"}
    by_kind = {
        kind: {outcome for path, _, outcome in outcomes if path.suffix == kind} for kind in (".wal", ".snap")
    }
    # A snapshot of one's own that is damaged is no loss: the one before is there, and the log from there on.
    newest_is_own = life.snapshots[-1].term == 4
    assert by_kind[".snap"] == ({"whole"} if newest_is_own else {"whole", "refused"})
    assert "refused" in by_kind[".wal"]


def test_a_file_cut_short_anywhere_gives_no_wrong_data(life: Life) -> None:
    """Only the newest segment may have lost its end in a crash; that one is cut back to its last whole record."""

    def changes(raw: bytes) -> list[bytes]:
        return [raw[:size] for size in range(len(raw))]

    newest = list_segments(life.directory / "wal")[-1].path.name
    outcomes = with_each_file_changed(life, changes)
    assert {path.name for path, _, outcome in outcomes if outcome == "shorter"} == {newest}
    assert any(outcome == "refused" for path, _, outcome in outcomes if path.name != newest)
    shorter = [content for path, content, outcome in outcomes if path.name == newest and outcome == "shorter"]
    refused = [content for path, content, outcome in outcomes if path.name == newest and outcome == "refused"]
    assert max(map(len, refused)) < min(map(len, shorter))  # without its head it is no segment
