"""Three members whose power is cut: real nodes, real logs and snapshots, all that they do to their disks recorded; and the
check of what is left of it, at any moment, in any of the ways a disk may keep what was not synced.

One seed gives the same play, and the same cuts, every time.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from types import SimpleNamespace
from unittest import mock

from server.config import Config, load
from server.node import Node, NodeFailed, OpenedMember, open_member, upkeep
from server.node.logwriter import SyncTimes
from server.raft import Message, MessageType
from server.storage.errors import DamagedError, StorageError
from server.storage.requests import StoreRequest, decode_request
from server.storage.wal import WAL
from server.store.errors import EtcdError
from tests.server.node.test_peers import MemoryNetwork, World
from tests.support import virtual_time
from tests.support.asking import nobody
from tests.support.power import Disk, Found, Op, Recorder, unsynced
from tests.support.virtual_time import VIRTUAL_TIME, Gate, LoopWorker

NAMES = ("a", "b", "c")
SEGMENT_BYTES = 20_000
SNAPSHOT_COUNT = 25
CATCH_UP_ENTRIES = 10
HEARTBEAT = 0.02
TROUBLE_OF_EACH_KIND = 3

NEVER_QUICK, ALWAYS_QUICK = SyncTimes(slow=0), SyncTimes(count=0, slow=inf)

_CLAIMS_NO_TERM = (
    MessageType.PROPOSE,
    MessageType.READ_INDEX,
    MessageType.PRE_VOTE,
    MessageType.PRE_VOTE_RESPONSE,
)


class Broken(Exception):
    """Something was lost, wrong, or refused without a reason."""


@dataclass(slots=True, frozen=True)
class Promise:
    """What a member said when ``at`` calls had been made: its term, whom it voted for in it (0: not said), and that it has
    all entries up to an index (0: not said), which has a term."""

    at: int
    member: str
    term: int
    vote: int = 0
    index: int = 0
    entry_term: int = 0


@dataclass(slots=True, frozen=True)
class Write:
    """``at`` as in Promise; -1 for what was never acknowledged."""

    at: int
    key: str
    value: bytes


@dataclass(slots=True)
class Play:
    """What was recorded."""

    seed: int
    root: Path
    ops: list[Op] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    restarts: list[int] = field(default_factory=list)
    """After how many calls a member was back that had been killed."""
    quiet_restarts: list[int] = field(default_factory=list)
    """The same where it was killed before its last write was sure, and nobody wrote when it came back."""


def settings(data_dir: Path, name: str) -> Config:
    return load(
        {
            "name": name,
            "data-dir": str(data_dir),
            "initial-cluster": ",".join(f"{n}=http://127.0.0.1:{7000 + ord(n)}" for n in NAMES),
            "initial-advertise-peer-urls": f"http://127.0.0.1:{7000 + ord(name)}",
            "max-wals": "1",
            "max-snapshots": "1",
            "snapshot-count": str(SNAPSHOT_COUNT),
        }
    )


def open_one(data_dir: Path, name: str, seed: int) -> OpenedMember:
    return open_member(
        settings(data_dir, name),
        resolve=lambda host: host,
        ask=nobody,
        now=VIRTUAL_TIME.wall(),
        random=Random(f"{seed} {name}"),
    )


@contextmanager
def small_files() -> Iterator[None]:
    """Segments and what is kept of a log are small, so that much happens in little time."""
    small = SimpleNamespace(
        create=partial(WAL.create, segment_bytes=SEGMENT_BYTES),
        open=partial(WAL.open, segment_bytes=SEGMENT_BYTES),
    )
    with (
        mock.patch("server.node.start.WAL", small),
        mock.patch.object(upkeep, "CATCH_UP_ENTRIES", CATCH_UP_ENTRIES),
    ):
        yield


class SlowDisk(Gate):
    """Every call takes its time, so that more arrives meanwhile."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random

    def when_open(self, go_on: object) -> None:
        assert callable(go_on)
        asyncio.get_running_loop().call_later(self._random.uniform(0, 0.006), go_on)


def new_node(started: OpenedMember, random: Random | None = None) -> Node:
    return Node(
        started,
        heartbeat=HEARTBEAT,
        request_timeout=2,
        snapshot_count=SNAPSHOT_COUNT,
        time=VIRTUAL_TIME,
        worker=LoopWorker if random is None else lambda name: LoopWorker(name, SlowDisk(random)),
        # Never by how long real syncs take: one seed is to give the same play each time.
        sync_times=NEVER_QUICK if random is None or random.random() < 0.5 else ALWAYS_QUICK,
    )


