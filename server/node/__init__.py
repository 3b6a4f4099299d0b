"""The one loop that joins consensus, storage and the key space, and how a member is opened for it.

The way of a write: ``Node.propose`` -> a turn (``driver``, ``turn``): ``Raft.propose`` -> one write and one sync for
everything that arrived in one pass of the event loop, or while the last sync ran (``logwriter``) -> committed ->
``Applier`` -> the client's answer. No answer is given, and no watcher gets an event, before the entry is on disk.
Everything happens on the event loop's thread, except disk work: the log is written there too while syncs are quick,
else by its own thread. Snapshot files have another thread, so that no write waits for them.
"""

from server.node.answer import Answer, Outcome
from server.node.applier import Applier, CannotApply
from server.node.changes import ChangeFailed
from server.node.disk import Disk, MemberDisk
from server.node.errors import STOPPED, MemberRemoved, NodeFailed
from server.node.expiry import SyncProposer
from server.node.leadership import TIMED_OUT
from server.node.network import Flow, Latency, Network
from server.node.node import Node
from server.node.opened import OpenedMember
from server.node.routines import Routines
from server.node.start import open_member

__all__ = [
    "STOPPED",
    "TIMED_OUT",
    "Answer",
    "Applier",
    "CannotApply",
    "ChangeFailed",
    "Disk",
    "Flow",
    "Latency",
    "MemberDisk",
    "MemberRemoved",
    "Network",
    "Node",
    "NodeFailed",
    "OpenedMember",
    "Outcome",
    "Routines",
    "SyncProposer",
    "open_member",
]
