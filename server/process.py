"""The life of the process: listen, open the member, serve, and stop in order. Called by ``server.main.run``.

Order and words are etcd 2.3.8's: sockets are bound before the data directory is opened, and closed in
reverse.
"""

import asyncio
import gc
import logging
import os
import signal
import ssl
import sys
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import uvloop

from server.api.client import ClientApi
from server.api.peer import PeerApi
from server.ask import PeerAsk
from server.cluster.bootstrap import BootstrapError, check_initial_cluster, refuse_what_needs_others
from server.cluster.discoverystate import full_error
from server.cluster.srv import Names
from server.config import Config
from server.config.gateway import GatewaySettings
from server.files import ConnectionLimits, open_files, raise_limit
from server.finding import (
    dns_names,
    join_by_discovery,
    members_by_dns,
    members_found_before,
    resolver,
    with_found_members,
)
from server.http.limits import Limits
from server.http.serving import Listening
from server.http.serving import serve as serve_http
from server.listen import ListenError, listen
from server.log import NOTICE, log_fault
from server.memory import collect_young_garbage, give_back_memory
from server.node import CannotApply, MemberRemoved, Node, NodeFailed, OpenedMember, open_member
from server.notify import notify
from server.peer import ETCD_3, Identity, PeerHandler, Transport
from server.peer.codec import MAX_MESSAGE
from server.raft import LogError
from server.raft import raft as a_core
from server.storage.boltfile import empty_database
from server.storage.datadir import Kind, has_wal, layout, strangers
from server.storage.errors import StorageError
from server.tls import TlsError, TlsFiles, client_context, client_tls_files, peer_tls_files, server_context
from server.version import VERSION

if TYPE_CHECKING:
    from server.gatewayprocess import Gateway
    from server.proxy.process import Proxy

logger = logging.getLogger("server.main")
signal_logger = logging.getLogger("server.signals")
node_logger = logging.getLogger("server.node")

_FOR_PEERS = Limits(
    idle=5.0, handshake=10.0, body=10.0, rate=8 << 10, stall=5.0, held=MAX_MESSAGE, makes_room=True
)
"""etcd gives peers five seconds for each piece. The longest message has room among all bodies together."""

_SWITCH_INTERVAL = 0.0005
"""Seconds after which a busy thread lets another have the interpreter: the log's, to begin the next sync. Python's
own are ten times as many, in which a sync could be done."""

_SIGNAL_NAMES = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupt"}


class Ended(NamedTuple):
    """The member could not start, or not go on; why is in the log."""

    status: int


class _Bound(NamedTuple):
    """Listening sockets of one kind, with the URLs they were bound for."""

    kind: str
    urls: list[str]
    sockets: list[Listening]


def serve(config: Config, gateway: GatewaySettings | None = None) -> Ended | signal.Signals:
    """Runs the member, or the ``gateway``, until a signal or a failure ends it. Trouble is logged in one line, never
    raised."""
    try:
        return _run(config) if gateway is None else _run_gateway(config, gateway)
    except (
        Exception
    ) as error:  # a fault in here; who starts a server is owed a line and a status all the same
        log_fault(logger, error)
        return Ended(1)


def _run(config: Config) -> Ended | signal.Signals:
    raise_limit()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    for number in _SIGNAL_NAMES:
        _end_at_once_by(number)  # asking others, or reading a large log, takes a while
    gc.disable()  # until all that was there before is read: it is no garbage
    bound: list[_Bound] = []
    try:
        if _check_data_dir(config):
            return _run_proxy(config)
        names = dns_names(config)
        begins = _begins(config)
        if begins and config.discovery_srv:
            config = members_by_dns(config)
        check_initial_cluster(config, begins=begins)
        _bind_all(config, names, bound)
        to_peers = _to_peers(config)
        files = open_files()
        if begins and config.discovery and config.initial_cluster_state == "new":
            found = join_by_discovery(config)
            if found.full and config.discovery_fallback == "proxy":
                _close(bound)
                logger.log(NOTICE, "discovery cluster full, falling back to proxy")
                return _run_proxy(config, found.initial_cluster)
            if found.full:
                raise full_error(config.discovery, found.initial_cluster)
            config = with_found_members(config, found)
        started = open_member(
            config,
            resolve=resolver(names),
            ask=PeerAsk(peer_tls_files(config), connect_timeout=dial_timeout(config), names=names),
            now=time.time_ns(),
            random=Random(),
            find_again=members_found_before,
        )
    except (BootstrapError, ListenError, TlsError, StorageError, CannotApply, LogError) as error:
        return _give_up(error, bound)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, started, names, bound, to_peers, files))


def _end_at_once_by(number: signal.Signals) -> None:
    # The kernel ends no init process by a signal that it does not handle.
    signal.signal(number, signal.SIG_DFL if os.getpid() != 1 else lambda again, _: os._exit(128 + again))


def is_compiled() -> bool:
    """Whether this is an install with compiled cores (``setup.py``)."""
    return not (a_core.__file__ or "").endswith(".py")


