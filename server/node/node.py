"""The loop: ticks and requests in, log to disk, committed entries to the key space, answers out.

Independent of HTTP. Runs on an asyncio loop. The disk is used in two worker threads, one for the log and one for
snapshot files, and the log also in place while its disk is quick (``logwriter``). Writes never wait for the second
thread.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from server.clocks import REAL_TIME, Time
from server.log import log_fault
from server.node.announcements import Announcements
from server.node.answer import Answer
from server.node.applier import Applier, CannotApply
from server.node.changes import Changes
from server.node.driver import Driver
from server.node.errors import REMOVED, STOPPED, MemberRemoved, NodeFailed
from server.node.expiry import SyncProposer
from server.node.leadership import Leadership
from server.node.logwriter import LogWriter, SyncTimes
from server.node.network import Network
from server.node.opened import OpenedMember
from server.node.peers import Peers
from server.node.reconfiguration import Reconfiguration
from server.node.requestids import RequestIds
from server.node.routines import Routines
from server.node.snapshots import Snapshots
from server.node.turn import Turn
from server.node.upkeep import Upkeep
from server.node.v3data import V3DataWatch
from server.node.versions import is_of_2
from server.node.worker import Worker, WorkerThread
from server.raft import NOBODY, LogError, Raft, RaftRole, Ready
from server.storage.errors import StorageError
from server.storage.requests import StoreRequest
from server.store.errors import ErrorCode, EtcdError
from server.store.event import Event
from server.store.watcher import Watcher

logger = logging.getLogger(__name__)

REMOVED_PATIENCE = 1.0
"""Seconds that a member continues to answer after it was removed, as in etcd: enough for the answer to the request for
its removal, if it got that itself, and for its followers to learn of it, if it led."""


class Node:
    """A running member.

    ``start`` and ``stop`` it on the loop that it runs on. ``failed`` is a future that fails with NodeFailed when the
    member cannot continue because of its disk or its log; the caller then ends the process. ``heartbeat`` and
    ``request_timeout`` are seconds. ``strict_reconfig`` refuses changes of members that would leave too few started
    ones for a quorum. With ``idle_sync`` a leader logs a SYNC at each interval even if no key is due. ``worker`` makes
    the two threads, by name. ``sync_times`` decides when the log is written in place.
    """

    failed: asyncio.Future[None]
    fixed_members = ""

    def __init__(
        self,
        started: OpenedMember,
        *,
        heartbeat: float,
        request_timeout: float,
        snapshot_count: int,
        strict_reconfig: bool = False,
        idle_sync: bool = False,
        time: Time = REAL_TIME,
        worker: Callable[[str], Worker] = WorkerThread,
        sync_times: SyncTimes | None = None,
    ) -> None:
        self.local = started.local
        self.store = started.store
        self.members = started.members
        self.raft = started.raft
        self.metrics = started.metrics
        self.clock = time.wall
        self._monotonic = time.monotonic
        self._sleep = time.sleep
        self._disk = started.disk
        self._heartbeat = heartbeat
        self._ids = RequestIds(self.local.id, time.wall() // 1_000_000)
        self._waiters: dict[bytes, Answer] = {}
        self._changes = Changes()
        self._log_thread = worker("log")
        self._snapshot_thread = worker("snapshots")
        self._routines = Routines(self._fail)
        self._writer = LogWriter(
            self._disk,
            self._log_thread,
            sync_times=sync_times or SyncTimes(),
            monotonic=time.monotonic,
            fail=self._fail,
        )
        self._v3_data = V3DataWatch(
            self.raft,
            remember=lambda seen: self._log_thread.run(self._disk.remember_v3_data, seen),
            begin=self._routines.begin,
        )
        self._snapshots = Snapshots(
            self.store,
            self.members,
            self.raft,
            self._disk,
            log_thread=self._log_thread,
            snapshot_thread=self._snapshot_thread,
            writer=self._writer,
            sleep=time.sleep,
        )
        self.peers = Peers(
            self.local.id,
            self.raft,
            self.members,
            self.metrics,
            own=self._waiters,
            read_snapshot=lambda snapshot: self._snapshots.read(snapshot, self.clock()),
            wake=self._wake,
            fail=self._fail,
            see_v3_data=self._v3_data.see,
            leave=lambda: self._fail(MemberRemoved(REMOVED)),
            monotonic=time.monotonic,
        )
        """The other members; the transport's host."""
        self._turn = Turn(
            self.raft,
            Applier(self.store, self.members, self.raft),
            self.peers.judge,
            self._changes,
            self.metrics,
            self._waiters,
            self._ids,
            clock=time.wall,
            monotonic=time.monotonic,
            patience=request_timeout,
            wake=self._wake,
            members_changed=self._members_changed,
            term_began=lambda: self._announcements.term_began(),
            passed_over=self._v3_data.notice,
        )
        self._driver = Driver(
            self.raft,
            self._turn,
            self._writer,
            self.peers,
            install=lambda ready: self._routines.begin(partial(self._install, ready)),
            advanced=self._advanced,
            fail=self._fail,
        )
        self.leadership = Leadership(
            self.raft, self.peers, election_timeout=self.raft.election_ticks * heartbeat, time=time
        )
        self.started_at = self.leadership.leader_since
        self._remotes = started.remotes
        self._v3_data_before = started.v3_data
        self._stopping = False
        self._upkeep = Upkeep(
            self.raft,
            self.peers,
            self._snapshots,
            self.metrics,
            snapshot_count=snapshot_count or 10_000,
            monotonic=time.monotonic,
            begin=self._routines.begin,
        )
        self._announcements = Announcements(
            self.local,
            self.members,
            self.peers,
            propose=self.propose,
            leads=lambda: self.is_leader,
            is_over=lambda: not self._is_running(),
        )
        self.reconfiguration = Reconfiguration(
            self.members,
            self._changes,
            self._ids,
            strict=strict_reconfig,
            patience=request_timeout,
            wake=self._wake,
            is_running=self._is_running,
        )
        self._expiry = SyncProposer(
            self.store,
            propose=self.propose,
            leads=lambda: self.is_leader,
            syncs_when_idle=lambda: idle_sync and is_of_2(self.members.version, self._announcements.said),
            time=time,
        )
        self._leaving: asyncio.TimerHandle | None = None

    # Living

    async def start(self, network: Network | None = None) -> None:
        """Begins to run. On return everything that was committed before is applied, and a single voter leads already.

        A member that cannot lead alone answers plain reads and waits for a leader. The ``network`` must have started;
        without one the member reaches no other. Raises NodeFailed.
        """
        self._loop = asyncio.get_running_loop()
        self.failed = self._loop.create_future()
        if self._v3_data_before is not None:
            self._v3_data.see(self._v3_data_before)
        try:
            self._driver.settle()
            if self.raft.voters == (self.local.id,):
                self.raft.campaign()  # nobody else could win, so there is nothing to wait for
                self._driver.settle()
        except (StorageError, CannotApply, LogError) as error:
            self._writer.take_unsaved()
            raise NodeFailed(str(error)) from error
        self._driver.start(self._loop.call_soon)
        self.peers.connect(network, self._remotes)
        self._notice_members()
        for routine in (
            self._tick,
            self._expiry.run,
            self._snapshots.purge,
            self._announcements.introduce,
            self._announcements.watch_versions,
        ):
            self._routines.begin(routine)

    async def stop(self) -> None:
        """Ends the loop, fails requests that still wait, and closes the log, which syncs everything that was written.

        Also allowed for a node that never started, or that failed.
        """
        self._stopping = True
        self._driver.stop()
        if self._leaving is not None:
            self._leaving.cancel()
        await self._routines.stop()
        self._turn.fail(STOPPED)
        await self._snapshot_thread.run(_nothing)  # after this, its current call has ended
        closed = self._log_thread.run(self._writer.close)
        await asyncio.wait((closed,))
        for thread in (self._snapshot_thread, self._log_thread):
            thread.stop()
        closed.result()

    @property
    def pending(self) -> int:
        """Requests that wait for the log."""
        return len(self._waiters)

    @property
    def raft_index(self) -> int:
        """The last entry handed to the key space: X-Raft-Index."""
        return self._turn.raft_index

    @property
    def raft_term(self) -> int:
        """The term of that entry, which does not change while there is no new leader: X-Raft-Term."""
        return self._turn.raft_term

    @property
    def is_leader(self) -> bool:
        return self.raft.role is RaftRole.LEADER

    @property
    def leader(self) -> int:
        return self.raft.leader

    @property
    def network(self) -> Network | None:
        return self.peers.network

    @property
    def consensus(self) -> Raft:
        return self.raft

    def _is_running(self) -> bool:
        return not self._stopping and not self.failed.done()

    # Requests

    def do(self, request: StoreRequest) -> Event | Watcher | Answer:
        """Begins what a client asked for.

        A plain read or a watch is answered at once, and so is a quorum read (``QGET``) where no other member can know
        more. All else goes through the log, and the answer has the event or an EtcdError: the store's error, or 300
        when there was no answer in time (and then the request may still happen). The event of a long listing is
        ``unlisted``. Raises EtcdError for the reads that the store refuses.
        """
        if request.method not in ("GET", "HEAD") and not self._needs_no_entry(request):
            return self.propose(request)
        if request.method == "GET" and request.wait:
            return self.store.watch(request.path, request.recursive, request.stream, request.since)
        return self.store.get(request.path, request.recursive, request.sorted, now=self.clock(), whole=False)

    def _needs_no_entry(self, request: StoreRequest) -> bool:
        return request.method == "QGET" and self._turn.knows_all() and self._is_running()

    def propose(self, request: StoreRequest) -> Answer:
        """Puts a request into the log, with its own id. It cannot be taken back."""
        if not self._is_running():
            answer = Answer(request, 0.0)
            answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, STOPPED))
            return answer
        return self._turn.ask(request)

    async def makes_progress(self, within: float) -> bool:
        """Whether there is a leader and an entry gets through the log in that many seconds."""
        if self.raft.leader == NOBODY:
            return False
        try:
            # Its time is 0, so no key expires by it: only the leader decides that, by its own clock.
            async with asyncio.timeout(within):
                await self.propose(StoreRequest(method="SYNC"))
        except (TimeoutError, EtcdError):
            return False
        return True

    # The loop

    def _wake(self) -> None:
        self._driver.wake()

    def _advanced(self) -> None:
        self.leadership.notice()
        self._begin_snapshots()

    def _begin_snapshots(self) -> None:
        if self.raft.log.applied != self.raft_index:
            return  # a leader's snapshot came meanwhile, and is not in the key space yet
        self._upkeep.begin_snapshots()

    async def _install(self, ready: Ready) -> None:
        """Continues from a leader's snapshot. Requests that are in it get no answer but the timeout."""
        snapshot = ready.snapshot
        assert snapshot is not None
        self._writer.take_unsaved()
        self._turn.installed(snapshot)
        self._upkeep.installed(snapshot.index)
        await self._snapshots.install(snapshot, ready.hard_state or self.raft.hard_state, self.clock())
        self._notice_members()
        await self._log_thread.run(self._disk.save, self._writer.begin(ready), ready.entries)
        self._turn.apply(ready.committed)
        await self._snapshots.installed(snapshot)
        self.peers.send(ready.messages)
        self._driver.finished(ready)

    def _members_changed(self) -> None:
        if self._routines:
            self._notice_members()

    def _notice_members(self) -> None:
        """Has the network follow the list of members; ends this member if it was removed."""
        self.peers.follow_members()
        if self.members.is_removed(self.local.id):
            self._leaving = self._leaving or self._loop.call_later(
                REMOVED_PATIENCE, self._fail, MemberRemoved(REMOVED)
            )

    # What time brings

    async def _tick(self) -> None:
        if self.raft.role is not RaftRole.LEADER:
            for _ in range(self.raft.election_ticks - 1):  # so that a new cluster's first campaign comes soon
                self.raft.tick()
        while True:
            await self._sleep(self._heartbeat)
            self.raft.tick()
            self._upkeep.shorten_log()
            self._begin_snapshots()  # the last one may have ended since the last write
            self._turn.time_out(self.leadership.why_late)
            self.leadership.notice_quorum()
            self._writer.save_commit()
            self._wake()

    # Trouble

    def _fail(self, error: Exception) -> None:
        if self.failed.done():
            return
        if isinstance(error, MemberRemoved):
            why = str(error)
            logger.error("%s", why)
            logger.info("the data-dir used by this member must be removed.")
        elif isinstance(error, StorageError | CannotApply | LogError):
            why = str(error)
            logger.critical("%s", why)
        else:
            why = log_fault(logger, error)
        self._driver.stop()
        self._writer.take_unsaved()
        self.failed.set_exception(error if isinstance(error, MemberRemoved) else NodeFailed(why))
        self.failed.exception()  # marks it as retrieved; it is in the log already
        self._turn.fail(STOPPED)
        self._routines.cancel()


def _nothing() -> None:
    """A call that a thread makes once all its earlier calls are done."""
