"""A disk for a node that keeps everything in memory, and can be slow or fail. For tests."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from server.raft import Entry, EntryType, HardState, Snapshot
from server.storage.codec import ConfChange, decode_conf_change
from server.storage.errors import WriteFailedError
from server.storage.requests import StoreRequest, decode_request
from server.storage.v3 import V3Data
from server.storage.wal import WalPosition
from tests.support.virtual_time import Gate, LoopWorker


class MemoryDisk:
    """Remembers what it was told to keep. ``gate`` holds up what its ``worker`` is asked for that concerns the log,
    ``snapshot_gate`` the same for snapshot files; ``fail_at`` makes the n-th call fail."""

    def __init__(self, fail_at: int = 0) -> None:
        self.syncs: list[list[Entry]] = []
        self.entries: list[Entry] = []
        self.state: HardState | None = None
        self.snapshots: list[Snapshot] = []
        self.calls: list[str] = []
        self.gate, self.snapshot_gate = Gate(), Gate()
        self._log: LoopWorker | None = None
        self.fail_at = fail_at
        self.sync_seconds = 0.0001
        """What it says of each sync."""
        self.threads: dict[str, set[int]] = {}

    def worker(self, name: str) -> LoopWorker:
        """What makes a node's calls."""
        if name != "log":
            return LoopWorker(name, self.snapshot_gate)
        self._log = LoopWorker(name, self.gate)
        return self._log

    @property
    def holding(self) -> list[Entry]:
        """What is to be saved next."""
        call, arguments = (self._log and self._log.next_call) or (None, ())
        return list(arguments[1]) if call == self.save else []

    def _called(self, name: str) -> None:
        self.threads.setdefault(name, set()).add(threading.get_ident())
        self.calls.append(name)
        if len(self.calls) == self.fail_at:
            raise WriteFailedError("cannot sync: no space left on device", Path("wal"))

    @property
    def room(self) -> int:
        return 1 << 30

    def save(self, hard_state: HardState | None, entries: Sequence[Entry]) -> float:
        self._called("save")
        if entries:
            self.syncs.append(list(entries))
            self.entries += entries
        self.state = hard_state or self.state
        return self.sync_seconds if entries else 0.0

    def mark_snapshot(self, at: WalPosition) -> None:
        self._called(f"mark {at.index}")

    def write_snapshot(self, snapshot: Snapshot, more: Sequence[bytes]) -> None:
        self._called(f"snapshot {snapshot.index}")
        self.snapshots.append(replace(snapshot, data=snapshot.data + b"".join(more)))

    def begin_behind(self, at: WalPosition, hard_state: HardState) -> None:
        self._called(f"begin behind {at.index}, commit {hard_state.commit}")

    def remember_v3_data(self, seen: V3Data) -> None:
        self._called(f"remember {seen.what} at {seen.index}")

    def release(self, index: int) -> None:
        self._called(f"release {index}")

    def purge(self) -> None:
        self.threads.setdefault("purge", set()).add(threading.get_ident())

    def close(self) -> None:
        self._called("close")

    @property
    def requests(self) -> list[StoreRequest]:
        found = [
            decode_request(entry.data)
            for entry in self.entries
            if entry.data and entry.type is EntryType.NORMAL
        ]
        return [request for request in found if request is not None]

    @property
    def changes(self) -> list[ConfChange]:
        return [
            decode_conf_change(entry.data) for entry in self.entries if entry.type is EntryType.CONF_CHANGE
        ]
