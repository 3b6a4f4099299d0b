"""The life of a discovery service: listen, open the store or reach for another's, serve, and stop in order.

Its store is a member of a cluster of one, with no peer that could reach it; a real etcd could go on with its directory.
"""

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import uvloop

from server.api.client import ClientApi
from server.cluster import PeerAnswer, PeerUnreachable
from server.cluster.bootstrap import BootstrapError
from server.config import Config, load
from server.discovery.api import DiscoveryApi
from server.discovery.remote import RemoteKeys
from server.discovery.settings import ServiceSettings
from server.files import open_files, raise_limit
from server.http.limits import Limits
from server.http.messages import Handler
from server.http.serving import Listening
from server.http.serving import serve as serve_http
from server.listen import ListenError, listen
from server.log import configure, log_fault
from server.main import die_by
from server.node import CannotApply, Node, NodeFailed, open_member
from server.notify import notify
from server.raft import LogError
from server.signals import heed_signals_as_etcd_does
from server.storage.datadir import Kind, layout
from server.storage.errors import StorageError
from server.tls import TlsError, TlsFiles, server_context

logger = logging.getLogger(__name__)

_PEER_URL = "http://localhost:2380"
"""Of the store as a member: nobody listens there."""


_LIMITS = Limits(idle=60.0, handshake=10.0, body=10.0, rate=8 << 10, stall=60.0, makes_room=True)
"""Members ask rarely, and what they send is short; a wait may last."""


class _CannotServe(Exception):
    """The service cannot start, or not go on; the message is for the log."""


def run(settings: ServiceSettings) -> int:
    """Runs the service until a signal stops it. Returns 1 when it could not start or go on; a signal that ended it
    ends the process in the end, as with a member."""
    heed_signals_as_etcd_does()
    configure()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            ended_by = runner.run(_run(settings))
        return die_by(ended_by)
    except (
        _CannotServe,
        BootstrapError,
        ListenError,
        TlsError,
        StorageError,
        CannotApply,
        LogError,
        NodeFailed,
    ) as error:
        logger.critical("%s", error)
    except Exception as error:
        log_fault(logger, error)
    return 1


async def _run(settings: ServiceSettings) -> signal.Signals:
    loop = asyncio.get_running_loop()
    told: asyncio.Future[signal.Signals] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _tell, told, number)
    raise_limit()
    most = open_files().clients
    listening = _listen(settings)
    try:
        store = _remote(settings.store) if settings.store else _local(settings.data_dir, told)
        async with store as keys:
            api = DiscoveryApi(
                keys,
                new_token=lambda: secrets.token_hex(16),
                token_ttl=settings.token_ttl,
                url=settings.public_url,
                new_per_hour=settings.new_per_hour,
                max_tokens=settings.max_tokens,
                scheme="https" if settings.listen_client_urls[0].startswith("https:") else "http",
            )
            serving = await serve_http(
                api.handle, listening, most=max(1, most // 2) if settings.store else most, limits=_LIMITS
            )
            for url in settings.listen_client_urls:
                logger.info(
                    "discovery service on %s: GET %s/new?size=3 answers with a discovery URL", url, url
                )
            notify("READY=1")
            try:
                return await told
            finally:
                notify("STOPPING=1")
                await serving.cleanup()
    finally:
        for one in listening:
            one.socket.close()


def _tell(told: "asyncio.Future[signal.Signals]", number: signal.Signals) -> None:
    if not told.done():
        logger.info("received %s, shutting down...", number.name)
        told.set_result(number)


def _listen(settings: ServiceSettings) -> list[Listening]:
    files = TlsFiles(settings.cert_file, settings.key_file)
    listening: list[Listening] = []
    try:
        for url in settings.listen_client_urls:
            secure = url.startswith("https:")
            if secure and not files.given:
                raise TlsError(f"cannot listen on TLS for {url}: KeyFile and CertFile are not presented")
            listening.append(Listening(listen(url), server_context(files) if secure else None))
    except BaseException:
        for one in listening:
            one.socket.close()
        raise
    return listening


@contextlib.asynccontextmanager
async def _remote(url: str) -> AsyncIterator[Handler]:
    logger.info("the tokens are kept in the etcd at %s", url)
    async with RemoteKeys(url) as keys:
        yield keys.handle


@contextlib.asynccontextmanager
async def _local(data_dir: str, told: "asyncio.Future[signal.Signals]") -> AsyncIterator[Handler]:
    """The store in this process. ``told`` fails when the store does."""
    kind = layout(Path(data_dir))
    if kind not in (Kind.EMPTY, Kind.MEMBER):
        raise _CannotServe(
            f"data dir {data_dir} is none of a discovery service (it holds {kind.value}): name another"
        )
    config = _config(data_dir)
    started = open_member(
        config, resolve=socket.gethostbyname, ask=_nobody, now=time.time_ns(), random=Random()
    )
    node = Node(
        started,
        heartbeat=config.heartbeat_interval / 1000,
        request_timeout=5 + 2 * config.election_timeout / 1000,
        snapshot_count=config.snapshot_count,
    )
    api = ClientApi(node)
    try:
        await node.start()
        if not node.is_leader:
            raise _CannotServe(
                f"data dir {data_dir} is of a member of a larger cluster: name another, or give a client URL of that "
                "cluster with --store"
            )
        node.failed.add_done_callback(lambda failed: _fail(told, failed.exception()))
        yield api.handle
    finally:
        api.close()
        await node.stop()


def _fail(told: "asyncio.Future[signal.Signals]", error: BaseException | None) -> None:
    if error is not None and not told.done():
        told.set_exception(error)


def _config(data_dir: str) -> Config:
    return load(
        {
            "name": "discovery",
            "data-dir": data_dir,
            "initial-advertise-peer-urls": _PEER_URL,
            "initial-cluster": f"discovery={_PEER_URL}",
            "initial-cluster-token": "discovery",
        }
    )


def _nobody(url: str, path: str, patience: float) -> PeerAnswer:  # noqa: ARG001 (an AskPeer)
    raise PeerUnreachable(f"{url}{path}: a store has no peers")
