"""The other members, as the node sees them: their messages go to raft, raft's messages go to them, and the network
follows the members in the log. It is the transport's ``Host``.

A SNAPSHOT cannot be sent as it comes from raft: it is kept in ``wanted``, and ``hand_over`` sends it with its content.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from server.cluster.members import Member, Members
from server.metrics import MemberMetrics
from server.node.junk import Judge
from server.node.network import Network
from server.raft import Message, MessageRefusal, MessageType, Raft, RaftRole, Snapshot
from server.storage.boltfile import holds_v3_data
from server.storage.v3 import V3Data

RECEIVING_PATIENCE = 300.0
"""Seconds for which the log is kept for a follower that a snapshot is on its way to. A choice: enough for a large
snapshot over a slow network; the log grows in memory meanwhile, so a follower that hangs must not keep it longer."""


class Peers:
    """``wake`` is called when raft may have something to do, ``fail`` with an error after which the member cannot
    continue, ``see_v3_data`` when a leader's snapshot comes with v3 data, and ``leave`` when a peer says that this
    member was removed from the cluster. ``own`` are the data of entries that this member proposed itself and waits for;
    ``read_snapshot`` returns why a leader's snapshot could not be installed, ``""`` if it can.

    Without a network, before ``connect``, this member is alone and its messages are lost.
    """

    def __init__(
        self,
        local: int,
        raft: Raft,
        members: Members,
        metrics: MemberMetrics,
        *,
        own: Mapping[bytes, object],
        read_snapshot: Callable[[Snapshot], str],
        wake: Callable[[], object],
        fail: Callable[[Exception], object],
        see_v3_data: Callable[[V3Data], object],
        leave: Callable[[], object],
        monotonic: Callable[[], float],
    ) -> None:
        self.network: Network | None = None
        self._local = local
        self._raft = raft
        self._members = members
        self._metrics = metrics
        self.judge = Judge(members, own)
        self._read_snapshot = read_snapshot
        self._wake = wake
        self._fail = fail
        self._see_v3_data = see_v3_data
        self._leave = leave
        self._monotonic = monotonic
        self.wanted: list[Message] = []
        """The SNAPSHOTs that wait for a snapshot."""
        self._receiving: dict[int, float] = {}
        """The followers that a snapshot is on its way to, and since when, by the monotonic clock."""
        self._urls: dict[int, tuple[str, ...]] = {}

    def connect(self, network: Network | None, remotes: Iterable[Member]) -> None:
        """From now on there is a network. ``remotes`` answered when this member joined: its answers go to them until
        its own log lists the members."""
        self.network = network
        if network is None:
            return
        self.follow_members()
        for remote in remotes:
            if remote.id != self._local:
                network.add_remote(remote.id, remote.peer_urls)

    def disconnect(self) -> None:
        """From now on there is no network: it stops, and further changes of members must not reach it."""
        self.network = None

    def follow_members(self) -> None:
        """Has the network connect to the current members, and to no others."""
        if self.network is None:
            return
        wanted = {member.id: member.peer_urls for member in self._members if member.id != self._local}
        for gone in self._urls.keys() - wanted.keys():
            self.network.remove_peer(gone)
        for member, urls in wanted.items():
            known = self._urls.get(member)
            if known is None:
                self.network.add_peer(member, urls)
            elif known != urls:
                self.network.update_peer(member, urls)
        self._urls = wanted

    # Out

    def send(self, messages: Sequence[Message]) -> None:
        """Sends raft's messages; snapshots are kept in ``wanted``."""
        snapshots = [message for message in messages if message.type is MessageType.SNAPSHOT]
        if snapshots:
            self.wanted += snapshots
            messages = [message for message in messages if message.type is not MessageType.SNAPSHOT]
        if self.network is not None and messages:
            self.network.send(messages)

    def take_wanted(self) -> list[Message]:
        """Takes all of ``wanted``. Until ``snapshot_ended``, the receiver of each needs the log behind its snapshot."""
        wanted, self.wanted = self.wanted, []
        now = self._monotonic()
        self._receiving.update((message.to, now) for message in wanted)
        return wanted

    def hand_over(self, message: Message, snapshot: Snapshot) -> None:
        """Sends one of them with its content, unless this member does not lead any longer."""
        still_leads = self._raft.role is RaftRole.LEADER and self._raft.term == message.term
        if self.network is None or not still_leads:
            self.snapshot_ended(message.to, arrived=False)
        else:
            self.network.send((replace(message, snapshot=snapshot),))

    @property
    def are_receiving_snapshots(self) -> bool:
        """Whether the log must be kept for a follower; for ``RECEIVING_PATIENCE`` at most."""
        now = self._monotonic()
        return any(now - since < RECEIVING_PATIENCE for since in self._receiving.values())

    async def versions(self) -> dict[int, str | None]:
        """The releases that the other members report, None for each that does not answer."""
        others = [member.id for member in self._members if member.id != self._local]
        if self.network is None:
            return dict.fromkeys(others)
        return dict(zip(others, await asyncio.gather(*map(self.network.version_of, others)), strict=True))

    def reached(self) -> list[int]:
        """The members that messages arrive at."""
        network = self.network
        return (
            [] if network is None else [m for m in sorted(self._urls) if network.active_since(m) is not None]
        )

    def connected_since(self, member: int, moment: float) -> bool:
        """Whether messages have arrived at the member without a break since that moment of the monotonic clock."""
        since = None if self.network is None else self.network.active_since(member)
        return since is not None and since < moment

    @property
    def count(self) -> int:
        """The number of members, this one included."""
        return len(list(self._members))

    def connected(self, moment: float) -> int:
        """For how many members ``connected_since`` is True, this one included."""
        return sum(m.id == self._local or self.connected_since(m.id, moment) for m in self._members)

    # In: called by the transport

    def receive(self, messages: Sequence[Message]) -> list[tuple[Message, MessageRefusal]]:
        refused = []
        try:
            for message in messages:
                why = self._refusal(message) or self._raft.step(message)
                if why is not None:
                    self.refused(why.reason)
                    refused.append((message, why))
        except Exception as error:  # it is not known how far the step went
            self._fail(error)
            return refused
        if len(refused) < len(messages):
            self._wake()
        return refused

    def _refusal(self, message: Message) -> MessageRefusal | None:
        """Why raft must not get a message: because of its sender, or of its content, which raft cannot check."""
        if self._members.is_removed(message.sender):
            return MessageRefusal("sender", "the sender was removed from the cluster")
        if message.type is MessageType.SNAPSHOT:
            return self._raft.refusal(message) or self._refusal_of_snapshot(message)
        if not message.entries or message.type not in (MessageType.APPEND, MessageType.PROPOSE):
            return None
        is_proposal = message.type is MessageType.PROPOSE
        for entry in message.entries:
            fault = self.judge.fault_of_proposal(entry) if is_proposal else self.judge.fault_of(entry)
            if fault:
                return MessageRefusal("entry", f"an entry that nobody could apply: {fault}")
        return None

    def _refusal_of_snapshot(self, message: Message) -> MessageRefusal | None:
        snapshot = message.snapshot
        if snapshot is None or not self._raft.installs(snapshot, message.term):
            return None
        fault = self._read_snapshot(snapshot)
        return (
            MessageRefusal("snapshot", f"the snapshot at index {snapshot.index} {fault}") if fault else None
        )

    def refused(self, reason: str) -> None:
        self._metrics.messages_refused[reason] += 1

    def receive_database(self, index: int, database: bytes | None) -> None:
        if database is None or holds_v3_data(database):
            self._see_v3_data(V3Data("a leader's database", index))

    def unreachable(self, member: int) -> None:
        self._raft.unreachable(member)

    def snapshot_ended(self, member: int, *, arrived: bool) -> None:
        self._receiving.pop(member, None)
        self._raft.snapshot_ended(member, arrived=arrived)
        self._wake()

    def is_removed(self, member: int) -> bool:
        return self._members.is_removed(member)

    def removed(self) -> None:
        self._leave()

    def failed(self, error: Exception) -> None:
        self._fail(error)
