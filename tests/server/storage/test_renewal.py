"""Numbers on disk that leave no room to count on, as forged messages left them before they were judged."""

from contextlib import suppress
from pathlib import Path

import pytest

from server.raft.types import Entry, EntryType, HardState, Snapshot
from server.storage.errors import DamagedError, LockedError, OutOfRangeError, StorageError
from server.storage.files import Files
from server.storage.renewal import begin_anew
from server.storage.replay import read_wal
from server.storage.snapshots import SnapshotDir
from server.storage.wal import WAL, WalMetadata, WalPosition

METADATA = WalMetadata(7, 9)
LAST, FIRST_BAD = (1 << 64) - 1, 1 << 62
GOOD = [Entry(1, 1, b"a"), Entry(2, 2, b"b"), Entry(2, 3, b"c")]

FORGED: dict[str, tuple[HardState, list[Entry]]] = {
    "term": (HardState(LAST, 5, 2), []),
    "term at the bound": (HardState(FIRST_BAD, 5, 2), []),
    "commit": (HardState(2, 5, LAST), []),
    "entry of a term": (HardState(LAST, 5, 2), [Entry(LAST, 4, b"forged")]),
}


def forged_log(directory: Path, state: HardState, entries: list[Entry]) -> None:
    wal = WAL.create(directory, METADATA)
    wal.save(HardState(2, 5, 2), GOOD)
    wal.save(state, entries)
    wal.close()


def forged_snapshot(directory: Path) -> None:
    """What was left of a snapshot at the last index there is, behind good entries."""
    wal = WAL.create(directory, METADATA)
    wal.save(HardState(2, 5, 2), GOOD)
    wal.begin_behind(WalPosition(LAST, 2), HardState(LAST, 0, LAST))
    wal.save(HardState(LAST, 0, LAST), [])
    wal.close()


@pytest.mark.parametrize("case", FORGED)
def test_a_log_that_leaves_no_room_is_refused_with_its_place_and_the_remedy(
    case: str, tmp_path: Path
) -> None:
    forged_log(tmp_path / "wal", *FORGED[case])
    (segment,) = before = list((tmp_path / "wal").iterdir())
    content = segment.read_bytes()
    with pytest.raises(
        OutOfRangeError, match=r"wal, byte \d+: .*leave no room to count.*--force-new-cluster"
    ):
        WAL.open(tmp_path / "wal")
    assert list((tmp_path / "wal").iterdir()) == before
    assert segment.read_bytes() == content


def test_the_last_number_that_leaves_room_is_read(tmp_path: Path) -> None:
    forged_log(tmp_path / "wal", HardState(FIRST_BAD - 1, 5, 3), [])
    assert read_wal(tmp_path / "wal").hard_state.term == FIRST_BAD - 1


@pytest.mark.parametrize("case", FORGED)
def test_a_log_begins_anew_with_all_good_entries_and_the_old_one_is_kept(case: str, tmp_path: Path) -> None:
    forged_log(tmp_path / "wal", *FORGED[case])
    (old,) = (tmp_path / "wal").iterdir()
    content = old.read_bytes()
    kept = begin_anew(tmp_path / "wal", WalPosition())
    assert kept == tmp_path / "wal.broken"
    assert (kept / old.name).read_bytes() == content
    assert len(list((tmp_path / "wal").iterdir())) == 1
    wal, contents = WAL.open(tmp_path / "wal")
    assert (contents.metadata, contents.entries) == (METADATA, GOOD)
    assert contents.hard_state == HardState(2, 0, 3)
    wal.save(HardState(3, 7, 4), [Entry(3, 4, b"", EntryType.NORMAL)])
    wal.close()
    assert read_wal(tmp_path / "wal").entries[-1] == Entry(3, 4)


def test_forged_markers_and_the_segment_behind_them_are_left_out(tmp_path: Path) -> None:
    forged_snapshot(tmp_path / "wal")
    with pytest.raises(OutOfRangeError, match="a hard state of term 18446744073709551615"):
        WAL.open(tmp_path / "wal")
    kept = begin_anew(tmp_path / "wal", WalPosition())
    assert len(list(kept.iterdir())) == 2
    contents = read_wal(tmp_path / "wal")
    assert (contents.hard_state, contents.entries) == (HardState(2, 0, 3), GOOD)


