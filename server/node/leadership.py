"""Who leads, since when, and what a member says about it: in the log, and to who waited too long. Changes nothing.

Words and guesses are etcd 2.3's, but for the advice of a member that has been without a quorum for long.
"""

import logging

from server.clocks import Time
from server.cluster.ids import id_text
from server.node.peers import Peers
from server.raft import NOBODY, Raft, RaftRole

logger = logging.getLogger(__name__)

QUORUM_PATIENCE = 10
"""Election time-outs without a quorum after which that is worth a line of advice."""

TIMED_OUT = "etcdserver: request timed out"
LEADER_FAILED = f"{TIMED_OUT}, possibly due to previous leader failure"
CONNECTION_LOST = f"{TIMED_OUT}, possibly due to connection lost"


class Leadership:
    """``election_timeout`` is seconds."""

    def __init__(self, raft: Raft, peers: Peers, *, election_timeout: float, time: Time) -> None:
        self.last_leader = NOBODY
        """The leader, or while there is none the one before; NOBODY when there never was one."""
        self.leader_since = time.wall()
        """Unix nanoseconds since when that is so."""
        self._raft = raft
        self._peers = peers
        self._election_timeout = election_timeout
        self._clock = time.wall
        self._monotonic = time.monotonic
        self._known = NOBODY
        self._elected = time.monotonic()
        """When a leader was last seen to have taken office."""
        self._had_quorum: float | None = self._elected
        """When there was one last; None when it has been said that there is none."""

    def notice(self) -> None:
        """Says so when another leads, or none, than when it was called last."""
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
        """Says so when nothing has been agreed on for long, and what can be done: nobody may be coming."""
        now, leads = self._monotonic(), self._raft.role is RaftRole.LEADER
        if self._peers.connected(now) >= self._raft.quorum if leads else self._raft.leader != NOBODY:
            self._had_quorum = now
        elif (
            self._had_quorum is not None and now - self._had_quorum > QUORUM_PATIENCE * self._election_timeout
        ):
            self._had_quorum = None
            logger.warning(
                "no write can be agreed on: the voters are %s, and member %s reaches %s. If the others are gone for "
                "good, or the directory is a copy, start once with --force-new-cluster",
                ", ".join(map(id_text, self._raft.voters)) or "none",
                id_text(self._raft.id),
                ", ".join(map(id_text, self._peers.reached())) or "none but itself",
            )

    def why_late(self, asked: float) -> str:
        """What etcd guesses from the state of things when the time is up of a request that came at ``asked``, in
        seconds of the monotonic clock."""
        if self._elected - 2 * self._election_timeout < asked < self._elected:
            return LEADER_FAILED
        leader = self._raft.leader
        if leader == NOBODY:
            return TIMED_OUT
        if leader == self._raft.id:
            members = self._peers.count
            connected = (
                self._peers.connected(asked) >= (members + 1) // 2
            )  # no quorum of an even number, but etcd's
        else:
            connected = self._peers.connected_since(leader, asked)
        return TIMED_OUT if connected else CONNECTION_LOST
