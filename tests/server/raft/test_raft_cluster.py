"""Several members in one process, their messages delayed, lost and repeated from a seed; crashes lose what was not saved.

What must hold (Raft, figure 3): one leader a term at most; the same entry at the same index everywhere once it is
committed; what was committed is never lost.
"""

from random import Random

import pytest

from server.raft import EMPTY_HARD_STATE, Entry, HardState, Message, Raft, RaftLog, Role

STEPS = 1500


class Disk:
    """What survives a crash."""

    def __init__(self) -> None:
        self.state: HardState = EMPTY_HARD_STATE
        self.entries: list[Entry] = []

    def save(self, state: HardState | None, entries: list[Entry]) -> None:
        if state is not None:
            self.state = state
        if entries:
            self.entries[entries[0].index - 1 :] = entries


class Simulation:
    def __init__(self, seed: int, size: int) -> None:
        self.random = Random(seed)
        self.ids = range(1, size + 1)
        self.disks = {number: Disk() for number in self.ids}
        self.members = {number: self.boot(number) for number in self.ids}
        self.network: list[Message] = []
        self.applied: dict[int, list[Entry]] = {number: [] for number in self.ids}
        self.committed: list[Entry] = []
        self.leaders: dict[int, int] = {}
        self.proposed = 0
        self.trace: list[tuple[int, int, int]] = []

    def boot(self, number: int) -> Raft:
        disk = self.disks[number]
        log = RaftLog(disk.entries, committed=min(disk.state.commit, len(disk.entries)))
        return Raft(number, log, hard_state=disk.state, voters=self.ids, random=Random(self.random.random()))

    def step(self, calm: bool) -> None:
        number = self.random.choice(self.ids)
        raft = self.members[number]
        chance = self.random.random()
        if chance < 0.3:
            raft.tick()
        elif chance < 0.4:
            self.proposed += raft.propose(b"%d" % self.proposed)
        elif chance < 0.9 and self.network:
            message = self.network.pop(self.random.randrange(len(self.network)))
            if calm or self.random.random() > 0.1:
                self.members[message.to].step(message)
            if not calm and self.random.random() < 0.05:
                self.network.append(message)
        elif chance > 0.995 and not calm:
            self.members[number] = raft = self.boot(number)
            self.applied[number] = []
        self.work(number, raft, crash=not calm and self.random.random() < 0.002)

    def work(self, number: int, raft: Raft, *, crash: bool) -> None:
        ready = raft.ready()
        if crash and ready:  # before anything of it was saved or sent
            self.members[number] = self.boot(number)
            self.applied[number] = []
            return
        self.disks[number].save(ready.hard_state, ready.entries)
        self.network += ready.messages
        self.apply(number, ready.committed)
        raft.advance(ready)
        if raft.role is Role.LEADER:
            assert self.leaders.setdefault(raft.term, number) == number, f"two leaders in term {raft.term}"
        self.trace.append((number, raft.term, raft.log.committed))

    def apply(self, number: int, entries: list[Entry]) -> None:
        for entry in entries:
            assert entry.index == len(self.applied[number]) + 1
            self.applied[number].append(entry)
            if entry.index > len(self.committed):
                self.committed.append(entry)
            assert self.committed[entry.index - 1] == entry, "two members applied different entries"


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(6))
def test_members_agree_whatever_the_network_does(seed: int, size: int) -> None:
    simulation = Simulation(seed, size)
    for _ in range(STEPS * size):
        simulation.step(calm=False)
    for _ in range(STEPS * size):
        simulation.step(calm=True)
    assert len(simulation.committed) > 20
    assert min(len(applied) for applied in simulation.applied.values()) > 20


def test_the_same_seed_gives_the_same_run() -> None:
    runs = []
    for _ in range(2):
        simulation = Simulation(7, 3)
        for _ in range(STEPS):
            simulation.step(calm=False)
        runs.append(simulation.trace)
    assert runs[0] == runs[1]
