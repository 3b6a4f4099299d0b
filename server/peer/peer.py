"""One other member: how messages get to it, by whichever way there is, and how its messages get here.

A member that is in the cluster is asked for two streams, and asks for two of ours. APPENDs go by the stream for them,
the rest by the other one; what has no stream, and every SNAPSHOT, is posted. Nothing here ever waits for a peer except
its own tasks: a queue that is full drops what comes, and says so.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from server.bounded import parse_json
from server.cluster.ids import id_text
from server.cluster.remote import PeerUnreachable
from server.mergelogger import MergeLogger
from server.peer.checks import (
    BOUNDS,
    Channel,
    Identity,
    NoStreams,
    PeerRefused,
    PermanentlyRemoved,
    check_post_answer,
    check_stream_answer,
    is_3x,
)
from server.peer.codec import (
    AppendEncoder,
    Decoder,
    MessageEncoder,
    WireError,
    append_decoder,
    encode_message,
    message_decoder,
    snapshot_body,
)
from server.peer.host import Host
from server.peer.stats import FollowerStats, StatsQueue
from server.peer.stream import OutgoingStream
from server.raft import Message, MessageType, Snapshot

if TYPE_CHECKING:
    from server.peer.dialer import Dialer

logger = logging.getLogger(__name__)

SILENCE = 5.0
"""Seconds after which a silent stream counts as broken (etcd 2.3); peers send heartbeats more often."""

BEAT = SILENCE / 3
"""Seconds between heartbeats of a stream: two may be late before the peer gives the stream up (etcd 2.3)."""

_RETRY = 0.1
"""Seconds before a stream is asked for again (etcd 2.3): a peer that restarts is reached well within an election
timeout."""

UNDECODABLE = "undecodable"
"""The word by which bytes are counted that are not a valid message."""

_PIPELINE = "pipeline"
_POST_QUEUE = 64
"""Messages that may wait to be posted; what comes then is dropped (etcd 2.3)."""

_POST_PATIENCE = 10.0
"""Seconds for an answer to a POST, which a peer that runs gives at once. etcd waits without end, and then all posters
of a peer that was paused wait with it. A SNAPSHOT takes as long as it takes."""

_PROBE = 4.0
"""Seconds between two probes; a little less than peers keep an idle connection for."""

_PROBE_PATIENCE = 4.0
"""Seconds for an answer to a probe: until the next one."""

_PROBE_REPORT = 30.0
"""Seconds between two lines of the log about an unhealthy peer (etcd 2.3)."""

_VERSION_PATIENCE = 3.0
"""Seconds for the version of a peer. A member that does not answer is asked again when the version is next decided."""

_CLOCK_DIFFERENCE = 1.0
"""Seconds beyond which the clock of a peer is reported (etcd 2.3)."""


@dataclass(slots=True)
class Links:
    """What the ways to all members have in common. ``database`` makes what 3.x needs beside a snapshot."""

    me: Identity
    host: Host
    make_dialer: Callable[[], "Dialer"]
    merge_logger: MergeLogger
    received: StatsQueue
    database: Callable[[Snapshot], Sequence[bytes]] | None = None
    _dialer: "Dialer | None" = None

    @property
    def dialer(self) -> "Dialer":
        """Connections to all of them, made for the first that there is."""
        if self._dialer is None:
            self._dialer = self.make_dialer()
        return self._dialer

    async def close(self) -> None:
        if self._dialer is not None:
            await self._dialer.close()

    def receive(self, messages: Sequence[Message], way: str) -> bool:
        """Hands on what came by some ``way``. Whether all of it was taken; the log says who sent what was not."""
        for message in messages:
            if message.type is MessageType.APPEND and message.to == self.me.member:
                self.received.note(message, time.monotonic())
        refused = self.host.receive(messages)
        for message, why in refused:
            line = f"refused a message of type {message.type.name} from {id_text(message.sender)}, {way}: {why.text}"
            self.merge_logger.log(logger, logging.WARNING, line)
        return not refused

    def refused(self, error: Exception) -> None:
        """Logs and reports a refusal as far as it needs to be, each time."""
        if isinstance(error, PeerRefused) and error.log:
            self.merge_logger.log(logger, logging.ERROR, error.log)
        if isinstance(error, PermanentlyRemoved):
            self.host.removed()

    async def guard(self, routine: Callable[[], Awaitable[None]]) -> None:
        """Runs what runs as long as the peer is there; an exception nobody expected ends the member."""
        try:
            await routine()
        except Exception as error:
            self.host.failed(error)


class Picker:
    """The URLs of a peer, of which one is used until it fails."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.update(urls)

    def update(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls) or ("",)
        self._picked = 0

    def pick(self) -> str:
        return self._urls[self._picked]

    def failed(self, url: str) -> None:
        if url == self.pick():
            self._picked = (self._picked + 1) % len(self._urls)


