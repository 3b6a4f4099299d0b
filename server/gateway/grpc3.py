"""The etcd 3 over gRPC: its own rotation over the endpoints, one channel for each, TLS, a user.

gRPC would stay with a member that takes connections and answers nothing. Here a call that gets no answer in time moves
the next call to the next endpoint. Needs grpcio, which comes with ``migrate02[gateway]``.
"""

import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import grpc
import grpc.aio

from server.config.gateway import GatewaySettings
from server.gateway.v3 import (
    Change,
    Committed,
    Compacted,
    Compare,
    Delete,
    Get,
    KeyValue,
    LeaseLost,
    Put,
    Range,
    Refused,
    Status,
    V3Error,
)
from server.proto import etcd3rpc_pb2 as pb

logger = logging.getLogger(__name__)

QUICK = 1.0
"""Seconds for calls that etcd answers at once. After one without an answer the next call goes to the next endpoint. An
election may take longer: then the caller tries again."""
SLOW = 10.0
"""Seconds for calls with megabytes in them, over a slow network too. A choice: it is also how long such a call hangs at
an endpoint that does not answer."""

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    (
        "grpc.min_reconnect_backoff_ms",
        3_000,
    ),  # and how long an attempt may take: a busy machine, TLS over a long way
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)
_HAS_LEADER = ("hasleader", "true")
"""Metadata of a call that a member breaks off when it has lost its leader."""

_TARGETS = {"version": 0, "mod": 2, "value": 3}

_OLD_TOKEN = ("invalid auth token", "revision of auth store is old", "user name is empty")
_NOT_NOW = ("too many requests", "no leader", "leader changed", "timed out", "not capable", "stopped")


class _Call(NamedTuple):
    """How a method is called."""

    path: str
    request: Any
    response: Any


_RANGE = _Call("/etcdserverpb.KV/Range", pb.RangeRequest, pb.RangeResponse)
_TXN = _Call("/etcdserverpb.KV/Txn", pb.TxnRequest, pb.TxnResponse)
_COMPACT = _Call("/etcdserverpb.KV/Compact", pb.CompactionRequest, pb.CompactionResponse)
_GRANT = _Call("/etcdserverpb.Lease/LeaseGrant", pb.LeaseGrantRequest, pb.LeaseGrantResponse)
_REVOKE = _Call("/etcdserverpb.Lease/LeaseRevoke", pb.LeaseRevokeRequest, pb.LeaseRevokeResponse)
_KEEP_ALIVE = _Call("/etcdserverpb.Lease/LeaseKeepAlive", pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse)
_WATCH = _Call("/etcdserverpb.Watch/Watch", pb.WatchRequest, pb.WatchResponse)
_STATUS = _Call("/etcdserverpb.Maintenance/Status", pb.StatusRequest, pb.StatusResponse)
_AUTHENTICATE = _Call("/etcdserverpb.Auth/Authenticate", pb.AuthenticateRequest, pb.AuthenticateResponse)


class Endpoint:
    """One channel. ``target`` is ``host:port``."""

    def __init__(self, target: str, credentials: Any) -> None:
        self.target = target
        self._channel = (
            grpc.aio.insecure_channel(target, _OPTIONS)
            if credentials is None
            else grpc.aio.secure_channel(target, credentials, _OPTIONS)
        )
        self._calls: dict[str, Any] = {}

    def unary(self, call: _Call) -> Any:
        return self._made(call, self._channel.unary_unary)

    def stream(self, call: _Call) -> Any:
        return self._made(call, self._channel.stream_stream)

    def _made(self, call: _Call, make: Callable[..., Any]) -> Any:
        if call.path not in self._calls:
            self._calls[call.path] = make(
                call.path,
                request_serializer=call.request.SerializeToString,
                response_deserializer=call.response.FromString,
            )
        return self._calls[call.path]

    async def close(self) -> None:
        await self._channel.close()


