"""Whole clusters of the production core in one process, in simulated time, under faults that come from a seed.

What is real: ``server.raft``, driven as the package's text says. What is played: the clock, the network (loses,
repeats, reorders, delays, parts members from each other one way or both), clocks that jump, disks (slow; a crash keeps any beginning of
what was not synced yet, so saves are torn and a commit index that was written alone is lost), state machines with
snapshots, clients, an operator who adds and removes members, processes that pause, and somebody hostile on the peer port
(``hostile``), of whose messages outside the bounds nothing may be taken.

After every step the safety properties of the Raft paper (figure 3) are checked, and that what a leader commits is on
the disks of a majority. When the faults end, all members have to agree again. One seed gives one run, to the step.
The core's limits (batch, window) are made small enough to be met.
"""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from random import Random
from typing import Any
from unittest import mock
from zlib import crc32

from server.raft import (
    EMPTY_HARD_STATE,
    Entry,
    EntryType,
    HardState,
    Message,
    MessageType,
    Raft,
    RaftLog,
    RaftRole,
    Ready,
    Snapshot,
)
from tests.server.raft.hostile import Hostile

TICK = 10
"""Units of time between two ticks, about; all other times are in the same unit."""

ELECTION_TICKS = 6
FAULTS_END = 600 * TICK
PATIENCE = 100 * ELECTION_TICKS * TICK
"""How long after the faults a cluster may take to agree."""

MOST_MEMBERS = 6


class Violation(AssertionError):
    """Something that must never happen did. Says the seed, the step and what went before."""


@contextmanager
def small_limits() -> Iterator[None]:
    """Makes the core's limits small enough for a small cluster to run into them."""
    with (
        mock.patch("server.raft.log.MAX_BATCH_ENTRIES", 3),
        mock.patch("server.raft.log.MAX_BATCH_BYTES", 7),
        mock.patch("server.raft.progress.WINDOW", 4),
    ):
        yield


@dataclass(slots=True, frozen=True)
class State:
    """A state machine: a checksum of all that was applied, and who is a member."""

    index: int = 0
    checksum: int = 0
    members: frozenset[int] = frozenset()
    removed: frozenset[int] = frozenset()

    def after(self, entry: Entry) -> State:
        checksum = crc32(b"%d %d %s" % (entry.term, entry.type, entry.data), self.checksum)
        members, removed = self.members, self.removed
        if entry.type is EntryType.CONF_CHANGE:
            adds, number = entry.data[:1] == b"+", int(entry.data[1:])
            if adds and number not in removed:
                members |= {number}
            elif not adds and number in members and len(members) > 2:
                # The last but one could be gone before the last has heard that it is alone.
                members, removed = members - {number}, removed | {number}
        return State(entry.index, checksum, members, removed)