def _check_data_dir(config: Config) -> bool:
    """Whether it is, or becomes, that of a proxy; a member's stays a member's. Raises BootstrapError, StorageError."""
    data_dir = Path(config.data_dir)
    kind = layout(data_dir)
    for name in strangers(data_dir):
        logger.warning(
            "found invalid file/dir %s under data dir %s (Ignore this if you are upgrading etcd)",
            name,
            data_dir,
        )
    match kind:
        case Kind.ETCD04 if config.proxy == "off":
            raise BootstrapError(
                "C",
                f"data dir {data_dir} holds the data of an etcd 0.4 and no 2.x member: starting on it would begin "
                f"a new, empty cluster. To keep the keys, run: migrate02 data {data_dir} --beside (of several members "
                "all together, see 'migrate02 explain data-dir-04'); otherwise move it aside, or name another "
                "--data-dir",
            )
        case Kind.BOTH:
            raise BootstrapError("C", "invalid datadir. Both member and proxy directories exist.")
        case Kind.MEMBER | Kind.PROXY:
            text = (
                f"the server is already initialized as {kind.value} before, starting as etcd {kind.value}..."
            )
            logger.log(NOTICE, "%s", text)
    if kind is Kind.PROXY or (config.proxy != "off" and kind in (Kind.EMPTY, Kind.ETCD04)):
        return True
    if _begins(config):
        refuse_what_needs_others(config)
    return False


def _begins(config: Config) -> bool:
    """Whether there is no log yet, not even where 2.0.0 had it."""
    data_dir = Path(config.data_dir)
    wal_dir = Path(config.wal_dir) if config.wal_dir else data_dir / "member" / "wal"
    return not has_wal(wal_dir) and layout(data_dir) is not Kind.OLD_MEMBER


def dial_timeout(config: Config) -> float:
    """Seconds that a connection to a peer may take: one, and a fifth of an election timeout for the way."""
    return 1 + config.election_timeout / 1000 / 5


def _bind_all(config: Config, names: Names | None, bound: list[_Bound]) -> None:
    """Binds peers' sockets, then clients'. What is bound is in ``bound`` also when a later one fails."""
    look_up = None if names is None else resolver(names)
    client = client_tls_files(config)
    for kind, scope, urls, files in (
        ("peers", "peer", config.listen_peer_urls, peer_tls_files(config)),
        ("client requests", "client", config.listen_client_urls, client),
    ):
        if files.given:
            logger.info("%sTLS: %s", scope, files)
        group = _Bound(kind, [], [])
        bound.append(group)
        for url in urls:
            context = _context(url, scope, files)
            group.sockets.append(Listening(listen(url, look_up), context))
            group.urls.append(url)
            logger.info("listening for %s on %s", kind, url)
            if files.allow_old and context is not None:
                logger.warning("clients may speak TLS 1.0 and 1.1 (--allow-old-tls)")


def _context(url: str, scope: str, files: TlsFiles) -> ssl.SSLContext | None:
    if url.startswith("https://"):
        if not files.given:
            raise TlsError(f"cannot listen on TLS for {url}: KeyFile and CertFile are not presented")
        return server_context(files)
    if files.given:
        logger.warning(
            "The scheme of %s url %s is http while %s key/cert files are presented. Ignored %s key/cert files.",
            scope, url, scope, scope,
        )  # fmt: skip
    return None


def _close(bound: list[_Bound]) -> None:
    for group in reversed(bound):
        for url, listening in zip(reversed(group.urls), reversed(group.sockets), strict=True):
            listening.socket.close()
            logger.info("stopping listening for %s on %s", group.kind, url)
    bound.clear()


def _give_up(error: Exception, bound: list[_Bound]) -> Ended:
    _close(bound)
    if not isinstance(error, BootstrapError):
        logger.critical("%s", error)
        return Ended(1)
    for letter, text in error.lines:
        logger.log(_LEVELS[letter], "%s", text)
    return Ended(error.status)


_LEVELS = {"C": logging.CRITICAL, "E": logging.ERROR, "W": logging.WARNING, "N": NOTICE, "I": logging.INFO}