class GrpcV3:
    """``server.gateway.v3.V3`` over gRPC. Made on the loop that it is used on. Raises OSError for files of TLS that
    cannot be read."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.cluster_id = 0
        self.term = 0
        self._settings = settings
        self._endpoints = [_endpoint(url, settings) for url in settings.endpoints]
        self._at = 0
        self._token = ""

    @property
    def endpoint(self) -> str:
        """The endpoint that calls go to, ``host:port``."""
        return self._endpoints[self._at].target

    async def close(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.close()

    # What is asked

    async def get(
        self, key: bytes, end: bytes = b"", *, revision: int = 0, limit: int = 0, keys_only: bool = False
    ) -> Range:
        request = pb.RangeRequest(
            key=key,
            range_end=end,
            revision=revision,
            limit=limit,
            keys_only=keys_only,
            serializable=revision > 0,
        )
        answer = await self._ask(_RANGE, request, SLOW if end else QUICK)
        return Range(answer.header.revision, list(map(_key_value, answer.kvs)), answer.more, answer.count)

    async def commit(
        self, guards: Sequence[Compare], then: Sequence[Put | Delete | Get], otherwise: Sequence[Get] = ()
    ) -> Committed:
        request = pb.TxnRequest(
            compare=list(map(_compare, guards)),
            success=list(map(_operation, then)),
            failure=list(map(_operation, otherwise)),
        )
        answer = await self._ask(_TXN, request, QUICK if request.ByteSize() < 1 << 18 else SLOW)
        found: list[KeyValue] = []
        for place, operation in enumerate(then if answer.succeeded else otherwise):
            if isinstance(operation, Get):
                found += map(_key_value, answer.responses[place].response_range.kvs)
        return Committed(answer.succeeded, answer.header.revision, found)

    async def watch(self, key: bytes, end: bytes, revision: int) -> AsyncIterator[list[Change]]:
        create = pb.WatchCreateRequest(key=key, range_end=end, start_revision=revision)
        async with self._stream(_WATCH, pb.WatchRequest(create_request=create)) as answers:
            async for answer in answers:
                self._see(answer.header)
                if answer.compact_revision:
                    raise Compacted(answer.compact_revision)
                if answer.canceled:
                    self._rotate()
                    raise V3Error(answer.cancel_reason or "the watch was canceled")
                changes = list(map(_change, answer.events))
                for _, changed in groupby(changes, lambda change: change.now.mod_revision):
                    yield list(changed)
        raise V3Error("the watch has ended")

    async def grant(self, seconds: int) -> int:
        answer = await self._ask(_GRANT, pb.LeaseGrantRequest(TTL=seconds), QUICK)
        return int(answer.ID)

    async def keep_alive(self, lease: int) -> None:
        async with self._stream(_KEEP_ALIVE, pb.LeaseKeepAliveRequest(ID=lease), QUICK) as answers:
            async for answer in answers:
                self._see(answer.header)
                if answer.TTL <= 0:
                    raise LeaseLost("the lease has run out")
                return
        raise V3Error("no answer to a renewal of a lease")

    async def revoke(self, lease: int) -> None:
        await self._ask(_REVOKE, pb.LeaseRevokeRequest(ID=lease), QUICK)

    async def compact(self, revision: int) -> None:
        await self._ask(_COMPACT, pb.CompactionRequest(revision=revision), SLOW)

    async def status(self) -> Status:
        answer = await self._ask(_STATUS, pb.StatusRequest(), QUICK)
        return Status(answer.version, answer.db_size, answer.db_size_quota, tuple(answer.errors))

    # How it is asked

    async def _ask(self, call: _Call, request: Any, patience: float) -> Any:
        """Makes a call once; again only when it has failed because of an old token, and so has changed nothing."""
        for is_last in (False, True):
            endpoint = self._endpoints[self._at]
            metadata = await self._metadata(endpoint)
            try:
                answer = await endpoint.unary(call)(request, timeout=patience, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                if self._has_old_token(error) and not is_last:
                    self._token = ""
                    continue
                raise self._meant(error, endpoint) from None
            self._see(answer.header)
            return answer
        raise AssertionError("the last time there is an answer or an error")

    def _stream(self, call: _Call, request: Any, patience: float | None = None) -> "_Stream":
        return _Stream(self, call, request, patience)

    async def _metadata(self, endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
        user = self._settings.user
        if not user:
            return (_HAS_LEADER,)
        if not self._token:
            request = pb.AuthenticateRequest(name=user, password=self._settings.password)
            try:
                answer = await endpoint.unary(_AUTHENTICATE)(request, timeout=SLOW)
            except grpc.aio.AioRpcError as error:
                if "authentication is not enabled" in (error.details() or ""):
                    return (_HAS_LEADER,)
                raise self._meant(error, endpoint) from None
            self._token = answer.token
        return (_HAS_LEADER, ("token", self._token))

    def _has_old_token(self, error: grpc.aio.AioRpcError) -> bool:
        words = error.details() or ""
        return bool(self._token) and any(old in words for old in _OLD_TOKEN)

    def _meant(self, error: grpc.aio.AioRpcError, endpoint: Endpoint) -> V3Error:
        """The error as a V3Error. Where another member may do better, the next call goes to the next endpoint."""
        code, words = error.code(), error.details() or "no answer"
        if "requested lease not found" in words:
            return LeaseLost(words)
        if "has been compacted" in words:
            return Compacted(0)
        status = grpc.StatusCode
        if not any(reason in words for reason in _NOT_NOW):
            if code in (status.INVALID_ARGUMENT, status.PERMISSION_DENIED, status.UNAUTHENTICATED):
                return Refused(words)
            if code is status.RESOURCE_EXHAUSTED:
                return Refused(words)
        if endpoint is self._endpoints[self._at]:
            self._rotate()
        return V3Error(f"{endpoint.target}: {words} ({code.name.lower()})")

    def _rotate(self) -> None:
        self._at = (self._at + 1) % len(self._endpoints)

    def _see(self, header: Any) -> None:
        self.cluster_id = header.cluster_id
        self.term = max(self.term, header.raft_term)


class _Stream:
    """A request and the answers to it, broken off at the end of a ``with``."""

    def __init__(self, v3: GrpcV3, call: _Call, request: Any, patience: float | None) -> None:
        self._v3 = v3
        self._call = call
        self._request = request
        self._patience = patience
        self._stream: Any = None

    async def __aenter__(self) -> AsyncIterator[Any]:
        v3 = self._v3
        self._endpoint = v3._endpoints[v3._at]
        metadata = await v3._metadata(self._endpoint)
        self._stream = self._endpoint.stream(self._call)(timeout=self._patience, metadata=metadata)
        return self._answers()

    async def _answers(self) -> AsyncIterator[Any]:
        try:
            await self._stream.write(self._request)
            async for answer in self._stream:
                yield answer
        except grpc.aio.AioRpcError as error:
            if self._v3._has_old_token(error):
                self._v3._token = ""
            raise self._v3._meant(error, self._endpoint) from None
        except grpc.aio.UsageError as error:  # the stream had ended before the request was written
            self._v3._rotate()
            raise V3Error(f"{self._endpoint.target}: {error}") from None

    async def __aexit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.cancel()


def _endpoint(url: str, settings: GatewaySettings) -> Endpoint:
    scheme, _, target = url.partition("://")
    return Endpoint(target.rstrip("/"), _credentials(settings) if scheme == "https" else None)


def _credentials(settings: GatewaySettings) -> Any:
    roots = _read(settings.cacert or ssl.get_default_verify_paths().cafile or "")
    return grpc.ssl_channel_credentials(roots, _read(settings.key), _read(settings.cert))


def _read(path: str) -> bytes | None:
    if not path:
        return None
    with open(path, "rb") as file:
        return file.read()


def _key_value(kv: Any) -> KeyValue:
    return KeyValue(kv.key, kv.value, kv.mod_revision, kv.version, kv.create_revision)


def _change(event: Any) -> Change:
    kv = event.kv
    return Change(KeyValue(kv.key, kv.value, kv.mod_revision, 0 if event.type else kv.version))


def _compare(guard: Compare) -> Any:
    compare = pb.Compare(target=_TARGETS[guard.field], key=guard.key, range_end=guard.end)
    if guard.field == "value":
        compare.value = guard.wanted  # type: ignore[assignment]
    elif guard.field == "mod":
        compare.mod_revision = guard.wanted  # type: ignore[assignment]
    else:
        compare.version = guard.wanted  # type: ignore[assignment]
    return compare


def _operation(operation: Put | Delete | Get) -> Any:
    """The fields of a RequestOp. As a dict, which protobuf takes for a message: a checkpoint has a hundred, and three
    messages each take four times as long."""
    if isinstance(operation, Put):
        key, value, lease = operation
        return {"request_put": {"key": key, "value": value, "lease": lease}}
    if isinstance(operation, Delete):
        return {"request_delete_range": {"key": operation.key, "range_end": operation.end}}
    return {"request_range": {"key": operation.key}}
