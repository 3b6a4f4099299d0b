"""A gateway: the API uses it like a member, and its log is in an etcd 3.

The way of a write: ``propose`` -> ``Appender`` -> the etcd -> the watch brings it back, in the order of the revisions,
with what other gateways append -> ``Replica`` applies it -> the client's answer.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable

from server.clocks import REAL_TIME, Time
from server.cluster.members import Member
from server.gateway.appending import Appender
from server.gateway.condition import Condition
from server.gateway.foreign import Foreign
from server.gateway.gateways import Gateways
from server.gateway.layout import Layout, LayoutError, Mark, shown
from server.gateway.loading import Loaded, found, load
from server.gateway.reading import Reader
from server.gateway.replica import RULES, Diverged, Replica, Rules
from server.gateway.switching import Switch
from server.gateway.tending import Tender
from server.gateway.v3 import V3, Change, Compacted, LeaseLost, V3Error, end_of
from server.log import log_fault
from server.metrics import MemberMetrics
from server.node import (
    STOPPED,
    TIMED_OUT,
    Answer,
    ChangeFailed,
    NodeFailed,
    Routines,
    SyncProposer,
)
from server.storage.requests import StoreRequest, encode_request
from server.store import ErrorCode, EtcdError, Event, Store, Watcher

logger = logging.getLogger(__name__)

MOST_LOGGED = 64 << 20
"""Bytes of the log that are in no checkpoint yet, from which on writes wait. A choice: a burst need not wait for
checkpoints, and the log takes a small part of etcd's usual quota of 2 GiB."""
OVERDUE = 1.5
"""Seconds in which the watch must bring a record that is in the log; otherwise the watch hangs, and is begun again. A
choice: well below the time of a request (5 seconds and more), so that its client still gets the answer; shorter, and
every short stall of the etcd would begin it again."""
TICK = 0.1
"""Seconds between two looks for requests whose time is up: an error comes that much later at most."""

MOST_COMPONENTS = 99
"""Components of a key: one write may make that many directories, and they must fit into one transaction
(``changes.MOST_OPERATIONS``)."""
MOST_VALUE = 1_400_000
"""Bytes of a published value: with the record beside it, below ``MOST_BYTES``."""
MOST_RECORD = 1_000_000
"""Bytes of a value that is not published, under /2: its record holds it in base64, a third longer."""
MOST_BYTES = 1_500_000
"""Bytes of one request, and of what a checkpoint writes for it; etcd takes 1.5 MiB."""

FIXED = (
    "the members are gateways to an etcd 3: start or stop one to change them; the etcd's own members are changed with "
    "etcdctl member"
)


class FixedMembers:
    """Refuses changes of members: a gateway joins when it starts, and the etcd's own members are changed there."""

    async def add(self, _: Member) -> None:
        raise ChangeFailed(FIXED)

    async def remove(self, _: int) -> None:
        raise ChangeFailed(FIXED)

    async def update(self, _: Member) -> None:
        raise ChangeFailed(FIXED)


