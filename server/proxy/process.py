"""A proxy's life: where it left off, whom it asks, where it listens. Order and words are etcd 2.3.8's."""

import asyncio
import contextlib
import logging
import os
import ssl
from pathlib import Path
from random import Random

from server.api.adapter import Listening, Serving, serve
from server.api.cors import cors_headers
from server.api.http import Headers
from server.cluster.bootstrap import BootstrapError
from server.config import Config
from server.listen import listen
from server.peer.dialer import Dialer
from server.proxy.clusterfile import ClusterFile
from server.proxy.director import Director
from server.proxy.exchange import Exchanges
from server.proxy.handler import ProxyHandler
from server.proxy.metrics import ProxyMetrics
from server.proxy.own import Own, is_local
from server.proxy.peers import FindPeers, static_peers
from server.proxy.refresh import Refresher
from server.proxy.requests import RequestHeads
from server.proxy.sparing import Sparing
from server.proxy.upstream import Timeouts, Upstream
from server.tls import TlsError, TlsFiles, client_context, server_context

logger = logging.getLogger(__name__)

_SILENCE = 60.0
"""Seconds between two lines of the log that say the same."""

_FIRST_LIST = 2.0
"""Seconds that the first list of members may take before clients are listened to without one."""


class Proxy:
    """One proxy; ``most`` is how many connections there may be, clients' and to members, None for no limit. Raises
    TlsError for certificates that cannot be used."""

    def __init__(self, config: Config, most: int | None) -> None:
        self._config = config
        self._most_clients = None if most is None else most // 2  # each may need one to a member
        self._file = ClusterFile(Path(config.data_dir))
        self._to_members = client_context(
            TlsFiles(
                config.peer_cert_file,
                config.peer_key_file,
                config.peer_ca_file,
                config.peer_trusted_ca_file,
                config.peer_client_cert_auth,
            )
        )
        self._listening: list[Listening] = []
        self._running = contextlib.AsyncExitStack()

    async def start(self, find_peers: FindPeers) -> None:
        """Returns when clients are served. Raises BootstrapError, ListenError, StorageError, TlsError; ``stop`` it also
        then."""
        config, running = self._config, self._running
        peers = self._remembered_peers()
        if peers is None:
            peers = await find_peers(config)
            logger.info("proxy: using peer urls [%s] ", " ".join(peers))
        self._file.make_directory()
        seconds = (
            config.proxy_dial_timeout / 1000,
            config.proxy_write_timeout / 1000,
            config.proxy_read_timeout / 1000,
        )
        timeouts = Timeouts(*seconds)
        upstream = Upstream(self._to_members, timeouts)
        running.callback(upstream.close)
        dialer = Dialer(self._to_members, connect_timeout=timeouts.dial or _FIRST_LIST, silence=0)
        running.push_async_callback(dialer.close)
        director = Director(Random(), config.proxy_failure_wait / 1000)
        sparing = Sparing(_SILENCE)
        own = Own(config.listen_client_urls, is_local)
        refresher = Refresher(
            peers,
            dialer.get,
            director,
            self._file,
            sparing,
            interval=config.proxy_refresh_interval / 1000,
            own_among=lambda urls: asyncio.to_thread(own.among, urls),
            on_list=lambda: upstream.retain(director.endpoints),
        )
        exchanges = Exchanges(director, upstream, ProxyMetrics(), sparing, refresher.hurry)
        running.callback(exchanges.close)
        refreshing = asyncio.create_task(refresher.run())
        running.push_async_callback(_ended, refreshing)
        await refresher.first(_FIRST_LIST)
        handler = ProxyHandler(exchanges, RequestHeads(_name()), readonly=config.proxy == "readonly")
        serving = await self._serve(handler)
        running.push_async_callback(serving.cleanup)

    async def stop(self) -> None:
        """Serves nobody any more."""
        await self._running.aclose()

    def _remembered_peers(self) -> list[str] | None:
        """The peer URLs that a former run left."""
        config, path = self._config, self._file.path
        peers = self._file.read()
        if peers is None:
            return None
        ignored = '%s ignored since the proxy has already been initialized. Valid cluster file found at "%s"'
        if config.discovery:
            logger.warning(ignored, "discovery token", path)
        if config.discovery_srv:
            logger.warning(ignored, "DNS SRV discovery", path)
        if "initial-cluster" in config.given and not _is_same(config, peers):
            logger.warning(ignored, "--initial-cluster", path)
        logger.info('proxy: using peer urls [%s] from cluster file "%s"', " ".join(peers), path)
        return peers

    async def _serve(self, handler: ProxyHandler) -> Serving:
        config = self._config
        files = TlsFiles(
            config.cert_file, config.key_file, config.ca_file, config.trusted_ca_file, config.client_cert_auth
        )
        for url in config.listen_client_urls:
            self._listening.append(Listening(listen(url), _context(url, files)))
            self._running.callback(self._listening[-1].socket.close)
        for url in config.listen_client_urls:
            logger.info("proxy: listening for client requests on %s", url)

        def cors(origin: str) -> Headers:
            return cors_headers(config.cors, origin)

        return await serve(
            handler.handle, self._listening, cors if config.cors else None, hot="/", most=self._most_clients
        )


def _context(url: str, files: TlsFiles) -> ssl.SSLContext | None:
    if not url.startswith("https://"):
        return None
    if not files.given:
        raise TlsError(f"cannot listen on TLS for {url}: KeyFile and CertFile are not presented")
    return server_context(files)


def _is_same(config: Config, peers: list[str]) -> bool:
    try:
        return static_peers(config) == sorted(peers)
    except BootstrapError:
        return False


def _name() -> str:
    """What this proxy calls itself to members: nobody else's name."""
    return f"etcd-proxy-{os.urandom(8).hex()}"


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