class PeerStatus:
    """Whether anything gets through, for the log and for who wants to know. ``since`` is None while nothing does, else
    seconds of the monotonic clock."""

    def __init__(self, member: int) -> None:
        self._who = id_text(member)
        self.since: float | None = None

    def activate(self) -> None:
        if self.since is None:
            logger.info("the connection with %s became active", self._who)
            self.since = time.monotonic()

    def deactivate(self, action: str, way: str, why: object) -> None:
        level = logging.DEBUG if self.since is None else logging.ERROR
        logger.log(level, "failed to %s %s on %s (%s)", action, self._who, way, why)
        if self.since is not None:
            logger.info("the connection with %s became inactive", self._who)
            self.since = None


class Remote:
    """A member that messages are posted to, and nothing more: one that the log does not list yet."""

    posters = 1
    """Anybody can say that he is such a one, and each poster may come to hold a connection."""

    def __init__(self, member: int, urls: Sequence[str], links: Links) -> None:
        self.member = member
        self.status = PeerStatus(member)
        self.latency = FollowerStats()
        self.wants_database = False
        """Whether it is of 3.x, as far as is known: then a snapshot goes to it with a database."""
        self._links = links
        self._picker = Picker(urls)
        self._posts: asyncio.Queue[Message] = asyncio.Queue(_POST_QUEUE)
        self.tasks: list[asyncio.Task[None]] = []
        for _ in range(self.posters):
            self._run(self._post_all)

    def send(self, message: Message) -> None:
        """Puts a message on its way, or drops it and reports that to the host. Returns at once."""
        self._enqueue(message)

    def stop(self) -> None:
        """Ends all ways; the ``tasks`` end soon after. What waits to be posted is lost, what is in a stream leaves
        first."""
        for task in self.tasks:
            task.cancel()
        while not self._posts.empty():
            self._lost(self._posts.get_nowait())

    def _run(self, routine: Callable[[], Awaitable[None]]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(self._links.guard(routine)))

    def _enqueue(self, message: Message) -> None:
        try:
            self._posts.put_nowait(message)
        except asyncio.QueueFull:
            self._dropped(message, _PIPELINE)

    def _dropped(self, message: Message, way: str) -> None:
        self._lost(message)
        if self.status.since is not None:
            who = id_text(self.member)
            why = f"since {way}'s sending buffer is full (bad/overloaded network)"
            self._links.merge_logger.log(
                logger, logging.WARNING, f"dropped internal raft message to {who} {why}"
            )

    def _lost(self, message: Message) -> None:
        self._links.host.unreachable(self.member)
        if message.type is MessageType.SNAPSHOT:
            self._links.host.snapshot_ended(self.member, arrived=False)

    async def _post_all(self) -> None:
        while True:
            message = await self._posts.get()
            url, begun = self._picker.pick(), time.monotonic()
            try:
                await self._post(url, message)
            except asyncio.CancelledError:
                self._lost(message)
                raise
            except (PeerUnreachable, PeerRefused) as error:
                self._picker.failed(url)
                self.status.deactivate("write", _PIPELINE, error)
                self._links.refused(error)
                self._lost(message)
                if message.type is MessageType.APPEND:
                    self.latency.failed()
                continue
            self.status.activate()
            if message.type is MessageType.APPEND:
                self.latency.succeeded(time.monotonic() - begun)
            if message.type is MessageType.SNAPSHOT:
                self._links.host.snapshot_ended(self.member, arrived=True)

    async def _post(self, url: str, message: Message) -> None:
        me, database = self._links.me, self._links.database
        if message.type is MessageType.SNAPSHOT and message.snapshot is None:
            raise ValueError("a SNAPSHOT is to be sent that nobody has put the snapshot into")
        patience = _POST_PATIENCE if message.snapshot is None else None
        if message.snapshot is None or database is None or not self.wants_database:
            path, kind, body = "/raft", "application/protobuf", encode_message(message)
        else:
            path, kind = "/raft/snapshot", "application/octet-stream"
            body = snapshot_body(message, database(message.snapshot))
        answer = await self._links.dialer.post(
            url, path, {**me.headers, "Content-Type": kind}, body, patience
        )
        check_post_answer(me, self.member, url + path, answer.status, answer.headers, answer.body)


