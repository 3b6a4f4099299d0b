"""The life of a gateway: it waits for its etcd 3, serves clients from it, and stops in order."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from server.api.client import ClientApi
from server.cluster.srv import Names
from server.config import Config
from server.config.gateway import GatewaySettings
from server.finding import resolver
from server.gateway.grpc3 import GrpcV3
from server.gateway.layout import Layout
from server.gateway.node import GatewayNode
from server.http.serving import Listening, serve
from server.listen import listen
from server.memory import collect_young_garbage, give_back_memory
from server.storage.datadir import Kind, layout
from server.tls import TlsError, client_tls_files, server_context

logger = logging.getLogger(__name__)


class GatewayRefused(Exception):
    """There can be no gateway; the message says why and what to do."""


class Gateway:
    """``most`` is how many connections of clients there may be; hosts are looked up in ``names``, or by the system.
    Raises GatewayRefused on a data directory with keys in it, TlsError for certificates that cannot be used."""

    def __init__(self, config: Config, settings: GatewaySettings, *, most: int, names: Names | None) -> None:
        _refuse_data(config)
        self._config = config
        self._settings = settings
        self._most = most
        self._look_up = None if names is None else resolver(names)
        self._running = contextlib.AsyncExitStack()
        self._files = client_tls_files(config)
        for path in filter(None, (settings.cacert, settings.cert, settings.key)):
            try:
                Path(path).read_bytes()
            except OSError as error:
                raise TlsError(f"cannot read {path}: {error.strerror}") from None
        if settings.user and any(url.startswith("http:") for url in settings.endpoints):
            logger.warning("the password of user %s goes to the etcd without TLS", settings.user)

    async def run(self, tell_ready: Callable[[], object]) -> None:
        """Serves until it fails. Raises NodeFailed, ListenError, TlsError; ``stop`` it in any case."""
        config, settings, running = self._config, self._settings, self._running
        sockets = []
        for url in config.listen_client_urls:
            sockets.append(Listening(listen(url, self._look_up), self._context(url)))
            running.callback(sockets[-1].socket.close)
            logger.info("listening for client requests on %s", url)
        v3 = GrpcV3(settings)
        running.push_async_callback(v3.close)
        node = GatewayNode(
            v3,
            Layout(settings.data_prefix, settings.meta_prefix),
            name=config.name,
            client_urls=config.advertise_client_urls,
            request_timeout=5 + 2 * config.election_timeout / 1000,
        )
        logger.info("this is a gateway to the etcd at %s", ",".join(settings.endpoints))
        running.push_async_callback(node.stop)
        await node.start()
        collect_young_garbage()
        give_back_memory()
        api = ClientApi(node, config.cors, legacy=config.legacy_api)
        running.callback(api.close)
        serving = await serve(
            api.handle,
            sockets,
            api.cors_headers if config.cors else None,
            cache=api.cache,
            most=self._most,
        )
        running.push_async_callback(serving.cleanup)
        tell_ready()
        await asyncio.shield(node.failed)

    async def stop(self) -> None:
        """Serves nobody any more."""
        await self._running.aclose()

    def _context(self, url: str) -> ssl.SSLContext | None:
        if not url.startswith("https://"):
            return None
        if not self._files.given:
            raise TlsError(f"cannot listen on TLS for {url}: KeyFile and CertFile are not presented")
        return server_context(self._files)


def _refuse_data(config: Config) -> None:
    if layout(Path(config.data_dir)) in (Kind.MEMBER, Kind.OLD_MEMBER, Kind.BOTH, Kind.ETCD04):
        raise GatewayRefused(
            f"data dir {config.data_dir} holds keys, which a gateway would not serve: it has its keys from the etcd 3. "
            f"To put them there, run: migrate02 data {config.data_dir} --gateway URL,...; then move it aside, or name "
            "another --data-dir"
        )
