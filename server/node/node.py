"""The loop: ticks and requests in, log to disk, what is committed to the key space, answers out.

Knows nothing of HTTP. Runs on an asyncio loop; the disk is touched only in two worker threads, one for the log
and one for snapshot files, of which only the first is ever waited for by who writes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import takewhile

from server.clocks import REAL_TIME, Time
from server.cluster.ids import id_text
from server.cluster.members import VERSION as VERSION_PATH
from server.cluster.members import Member, MemberError
from server.log import log_fault
from server.node.answer import Answer
from server.node.applier import Applier, CannotApply
from server.node.changes import ChangeFailed, Changes
from server.node.leadership import TIMED_OUT, Leadership
from server.node.network import Network
from server.node.peers import Peers
from server.node.requestids import RequestIds
from server.node.snapshots import Image, Snapshots
from server.node.start import Started
from server.node.versions import decide_version
from server.node.worker import Worker, WorkerThread
from server.raft import NOBODY, Entry, EntryType, HardState, LogError, Message, Raft, Ready, Role, Snapshot
from server.storage.codec import ConfChange, ConfChangeType, encode_conf_change
from server.storage.errors import StorageError
from server.storage.requests import Request, encode_request
from server.storage.v3 import V3Data, stores_v3_data
from server.store.errors import ErrorCode, EtcdError
from server.store.event import Event
from server.store.watcher import Watcher
from server.version import major_minor, version_in_cluster

logger = logging.getLogger(__name__)

EXPIRY_INTERVAL = 0.5
"""Seconds between two looks for keys whose time is up."""

EXPIRED_AT_ONCE = 1000
"""Keys that one entry of the log removes: a few milliseconds during which nobody else is answered."""

PURGE_INTERVAL = 30.0
"""Seconds between two looks for files that are no longer needed."""

CATCH_UP_ENTRIES = 5000
"""Entries kept in memory behind a snapshot, for followers that lag a little (etcd 2.3)."""

REMOVED_PATIENCE = 1.0
"""Seconds that a member goes on answering after it was removed: its own removal, if that is what was asked of it."""

VERSION_INTERVAL = 4.0
"""Seconds between two looks of a leader at what versions its members are (etcd 2.3)."""

REMOVED = "the member has been permanently removed from the cluster"
STOPPED = "etcdserver: server stopped"


class NodeFailed(Exception):
    """The node cannot go on; the process has to end. The message is for the log."""


class MemberRemoved(NodeFailed):
    """The cluster has removed this member: no failure, but the end of it."""


class Node:
    """A running member.

    ``start`` and ``stop`` it on the loop it lives on. ``failed`` is a future that fails with NodeFailed
    when the disk, or what the log says, makes it impossible to go on; the caller then ends the process.
    ``heartbeat`` and ``request_timeout`` are seconds. ``strict_reconfig`` refuses changes of members that
    would leave too few started ones for a quorum. ``worker`` makes the two threads, by name.
    """

    failed: asyncio.Future[None]
    fixed_members = ""

    def __init__(
        self,
        started: Started,
        *,
        heartbeat: float,
        request_timeout: float,
        snapshot_count: int,
        strict_reconfig: bool = False,
        time: Time = REAL_TIME,
        worker: Callable[[str], Worker] = WorkerThread,
    ) -> None:
        self.local = started.local
        self.store = started.store
        self.members = started.members
        self.raft = started.raft
        self.metrics = started.metrics
        self.clock = time.wall
        self._monotonic = time.monotonic
        self._sleep = time.sleep
        self.raft_index = self.raft.log.applied
        """The last entry handed to the key space: X-Raft-Index."""
        self.raft_term = self.raft.log.term_at(self.raft_index) or 0
        """The term of that entry, which stays while nobody is elected: X-Raft-Term."""
        self._disk = started.disk
        self._applier = Applier(self.store, self.members, self.raft)
        self._heartbeat = heartbeat
        self._request_timeout = request_timeout
        self._snapshot_count = snapshot_count or 10_000
        self._snapshot_index = self.raft.log.applied
        self._strict_reconfig = strict_reconfig
        self._ids = RequestIds(self.local.id, time.wall() // 1_000_000)
        # Keyed by the entry's data, which holds the request's id: so an applied entry finds its waiter, and
        # the request itself, without being decoded.
        self._waiters: dict[bytes, Answer] = {}
        self._proposals: dict[bytes, None] = {}
        """For the log, in this order, as soon as the loop gets to it and there is a leader."""
        self._changes = Changes()
        self._unsaved: HardState | None = None
        """A commit index that is not on disk yet. Nothing depends on it, so it goes there with the next entries."""
        self._log_thread = worker("log")
        self._snapshot_thread = worker("snapshots")
        self._tasks: list[asyncio.Task[None]] = []
        self._snapshots = Snapshots(
            self.store,
            self.members,
            self.raft,
            self._disk,
            log_thread=self._log_thread,
            snapshot_thread=self._snapshot_thread,
            save_commit=self._save_commit,
            sleep=time.sleep,
        )
        self._taking_snapshot = False
        self._kept_from = 0
        """The entry that the log is to begin with, if it is not that short yet."""
        self.peers = Peers(
            self.local.id,
            self.raft,
            self.members,
            self.metrics,
            own=self._waiters,
            read_snapshot=lambda snapshot: self._snapshots.read(snapshot, self.clock()),
            wake=self._wake,
            fail=self._fail,
            see_v3_data=self._see_v3_data,
            leave=lambda: self._fail(MemberRemoved(REMOVED)),
            monotonic=time.monotonic,
        )
        """The other members; the transport's host."""
        self.leadership = Leadership(
            self.raft, self.peers, election_timeout=self.raft.election_ticks * heartbeat, time=time
        )
        self.started_at = self.leadership.leader_since
        self._remotes = started.remotes
        self._v3_data = started.v3_data
        self._published = asyncio.Event()
        self._term_began = asyncio.Event()
        self._silent: set[int] = set()
        """The members that did not say their version when they were asked last."""
        self._leaving: asyncio.TimerHandle | None = None
        self._stopping = False

    # Living

    async def start(self, network: Network | None = None) -> None:
        """Begins to run. On return all that was committed before is applied, and an only voter leads already.

        One that cannot lead by itself answers plain reads and waits for a leader. Without a ``network``, which has
        started, it reaches nobody. Raises NodeFailed.
        """
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.Event()
        self.failed = self._loop.create_future()
        if self._v3_data is not None:
            self._see_v3_data(self._v3_data)
        try:
            await self._drain()
            if self.raft.voters == (self.local.id,):
                self.raft.campaign()  # nobody else could win, so there is nothing to wait for
                await self._drain()
        except (StorageError, CannotApply, LogError) as error:
            self._unsaved = None
            raise NodeFailed(str(error)) from error
        self.peers.connect(network, self._remotes)
        self._notice_members()
        for routine in (
            self._run,
            self._tick,
            self._expire,
            self._purge,
            self._introduce,
            self._watch_versions,
        ):
            self._tasks.append(self._loop.create_task(self._guarded(routine)))

    async def stop(self) -> None:
        """Ends the loop, fails who still waits, and closes the log, which brings all that was written to
        the disk.

        Harmless for a node that never started, or failed.
        """
        self._stopping = True
        if self._leaving is not None:
            self._leaving.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._fail_waiters(STOPPED)
        await self._snapshot_thread.run(_nothing)  # what it is at comes to its end first
        try:
            await self._save_commit()
        finally:
            await self._log_thread.run(self._disk.close)
            for thread in (self._snapshot_thread, self._log_thread):
                thread.stop()

    @property
    def pending(self) -> int:
        """Requests that wait for the log."""
        return len(self._waiters)

    @property
    def is_leader(self) -> bool:
        return self.raft.role is Role.LEADER

    @property
    def leader(self) -> int:
        return self.raft.leader

    @property
    def network(self) -> Network | None:
        return self.peers.network

    @property
    def consensus(self) -> Raft:
        return self.raft

    # What clients want

    def do(self, request: Request) -> Event | Watcher | Answer:
        """Begins what a client asked for.

        A plain read or a watch is answered at once; all else, and a read with ``quorum``, goes through the
        log, and the answer has the event or an EtcdError: the store's refusal, or 300 when there was none in
        time (and then the request may still happen). The event of a long listing is ``unlisted``. Raises EtcdError
        for the reads that the store refuses.
        """
        if request.method not in ("GET", "HEAD"):
            return self.propose(request)
        if request.method == "GET" and request.quorum:
            request.method = "QGET"
            return self.propose(request)
        if request.method == "GET" and request.wait:
            return self.store.watch(request.path, request.recursive, request.stream, request.since)
        return self.store.get(request.path, request.recursive, request.sorted, now=self.clock(), whole=False)

    def propose(self, request: Request) -> Answer:
        """Puts a request into the log, with an id of its own. There is no taking it back."""
        answer = Answer(request, self._monotonic() + self._request_timeout)
        if self._stopping or self.failed.done():
            answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, STOPPED))
            return answer
        request.id = self._ids.next()
        data = encode_request(request)
        self._waiters[data] = answer
        self._propose(data)
        return answer

    def _propose(self, data: bytes) -> None:
        if not self._proposals:
            self._work.set()
        self._proposals[data] = None

    async def add_member(self, member: Member) -> None:
        """A new member joins the cluster, by its id and peer URLs.

        This and the other two changes of members return when they are applied here, and raise ChangeRefused, or
        ChangeFailed when nothing comes of it in time.
        """
        if self._strict_reconfig:
            self.members.check_can_add()
        await self._change(ConfChangeType.ADD_NODE, member.id, member.context)

    async def remove_member(self, member: int) -> None:
        """A member leaves, and its id is never used again. The member itself ends soon after."""
        if self._strict_reconfig:
            self.members.check_can_remove(member)
        await self._change(ConfChangeType.REMOVE_NODE, member)

    async def update_member(self, member: Member) -> None:
        """A member gets other peer URLs."""
        await self._change(ConfChangeType.UPDATE_NODE, member.id, member.context)

    async def _change(self, kind: ConfChangeType, member: int, context: bytes = b"") -> None:
        if self._stopping or self.failed.done():
            raise ChangeFailed(STOPPED)
        change = encode_conf_change(ConfChange(kind, member, self._ids.next(), context))
        self._work.set()
        await self._changes.wait(change, self._request_timeout, TIMED_OUT)

    async def makes_progress(self, within: float) -> bool:
        """Whether there is a leader and an entry gets through the log in that many seconds."""
        if self.raft.leader == NOBODY:
            return False
        try:
            # One that lets nothing expire: that is the leader's to decide, by its own clock.
            await asyncio.wait_for(self.propose(Request(method="SYNC")), within)
        except (TimeoutError, EtcdError):
            return False
        return True

    # The loop

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            await self._drain()

    async def _drain(self) -> None:
        """Does all there is to do. What arrives while the disk works is in the next round, with one sync
        for it all."""
        while ready := self._next_ready():
            if ready.snapshot is not None:
                await self._install(ready.snapshot, ready.hard_state or self.raft.hard_state)
            saving = None
            state = ready.hard_state or self._unsaved
            if ready.must_sync:
                saving = self._log_thread.run(self._disk.save, state, ready.entries)
                state = None
            self._unsaved = state
            try:
                if ready.send_first:
                    self.peers.send(ready.messages)
                self._apply(ready.committed)  # these are on disk since the last round
            finally:
                if saving is not None:
                    await saving
            if ready.snapshot is not None:
                await self._snapshots.installed(ready.snapshot)
            if not ready.send_first:
                self.peers.send(ready.messages)
            self.raft.advance(ready)
            self.leadership.notice()
            self._begin_snapshots()
        self.raft.advance(ready)
        self._begin_snapshots()  # one taken before may have ended since the last write

    async def _save_commit(self) -> None:
        if self._unsaved is not None:
            state, self._unsaved = self._unsaved, None
            await self._log_thread.run(self._disk.save, state, ())

    def _next_ready(self) -> Ready:
        if self._proposals and self.raft.propose(*self._proposals):
            self._proposals = {}
        change = self._changes.first
        if change is not None and not self.raft.conf_change_pending and self.raft.propose_conf_change(change):
            self._changes.proposed()
        return self.raft.ready()

    def _apply(self, entries: list[Entry]) -> None:
        if not entries:
            return
        self.raft_index, self.raft_term = entries[-1].index, entries[-1].term
        now = self.clock()
        waiters, apply, observe = self._waiters, self._applier.apply, self.metrics.proposals.observe
        proposed = self._monotonic() + self._request_timeout  # less an answer's deadline: how long it took
        for entry in entries:
            answer = waiters.get(entry.data)
            if answer is None:
                self._apply_unasked(entry, now)
                continue
            outcome = apply(entry, answer.request, now)
            del waiters[entry.data]  # not before: when apply raises, all who wait are told
            if answer.request.method != "SYNC":  # which is the member's own
                observe(proposed - answer.deadline)
            answer.settle(outcome)  # type: ignore[arg-type] # a request's outcome

    def _apply_unasked(self, entry: Entry, now: int) -> None:
        """Applies what no request here waits for: another member's, or a change of members."""
        outcome = self._applier.apply(entry, self.peers.judge.take(entry.data), now)
        if entry.type is EntryType.CONF_CHANGE:
            self._changes.settle(entry.data, outcome if isinstance(outcome, MemberError) else None)
            if self._tasks:
                self._notice_members()
        elif not entry.data:
            self._term_began.set()
        elif outcome is None and self.raft.may_lead and (what := stores_v3_data(entry.data)):
            self._see_v3_data(V3Data(what, entry.index))

    def _see_v3_data(self, seen: V3Data) -> None:
        """From now on this member must not lead: to a follower that lags it would send a database without any v3 data,
        with the word of a leader that this is all there is."""
        if not self.raft.may_lead:
            return
        self.raft.give_up_leading()
        logger.warning(
            "this cluster holds v3 data, which the bundled server does not keep (%s, entry %d): this member votes and "
            "serves the v2 keys, but never leads any more. Replace it by a real etcd when you can",
            seen.what,
            seen.index,
        )
        # Asked for at once: no snapshot is marked in the log before it is known.
        remembered = self._log_thread.run(self._disk.remember_v3_data, seen)
        self._begin(lambda: remembered)

    def _wake(self) -> None:
        self._work.set()

    def _notice_members(self) -> None:
        """Talks to the members there are; ends a member that was removed."""
        self.peers.follow_members()
        if self.members.is_removed(self.local.id):
            self._leaving = self._leaving or self._loop.call_later(
                REMOVED_PATIENCE, self._fail, MemberRemoved(REMOVED)
            )

    # What time brings

    async def _tick(self) -> None:
        if self.raft.role is not Role.LEADER:
            for _ in range(self.raft.election_ticks - 1):  # a new cluster's first campaign comes soon
                self.raft.tick()
        while True:
            await self._sleep(self._heartbeat)
            self.raft.tick()
            self._shorten_log()
            self._time_out_waiters()
            self.leadership.notice_quorum()
            self._work.set()
            await self._save_commit()

    def _time_out_waiters(self) -> None:
        """Answers those whose time is up. What raft has not taken by then it never gets: without a leader it would
        pile up, and happen much later."""
        now = self._monotonic()
        late = list(takewhile(lambda waiter: waiter[1].deadline <= now, self._waiters.items()))
        for data, answer in late:
            del self._waiters[data]
            self._proposals.pop(data, None)
            self.metrics.proposals_failed += answer.request.method != "SYNC"
            why = self.leadership.why_late(answer.deadline - self._request_timeout)
            answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, why))

    async def _expire(self) -> None:
        """Proposes the cluster-wide expiry of keys, as etcd's SYNC; only when keys are due, which spares
        idle disks, and with many in portions, between which others get their answers."""
        while True:
            await self._sleep(EXPIRY_INTERVAL)
            while self.is_leader and (cutoff := self.store.due(self.clock(), EXPIRED_AT_ONCE)) is not None:
                try:
                    await self.propose(Request(method="SYNC", time=cutoff))
                except EtcdError:
                    break  # no answer in time: what is still due will be proposed again

    async def _purge(self) -> None:
        while True:
            await self._snapshot_thread.run(self._disk.purge)
            await self._sleep(PURGE_INTERVAL)

    async def _introduce(self) -> None:
        """Tells the cluster this member's name and client URLs, once each start."""
        path = self.local.attributes_path
        while not self._published.is_set():
            try:
                await self.propose(Request(method="PUT", path=path, val=self.local.attributes))
            except EtcdError as error:
                if self._stopping or self.failed.done():
                    return
                logger.error("cannot write %s, trying again: %s", path, error.cause)
            else:
                self._published.set()
        cluster = id_text(self.members.cluster_id)
        urls = " ".join(self.local.client_urls)
        logger.info("published {Name:%s ClientURLs:[%s]} to cluster %s", self.local.name, urls, cluster)

    async def _watch_versions(self) -> None:
        """Has a leader decide on the cluster's version when its term begins, and now and then after."""
        await self._published.wait()
        while True:
            if self.is_leader:
                await self._decide_version()
            self._term_began.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._term_began.wait(), VERSION_INTERVAL)

    async def _decide_version(self) -> None:
        known = self.members.version
        own = version_in_cluster(known)
        versions = await self.peers.versions()
        silent = {member for member, release in versions.items() if release is None}
        for member in sorted(silent - self._silent):
            logger.warning("cannot get the version of member %s", id_text(member))
        self._silent = silent
        decided = decide_version((own, *versions.values()), known)
        if decided is None or not self.is_leader or self.members.version != known:
            return
        if known is None:
            logger.info("setting up the initial cluster version to %s", major_minor(decided))
        else:
            logger.info(
                "updating the cluster version from %s to %s", major_minor(known), major_minor(decided)
            )
        try:
            await self.propose(Request(method="PUT", path=VERSION_PATH, val=decided.encode()))
        except EtcdError as error:  # another may lead by now, and may have decided otherwise
            logger.error("error updating cluster version (%s)", error.cause)

    # Snapshots

    def _begin_snapshots(self) -> None:
        """Those that followers wait for, and an own one if it is time. What has been applied is known to raft."""
        applied = self.raft.log.applied
        if applied != self.raft_index:
            return  # a leader's snapshot came meanwhile, and the key space is not up to it yet
        if wanted := self.peers.take_wanted():
            self._begin(partial(self._hand_over, wanted, self._snapshots.freeze()))
        if applied - self._snapshot_index <= self._snapshot_count or self._taking_snapshot:
            return
        logger.info("start to snapshot (applied: %d, lastsnap: %d)", applied, self._snapshot_index)
        self._snapshot_index = applied
        self._taking_snapshot = True
        self._begin(partial(self._take_snapshot, self._snapshots.freeze()))

    def _begin(self, work: Callable[[], Awaitable[None]]) -> None:
        """Has something done beside the loop."""
        task = self._loop.create_task(self._guarded(work))
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    async def _take_snapshot(self, image: Image) -> None:
        """Keeps the key space as of a snapshot's index, and shortens the log to what followers may need yet."""
        began = self._monotonic()
        pieces = await self._snapshots.pieces(image)
        self.metrics.snapshot_encodings.observe(self._monotonic() - began)
        await self._snapshots.keep(image.about, pieces)
        self._kept_from = max(1, image.about.index - CATCH_UP_ENTRIES)
        self._shorten_log()
        self._taking_snapshot = False

    def _shorten_log(self) -> None:
        """To what followers may need yet; while one is receiving a snapshot, later."""
        if self._kept_from and not self.peers.are_receiving_snapshots:
            self.raft.log.compact(self._kept_from)
            logger.info("compacted raft log at %d", self._kept_from)
            self._kept_from = 0

    async def _hand_over(self, messages: list[Message], image: Image) -> None:
        """Sends followers the key space; the log goes on from there."""
        snapshot = await self._snapshots.encode(image)
        for message in messages:
            self.peers.hand_over(message, snapshot)

    async def _install(self, snapshot: Snapshot, hard_state: HardState) -> None:
        """Goes on from a leader's snapshot. Who waits for something in it will not hear of it."""
        self._unsaved = None
        self.raft_index = self._snapshot_index = snapshot.index
        self.raft_term = snapshot.term
        await self._snapshots.install(snapshot, hard_state, self.clock())
        self._notice_members()

    # Trouble

    async def _guarded(self, routine: Callable[[], Awaitable[None]]) -> None:
        """Runs a part of the node; whatever it raises ends the whole node, for what it left undone is
        unknown."""
        try:
            await routine()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(error)

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
        self._unsaved = None
        self.failed.set_exception(error if isinstance(error, MemberRemoved) else NodeFailed(why))
        self.failed.exception()  # whoever waits for it still gets it; if nobody does, it is in the log
        self._fail_waiters(STOPPED)
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    def _fail_waiters(self, cause: str) -> None:
        waiters = dict(self._waiters)
        self._waiters.clear()
        self._proposals = {}
        for answer in waiters.values():
            answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, cause))
        self._changes.fail(cause)


def _nothing() -> None:
    """Done when all that was asked of a thread before is done."""