class Recording:
    """Plays, and records."""

    def __init__(self, seed: int, root: Path) -> None:
        self.play = Play(seed, root)
        self._random = Random(seed)
        self._recorder = Recorder()
        self._recorder.on_death = self._died
        self._world = World()
        self._started: dict[str, Node] = {}
        self._writes = 0
        self._ends = self._quiet = False

    def run(self) -> Play:
        with ExitStack() as stack:
            stack.enter_context(self._recorder.installed())
            stack.enter_context(small_files())
            virtual_time.run(self._run())
        self.play.ops = self._recorder.ops
        return self.play

    def disk(self, name: str) -> Path:
        return self.play.root / name

    async def _run(self) -> None:
        self._recorder.disks = [self.disk(name) for name in NAMES]
        for name in NAMES:
            await self._start(name)
        await asyncio.gather(self._trouble(), *(self._client() for _ in range(6)))
        for name in NAMES:
            await self._stop(name)

    async def _start(self, name: str) -> None:
        started = open_one(self.disk(name), name, self.play.seed)
        node = self._started[name] = new_node(started, self._random)
        self._world.nodes[started.local.id] = node
        self._world.cut.discard(started.local.id)
        await node.start(Promising(self._world, name, node, self))

    async def _stop(self, name: str) -> None:
        node = self._started.pop(name)
        self._world.nodes.pop(node.local.id, None)
        with suppress(StorageError):
            await node.stop()

    def _died(self, disk: Path) -> None:
        self._world.cut.add(self._started[disk.name].local.id)

    async def _client(self) -> None:
        while not self._ends:
            while self._quiet:
                await asyncio.sleep(0.01)
            node = self._started.get(self._random.choice(NAMES))
            if node is not None:
                await self._put(node)
            await asyncio.sleep(self._random.expovariate(1 / 0.02))

    async def _put(self, node: Node) -> None:
        self._writes += 1
        key = f"k{self._writes}"
        value = f"{key} is ".encode() + b"v" * self._random.choice((5, 30, 100, 300, 700, 2000, 4000))
        at = -1
        try:
            await node.propose(StoreRequest(method="PUT", path=f"/1/{key}", val=value))
            at = len(self._recorder.ops)
        except EtcdError:
            pass  # nobody knows
        self.play.writes.append(Write(at, key, value))

    async def _trouble(self) -> None:
        kinds = [
            self._isolate,
            self._kill,
            self._kill_before_a_name_is_sure,
            self._kill_before_a_last_write_is_sure,
            self._fail_the_sync_of_a_last_write,
        ] * TROUBLE_OF_EACH_KIND
        self._random.shuffle(kinds)
        for kind in kinds:
            await asyncio.sleep(self._random.uniform(0.05, 0.15))
            await kind(self._random.choice(NAMES))
        self._ends = True

    async def _isolate(self, name: str) -> None:
        local = self._started[name].local.id
        self._world.cut.add(local)
        await asyncio.sleep(self._random.uniform(0.1, 0.8))
        self._world.cut.discard(local)

    async def _kill(self, name: str) -> None:
        self._recorder.dies_at[self.disk(name)] = self._random.randint(1, 6)
        await self._restart(name, 0.1)

    async def _kill_before_a_name_is_sure(self, name: str) -> None:
        self._recorder.dies_before[self.disk(name)] = "sync directory"
        await self._restart(name, 0.6)

    async def _kill_before_a_last_write_is_sure(self, name: str) -> None:
        await self._end_at_a_last_write(name, lambda disk: self._recorder.dies_before.update({disk: "sync"}))

    async def _fail_the_sync_of_a_last_write(self, name: str) -> None:
        await self._end_at_a_last_write(name, self._recorder.fails_sync.add)

    async def _end_at_a_last_write(self, name: str, prepare: Callable[[Path], object]) -> None:
        """Of a follower, and nothing else is written: what it says when it is back it says of what it has read."""
        self._quiet = True
        await asyncio.sleep(0.1)
        leader = next((node for node in self._started.values() if node.is_leader), None)
        if leader is not None and leader is not self._started[name]:
            third = next(node for node in self._started.values() if node not in (leader, self._started[name]))
            self._world.cut.add(third.local.id)
            prepare(self.disk(name))
            putting = asyncio.create_task(self._put(leader))
            await self._restart(name, 0.04)
            self.play.quiet_restarts.append(len(self._recorder.ops))
            await asyncio.sleep(0.15)
            self._world.cut.discard(third.local.id)
            await putting
        self._quiet = False

    async def _restart(self, name: str, patience: float) -> None:
        """Starts a member that dies within that many seconds."""
        await asyncio.sleep(patience)
        disk = self.disk(name)
        was_killed = disk in self._recorder.dead
        if was_killed:
            await self._stop(name)
        self._recorder.revive(disk)
        if was_killed:
            await self._start(name)
            self.play.restarts.append(len(self._recorder.ops))

    def sends(self, name: str, node: Node, messages: Sequence[Message]) -> None:
        if self.disk(name) in self._recorder.dead:
            return
        at = len(self._recorder.ops)
        for message in messages:
            if message.type in _CLAIMS_NO_TERM:
                continue
            vote = index = entry_term = 0
            if message.type is MessageType.VOTE:
                vote = node.local.id
            elif message.type is MessageType.VOTE_RESPONSE and not message.reject:
                vote = message.to
            elif message.type is MessageType.APPEND_RESPONSE and not message.reject:
                index, entry_term = message.index, node.raft.log.term_at(message.index) or 0
            self.play.promises.append(Promise(at, name, message.term, vote, index, entry_term))