class Peer(Remote):
    """A member of the cluster."""

    posters = 4

    def __init__(self, member: int, urls: Sequence[str], links: Links) -> None:
        super().__init__(member, urls, links)
        self._streams: dict[Channel, OutgoingStream] = {}
        for channel in Channel:
            self._run(partial(self._read_all, channel))
        self._run(self._beat)
        self._run(Prober(member, self._picker, links.dialer).run)

    def update(self, urls: Sequence[str]) -> None:
        """It has these URLs from now on."""
        self._picker.update(urls)

    async def ask_version(self) -> str | None:
        """The release that it says it is; None when it does not answer, or nothing sensible. One of 2.0 knows no such
        question."""
        url = self._picker.pick()
        try:
            answer = await self._links.dialer.get(url, "/version", _VERSION_PATIENCE)
            return (
                "2.0.0" if answer.status == 404 else str(parse_json(answer.body, BOUNDS.depth)["etcdserver"])
            )
        except (PeerUnreachable, LookupError, TypeError, ValueError, RecursionError) as error:
            self._picker.failed(url)
            logger.debug(
                "failed to get the version of member %s from %s/version (%s)",
                id_text(self.member),
                url,
                error,
            )
            return None

    def attach(self, channel: Channel) -> OutgoingStream:
        """A stream to the peer, which has asked for it; it takes the place of the last."""
        self._end(channel)
        encoder = AppendEncoder() if channel is Channel.APPENDS else MessageEncoder()
        stream = OutgoingStream(encoder, partial(self._lost_stream, channel), time.monotonic, self.latency)
        self._streams[channel] = stream
        self.status.activate()
        return stream

    def send(self, message: Message) -> None:
        """Puts a message on its way, or drops it and reports that to the host. Returns at once."""
        for channel in _WAYS.get(message.type, _OTHERS):
            if stream := self._streams.get(channel):
                if not stream.offer(message):
                    self._dropped(message, channel.title)
                return
        self._enqueue(message)

    def stop(self) -> None:
        super().stop()
        for stream in self._streams.values():
            stream.finish()
        self._streams.clear()

    def _end(self, channel: Channel) -> None:
        stream = self._streams.pop(channel, None)
        if stream is not None:
            if stream.pending:
                self._links.host.unreachable(self.member)
            stream.end()

    def _lost_stream(self, channel: Channel, why: str) -> None:
        del self._streams[channel]
        self.status.deactivate("write", channel.title, why)
        self._links.host.unreachable(self.member)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            for stream in list(self._streams.values()):
                stream.beat()

    async def _read_all(self, channel: Channel) -> None:
        """Asks the peer for its stream, again and again, and reads what comes."""
        while True:
            await self._read(channel)
            await asyncio.sleep(_RETRY)

    async def _read(self, channel: Channel) -> None:
        me, url = self._links.me, self._picker.pick()
        path = f"/raft/stream/{channel.value}/{id_text(me.member)}"
        headers = {**me.headers, "X-Raft-To": id_text(self.member)}
        doing = "dial"
        try:
            async with self._links.dialer.stream(url, path, headers) as incoming:
                body = await incoming.read() if incoming.status == 412 else b""
                check_stream_answer(me, self.member, incoming.status, incoming.headers, body)
                self.wants_database = is_3x(incoming.headers)
                doing = "read"
                self.status.activate()
                decoder = self._decoder(channel)
                while piece := await incoming.next():
                    if messages := decoder.feed(piece):
                        self._links.receive(messages, f"on {channel.title} of {id_text(self.member)}")
        except NoStreams:
            self._picker.failed(url)
        except (PeerUnreachable, PeerRefused, WireError) as error:
            if doing == "dial":
                self._picker.failed(url)
            self.status.deactivate(doing, channel.title, error)
            self._links.refused(error)
            if isinstance(error, WireError):
                self._links.host.refused(UNDECODABLE)

    def _decoder(self, channel: Channel) -> Decoder:
        if channel is Channel.APPENDS:
            return append_decoder(self._links.me.member, self.member)
        return message_decoder()


_OTHERS = (Channel.MESSAGES,)
_WAYS: dict[MessageType, tuple[Channel, ...]] = {
    MessageType.APPEND: (Channel.APPENDS, Channel.MESSAGES),
    MessageType.SNAPSHOT: (),
}
"""Which streams a message goes by, the first that is there; without one it is posted."""


class Prober:
    """Asks a peer every few seconds whether it is there, and what time it has."""

    def __init__(self, member: int, picker: Picker, dialer: "Dialer") -> None:
        self._who = id_text(member)
        self._picker = picker
        self._dialer = dialer
        self._healthy = False
        self._difference = 0.0

    async def run(self) -> None:
        reported = time.monotonic()
        while True:
            await asyncio.sleep(_PROBE)
            await self._probe()
            if time.monotonic() - reported >= _PROBE_REPORT:
                reported = time.monotonic()
                self._report()

    async def _probe(self) -> None:
        started = time.time()
        try:
            answer = await self._dialer.get(self._picker.pick(), "/raft/probing", _PROBE_PATIENCE)
            told = parse_json(answer.body, BOUNDS.depth)
            self._healthy = told["OK"] is True
            now = datetime.fromisoformat(told["Now"]).timestamp()
        except (PeerUnreachable, LookupError, TypeError, ValueError, ArithmeticError, RecursionError):
            self._healthy = False
            return
        self._difference = (started + time.time()) / 2 - now

    def _report(self) -> None:
        if not self._healthy:
            logger.warning("the connection to peer %s is unhealthy", self._who)
        if abs(self._difference) > _CLOCK_DIFFERENCE:
            logger.warning(
                "the clock difference against peer %s is too high [%.3fs > %gs]",
                self._who, abs(self._difference), _CLOCK_DIFFERENCE,
            )  # fmt: skip
