"""Consensus as a state machine: no sockets, no files, no clock.

Theory of operation
-------------------
``Raft`` is one member's half of the Raft algorithm. The world reaches it by calls only: ``tick()`` once per
heartbeat interval, ``step(message)`` for what peers send (it refuses what no honest member says, ``limits``),
``propose(data)`` and ``propose_conf_change(data)`` for what clients want. Each call changes the state and
returns at once. The caller then asks what it must do:

    ready = raft.ready()
    state_machine.replace(ready.snapshot)               0. if there is one; on disk first, in place of the whole log
    storage.save(ready.hard_state, ready.entries)       1. persist, and sync entries, term and vote
    transport.send(ready.messages)                      2. only then send (before, if it says ``send_first``)
    state_machine.apply(ready.committed)                (may run beside 1: these are on disk already)
    raft.advance(ready)                                 3. only then ask for the next ready()

The contract is persist before send: a vote, an answer or an entry that has left this member may be counted
on by others, so it must survive a crash of this one. A member counts itself into a quorum for an entry only
once ``advance`` has said that the entry is on disk, so ``committed`` holds nothing that a crash could take
away and a client may be answered as soon as its entry comes out there. Between ``ready`` and ``advance``
the machine continues to take ticks, messages and proposals; what they bring is in the next ready, which is how
many writes come to share one sync. What is committed comes in batches, a ready each, so that after a start from
a long log there is time for ticks between them.

A crash may tear a save: any beginning of its entries may be found on disk without the hard state that was to
follow. The machine copes with that. It does not cope with entries that were on disk behind a log that a snapshot
has replaced: those must not be seen again (section 7 of the Raft paper).

Committed entries of type CONF_CHANGE take effect when the caller hands them back through
``apply_conf_change`` (or drops them with ``drop_conf_change``); voters and quorum change there and nowhere
else.

Randomness (election timeouts) comes from the generator passed in, so that a run can be repeated from its
seed. Nothing here imports asyncio, time, os or another room of the server.
"""

from server.raft.elections import NOBODY, RaftRole
from server.raft.limits import NO_ROOM, MessageRefusal
from server.raft.log import LogError, RaftLog
from server.raft.messages import Message, MessageType
from server.raft.raft import Raft
from server.raft.ready import Ready
from server.raft.types import EMPTY_HARD_STATE, Entry, EntryType, HardState, Snapshot

__all__ = [
    "EMPTY_HARD_STATE",
    "NOBODY",
    "NO_ROOM",
    "Entry",
    "EntryType",
    "HardState",
    "LogError",
    "Message",
    "MessageRefusal",
    "MessageType",
    "Raft",
    "RaftLog",
    "RaftRole",
    "Ready",
    "Snapshot",
]