class Promising(MemoryNetwork):
    """Notes what a member says."""

    def __init__(self, world: World, name: str, node: Node, recording: Recording) -> None:
        super().__init__(world, node.local.id)
        self._name, self._node, self._recording = name, node, recording

    def send(self, messages: Iterable[Message]) -> None:
        messages = list(messages)
        self._recording.sends(self._name, self._node, messages)
        super().send(messages)


@dataclass(slots=True)
class Cuts:
    """``figures`` count what was found. ``scratch`` is a directory for what it makes."""

    play: Play
    scratch: Path
    figures: Counter[str] = field(default_factory=Counter)

    def check(self, count: int) -> None:
        """So many cuts of all three members, spread over the play; more of them soon after a restart. Raises Broken."""
        random = Random(f"cuts of {self.play.seed}")
        moments = sorted(self._moment(random) for _ in range(count))
        disks = {name: Disk(self.play.root / name) for name in NAMES}
        done = 0
        with small_files(), unsynced():
            for number, moment in enumerate(moments):
                for op in self.play.ops[done:moment]:
                    for disk in disks.values():
                        disk.take(op)
                done = moment
                try:
                    self._check(moment, {name: disk.cut(random) for name, disk in disks.items()}, number)
                except Broken as broken:
                    raise Broken(
                        f"{broken}\nseed {self.play.seed}, cut {number} of {count}, after {moment} calls"
                    ) from None

    def _moment(self, random: Random) -> int:
        """Mostly when something was written and not synced yet, or soon after a restart."""
        chance, last = random.random(), len(self.play.ops)
        if chance < 0.15 and self.play.restarts:
            return min(random.choice(self.play.restarts) + random.randint(-8, 25), last)
        if chance < 0.3 and self.play.quiet_restarts:
            return min(random.choice(self.play.quiet_restarts) + random.randint(0, 8), last)
        moment = random.randrange(last)
        if chance < 0.8:
            while moment and self.play.ops[moment].kind != "write":
                moment -= 1
        return moment + 1

    def _check(self, moment: int, found: dict[str, Found], number: int) -> None:
        self.figures["states"] += 1
        self.figures["directories"] += len(found)
        started: dict[str, OpenedMember] = {}
        refused: list[str] = []
        base = self.scratch / f"{number}"
        virtual_time.run(self._start_all(moment, found, base, started, refused))
        shutil.rmtree(base)
        self.figures["directories refused"] += len(refused)
        self.figures["states with a majority refused"] += len(refused) > 1

    async def _start_all(
        self,
        moment: int,
        found: dict[str, Found],
        base: Path,
        started: dict[str, OpenedMember],
        refused: list[str],
    ) -> None:
        try:
            for name, disk in found.items():
                disk.put(self.play.root / name, base / name)
                try:
                    started[name] = open_one(base / name, name, self.play.seed)
                except StorageError as error:
                    self._may_be_refused(name, disk, error, base / name)
                    refused.append(name)
                    continue
                self._check_promises(moment, name, started[name])
                self.figures["directories with a tail cut off"] += bool(
                    list((base / name).rglob("*.wal.broken*"))
                )
            acknowledged = [write for write in self.play.writes if 0 <= write.at <= moment]
            for write in acknowledged:
                holders = sum(holds(one, write) for one in started.values())
                if holders + len(refused) < 2:
                    raise Broken(f"{write.key}, acknowledged after {write.at} calls, is at {holders} members")
            self.figures["acknowledged writes checked"] += len(acknowledged)
        except BaseException:
            for one in started.values():
                one.disk.close()
            raise
        await self._serve(started, {write.key: write.value for write in acknowledged})

    def _may_be_refused(self, name: str, disk: Found, error: StorageError, directory: Path) -> None:
        """The only refusal there is: something arrived behind a sector of the newest segment that did not."""
        segments = sorted(path for path in disk.files if path.suffix == ".wal")
        told = isinstance(error, DamagedError) and "cannot be repaired" in str(error)
        if not told or segments[-1] not in disk.lost_between:
            raise Broken(f"{name} is refused: {error}")
        for path, content in disk.files.items():
            if (directory / path.relative_to(self.play.root / name)).read_bytes() != content:
                raise Broken(f"{path} of {name} was refused and changed")

    def _check_promises(self, moment: int, name: str, started: OpenedMember) -> None:
        log, state = started.raft.log, started.raft.hard_state
        for promise in self.play.promises:
            if promise.member != name or promise.at > moment:
                continue
            if state.term < promise.term:
                raise Broken(f"{name} is at term {state.term}, and has spoken in term {promise.term}")
            if promise.vote and state.term == promise.term and state.vote != promise.vote:
                raise Broken(
                    f"{name} voted for {promise.vote:x} in term {promise.term}, and now for {state.vote:x}"
                )
            if log.last_term == promise.entry_term and log.last_index < promise.index:
                raise Broken(f"{name} has {log.last_index} entries, and said that it has {promise.index}")
            if log.last_term < promise.entry_term:
                raise Broken(f"{name} lost an entry of term {promise.entry_term} that it said it has")
        self.figures["promises checked"] += len(self.play.promises)

    async def _serve(self, started: dict[str, OpenedMember], acknowledged: dict[str, bytes]) -> None:
        """Those that start choose a leader, if they are enough, who has all there was and takes more."""
        world = World()
        nodes = [new_node(one) for one in started.values()]
        known = {write.key: write.value for write in self.play.writes}
        try:
            for node in nodes:
                world.nodes[node.local.id] = node
                await node.start(MemoryNetwork(world, node.local.id))
            if len(nodes) < 2:
                return
            async with asyncio.timeout(60):
                while True:
                    try:
                        await nodes[0].propose(StoreRequest(method="PUT", path="/1/again", val=b"yes"))
                        break
                    except EtcdError:
                        continue
            leader = next(node for node in nodes if node.is_leader)
            for key, value in acknowledged.items():
                if leader.store.peek(f"/1/{key}") != value:
                    raise Broken(f"{key} was acknowledged, and the leader has it not")
            for node in nodes:
                for key, value in known.items():
                    if node.store.peek(f"/1/{key}") not in (None, value):
                        raise Broken(f"{key} has a wrong value")
            self.figures["clusters started"] += 1
        except (NodeFailed, TimeoutError) as error:
            raise Broken(f"the members do not come back: {error!r}") from error
        finally:
            for node in nodes:
                world.nodes.pop(node.local.id, None)
                await node.stop()


def holds(started: OpenedMember, write: Write) -> bool:
    """Whether a member has a write, applied or not."""
    if started.store.peek(f"/1/{write.key}") == write.value:
        return True
    log = started.raft.log
    return any(
        write.value in entry.data and (request := decode_request(entry.data)) and request.val == write.value
        for entry in log.entries_from(log.first_index)
    )


def check(seed: int, count: int, directory: Path) -> Counter[str]:
    """Plays and cuts so often; what was found. Raises Broken, with what brings it back."""
    play = Recording(seed, directory / "play").run()
    cuts = Cuts(play, directory / "cuts")
    cuts.check(count)
    return cuts.figures + Counter({"members killed and started again": len(play.restarts), "plays": 1})
