"""Plays the transcripts: what members say and become when a person tells them what happens, one command at a time.

    cluster 1 2 3             members with empty logs, who are each other's voters
    member 2 of 1 2 3 term 7 log 1 1 4
                              one more, with entries of those terms on its disk, none known as committed
    found 1 2 3               members who begin a new cluster, whose log says who they are
    joiner 4                  one that knows of no voters yet
    window 2 / batch 1        appends on their way to a follower before the leader waits (512), entries in one (1024)
    tick 1 [10]               time passes for one member
    campaign 1                it stands for election at once
    propose 1 a b             a client there wants entries
    add 1 4 / remove 1 3      an operator there wants a member added, or removed
    deliver [1 2]             all that is on its way arrives, and all that comes of it; or what is on its way from 1 to 2
    drop [1 2]                it is lost
    cut 1 2 / heal            from now on all between those two is lost; nothing is
    unreachable 1 2           the transport of 1 reports that 2 cannot be reached
    disk 1 slow / disk 1 done saves take until further notice; what was being saved is on disk
    crash 1 [2] / restart 1   memory is lost, and of a save that was under way all but the first 2 records
    compact 1 3               takes a snapshot, and forgets entries up to 3
    report 1 2 arrived/lost   the transport of 1 reports what became of a snapshot for 2
    ask 9 1 4 2@1             a member of 3.x asks 1 for a pre-vote for term 4; its log ends with entry 2 of term 1
    show                      all members
    log 1                     its log

A message is shown when it arrives or is lost, what it changes below it. Entries are written index@term, a log as the
terms of its entries.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from server.raft import (
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
from tests.server.raft.simulator import Disk

ELECTION = 10


class Player:
    """``play`` runs one command and returns what happened. ``set_limit`` changes one of the core's limits."""

    def __init__(self, set_limit: Callable[[str, int], None]) -> None:
        self._set_limit = set_limit
        self._disks: dict[int, Disk] = {}
        self._voters: dict[int, tuple[int, ...]] = {}
        self._members: dict[int, Raft] = {}
        self._slow: set[int] = set()
        self._saving: dict[int, Ready] = {}
        self._network: list[Message] = []
        self._cut: set[frozenset[int]] = set()
        self._seen: dict[int, tuple[str, ...]] = {}
        self._said: list[str] = []

    def play(self, command: str) -> list[str]:
        name, *words = shlex.split(command)
        getattr(self, f"_do_{name}")(*words)
        said, self._said = self._said, []
        return said

    # Commands

    def _do_cluster(self, *numbers: str) -> None:
        for number in numbers:
            self._do_member(number, "of", *numbers)

    def _do_joiner(self, number: str) -> None:
        self._do_member(number, "of")

    def _do_member(self, number: str, of: str, *words: str) -> None:
        given: dict[str, list[int]] = {of: []}
        for word in words:
            if word.isdigit():
                given[list(given)[-1]].append(int(word))
            else:
                given[word] = []
        disk = Disk()
        entries = [Entry(term, index) for index, term in enumerate(given.get("log", ()), 1)]
        disk.write(HardState(*given["term"]) if "term" in given else None, entries, None)
        disk.sync()
        self._disks[int(number)], self._voters[int(number)] = disk, tuple(given[of])
        self._start(int(number))

    def _do_found(self, *numbers: str) -> None:
        for number in numbers:
            self._do_member(number, "of")
            self._members[int(number)].bootstrap([b"+" + other.encode() for other in numbers])
            self._work(int(number))

    def _do_window(self, size: str) -> None:
        self._set_limit("progress.WINDOW", int(size))

    def _do_batch(self, size: str) -> None:
        self._set_limit("log.MAX_BATCH_ENTRIES", int(size))

    def _do_tick(self, number: str, count: str = "1") -> None:
        for _ in range(int(count)):
            self._members[int(number)].tick()
            self._work(int(number))

    def _do_campaign(self, number: str) -> None:
        if not self._members[int(number)].campaign():
            self._said.append(f"{number} does not stand for election")
        self._work(int(number))

    def _do_propose(self, number: str, *data: str) -> None:
        if not self._members[int(number)].propose(*map(str.encode, data)):
            self._said.append(f"{number} takes no proposals")
        self._work(int(number))

    def _do_add(self, number: str, other: str, sign: bytes = b"+") -> None:
        if not self._members[int(number)].propose_conf_change(sign + other.encode()):
            self._said.append(f"{number} takes no proposals")
        self._work(int(number))

    def _do_remove(self, number: str, other: str) -> None:
        self._do_add(number, other, b"-")

    def _do_deliver(self, sender: str = "", to: str = "") -> None:
        if sender:
            for message in self._take(int(sender), int(to)):
                self._deliver(message)
            return
        while self._network:
            self._deliver(self._network.pop(0))

    def _do_drop(self, sender: str = "", to: str = "") -> None:
        for message in self._take(int(sender), int(to)) if sender else self._take():
            self._lose(message)

    def _do_cut(self, one: str, other: str) -> None:
        self._cut.add(frozenset((int(one), int(other))))

    def _do_heal(self) -> None:
        self._cut.clear()

    def _do_unreachable(self, number: str, other: str) -> None:
        self._members[int(number)].unreachable(int(other))
        self._work(int(number))

    def _do_disk(self, number: str, how: str) -> None:
        if how == "slow":
            self._slow.add(int(number))
            return
        self._slow.discard(int(number))
        if int(number) in self._saving:
            self._saved(int(number), self._saving.pop(int(number)))
            self._work(int(number))

    def _do_crash(self, number: str, kept: str = "0") -> None:
        disk = self._disks[int(number)]
        del disk.records[disk.synced + int(kept) :]
        disk.sync()
        self._members.pop(int(number))
        self._saving.pop(int(number), None)
        self._said.append(f"{number} is down")

    def _do_restart(self, number: str) -> None:
        self._start(int(number))
        self._said.append(self._line(int(number)))
        self._work(int(number))

    def _do_compact(self, number: str, index: str) -> None:
        raft = self._members[int(number)]
        applied = raft.log.applied
        term = raft.log.term_at(applied)
        assert term is not None
        disk = self._disks[int(number)]
        disk.write(raft.hard_state, (), Snapshot(applied, term, raft.voters, b""))
        disk.sync()
        raft.log.compact(int(index))
        self._said.append(f"{number} has a snapshot of {applied}@{term}")
        self._look(int(number))

    def _do_report(self, number: str, other: str, how: str) -> None:
        self._members[int(number)].snapshot_ended(int(other), arrived=how == "arrived")
        self._work(int(number))

    def _do_ask(self, sender: str, to: str, term: str, last: str) -> None:
        index, log_term = map(int, last.split("@"))
        self._deliver(
            Message(MessageType.PRE_VOTE, int(to), int(sender), int(term), index=index, log_term=log_term)
        )
        self._said += map(_text, self._take(int(to), int(sender)))

    def _do_show(self) -> None:
        for number in self._disks:
            self._said.append(self._line(number))

    def _do_log(self, number: str) -> None:
        log = self._members[int(number)].log
        self._said += [_entry_text(entry) for entry in log.entries_from(log.first_index)] or ["empty"]

    # Members

    def _start(self, number: int) -> None:
        snapshot, state, entries = self._disks[number].read()
        index, term, voters = 0, 0, self._voters[number]
        if snapshot is not None:
            index, term, voters = snapshot.index, snapshot.term, snapshot.nodes
        log = RaftLog(entries, compacted=index, compacted_term=term, committed=max(index, state.commit))
        self._members[number] = Raft(
            number, log, hard_state=state, voters=voters, election_ticks=ELECTION, random=Random(number)
        )
        self._seen[number] = self._state(number)

    def _work(self, number: int) -> None:
        self._look(number)
        raft = self._members[number]
        while number not in self._saving:
            ready = raft.ready()
            if not ready:
                raft.advance(ready)
                return
            if ready.send_first:
                self._network += ready.messages
            self._apply(number, ready.committed)
            self._disks[number].write(ready.hard_state, ready.entries, ready.snapshot)
            if number in self._slow and ready.must_sync:
                self._saving[number] = ready
                return
            self._saved(number, ready)

    def _saved(self, number: int, ready: Ready) -> None:
        self._disks[number].sync()
        if not ready.send_first:
            self._network += ready.messages
        self._members[number].advance(ready)
        self._look(number)

    def _apply(self, number: int, entries: Sequence[Entry]) -> None:
        raft = self._members[number]
        if entries:
            self._said.append(f"  {number} applies {', '.join(map(_entry_text, entries))}")
        for entry in entries:
            if entry.type is EntryType.CONF_CHANGE:
                other = int(entry.data[1:])
                if entry.data[:1] == b"+":
                    raft.apply_conf_change(add=other)
                else:
                    raft.apply_conf_change(remove=other)
                self._look(number)

    # The network

    def _take(self, sender: int | None = None, to: int | None = None) -> list[Message]:
        taken = [m for m in self._network if sender is None or (m.sender, m.to) == (sender, to)]
        self._network = [m for m in self._network if m not in taken]
        return taken

    def _deliver(self, message: Message) -> None:
        if message.type is MessageType.SNAPSHOT:
            message = replace(message, snapshot=self._disks[message.sender].snapshot)
        if message.to not in self._members or frozenset((message.sender, message.to)) in self._cut:
            self._lose(message)
            return
        self._said.append(_text(message))
        self._members[message.to].step(message)
        self._work(message.to)

    def _lose(self, message: Message) -> None:
        self._said.append(f"{_text(message)} (lost)")

    # What is seen of it

    def _state(self, number: int) -> tuple[str, ...]:
        raft = self._members[number]
        log = raft.log
        role = {
            RaftRole.LEADER: f"leads term {raft.term}",
            RaftRole.CANDIDATE: f"stands for election in term {raft.term}",
            RaftRole.FOLLOWER: f"follows {raft.leader or 'nobody'} in term {raft.term}",
        }[raft.role]
        terms = [str(entry.term) for entry in log.entries_from(log.first_index)]
        if log.first_index > 1:
            terms.insert(0, f"[{log.first_index - 1}@{log.term_at(log.first_index - 1)}]")
        return (
            role,
            f"has log {' '.join(terms) or 'empty'}",
            f"commits up to {log.committed}",
            f"knows voters {' '.join(map(str, raft.voters)) or 'none'}",
        )

    def _look(self, number: int) -> None:
        state = self._state(number)
        self._said += [
            f"  {number} {new}" for new, old in zip(state, self._seen[number], strict=True) if new != old
        ]
        self._seen[number] = state

    def _line(self, number: int) -> str:
        if number not in self._members:
            return f"{number} is down"
        return f"{number} {', '.join(self._state(number))}"


