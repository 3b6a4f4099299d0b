"""The .snap directory: whole files under their names, the newest good one found, bad ones set aside."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from google_crc32c import value

from server.proto import snap_pb2
from server.raft.types import Entry, HardState, Snapshot
from server.storage.codec import WalMetadata, WalPosition, encode_snapshot
from server.storage.errors import DamagedError, StorageError
from server.storage.files import Files
from server.storage.snapshots import SnapshotDir, encode_snapshot_file, persist_snapshot, read_snapshot
from server.storage.wal import WAL


def snapshot(index: int, term: int = 2) -> Snapshot:
    return Snapshot(index, term, (5, 7), b'{"Root":%d}' % index)


def test_a_snapshot_is_saved_under_term_and_index(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        path = SnapshotDir(tmp_path).save(snapshot(33))
    finally:
        os.umask(umask)
    assert path == tmp_path / "0000000000000002-0000000000000021.snap"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert read_snapshot(path) == snapshot(33)
    assert list(tmp_path.iterdir()) == [path]


def test_the_newest_is_loaded(tmp_path: Path) -> None:
    directory = SnapshotDir(tmp_path)
    for index, term in ((33, 2), (9, 10), (22, 2)):
        directory.save(snapshot(index, term))
    assert directory.load_newest() == snapshot(9, 10)


def test_there_may_be_none(tmp_path: Path) -> None:
    assert SnapshotDir(tmp_path).load_newest() is None


GOOD = encode_snapshot_file(snapshot(33))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "snap: empty snapshot"),
        (GOOD[:-1], "corrupted snapshot file"),
        (GOOD[:20], "corrupted snapshot file"),
        (GOOD[:-1] + b"\x55", "snap: crc mismatch"),
        (b"\x08\x05", "snap: empty snapshot"),
        (b"\x12\x03abc", "snap: empty snapshot"),
        (b"\x08\x00\x12\x00", "snap: empty snapshot"),
        (b"this is no snapshot", "corrupted snapshot file"),
    ],
)
def test_a_bad_one_is_set_aside_and_the_one_before_is_used(
    tmp_path: Path, content: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    directory = SnapshotDir(tmp_path)
    directory.save(snapshot(22))
    path = directory.save(snapshot(33))
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=words):
        read_snapshot(path)
    assert directory.load_newest() == snapshot(22)
    assert not path.exists()
    assert path.with_name(path.name + ".broken").read_bytes() == content
    assert any(words in message and str(path) in message for message in caplog.messages)


def test_a_bit_flipped_anywhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.snap"
    for position in range(len(GOOD)):
        for bit in range(8):
            path.write_bytes(GOOD[:position] + bytes([GOOD[position] ^ 1 << bit]) + GOOD[position + 1 :])
            try:
                assert read_snapshot(path) == snapshot(33)  # the unused high bits of the checksum's last byte
            except DamagedError:
                continue
            assert position < 6


def test_what_was_set_aside_before_is_kept(tmp_path: Path) -> None:
    directory = SnapshotDir(tmp_path)
    for content in (b"one", b"two", b"three"):
        directory.save(snapshot(33)).write_bytes(content)
        assert directory.load_newest() is None
    assert sorted(path.read_bytes() for path in tmp_path.glob("*.broken*")) == [b"one", b"three", b"two"]


def test_other_names_are_passed_over_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory = SnapshotDir(tmp_path)
    directory.save(snapshot(33))
    (tmp_path / "0000000000000021.snap.db").touch()
    assert directory.load_newest() == snapshot(33)
    assert "skipped unexpected non snapshot file 0000000000000021.snap.db" in caplog.messages
    assert (tmp_path / "0000000000000021.snap.db").exists()


def test_what_an_interrupted_save_left_is_removed_by_the_next_save_only(tmp_path: Path) -> None:
    leftover = tmp_path / "0000000000000002-0000000000000021.snap.tmp"
    leftover.write_bytes(GOOD[:10])
    assert SnapshotDir(tmp_path).load_newest() is None
    assert leftover.exists()  # it may be that of a process that is running
    path = SnapshotDir(tmp_path).save(snapshot(44))
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_read_is_not_called_broken(tmp_path: Path) -> None:
    directory = SnapshotDir(tmp_path)
    directory.save(snapshot(22))
    (tmp_path / "0000000000000003-0000000000000001.snap").mkdir()
    with pytest.raises(StorageError, match="cannot read: Is a directory"):
        directory.load_newest()
    assert (tmp_path / "0000000000000003-0000000000000001.snap").is_dir()


def test_the_marker_is_on_disk_before_the_file_exists(tmp_path: Path) -> None:
    steps: list[str] = []

    class Recording(Files):
        def datasync(self, fd: int) -> None:
            steps.append("log synced")
            super().datasync(fd)

        def rename(self, source: Path, target: Path) -> None:
            steps.append(f"{target.suffix} named")
            super().rename(source, target)

        def sync(self, fd: int) -> None:
            steps.append("file synced")
            super().sync(fd)

        def sync_directory(self, path: Path) -> None:
            steps.append("directory synced")
            super().sync_directory(path)

    files = Recording()
    wal = WAL.create(tmp_path / "wal", WalMetadata(1, 2), files=files)
    wal.save(HardState(2, 1, 1), [Entry(2, 1)])
    (tmp_path / "snap").mkdir()
    steps.clear()
    persist_snapshot(wal, SnapshotDir(tmp_path / "snap", files=files), snapshot(1))
    wal.close()
    assert steps[:4] == ["log synced", "file synced", ".snap named", "directory synced"]
    WAL.open(tmp_path / "wal", WalPosition(1, 2))[0].close()  # which it would not without the marker
    with pytest.raises(DamagedError, match="snapshot mismatch"):
        WAL.open(tmp_path / "wal", WalPosition(1, 1))


@pytest.mark.parametrize("sizes", [(), (0,), (1,), (127, 1), (100_000,) * 7, (3 << 20, 0, 5)])
def test_content_in_pieces_makes_the_same_file(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    pieces = [bytes([65 + n]) * size for n, size in enumerate(sizes)]
    whole = Snapshot(7, 2, (5, 7), b"{}" + b"".join(pieces))
    path = SnapshotDir(tmp_path).save(Snapshot(7, 2, (5, 7), b"{}"), pieces)
    assert path.read_bytes() == encode_snapshot_file(whole)
    inner = encode_snapshot(whole)
    assert path.read_bytes() == snap_pb2.Snapshot(crc=value(inner), data=inner).SerializeToString()
    assert read_snapshot(path) == whole


def test_no_write_is_large_however_large_the_pieces_are(tmp_path: Path) -> None:
    written: list[int] = []

    class Counting(Files):
        def write(self, fd: int, data: bytes) -> None:
            written.append(len(data))
            super().write(fd, data)

    pieces = [b"x" * (1 << 20), *[b"y" * 10] * 100_000]
    SnapshotDir(tmp_path, files=Counting()).save(Snapshot(7, 2, (5,), b""), pieces)
    assert max(written) <= 2 * 256 * 1024
    assert len(written) < 20