async def _serve(
    config: Config,
    started: OpenedMember,
    names: Names | None,
    bound: list[_Bound],
    to_peers: ssl.SSLContext | None,
    files: ConnectionLimits,
) -> Ended | signal.Signals:
    told: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    for number in _SIGNAL_NAMES:
        asyncio.get_running_loop().add_signal_handler(number, _tell, told, number)
    node = Node(
        started,
        heartbeat=config.heartbeat_interval / 1000,
        request_timeout=5 + 2 * config.election_timeout / 1000,
        snapshot_count=config.snapshot_count,
        strict_reconfig=config.strict_reconfig_check,
        idle_sync=config.idle_sync,
    )
    version = started.members.version
    transport = _transport(config, started, node, names, to_peers)
    decided = "to_be_decided" if version is None else ".".join(version.split(".")[:2])
    node_logger.info("starting server... [version: %s, cluster version: %s]", VERSION, decided)
    node_logger.info("the cores are %s", "compiled" if is_compiled() else "interpreted")
    runners = []
    api = ClientApi(node, config.cors, legacy=config.legacy_api)
    try:
        await transport.start()
        await node.start(transport)
        collect_young_garbage()
        give_back_memory()
        if config.cors:
            logger.info("cors = %s", ",".join(config.cors))
        if config.legacy_api:
            logger.info("serving what clients of etcd 0.4 ask for, too (--legacy-api)")
        peers, clients = bound
        for_peers = PeerHandler(transport, PeerApi(node, legacy=config.legacy_api).handle)
        runners.append(await serve_http(for_peers.handle, peers.sockets, most=files.peers, limits=_FOR_PEERS))
        runners.append(
            await serve_http(
                api.handle,
                clients.sockets,
                api.cors_headers if config.cors else None,
                cache=api.cache,
                most=files.clients,
            )
        )
        notify("READY=1")
        await asyncio.wait((told, node.failed), return_when=asyncio.FIRST_COMPLETED)
    except NodeFailed as error:
        logger.critical("%s", error)
    finally:
        notify("STOPPING=1")
        node.peers.disconnect()
        await transport.stop()
        for runner in reversed(runners):
            await runner.cleanup()
        api.close()
        try:
            await node.stop()
        except StorageError as error:
            logger.critical("%s", error)
    if node.failed.done():
        return Ended(0 if isinstance(node.failed.exception(), MemberRemoved) else 1)
    return told.result() if told.done() else Ended(1)


def _run_proxy(config: Config, initial_cluster: str | None = None) -> signal.Signals:
    """Runs a proxy until a signal ends it. Raises what can keep it from starting.

    With ``initial_cluster``, that of a discovery that was full, of these members.
    """
    from server.proxy.peers import find_peers, peer_urls  # late: members need no proxy
    from server.proxy.process import Proxy, known_peers

    peers = known_peers(
        config, find_peers if initial_cluster is None else lambda _: peer_urls(initial_cluster)
    )
    proxy = Proxy(config, peers, most=open_files().clients, names=dns_names(config))
    collect_young_garbage()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve_proxy(proxy))


def _run_gateway(config: Config, settings: GatewaySettings) -> Ended | signal.Signals:
    """Runs a gateway to an etcd 3 until a signal or a failure ends it."""
    from server.gatewayprocess import Gateway, GatewayRefused  # late: gRPC is no part of a member

    raise_limit()
    try:
        gateway = Gateway(config, settings, most=open_files().clients, names=dns_names(config))
    except (GatewayRefused, TlsError) as error:
        return _give_up(error, [])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve_gateway(gateway))


async def _serve_gateway(gateway: "Gateway") -> Ended | signal.Signals:
    told: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    for number in _SIGNAL_NAMES:
        asyncio.get_running_loop().add_signal_handler(number, _tell, told, number)
    running = asyncio.create_task(gateway.run(lambda: notify("READY=1")))
    try:
        await asyncio.wait((told, running), return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            running.result()
    except (NodeFailed, ListenError, TlsError) as error:
        logger.critical("%s", error)
    finally:
        notify("STOPPING=1")
        running.cancel()
        await asyncio.wait((running,))
        await gateway.stop()
    return told.result() if told.done() else Ended(1)


async def _serve_proxy(proxy: "Proxy") -> signal.Signals:
    told: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    for number in _SIGNAL_NAMES:
        asyncio.get_running_loop().add_signal_handler(number, _tell, told, number)
    starting = asyncio.create_task(proxy.start())
    try:
        await asyncio.wait((told, starting), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            notify("READY=1")
            await told
    finally:
        notify("STOPPING=1")
        starting.cancel()
        await asyncio.wait((starting,))
        await proxy.stop()
    return told.result()


def _to_peers(config: Config) -> ssl.SSLContext | None:
    """For connections to the other members. Raises TlsError."""
    files = peer_tls_files(config)
    return client_context(files) if files.given or files.ca or files.trusted_ca else None


def _transport(
    config: Config, started: OpenedMember, node: Node, names: Names | None, tls: ssl.SSLContext | None
) -> Transport:
    """The ways to the other members, which speak so that members of 2.3 and of 3.x both take part."""
    me = Identity(
        started.local.id, started.members.cluster_id, config.initial_advertise_peer_urls, versions=ETCD_3
    )
    return Transport(
        me,
        node.peers,
        tls=tls,
        connect_timeout=dial_timeout(config),
        look_up=None if names is None else names.addresses,
        database=lambda snapshot: [empty_database(snapshot.index, snapshot.term)],
    )


def _tell(told: "asyncio.Future[signal.Signals]", number: signal.Signals) -> None:
    if not told.done():
        signal_logger.log(NOTICE, "received %s signal, shutting down...", _SIGNAL_NAMES[number])
        told.set_result(number)
        _let_the_next_signal_end_it()


def _let_the_next_signal_end_it() -> None:
    """Who asks a second time will not wait: a snapshot being written or a hanging disk can make an orderly end
    take long. All that was answered is on disk, so the end at once loses nothing."""
    for number in _SIGNAL_NAMES:
        asyncio.get_running_loop().remove_signal_handler(number)
        _end_at_once_by(number)