def _text(message: Message) -> str:
    return f"{message.sender} -> {message.to} {_WORDS[message.type](message)}"


def _append_text(message: Message) -> str:
    entries = ", ".join(map(_entry_text, message.entries)) or "nothing"
    place = f"after {message.index}@{message.log_term}"
    return f"term {message.term}: {place} comes {entries}; committed {message.commit}"


def _answer_text(message: Message) -> str:
    if message.reject:
        match = f"{message.hint}@{message.log_term}"
        return f"term {message.term}: refused after {message.index}, can match up to {match}"
    return f"term {message.term}: has up to {message.index}"


def _request_text(message: Message) -> str:
    return f"term {message.term}: vote for me? last is {message.index}@{message.log_term}"


def _vote_text(message: Message) -> str:
    return f"term {message.term}: {'no' if message.reject else 'yes'}"


def _snapshot_text(message: Message) -> str:
    if message.snapshot is None:
        return f"term {message.term}: snapshot"
    snapshot = message.snapshot
    voters = " ".join(map(str, snapshot.nodes))
    return f"term {message.term}: snapshot of {snapshot.index}@{snapshot.term}, voters {voters}"


def _entry_text(entry: Entry) -> str:
    what = entry.data.decode()
    return f"{entry.index}@{entry.term} {what}".strip()


_WORDS: dict[MessageType, Callable[[Message], str]] = {
    MessageType.PROPOSE: lambda message: (
        f"wants {', '.join(entry.data.decode() for entry in message.entries)}"
    ),
    MessageType.APPEND: _append_text,
    MessageType.APPEND_RESPONSE: _answer_text,
    MessageType.VOTE: _request_text,
    MessageType.VOTE_RESPONSE: _vote_text,
    MessageType.SNAPSHOT: _snapshot_text,
    MessageType.HEARTBEAT: lambda message: f"term {message.term}: heartbeat; committed {message.commit}",
    MessageType.HEARTBEAT_RESPONSE: lambda message: f"term {message.term}: heard",
    MessageType.PRE_VOTE: lambda message: (
        f"would you vote for me in term {message.term}? last is {message.index}@{message.log_term}"
    ),
    MessageType.PRE_VOTE_RESPONSE: _vote_text,
}