def test_a_log_behind_a_snapshot_begins_anew_at_it(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path / "wal", METADATA)
    wal.save(HardState(2, 5, 2), GOOD)
    wal.save_snapshot(WalPosition(2, 2))
    wal.save(HardState(LAST, 0, 3), [])
    wal.close()
    begin_anew(tmp_path / "wal", WalPosition(2, 2))
    contents = read_wal(tmp_path / "wal", WalPosition(2, 2))
    assert (contents.hard_state, contents.entries) == (HardState(2, 0, 3), GOOD[2:])


def test_a_log_with_nothing_good_in_it_begins_like_a_joiners(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path / "wal", METADATA)
    wal.save(HardState(LAST, 0, 0), [])
    wal.close()
    begin_anew(tmp_path / "wal", WalPosition())
    assert read_wal(tmp_path / "wal").hard_state == HardState(1, 0, 0)


def test_nothing_of_an_older_copy_is_overwritten(tmp_path: Path) -> None:
    for expected in ("wal.broken", "wal.broken.2", "wal.broken.3"):
        assert begin_anew_again(tmp_path).name == expected


def begin_anew_again(place: Path) -> Path:
    if (place / "wal").exists():
        wal, _ = WAL.open(place / "wal")
        wal.save(HardState(LAST, 0, 3), [])
        wal.close()
    else:
        forged_log(place / "wal", *FORGED["term"])
    return begin_anew(place / "wal", WalPosition())


def test_a_log_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path / "wal", METADATA)
    wal.save(HardState(LAST, 0, 3), GOOD)
    with pytest.raises(LockedError):
        begin_anew(tmp_path / "wal", WalPosition())
    wal.close()
    assert not (tmp_path / "wal.broken").exists()


class FailingFiles(Files):
    """The n-th call that changes the disk fails."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "Input/output error")

    def write(self, fd: int, data: bytes) -> None:
        self._count()
        super().write(fd, data)

    def datasync(self, fd: int) -> None:
        self._count()
        super().datasync(fd)

    def rename(self, source: Path, target: Path) -> None:
        self._count()
        super().rename(source, target)

    def sync_directory(self, path: Path) -> None:
        self._count()
        super().sync_directory(path)


@pytest.mark.parametrize("calls", range(20))
def test_cut_short_anywhere_it_can_be_done_again_and_loses_nothing(calls: int, tmp_path: Path) -> None:
    forged_log(tmp_path / "wal", *FORGED["entry of a term"])
    original = next((tmp_path / "wal").iterdir()).read_bytes()
    with suppress(StorageError):
        begin_anew(tmp_path / "wal", WalPosition(), files=FailingFiles(calls))
    try:
        contents = read_wal(tmp_path / "wal")
    except OutOfRangeError:
        begin_anew(tmp_path / "wal", WalPosition())
        contents = read_wal(tmp_path / "wal")
    assert (contents.hard_state, contents.entries) == (HardState(2, 0, 3), GOOD)
    copies = [file.read_bytes() for file in tmp_path.glob("wal.broken*/*.wal")]
    assert original in copies


@pytest.mark.parametrize(("index", "term"), [(LAST, 2), (FIRST_BAD, 2), (3, LAST)])
def test_a_snapshot_that_nobody_can_have_taken_stays_where_it_is_until_it_is_to_be_left_out(
    index: int, term: int, tmp_path: Path
) -> None:
    directory = SnapshotDir(tmp_path)
    good = Snapshot(2, 2, (7,), b"good")
    directory.save(good)
    forged = directory.save(Snapshot(index, term, (7,), b"forged"))
    with pytest.raises(OutOfRangeError, match=r"a snapshot of (index|term) \d+, .*--force-new-cluster"):
        directory.load_newest()
    assert forged.exists()
    assert directory.load_newest(leave_out_forged=True) == good
    assert [path.name for path in tmp_path.glob("*.broken")] == [forged.name + ".broken"]


def test_a_log_of_nobody_is_refused(tmp_path: Path) -> None:
    WAL.create(tmp_path / "wal", WalMetadata(0, 9)).close()
    with pytest.raises(DamagedError, match="member 0, which nobody is"):
        WAL.open(tmp_path / "wal")
