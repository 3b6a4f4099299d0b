"""A proxy's life: where it left off, whom it asks, where it listens. Order and words are etcd 2.3.8's."""

import asyncio
import contextlib
import logging
import os
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

from server.cluster.bootstrap import BootstrapError
from server.cluster.srv import LookupFailed, Names
from server.config import Config, parse_url
from server.http.cors import cors_headers
from server.http.messages import Headers
from server.http.serving import Listening, Serving, serve
from server.listen import listen
from server.mergelogger import MergeLogger
from server.peer.dialer import Dialer
from server.proxy.clusterfile import ClusterFile
from server.proxy.connection import Timeouts
from server.proxy.dial import Dial
from server.proxy.director import Director
from server.proxy.exchange import Exchanges
from server.proxy.handler import ProxyHandler
from server.proxy.metrics import ProxyMetrics
from server.proxy.own import Own, is_local
from server.proxy.peers import FindPeers, peer_urls
from server.proxy.refresh import Refresher
from server.proxy.requests import RequestHeads
from server.proxy.upstream import Upstream
from server.tls import (
    TlsError,
    TlsFiles,
    client_context,
    client_tls_files,
    peer_tls_files,
    server_context,
)

logger = logging.getLogger(__name__)

_MERGE_PERIOD = 60.0
"""Seconds for which lines of the log about one trouble are merged: clients may bring it up thousands of times a second,
and it lasts until somebody acts."""

_FIRST_LIST = 2.0
"""Seconds that the first list of members may take before the proxy serves without one: a client that is refused
tries again, one that waits may not."""


def known_peers(config: Config, find: FindPeers) -> list[str]:
    """The peer URLs that a former run left, or those that ``find`` yields; makes the directory for them. Blocks as long
    as that takes. Raises BootstrapError, StorageError."""
    file = ClusterFile(Path(config.data_dir))
    peers = file.read()
    if peers is None:
        peers = find(config)
        logger.info("proxy: using peer urls [%s] ", " ".join(peers))
        file.make_directory()
        return peers
    ignored = '%s ignored since the proxy has already been initialized. Valid cluster file found at "%s"'
    if config.discovery:
        logger.warning(ignored, "discovery token", file.path)
    if config.discovery_srv:
        logger.warning(ignored, "DNS SRV discovery", file.path)
    if "initial-cluster" in config.given and not _is_same(config, peers):
        logger.warning(ignored, "--initial-cluster", file.path)
    logger.info('proxy: using peer urls [%s] from cluster file "%s"', " ".join(peers), file.path)
    return peers


class Proxy:
    """One proxy, which asks ``peers`` first.

    ``most`` is how many connections there may be, clients' and to members; hosts are looked up in
    ``names``, or by the system. Raises TlsError for certificates that cannot be used.
    """

    def __init__(self, config: Config, peers: list[str], *, most: int, names: Names | None) -> None:
        self._config = config
        self._peers = peers
        self._most_clients = max(1, most // 2)  # each may need one to a member
        self._names = names
        self._to_members = client_context(peer_tls_files(config))
        self._listening: list[Listening] = []
        self._running = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Returns when clients are served. Raises ListenError, TlsError; ``stop`` it also then."""
        config, running = self._config, self._running
        look_up = None if self._names is None else self._names.addresses
        seconds = (
            config.proxy_dial_timeout / 1000,
            config.proxy_write_timeout / 1000,
            config.proxy_read_timeout / 1000,
        )
        timeouts = Timeouts(*seconds)
        upstream = Upstream(timeouts)
        dial = Dial(upstream, self._to_members, look_up)
        running.callback(upstream.close)
        dialer = Dialer(
            self._to_members, connect_timeout=timeouts.dial or _FIRST_LIST, silence=0, look_up=look_up
        )
        running.push_async_callback(dialer.close)
        director = Director(Random(), config.proxy_failure_wait / 1000)
        merge_logger = MergeLogger(_MERGE_PERIOD, asyncio.get_running_loop())
        own = Own(config.listen_client_urls, is_local)
        refresher = Refresher(
            self._peers,
            dialer.get,
            director,
            ClusterFile(Path(config.data_dir)),
            merge_logger,
            interval=config.proxy_refresh_interval / 1000,
            own_among=lambda urls: asyncio.to_thread(own.among, urls),
            on_list=lambda: upstream.retain(director.endpoints),
        )
        exchanges = Exchanges(director, upstream, dial, ProxyMetrics(), merge_logger, refresher.hurry)
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

    async def _serve(self, handler: ProxyHandler) -> Serving:
        config = self._config
        files = client_tls_files(config)
        look_up = None if self._names is None else await _addresses(config.listen_client_urls, self._names)
        for url in config.listen_client_urls:
            self._listening.append(Listening(listen(url, look_up), _context(url, files)))
            self._running.callback(self._listening[-1].socket.close)
        for url in config.listen_client_urls:
            logger.info("proxy: listening for client requests on %s", url)
        if files.allow_old and files.given:
            logger.warning("proxy: clients may speak TLS 1.0 and 1.1 (--allow-old-tls)")

        def cors(origin: str) -> Headers:
            return cors_headers(config.cors, origin)

        return await serve(
            handler.handle, self._listening, cors if config.cors else None, most=self._most_clients
        )


async def _addresses(urls: Iterable[str], names: Names) -> Callable[[str], str]:
    """A look-up of the hosts in these URLs that does not wait any more; it raises OSError."""
    found = {}
    for host in {parse_url(url).hostname for url in urls}:
        with contextlib.suppress(LookupFailed):
            found[host] = (await names.addresses(host))[0]

    def look_up(host: str) -> str:
        if host not in found:
            raise OSError(f"lookup {host}: no such host")
        return found[host]

    return look_up


def _context(url: str, files: TlsFiles) -> ssl.SSLContext | None:
    if not url.startswith("https://"):
        return None
    if not files.given:
        raise TlsError(f"cannot listen on TLS for {url}: KeyFile and CertFile are not presented")
    return server_context(files)


def _is_same(config: Config, peers: list[str]) -> bool:
    try:
        return peer_urls(config.initial_cluster) == sorted(peers)
    except BootstrapError:
        return False


def _name() -> str:
    """What this proxy calls itself to members: nobody else's name."""
    return f"etcd-proxy-{os.urandom(8).hex()}"


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