class GatewayNode:
    """A running gateway.

    It registers itself with ``name`` and ``client_urls``. ``start`` and ``stop`` it on the loop that it runs on.
    ``failed`` is a future that fails with NodeFailed when it cannot continue. ``request_timeout`` is seconds, and
    ``rules`` are the rules of applying that it knows.
    """

    failed: asyncio.Future[None]
    fixed_members = FIXED
    reconfiguration = FixedMembers()
    network = None
    consensus = None

    def __init__(
        self,
        v3: V3,
        layout: Layout,
        *,
        name: str,
        client_urls: tuple[str, ...],
        request_timeout: float,
        time: Time = REAL_TIME,
        rules: Rules = RULES,
    ) -> None:
        self.local = Member(gateway_id(name, client_urls), name, (), client_urls)
        self.store = Store()
        self.metrics = MemberMetrics()
        self.clock = time.wall
        self.started_at = time.wall()
        self.raft_index = 0
        """The revision of the last record applied: X-Raft-Index."""
        self._v3 = v3
        self._layout = layout
        self._time = time
        self._request_timeout = request_timeout
        self.replica = Replica(self.store, rules)
        self.members = self.leadership = Gateways(v3, layout, self.local, time, max(rules))
        self._condition = Condition(v3, time, self.metrics)
        self._reader = Reader(v3, layout, time, answer=self._answer_read, applied=lambda: self.raft_index)
        self._appender = Appender(
            v3,
            layout,
            self.members,
            time,
            catch_up=self._catch_up,
            is_full=lambda: self.replica.bytes_logged > MOST_LOGGED or self._condition.is_full,
        )
        self.tender = Tender(
            v3, layout, self.members, self.replica, time, stale=self._go_stale, rest=self._appender.rest
        )
        self._foreign = Foreign(v3, layout, self.members, time, put_right=self.tender.put_right)
        self._switch = Switch(
            self.members,
            time,
            in_force=lambda: self.replica.position.rules,
            begin=self._appender.switch,
        )
        self._expiry = SyncProposer(
            self.store,
            propose=self.propose,
            leads=lambda: self.members.is_tender,
            syncs_when_idle=lambda: False,
            time=time,
        )
        self._following: asyncio.Task[None] | None = None
        self._stale: Exception | None = None
        self._watches_anew = False
        self._watched_since = 0.0
        self._next_revision = 0
        self._cluster = 0
        self._routines = Routines(self._fail)
        self._stopping = False

    # Living

    async def start(self) -> None:
        """Begins to run. On return everything is applied that was in the log before. Waits for an etcd that does not
        answer. Raises NodeFailed."""
        loop = asyncio.get_running_loop()
        self.failed = loop.create_future()
        try:
            await self._until_it_answers(lambda: found(self._v3, self._layout))
            await self._until_it_answers(self._load)
            self.tender.compacts = await self._is_alone()
        except (LayoutError, Diverged) as error:
            raise NodeFailed(str(error)) from error
        for routine in (
            self._follow,
            self._appender.run,
            self._reader.run,
            self.members.run,
            self.members.watch,
            self.tender.run,
            self._condition.run,
            self._switch.run,
            self._foreign.watch,
            self._foreign.judge,
            self._expiry.run,
            self._tick,
        ):
            self._routines.begin(routine)

    async def stop(self) -> None:
        """Ends in order: the other gateways see it at once, and requests that still wait get an error."""
        self._stopping = True
        await self._routines.stop()
        self._fail_waiters()
        try:
            async with asyncio.timeout(1.0):
                await self.members.leave()
        except LeaseLost:
            pass
        except (V3Error, TimeoutError) as error:
            logger.warning("could not report to the etcd that this gateway stops: %s", error or "no answer")

    async def _until_it_answers(self, ask: Callable[[], Awaitable[object]]) -> None:
        told, wait = "", 0.1
        while True:
            try:
                await ask()
                return
            except V3Error as error:
                why = str(error)
            if why != told:
                told = why
                logger.warning("waiting for the etcd 3: %s", why)
            await self._time.sleep(wait)
            wait = min(2.0, 2 * wait)

    async def _is_alone(self) -> bool:
        """Whether all keys of the etcd are gateways' keys, so that its history is theirs to compact."""
        try:
            everything = await self._v3.get(b"\0", b"\xff", limit=1, keys_only=True)
            ours = 0
            for prefix in (self._layout.meta, self._layout.published_root):
                found_there = await self._v3.get(
                    prefix, end_of(prefix), revision=everything.revision, limit=1, keys_only=True
                )
                ours += found_there.total
        except V3Error:
            return False
        return everything.total == ours

    # What the API asks for

    @property
    def raft_term(self) -> int:
        return self._v3.term

    @property
    def pending(self) -> int:
        """Requests that wait for the log."""
        return len(self._appender)

    @property
    def leader(self) -> int:
        return self.members.leader

    @property
    def is_leader(self) -> bool:
        return self.members.is_tender

    def do(self, request: StoreRequest) -> Event | Watcher | Answer:
        """Begins what a client asked for, as a member does. Raises EtcdError for the reads that the store refuses."""
        if request.method not in ("GET", "HEAD"):
            return self.propose(request)
        if request.method == "GET" and request.wait:
            return self.store.watch(request.path, request.recursive, request.stream, request.since)
        return self.store.get(request.path, request.recursive, request.sorted, now=self.clock(), whole=False)

    def propose(self, request: StoreRequest) -> Answer:
        """Puts a request into the log, or for a QGET asks how far the log is. It cannot be taken back."""
        answer = Answer(request, self._time.monotonic() + self._request_timeout)
        if self._stopping or self.failed.done():
            answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, STOPPED))
            return answer
        if request.method == "QGET":
            self._reader.ask(answer)
            return answer
        data = encode_request(request)
        fault = too_large(request, len(data))
        if fault:
            answer.settle(EtcdError(ErrorCode.INVALID_FIELD, fault, self.store.index))
        else:
            self._appender.ask(answer, data)
        return answer

    async def makes_progress(self, within: float) -> bool:
        """Whether, in that many seconds, the etcd answers and everything in its log is applied here."""
        try:
            async with asyncio.timeout(within):
                await self._reader.catch_up()
        except (TimeoutError, V3Error):
            return False
        return not self.failed.done()

    def _answer_read(self, answer: Answer) -> None:
        asked = answer.request
        try:
            event = self.store.get(asked.path, asked.recursive, asked.sorted, now=self.clock(), whole=False)
        except EtcdError as error:
            answer.settle(error.with_traceback(None))
        else:
            answer.settle(event)

    async def _catch_up(self) -> None:
        while True:
            try:
                return await self._reader.catch_up()
            except V3Error as error:
                logger.debug("cannot catch up with the log, trying again: %s", error)
            await self._time.sleep(0.1)

    # The log

    async def _load(self) -> None:
        """Reads the key space, and applies the records of the log behind it. Raises LayoutError, V3Error."""
        loaded = await load(self._v3, self._layout)
        if loaded.lost:
            await self._check_alone(loaded.lost)
        self._become(loaded)
        logger.info(
            "read %d keys at index %d from the etcd, and %d records of the log behind them",
            len(loaded.state.files),
            loaded.mark.index,
            len(loaded.log),
        )

    async def _check_alone(self, lost: list[str]) -> None:
        """Raises LayoutError when other gateways run: they know the lost values, and this one would have others."""
        layout = self._layout
        there = await self._v3.get(layout.gateways, end_of(layout.gateways), keys_only=True)
        if {kv.key for kv in there.found} - {layout.tender, layout.gateway(self.local.id)}:
            raise LayoutError(
                f"{shown(layout.published(lost[0]))} was written over the v3 API, and its value before was compacted "
                "away; other gateways still know it: write the key again through one of them, and start this one "
                f"then. {len(lost)} keys are like that"
            )

    def _become(self, loaded: Loaded) -> None:
        self.replica.become(loaded.state, loaded.mark, loaded.stale)
        self.tender.become(loaded)
        self._stale = None
        for kv in loaded.log:
            self._apply(kv.key, kv.value, kv.mod_revision)
        # The revision of the last record may be much older: everything in the log up to here has been read.
        self._next_revision = loaded.revision + 1
        self.raft_index = self.replica.position.revision
        self._cluster = self._v3.cluster_id
        self._appender.loaded(loaded.revision)
        self._foreign.loaded(loaded.revision)
        self._reader.notice()

    async def _follow(self) -> None:
        """Applies the records that come; reads the key space again after an error that makes it doubtful."""
        while True:
            self._following = asyncio.ensure_future(self._follow_on())
            doubt: Exception | None = None
            try:
                await self._following
            except asyncio.CancelledError:
                if self._stopping or self.failed.done() or not (self._stale or self._watches_anew):
                    self._following.cancel()
                    raise
                self._watches_anew = False
                doubt = self._stale
            except (Compacted, Diverged) as error:
                doubt = error
            except V3Error as error:
                logger.debug("the watch of the log has ended: %s", error)
            if doubt is None:
                await self._time.sleep(0.05)
                doubt = self._stale  # which came when there was no watch to end
            if doubt is not None:
                logger.warning("reading the key space again: %s", doubt)
                await self._until_it_answers(self._load)

    async def _follow_on(self) -> None:
        await self._skip_what_is_not_ours()
        self._watched_since = self._time.monotonic()
        changes = self._v3.watch(self._layout.log, end_of(self._layout.log), self._next_revision)
        async for changed in changes:
            self._take(changed)

    async def _skip_what_is_not_ours(self) -> None:
        """Begins the watch behind revisions without a record: an etcd that others use, too, may have compacted them.
        Raises Diverged for an etcd with another history."""
        there = await self._v3.get(self._layout.log, end_of(self._layout.log), keys_only=True)
        known = self._next_revision - 1
        if there.revision < known or self._v3.cluster_id != self._cluster:
            raise Diverged(
                f"the etcd is at revision {there.revision}, and was at {known}: it is another one, or was restored "
                "from a backup"
            )
        if all(kv.mod_revision < self._next_revision for kv in there.found):
            self._next_revision = there.revision + 1

    def _take(self, changed: list[Change]) -> None:
        """Applies what one transaction has done to the log. Raises Diverged, LayoutError."""
        layout = self._layout
        record = tail = mark = None
        for change in changed:
            kv = change.now
            if change.deleted:
                if kv.key in (layout.tail, layout.mark):
                    raise LayoutError(f"somebody has deleted {shown(kv.key)}")
            elif kv.key == layout.tail:
                tail = kv
            elif kv.key == layout.mark:
                mark = kv
            else:
                record = kv
        if record is not None:
            self._check_record(record.key, tail is not None)
        if tail is not None:
            expected = self.replica.position.tail + 1
            if record is None or tail.version != expected:
                raise Diverged(f"the log is at its record {tail.version}, and {expected} was expected")
            self._apply(record.key, record.value, record.mod_revision)
            self._reader.notice()
        if mark is not None:
            self._foreign.see_checkpoint(mark.mod_revision)
            self.tender.see_mark(Mark.decode(mark.value), mark.mod_revision)
        self._next_revision = changed[-1].now.mod_revision + 1

    def _check_record(self, key: bytes, is_appended: bool) -> None:
        self._layout.read_record(key)
        if not is_appended:
            raise LayoutError(f"{shown(key)} was not written by a gateway")

    def _apply(self, key: bytes, value: bytes, revision: int) -> None:
        boot, seq = self._layout.read_record(key)
        answers = self._appender.brought_back(boot, seq)
        own = [answer.request for answer in answers]
        now = self.clock()
        outcomes = self.replica.apply(revision, key, value, own, now)
        self.raft_index = revision
        asked = self._time.monotonic() + self._request_timeout
        for answer, outcome in zip(answers, outcomes, strict=False):
            if answer.request.method != "SYNC":
                self.metrics.proposals.observe(asked - answer.deadline)
            if not answer.done:
                answer.settle(outcome)

    def _go_stale(self, error: Exception) -> None:
        """The records that come are not applied any more, until the key space has been read again."""
        self._stale = error
        if self._following is not None:
            self._following.cancel()

    # What time brings

    async def _tick(self) -> None:
        while True:
            await self._time.sleep(TICK)
            now = self._time.monotonic()
            for answer in self._appender.drop_late(now) + self._reader.drop_late(now):
                self.metrics.proposals_failed += answer.request.method != "SYNC"
                answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, TIMED_OUT))
            since = self._appender.waits_since()
            if since is not None and now - max(since, self._watched_since) > OVERDUE:
                self._watch_anew()

    def _watch_anew(self) -> None:
        """Begins the watch again, at the member of the etcd that calls go to now."""
        logger.debug("the watch does not bring what was appended: beginning it again")
        self._watched_since = self._time.monotonic()
        self._watches_anew = True
        if self._following is not None:
            self._following.cancel()

    # Trouble

    def _fail(self, error: Exception) -> None:
        if self.failed.done():
            return
        if isinstance(error, LayoutError):
            why = str(error)
            logger.critical("%s", why)
        else:
            why = log_fault(logger, error)
        self.failed.set_exception(NodeFailed(why))
        self.failed.exception()  # marks it as retrieved; it is in the log already
        self._fail_waiters()
        self._routines.cancel()

    def _fail_waiters(self) -> None:
        for answer in self._appender.drop_all() + self._reader.drop_all():
            answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, STOPPED))


def gateway_id(name: str, client_urls: tuple[str, ...]) -> int:
    """A gateway's id, which is the same at every start: a hash of its name and client URLs."""
    text = "\n".join((name, *sorted(client_urls)))
    return int.from_bytes(hashlib.sha1(text.encode("utf-8", "surrogateescape")).digest()[:8], "big") or 1


def too_large(request: StoreRequest, size: int) -> str:
    """Why a request of that many bytes cannot be kept in an etcd 3, ``""`` if it can."""
    components = request.path.count("/") - 1  # the first is /1 or /2
    if components > MOST_COMPONENTS:
        return f"a key of {components} components, and a gateway takes {MOST_COMPONENTS}"
    limit = MOST_VALUE if request.path.startswith("/1/") else MOST_RECORD
    if len(request.val) > limit:
        return f"a value of {len(request.val)} bytes, and a gateway takes {limit}"
    # The value, and a record for each directory that it may make.
    if size + (components + 5) * (len(request.path) + 150) > MOST_BYTES:
        return f"a request of {size} bytes, which with its keys is more than an etcd takes at once"
    return ""
