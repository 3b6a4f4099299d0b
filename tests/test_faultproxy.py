"""The fault-injecting proxy of the tests does the harm it is asked for, to the right ones, and undoes it."""

import os
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.faultproxy import FaultProxy
from tests.support.process import PATIENCE

SOON = 0.2
"""Seconds in which something that may not come would have come."""


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(4096):
            self.server.heard.extend(data)  # type: ignore[attr-defined]
            self.request.sendall(data)


class Echoing(socketserver.ThreadingTCPServer):
    """The dialed member; ``heard`` is all that got to it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.heard = bytearray()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@pytest.fixture
def dialed() -> Iterator[Echoing]:
    with Echoing() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """This process is the member ``a``."""
    with FaultProxy(lambda: {"a": os.getpid()}) as proxy:
        yield proxy


@pytest.fixture
def port(proxy: FaultProxy, dialed: Echoing) -> int:
    proxy.front("a", 1)
    return proxy.front("b", dialed.port)


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def silent(sock: socket.socket) -> bool:
    """Nothing comes for a while."""
    sock.settimeout(SOON)
    try:
        return not sock.recv(100)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(PATIENCE)


def test_without_faults_all_gets_through(port: int) -> None:
    with dial(port) as sock:
        sock.sendall(b"x" * 300_000)
        got = 0
        while got < 300_000:
            got += len(sock.recv(1 << 16))


def test_what_is_sent_into_a_cut_link_comes_when_it_is_mended(
    proxy: FaultProxy, port: int, dialed: Echoing
) -> None:
    with dial(port) as sock:
        proxy.cut("a", "b")
        sock.sendall(b"late")
        assert silent(sock)
        assert not dialed.heard
        proxy.heal()
        assert sock.recv(100) == b"late"


def test_one_direction_is_cut_and_the_other_stays_open(proxy: FaultProxy, port: int, dialed: Echoing) -> None:
    with dial(port) as sock:
        proxy.cut("b", "a")
        sock.sendall(b"heard")
        while dialed.heard != b"heard":
            time.sleep(0.01)
        assert silent(sock)


def test_a_connection_that_is_dialed_into_a_cut_link_gets_no_answer(proxy: FaultProxy, port: int) -> None:
    proxy.isolate("b")
    with dial(port) as sock:
        sock.sendall(b"hello")
        assert silent(sock)
        proxy.heal()
        assert sock.recv(100) == b"hello"


def test_only_the_members_of_other_groups_are_cut_off(proxy: FaultProxy, port: int) -> None:
    proxy.partition(["c"], ["a", "b"])
    with dial(port) as sock:
        sock.sendall(b"hello")
        assert sock.recv(100) == b"hello"


def test_an_isolated_member_hears_of_strangers_as_little(dialed: Echoing) -> None:
    with FaultProxy(dict) as proxy:
        port = proxy.front("b", dialed.port)
        proxy.isolate("b")
        with dial(port) as sock:
            sock.sendall(b"hello")
            assert silent(sock)


def test_refused_members_lose_their_connections_and_get_no_new_ones(proxy: FaultProxy, port: int) -> None:
    with dial(port) as sock:
        sock.sendall(b"hello")
        assert sock.recv(100) == b"hello"
        proxy.refuse(["a"], ["b"])
        assert not sock.recv(100)
    with dial(port) as sock:
        assert not sock.recv(100)
    proxy.heal()
    with dial(port) as sock:
        sock.sendall(b"again")
        assert sock.recv(100) == b"again"


@pytest.mark.parametrize("slow", [{"delay": 0.3}, {"bytes_per_second": 100.0}])
def test_a_slow_link_takes_its_time(proxy: FaultProxy, port: int, slow: dict[str, float]) -> None:
    with dial(port) as sock:
        proxy.slow("a", "b", **slow)
        started = time.monotonic()
        sock.sendall(b"x" * 30)
        assert sock.recv(100)
        assert time.monotonic() - started >= 0.3


def test_where_the_member_does_not_listen_its_dialer_hears_the_end(proxy: FaultProxy) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = proxy.front("b", unused.getsockname()[1])
        with dial(port) as sock:
            assert not sock.recv(100)


def test_the_end_of_one_side_ends_the_other(proxy: FaultProxy, port: int, dialed: Echoing) -> None:
    with dial(port) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert not sock.recv(100)


def test_a_dialer_is_known_though_its_port_leads_elsewhere_too(proxy: FaultProxy, port: int) -> None:
    """Another connection from the same port, older and of nobody's by now."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        first = socket.socket()
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        first.bind(("127.0.0.1", 0))
        shared = first.getsockname()[1]
        first.connect(elsewhere.getsockname())
        accepted, _ = elsewhere.accept()
        first.close()
        accepted.close()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", shared))
            sock.connect(("127.0.0.1", port))
            sock.settimeout(SOON)
            proxy.cut("a", "b")
            sock.sendall(b"late")
            assert silent(sock)