class Disk:
    """A write-ahead log with snapshots between its records, in the order they were written."""

    def __init__(self) -> None:
        self.records: list[Entry | HardState | Snapshot] = []
        self.synced = 0
        self.snapshot: Snapshot | None = None
        """The newest that is synced."""
        self._terms: list[int] = []
        """Of the synced entries after a snapshot at"""
        self._base = 0

    def write(self, state: HardState | None, entries: Sequence[Entry], snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self.records.append(snapshot)
        self.records += entries
        if state is not None:
            self.records.append(state)

    def sync(self) -> None:
        for record in self.records[self.synced :]:
            if isinstance(record, Entry):
                self._terms[record.index - self._base - 1 :] = [record.term]
            elif isinstance(record, Snapshot):
                kept = record.index - self._base
                fits = 0 < kept <= len(self._terms) and self._terms[kept - 1] == record.term
                self._terms, self._base = self._terms[kept:] if fits else [], record.index
                self.snapshot = record
        self.synced = len(self.records)

    def crash(self, random: Random) -> bool:
        """Whether a save was torn."""
        kept = random.randint(self.synced, len(self.records))
        torn = kept < len(self.records)
        del self.records[kept:]
        self.sync()
        return torn

    def has(self, index: int, term: int) -> bool:
        """Whether an entry survives a crash."""
        if index <= self._base:
            return True
        return index - self._base <= len(self._terms) and self._terms[index - self._base - 1] == term

    def read(self) -> tuple[Snapshot | None, HardState, list[Entry]]:
        """What a start finds. A snapshot that does not fit the log before it came from the leader, and takes its place
        (section 7); what had been behind it is of some other history."""
        snapshot: Snapshot | None = None
        state, entries = EMPTY_HARD_STATE, list[Entry]()
        for record in self.records:
            base = snapshot.index if snapshot else 0
            if isinstance(record, HardState):
                state = record
            elif isinstance(record, Entry):
                entries[record.index - base - 1 :] = [record]
            else:
                kept = record.index - base
                fits = 0 < kept <= len(entries) and entries[kept - 1].term == record.term
                snapshot, entries = record, entries[kept:] if fits else []
        return snapshot, state, entries


@dataclass(slots=True)
class Machine:
    """A member: what survives a crash (``disk``), and what does not. ``raft`` is None while it is down."""

    id: int
    disk: Disk
    applies_late: bool
    raft: Raft | None = None
    life: int = 0
    state: State = field(default_factory=State)
    is_saving: bool = False
    unsaved: HardState | None = None
    waiting: set[bytes] = field(default_factory=set)
    paused_until: int = 0
    is_gone: bool = False
    # what it was like when it was last looked at
    first: int = 1
    entries: list[Entry] = field(default_factory=list)
    committed: int = 0
    led: int = 0
    """The term it led then, 0 for none."""


class Simulation:
    """One run. ``run`` raises Violation; ``figures`` counts what happened, ``trace`` sums it up."""

    attacks: Sequence[int] = (20, 60, 200, 10**9)
    """About how long it is from one to the next, one of these in a run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random = Random(seed)
        self.now = 0
        self.steps = 0
        self.figures: Counter[str] = Counter()
        self.hostile = Hostile(random, self._forged_data, self._forged_image)
        self.trace = 0
        self.recent: deque[tuple[object, ...]] = deque(maxlen=80)
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0
        self.faulty = True
        self._loss = random.choice((0.0, 0.02, 0.1, 0.25))
        self._repeats = random.choice((0.0, 0.02, 0.1))
        self._latency = random.choice((1, 4, 12))
        self._stragglers = random.choice((0.01, 0.05, 0.2))
        self._longest_delay = random.choice((10, 25, 80)) * TICK
        self._save_time = random.choice((0, 3, 15, 60))
        self._cut: set[tuple[int, int]] = set()
        """Links, one way each, that let nothing through."""
        # what all members together are held to
        self.log: list[Entry] = []
        """What is committed, wherever that was known first, and"""
        self.commit_terms: list[int] = []
        """in which term."""
        self.states = [State()]
        self.leaders: dict[int, int] = {}
        self.votes: dict[tuple[int, int], int] = {}
        """By voter and term."""
        self.seen: dict[tuple[int, int], tuple[Entry, int]] = {}
        """Every entry that ever was in a log, and the term of the one before it."""
        self.acknowledged: dict[bytes, int] = {}
        self.proposed = 0
        self._proposed_late = 0

        self._first_members = range(1, random.choice((1, 2, 3, 3, 3, 4, 5)) + 1)
        self.machines: dict[int, Machine] = {}
        for number in self._first_members:
            self._add_machine(number)
        for routine, every in (
            (self._client, random.choice((8, 20))),
            (self._crash_one, random.choice((60, 150, 400, 10**9))),
            (self._part, random.choice((60, 150, 400, 10**9))),
            (self._change_members, random.choice((30, 100, 300, 10**9))),
            (self._take_snapshots, random.choice((60, 200, 10**9))),
            (self._pause_one, random.choice((100, 400, 10**9))),
            (self._jump, random.choice((30, 100, 300, 10**9))),
            (self._attack, random.choice(self.attacks)),
        ):
            self._again(routine, every)

    # Running

    def run(self) -> None:
        with small_limits():
            try:
                self._run_until(FAULTS_END)
                self._end_faults()
                self._run_until(FAULTS_END + PATIENCE, self._agree)
                self._expect(self._agree(), "no agreement after the faults")
                self._check_end()
            except Exception as error:
                events = "\n".join(" ".join(map(str, event)) for event in self.recent)
                raise Violation(
                    f"seed {self.seed}, step {self.steps}, time {self.now}: {type(error).__name__}: {error}\n{events}"
                ) from error

    def _run_until(self, end: int, done: Callable[[], bool] = lambda: False) -> None:
        while self._events and self._events[0][0] <= end:
            self.now, _, call, arguments = heappop(self._events)
            self.steps += 1
            call(*arguments)
            if self.steps % 64 == 0 and done():
                return

    def _at(self, delay: int, call: Callable[..., None], *arguments: object) -> None:
        self._sequence += 1
        heappush(self._events, (self.now + delay, self._sequence, call, arguments))

    def _again(self, routine: Callable[[], None], every: int) -> None:
        """Calls a routine again and again, at random times, as long as there are faults; clients stay."""

        def call() -> None:
            if self.faulty or routine == self._client:
                routine()
                self._at(self.random.randint(1, 2 * (every if self.faulty else 2 * TICK)), call)

        self._at(self.random.randint(1, 2 * every), call)

    def _note(self, what: str, *details: object) -> None:
        event = (self.now, what, *details)
        self.recent.append(event)
        self.trace = crc32(repr(event).encode(), self.trace)

    def _expect(self, condition: bool, what: str, *details: object) -> None:
        if not condition:
            raise Violation(" ".join((what, *map(str, details))))

    # Members

    def _add_machine(self, number: int) -> None:
        if number in self.machines:
            return
        self.machines[number] = machine = Machine(number, Disk(), self.random.random() < 0.5)
        self._boot(machine)
        self._at(self.random.randint(1, TICK), self._tick, machine)

    def _boot(self, machine: Machine) -> None:
        if machine.raft is not None or machine.is_gone:
            return
        snapshot, hard_state, entries = machine.disk.read()
        begins = machine.id in self._first_members and hard_state == EMPTY_HARD_STATE
        if begins:  # anew, if the first save was torn: nobody has seen anything of it
            machine.disk, entries = Disk(), []
        index, term, voters = (snapshot.index, snapshot.term, snapshot.nodes) if snapshot else (0, 0, ())
        log = RaftLog(entries, compacted=index, compacted_term=term, committed=max(index, hard_state.commit))
        machine.raft = raft = Raft(
            machine.id,
            log,
            hard_state=hard_state,
            voters=voters,
            election_ticks=ELECTION_TICKS,
            random=Random(self.random.random()),
        )
        machine.state = pickle.loads(snapshot.data) if snapshot else State()
        machine.is_saving, machine.unsaved, machine.waiting = False, None, set()
        machine.first, machine.entries, machine.committed, machine.led = log.first_index, [], index, 0
        if begins:
            raft.bootstrap([b"+%d" % number for number in self._first_members])
        self._note("boots", machine.id, raft.hard_state, log.last_index)
        self._look(machine)
        self._work(machine)

    def _crash(self, machine: Machine) -> None:
        machine.raft = None
        machine.life += 1
        self.figures["crashes"] += 1
        self.figures["torn saves"] += machine.disk.crash(self.random)
        self._note("crashes", machine.id)
        saved_term = machine.disk.read()[1].term
        for term, index in [key for key in self.seen if key[0] > saved_term]:
            if self.leaders.get(term) == machine.id:  # nothing of this term has left it
                del self.seen[term, index]
        if machine.led > saved_term:
            del self.leaders[machine.led]

    def _tick(self, machine: Machine) -> None:
        if machine.is_gone:
            return
        if machine.paused_until > self.now:
            self._at(machine.paused_until - self.now, self._tick, machine)
            return
        self._at(self.random.randint(TICK - 2, TICK + 2), self._tick, machine)
        if machine.raft is not None:
            machine.raft.tick()
            self._look(machine)
            self._work(machine)

    def _work(self, machine: Machine) -> None:
        """Does what every ready asks for, until one waits for the disk; then what may leave meanwhile does."""
        while (raft := machine.raft) is not None:
            if machine.is_saving:
                early = raft.early_messages()
                self.figures["messages sent during a save"] += len(early)
                self._transmit(machine, early)
                return
            has_ready = raft.has_ready()
            ready = raft.ready()
            self._expect(has_ready == bool(ready), "says otherwise before:", ready)
            if not ready:
                raft.advance(ready)
                return
            if ready.send_first:
                self._transmit(machine, ready.messages)
            if not ready.must_sync:
                machine.unsaved = ready.hard_state or machine.unsaved
                self._finish(machine, ready, apply=True)
                continue
            machine.disk.write(ready.hard_state or machine.unsaved, ready.entries, ready.snapshot)
            machine.unsaved = None
            machine.is_saving = True
            if not machine.applies_late:
                self._apply(machine, ready.committed)
            self._at(self.random.randint(0, self._save_time), self._saved, machine, machine.life, ready)

    def _saved(self, machine: Machine, life: int, ready: Ready) -> None:
        if machine.life != life:
            return
        if machine.paused_until > self.now:
            self._at(machine.paused_until - self.now, self._saved, machine, life, ready)
            return
        machine.disk.sync()
        machine.is_saving = False
        if ready.snapshot is not None:
            machine.state = pickle.loads(ready.snapshot.data)
            self._check_image(machine)
            self.figures["snapshots installed"] += 1
            self._note("installs", machine.id, ready.snapshot.index)
        self._finish(machine, ready, apply=machine.applies_late)
        self._work(machine)

    def _finish(self, machine: Machine, ready: Ready, *, apply: bool) -> None:
        assert machine.raft is not None
        if apply:
            self._apply(machine, ready.committed)
        if not ready.send_first:
            self._transmit(machine, ready.messages)
        machine.raft.advance(ready)
        self._look(machine)

    def _apply(self, machine: Machine, entries: Sequence[Entry]) -> None:
        raft = machine.raft
        assert raft is not None
        for entry in entries:
            self._expect(entry.index == machine.state.index + 1, "applied out of order:", entry)
            self._expect(entry.index <= len(self.log), "applied before it is committed:", entry)
            self._expect(self.log[entry.index - 1] == entry, "state machine safety:", entry)
            before, machine.state = machine.state, machine.state.after(entry)
            if entry.index == len(self.states):
                self.states.append(machine.state)
            self._expect(machine.state == self.states[entry.index], "state machine safety: other state")
            if entry.type is EntryType.CONF_CHANGE:
                self._apply_conf_change(machine, raft, before, entry)
            elif entry.data in machine.waiting:
                machine.waiting.discard(entry.data)
                self.acknowledged[entry.data] = entry.index

    def _apply_conf_change(self, machine: Machine, raft: Raft, before: State, entry: Entry) -> None:
        number = int(entry.data[1:])
        if machine.state.members == before.members:
            raft.drop_conf_change()
        elif entry.data[:1] == b"+":
            raft.apply_conf_change(add=number)
            self._at(self.random.randint(1, 30 * TICK), self._add_machine, number)
        else:
            raft.apply_conf_change(remove=number)
            if number == machine.id:
                self._at(10 * TICK, self._leave, machine)
        self._note("conf change", machine.id, entry.data)
        self._look(machine)

    def _leave(self, machine: Machine) -> None:
        """A member that has applied its own removal ends, for good."""
        machine.raft = None
        machine.life += 1
        machine.is_gone = True

    # The network

    def _transmit(self, machine: Machine, messages: Sequence[Message]) -> None:
        for message in messages:
            asks = message.type is MessageType.VOTE
            if asks or (message.type is MessageType.VOTE_RESPONSE and not message.reject):
                candidate = machine.id if asks else message.to
                promised = self.votes.setdefault((machine.id, message.term), candidate)
                self._expect(promised == candidate, "two votes:", machine.id, message)
            if message.type is MessageType.SNAPSHOT:
                snapshot = machine.disk.snapshot
                self._expect(
                    snapshot is not None and snapshot.index >= message.index, "no snapshot for a laggard"
                )
                message = replace(message, snapshot=snapshot)
            if self.faulty and self.random.random() < self._repeats:
                self.figures["messages repeated"] += 1
                self._at(self._delay(), self._deliver, message, machine.life)
            self._at(self._delay(), self._deliver, message, machine.life)

    def _delay(self) -> int:
        if self.faulty and self.random.random() < self._stragglers:
            self.figures["messages delayed"] += 1
            return self.random.randint(0, self._longest_delay)
        return self.random.randint(1, self._latency)

    def _deliver(self, message: Message, life: int) -> None:
        machine = self.machines.get(message.to)
        if machine is not None and machine.paused_until > self.now:
            self._at(machine.paused_until - self.now, self._deliver, message, life)
            return
        is_lost = (
            machine is None
            or machine.raft is None
            or (message.sender, message.to) in self._cut
            or message.sender in machine.state.removed
            or (self.faulty and self.random.random() < self._loss)
        )
        sender = self.machines[message.sender]
        if machine is not None and machine.raft is not None and message.sender in machine.state.removed:
            self._leave(sender)  # the transport's part: it is told that it was removed, and ends
        if is_lost or machine is None or machine.raft is None:
            self.figures["messages lost"] += 1
            if message.type is MessageType.SNAPSHOT:
                self._at(self.random.randint(1, TICK), self._report, sender, life, message.to, False)
            elif self.random.random() < 0.3 and sender.life == life and sender.raft is not None:
                sender.raft.unreachable(message.to)
            return
        if message.type is MessageType.SNAPSHOT:
            arrived = not self.faulty or self.random.random() < 0.9  # and else its answer was lost
            self._at(self.random.randint(1, TICK), self._report, sender, life, message.to, arrived)
        self._note(message.type.name, message.sender, message.to, message.term, message.index, message.reject)
        why = machine.raft.step(message)
        if why is not None:
            self._expect(why.reason == "sender", "an honest message was refused:", message, why)
            self.figures["messages of who is no member yet"] += 1
        self._look(machine)
        self._work(machine)

    def _report(self, sender: Machine, life: int, to: int, arrived: bool) -> None:
        if sender.raft is not None and sender.life == life:
            sender.raft.snapshot_ended(to, arrived=arrived)

    # What happens to them

    def _running(self) -> list[Machine]:
        return [machine for machine in self.machines.values() if machine.raft is not None]

    def _one(self) -> Machine | None:
        running = self._running()
        return self.random.choice(running) if running else None

    def _client(self) -> None:
        machine = self._one()
        if machine is None or machine.raft is None or machine.paused_until > self.now:
            return
        wanted = [b"%d" % (self.proposed + n) for n in range(self.random.randint(1, 3))]
        self.proposed += len(wanted)
        if machine.raft.propose(*wanted):
            machine.waiting.update(wanted)
        self._look(machine)
        self._work(machine)

    def _crash_one(self) -> None:
        for machine in self._running():
            if self.random.random() < 0.4:
                self._crash(machine)
                self._at(self.random.randint(1, 20 * TICK), self._boot, machine)

    def _part(self) -> None:
        ids = list(self.machines)
        leaders = [machine.id for machine in self._running() if machine.led]
        if leaders and self.random.random() < 0.4:
            side = {self.random.choice(leaders)}
        else:
            side = set(self.random.sample(ids, self.random.randint(1, max(1, len(ids) // 2))))
        both_ways = self.random.random() < 0.7
        for one in ids:
            for other in ids:
                if one in side and other not in side:
                    self._cut.add((one, other))
                    if both_ways:
                        self._cut.add((other, one))
        self.figures["partitions"] += 1
        self._note("parted", sorted(side), both_ways)
        self._at(self.random.randint(1, 40 * TICK), self._cut.clear)

    def _pause_one(self) -> None:
        machine = self._one()
        if machine is not None:
            machine.paused_until = self.now + self.random.randint(1, 30 * TICK)
            self.figures["pauses"] += 1

    def _jump(self) -> None:
        """The clock of one member jumps ahead, to where it has heard of no leader for too long."""
        machine = self._one()
        if machine is not None and machine.raft is not None and machine.raft.role is not RaftRole.LEADER:
            for _ in range(2 * ELECTION_TICKS):
                if machine.raft.role is RaftRole.FOLLOWER:
                    machine.raft.tick()
            self.figures["clock jumps"] += 1
            self._look(machine)
            self._work(machine)

    def _attack(self) -> None:
        """Somebody says what no honest member says."""
        machine = self._one()
        if machine is None or machine.raft is None or machine.paused_until > self.now:
            return
        raft = machine.raft
        message = self.hostile.outside(raft, [number for number in self.machines if number != machine.id])
        before = _all_of(raft)
        why = raft.step(message)
        self._note("attack", machine.id, message.type.name, why)
        if why is None:
            raise Violation(f"taken, though it is outside the bounds: {message}")
        self._expect(_all_of(raft) == before, "a refused message changed something:", message)
        self.figures["hostile messages refused"] += 1
        self.figures[f"hostile messages refused for {why.reason}"] += 1

    def _forged_data(self, kind: EntryType) -> bytes:
        if kind is EntryType.NORMAL:
            return b"forged %d" % self.random.randint(0, 9)
        return self.random.choice((b"+%d", b"-%d")) % self.random.randint(1, MOST_MEMBERS + 2)

    def _forged_image(self, index: int, nodes: tuple[int, ...]) -> bytes:
        return pickle.dumps(State(index, self.random.randint(0, 9), frozenset(nodes)))

    def _change_members(self) -> None:
        machine = self._one()
        if machine is None or machine.raft is None or not machine.state.members:
            return
        for _ in range(self.random.randint(1, 3)):  # more than one at a time has to wait
            members = machine.state.members
            if len(members) < 3 or (len(members) < MOST_MEMBERS and self.random.random() < 0.5):
                change = b"+%d" % (max(self.machines) + self.random.randint(1, 2))
            else:
                change = b"-%d" % self.random.choice(sorted(members))
            if machine.raft.propose_conf_change(change):
                self.figures["conf changes proposed"] += 1
        self._look(machine)
        self._work(machine)

    def _take_snapshots(self) -> None:
        for machine in self._running():
            raft = machine.raft
            assert raft is not None
            old = machine.disk.snapshot
            if machine.is_saving or (old is not None and old.index >= machine.state.index):
                continue
            term = raft.log.term_at(machine.state.index)
            if not machine.state.index or term is None or self.random.random() < 0.3:
                continue
            snapshot = Snapshot(machine.state.index, term, raft.voters, pickle.dumps(machine.state))
            machine.disk.write(machine.unsaved, (), None)  # it says that the snapshot's index is committed
            machine.unsaved = None
            machine.disk.write(None, (), snapshot)
            if self.random.random() < 0.1:
                self._crash(machine)
                self._at(self.random.randint(1, 20 * TICK), self._boot, machine)
                continue
            machine.disk.sync()
            raft.log.compact(snapshot.index - self.random.randint(0, 8))
            self.figures["snapshots taken"] += 1
            self._note("compacts", machine.id, raft.log.first_index)
            self._look(machine)

    def _end_faults(self) -> None:
        self._note("faults end")
        self.faulty = False
        self._cut.clear()
        self._latency = min(self._latency, TICK // 3)
        self._save_time = min(self._save_time, TICK // 3)
        self._proposed_late = self.proposed
        for machine in self.machines.values():
            machine.paused_until = 0
            self._boot(machine)

    # What must hold

    def _check_image(self, machine: Machine) -> None:
        self._expect(machine.state == self.states[machine.state.index], "a snapshot of another state")

    def _look(self, machine: Machine) -> None:
        """The properties of figure 3, as far as one member's last step can have broken them."""
        raft = machine.raft
        assert raft is not None
        log = raft.log
        leads = raft.term if raft.role is RaftRole.LEADER else 0
        entries = log.entries_from(log.first_index)
        if log.first_index != machine.first or entries != machine.entries:
            self._check_log(machine, raft, entries, leads)
        self._expect(
            log.first_index - 1 <= log.applied <= log.committed <= log.last_index
            and log.applied <= log.stable <= log.last_index
            and log.last_term <= raft.term,
            "the marks of a log out of order",
        )
        if log.committed != machine.committed:
            self._check_commit(machine, raft, leads)
        if leads and leads != machine.led:
            self._check_leader(machine, raft)
        machine.led = leads
        if not machine.is_saving and log.applied == machine.state.index:
            self._expect(raft.voters == tuple(sorted(machine.state.members)), "voters are not the members")

    def _check_log(self, machine: Machine, raft: Raft, entries: list[Entry], leads: int) -> None:
        first = raft.log.first_index
        known = machine.entries[max(0, first - machine.first) :] if first >= machine.first else []
        grown = entries[: len(known)] == known
        if leads and leads == machine.led:
            self._expect(grown and first >= machine.first, "leader append-only")
        # Log matching, by induction: an entry is the same everywhere, and so is the term before it.
        new = first + len(known) if grown else first
        before = raft.log.term_at(new - 1)
        assert before is not None
        for index, entry in enumerate(entries[new - first :], new):
            pair = entry, before
            if entry.index != index or self.seen.setdefault((entry.term, index), pair) != pair:
                raise Violation(f"log matching at {index}: {pair}, {self.seen.get((entry.term, index))}")
            before = entry.term
        machine.first, machine.entries = first, entries

    def _check_commit(self, machine: Machine, raft: Raft, leads: int) -> None:
        log = raft.log
        self._expect(log.committed > machine.committed, "a commit index that falls")
        for index in range(max(machine.committed + 1, log.first_index), log.committed + 1):
            (entry,) = log.entries_from(index, index)
            if index <= len(self.log):
                self._expect(self.log[index - 1] == entry, "state machine safety, two are committed:", entry)
                continue
            self.log.append(entry)
            self.commit_terms.append(raft.term)
            for other in self._running():
                if other.led > max(raft.term, 1):
                    self._expect(
                        other.raft is not None and _has(other.raft.log, entry), "leader completeness"
                    )
        self._expect(log.committed <= len(self.log), "a snapshot of what is not committed")
        if leads:
            term = log.term_at(log.committed)
            assert term is not None
            on_disk = sum(
                number in self.machines and self.machines[number].disk.has(log.committed, term)
                for number in raft.voters
            )
            self._expect(on_disk >= raft.quorum, "committed, but on too few disks:", log.committed, on_disk)
            self._expect(term == raft.term, "a leader counted an entry of an earlier term (5.4.2)")
        machine.committed = log.committed

    def _check_leader(self, machine: Machine, raft: Raft) -> None:
        self.figures["elections"] += 1
        self._note("leads", machine.id, raft.term)
        leader = self.leaders.setdefault(raft.term, machine.id)
        self._expect(leader == machine.id, "election safety:", leader, machine.id, raft.term)
        for entry, term in zip(self.log, self.commit_terms, strict=True):
            if term < raft.term:
                self._expect(_has(raft.log, entry), "leader completeness:", entry)

    def _agree(self) -> bool:
        """Whether something that was proposed after the faults has been acknowledged and applied by all members."""
        late = [index for data, index in self.acknowledged.items() if int(data) >= self._proposed_late]
        members = self.states[-1].members
        return bool(late) and all(
            number in self.machines and self.machines[number].state.index >= late[0] for number in members
        )

    def _check_end(self) -> None:
        for data, index in self.acknowledged.items():
            self._expect(self.log[index - 1].data == data, "an acknowledged proposal is lost")
        for entry, state in zip(self.log, self.states[1:], strict=False):
            self._expect(entry.index == state.index, "a state for every entry")
        self.figures["seeds"] += 1
        self.figures["steps"] += self.steps
        self.figures["entries committed"] += len(self.log)
        self.figures["proposals acknowledged"] += len(self.acknowledged)
        self.figures["conf changes"] += sum(
            entry.type is EntryType.CONF_CHANGE for entry in self.log[len(self._first_members) :]
        )


def _all_of(raft: Raft) -> tuple[object, ...]:
    """All that a message could change, but for the progress of others."""
    log = raft.log
    marks = (log.first_index, log.last_index, log.last_term, log.committed, log.stable, log.applied)
    return (
        raft.hard_state,
        raft.role,
        raft.leader,
        raft.voters,
        raft.progress,
        marks,
        list(raft._messages),
        raft._elapsed,
    )


class Siege(Simulation):
    """A run with somebody on the peer port whose messages are plausible. Raft believes them, so nothing is promised of what
    the members agree on; but none of them may meet an exception: not even a LogError, which ends a member with a line."""

    attacks = (5, 15, 40)

    def run(self) -> None:
        with small_limits():
            try:
                self._run_until(FAULTS_END)
            except Exception as error:
                events = "\n".join(" ".join(map(str, event)) for event in self.recent)
                raise Violation(
                    f"siege {self.seed}, step {self.steps}: {type(error).__name__}: {error}\n{events}"
                ) from error
        self.figures["sieges"] += 1

    def _attack(self) -> None:
        for _ in range(self.random.randint(1, 5)):
            machine = self._one()
            if machine is None or machine.raft is None:
                return
            others = [number for number in self.machines if number != machine.id]
            message = self.hostile.plausible(machine.raft, others)
            why = machine.raft.step(message)
            self.figures["hostile messages taken" if why is None else "hostile messages refused"] += 1
            self._note("attack", machine.id, message, why)
            self._look(machine)
            self._work(machine)

    def _expect(self, condition: bool, what: str, *details: object) -> None:
        """Of what members agree on, nothing is promised."""

    def _look(self, machine: Machine) -> None:
        raft = machine.raft
        machine.led = 0 if raft is None or raft.role is not RaftRole.LEADER else raft.term

    def _crash(self, machine: Machine) -> None:
        self.leaders[machine.led] = machine.id
        super()._crash(machine)

    def _check_image(self, machine: Machine) -> None:
        """It may be of anything."""

    def _apply(self, machine: Machine, entries: Sequence[Entry]) -> None:
        raft = machine.raft
        assert raft is not None
        for entry in entries:
            before, machine.state = machine.state, machine.state.after(entry)
            if entry.type is EntryType.CONF_CHANGE:
                self._apply_conf_change(machine, raft, before, entry)


def _has(log: RaftLog, entry: Entry) -> bool:
    return entry.index < log.first_index or log.term_at(entry.index) == entry.term
