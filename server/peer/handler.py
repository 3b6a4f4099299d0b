"""What peers ask of this member: the paths of etcd 2.3's rafthttp, below ``/raft`` of the peer port.

Plain functions from a request to an answer. Statuses, texts and log lines are 2.3.8's.
"""

import logging
from collections.abc import Mapping

from server.cluster.ids import id_text, parse_id
from server.http.messages import (
    Body,
    Handler,
    PourBody,
    ReadBody,
    Reply,
    Request,
    Response,
    method_not_allowed,
    text,
)
from server.http.targets import BadPathError, decode_path, split_target
from server.peer.checks import CLUSTER_ID, Channel, check_compatible
from server.peer.codec import MAX_MESSAGE, SnapshotReader, WireError, begins_snapshot, decode_message
from server.peer.peer import UNDECODABLE
from server.peer.transport import Transport
from server.raft import Message, MessageType

logger = logging.getLogger(__name__)

_TO = "X-Raft-To"

_STREAMS = {f"/raft/stream/{channel.value}": channel for channel in Channel}


class PeerHandler:
    """Answers for a transport; what is not below ``/raft`` is left to ``otherwise``."""

    def __init__(self, transport: Transport, otherwise: Handler) -> None:
        self._transport = transport
        self._otherwise = otherwise
        self._cluster = (CLUSTER_ID, id_text(transport.me.cluster))

    def handle(self, request: Request) -> Reply | PourBody:
        """Raises nothing, whatever a peer sends."""
        try:
            path = decode_path(split_target(request.target)[0])
        except BadPathError:
            return self._otherwise(request)
        if path == "/raft":
            return self._take_message(request)
        if path == "/raft/snapshot":
            return self._take_snapshot(request)
        if path.startswith("/raft/stream/"):
            return self._give_stream(request, path)
        return self._otherwise(request)

    # Messages

    def _take_message(self, request: Request) -> Reply:
        if request.method != "POST":
            return method_not_allowed("POST")
        return self._not_wanted(request.headers) or ReadBody(
            MAX_MESSAGE, lambda body: self._process(body, request), begins_snapshot
        )

    def _process(self, body: Body, request: Request) -> Response:
        if body.fault or len(body.data) > MAX_MESSAGE:
            return self._refuse(
                400, "error reading raft message", f"failed to read raft message ({body.fault})"
            )
        try:
            message = decode_message(body.data)
        except WireError as error:
            self._transport.host.refused(UNDECODABLE)
            line = f"failed to unmarshal raft message from {_who(request)} ({error})"
            return self._refuse(400, "error unmarshaling raft message", line)
        if message is not None:
            if refusal := self._refusal(message):
                line = f"failed to process raft message ({refusal})"
                return self._refuse(500, "error processing raft message", line, level=logging.WARNING)
            self._transport.note_sender(message.sender, request.headers)
            if not self._transport.receive(message, request.client):
                return text(500, "error processing raft message", self._cluster)
        return Response(204, (self._cluster,))

    def _refusal(self, message: Message) -> str:
        if not self._transport.is_running:
            return "raft: stopped"
        if self._transport.host.is_removed(message.sender):
            self._transport.host.refused("sender")
            line = f"reject message from removed member {id_text(message.sender)}"
            self._transport.merge_logger.log(logger, logging.WARNING, line)
            return "cannot process message from removed member"
        return ""

    # Snapshots of 3.x

    def _take_snapshot(self, request: Request) -> Response | PourBody:
        if request.method != "POST":
            return method_not_allowed("POST")
        return self._not_wanted(request.headers) or PourBody(_SnapshotSink(self, request.client))

    def process_snapshot(self, reader: SnapshotReader, fault: str, client: str) -> Response:
        message = reader.message
        if fault or not reader.is_whole:
            self._transport.host.refused(UNDECODABLE)
            return self._undecodable(fault or ("unexpected EOF" if reader.has_begun else "EOF"))
        if message is None or message.type is not MessageType.SNAPSHOT or message.snapshot is None:
            return self._refuse(
                400, "wrong raft message type", "unexpected raft message type on snapshot path"
            )
        if refusal := self._refusal(message):
            line = f"failed to process raft message ({refusal})"
            return self._refuse(500, line, line, level=logging.WARNING)
        logger.info(
            "received snapshot [index: %d, from: %s], with a database of %d bytes",
            message.snapshot.index, id_text(message.sender), reader.database_size,
        )  # fmt: skip
        if not self._transport.receive(message, client):
            return text(500, "failed to process raft message", self._cluster)
        database = None if reader.database is None else bytes(reader.database)
        self._transport.host.receive_database(message.snapshot.index, database)
        return Response(204, (self._cluster,))

    def _undecodable(self, why: str) -> Response:
        line = f"failed to decode raft message ({why})"
        return self._refuse(400, line, line)

    # Streams

    def _give_stream(self, request: Request, path: str) -> Reply:
        if request.method != "GET":
            return method_not_allowed("GET")
        transport, headers = self._transport, request.headers
        about = ("X-Server-Version", transport.me.versions.server)
        if refusal := self._not_compatible(headers, about):
            return refusal
        folder, _, name = path.rpartition("/")
        channel = _STREAMS.get(folder)
        if channel is None:
            return text(404, "invalid path", self._cluster, about)
        try:
            member = parse_id(name)
        except ValueError as error:
            return self._refuse(404, "invalid from", f"failed to parse from {name} into ID ({error})", about)
        who = id_text(member)
        if transport.host.is_removed(member):
            line = f"rejected the stream from peer {who} since it was removed"
            return self._refuse(410, "removed member", line, about, level=logging.WARNING)
        if member not in transport.peers:
            if (urls := headers.get("X-PeerURLs")) and transport.is_running:
                transport.add_remote(member, urls.split(","))
            line = f"failed to find member {who} in cluster {id_text(transport.me.cluster)}"
            return self._refuse(404, "error sender not found", line, about)
        if refusal := self._for_another(headers.get(_TO, ""), "streaming", about):
            return refusal
        transport.note_sender(member, headers)
        return Response(200, (self._cluster, about), stream=transport.attach(member, channel))

    # What they share

    def _not_wanted(self, headers: Mapping[str, str]) -> Response | None:
        """Of a POST, whose sender need not name the receiver."""
        if refusal := self._not_compatible(headers):
            return refusal
        to = headers.get(_TO)
        return None if to is None else self._for_another(to, "raft")

    def _for_another(self, to: str, what: str, *further: tuple[str, str]) -> Response | None:
        me = id_text(self._transport.me.member)
        if to == me:
            return None
        self._transport.host.refused("receiver")
        line = f"{what} request ignored (ID mismatch got {to} want {me})"
        return self._refuse(412, "to field mismatch", line, *further)

    def _not_compatible(self, headers: Mapping[str, str], *further: tuple[str, str]) -> Response | None:
        refusal = check_compatible(self._transport.me, headers)
        return None if refusal is None else self._refuse(refusal.status, refusal.text, refusal.log, *further)

    def _refuse(
        self, status: int, answer: str, line: str, *further: tuple[str, str], level: int = logging.ERROR
    ) -> Response:
        self._transport.merge_logger.log(logger, level, line)
        return text(status, answer, self._cluster, *further)


class _SnapshotSink:
    """The body of a snapshot's POST, as it comes."""

    def __init__(self, handler: PeerHandler, client: str) -> None:
        self._handler = handler
        self._client = client
        self._reader = SnapshotReader()
        self._fault = ""

    def feed(self, piece: bytes) -> bool:
        try:
            self._reader.feed(piece)
        except WireError as error:
            self._fault = str(error)
        return not self._fault

    def held(self) -> int:
        return self._reader.held

    def end(self, fault: str) -> Response:
        return self._handler.process_snapshot(self._reader, self._fault or fault, self._client)


def _who(request: Request) -> str:
    return f"{request.headers.get('X-Server-From', '') or 'somebody'}, {request.client or 'from nowhere'}"
