"""Who leads, since when, and what a member reports about it: in the log, and to requests that time out. Changes
nothing.

Texts and guesses are etcd 2.3's, except the advice of a member that has been without a quorum for long.
"""

import logging

from server.clocks import Time
from server.cluster.ids import id_text
from server.node.peers import Peers
from server.raft import NOBODY, Raft, RaftRole

logger = logging.getLogger(__name__)

QUORUM_PATIENCE = 10
"""Election time-outs without a quorum after which advice is logged. A choice: several elections can fail one after the
other before one succeeds, and the advice should not come then."""

TIMED_OUT = "etcdserver: request timed out"
LEADER_FAILED = f"{TIMED_OUT}, possibly due to previous leader failure"
CONNECTION_LOST = f"{TIMED_OUT}, possibly due to connection lost"


class Leadership:
    """``election_timeout`` is seconds."""

    def __init__(self, raft: Raft, peers: Peers, *, election_timeout: float, time: Time) -> None:
        self.last_leader = NOBODY
        """The leader, or while there is none the one before; NOBODY when there never was one."""
        self.leader_since = time.wall()
        """When ``last_leader`` last changed, in unix nanoseconds."""
        self._raft = raft
        self._peers = peers
        self._election_timeout = election_timeout
        self._clock = time.wall
        self._monotonic = time.monotonic
        self._known = NOBODY
        self._elected = time.monotonic()
        """When this member last saw a new leader."""
        self._had_quorum: float | None = self._elected
        """When there was last a quorum; None when the lack of one has been logged."""

    def notice(self) -> None:
        """Logs a change of the leader since the last call."""
        before, leader = self._known, self._raft.leader
        if leader == before:
            return
        self._known = leader
        me, term = id_text(self._raft.id), self._raft.term
        if leader == NOBODY:
            logger.info("raft.node: %s lost leader %s at term %d", me, id_text(before), term)
            return
        if before == NOBODY:
            logger.info("raft.node: %s elected leader %s at term %d", me, id_text(leader), term)
        else:
            logger.info(
                "raft.node: %s changed leader from %s to %s at term %d",
                me, id_text(before), id_text(leader), term,
            )  # fmt: skip
        self._elected = self._monotonic()
        if leader != self.last_leader:
            self.last_leader, self.leader_since = leader, self._clock()

    def notice_quorum(self) -> None:
        """Logs, once, that there has been no quorum for long, and what can be done if the others do not come back."""
        now, leads = self._monotonic(), self._raft.role is RaftRole.LEADER
        if self._peers.connected(now) >= self._raft.quorum if leads else self._raft.leader != NOBODY:
            self._had_quorum = now
        elif (
            self._had_quorum is not None and now - self._had_quorum > QUORUM_PATIENCE * self._election_timeout
        ):
            self._had_quorum = None
            logger.warning(
                "no write can be agreed on: the voters are %s, and member %s reaches %s. If the others will "
                "never come back, or the directory is a copy, start once with --force-new-cluster",
                ", ".join(map(id_text, self._raft.voters)) or "none",
                id_text(self._raft.id),
                ", ".join(map(id_text, self._peers.reached())) or "none but itself",
            )

    def why_late(self, asked: float) -> str:
        """etcd's guess why a request timed out that came at ``asked``, in seconds of the monotonic clock."""
        if self._elected - 2 * self._election_timeout < asked < self._elected:
            return LEADER_FAILED
        leader = self._raft.leader
        if leader == NOBODY:
            return TIMED_OUT
        if leader == self._raft.id:
            members = self._peers.count
            connected = (
                self._peers.connected(asked) >= (members + 1) // 2
            )  # etcd's formula; of an even number of members it is not a quorum
        else:
            connected = self._peers.connected_since(leader, asked)
        return TIMED_OUT if connected else CONNECTION_LOST
