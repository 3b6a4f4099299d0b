"""A client whose TLS handshake is refused hears why."""

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from server.http.messages import Request, Response
from server.http.serving import Listening, serve
from server.listen import listen
from server.tls import TlsFiles, server_context
from tests.support.process import open_sockets
from tests.support.tls import REFUSALS, Refusal, V, ask, client, make_certificates

LOOPS = [uvloop.new_event_loop, asyncio.new_event_loop]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@contextlib.contextmanager
def serving(
    certificates: Path, loop_factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
) -> Iterator[int]:
    """The port of a server that wants certificates of ``ca``, in a thread of its own."""
    context = server_context(
        TlsFiles(
            str(certificates / "server.pem"),
            str(certificates / "server.key"),
            trusted_ca=str(certificates / "ca.pem"),
            client_cert_auth=True,
        )
    )
    sock = listen("https://127.0.0.1:0")
    ready, over = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def answer(request: Request) -> Response:
        return Response(200, (("Connection", "close"),), b"hello")

    async def body() -> None:
        served = await serve(answer, [Listening(sock, context)])
        loops.append(asyncio.get_running_loop())
        ready.set()
        await over.wait()
        await served.cleanup()

    def run() -> None:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(body())

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(20)
    try:
        yield sock.getsockname()[1]
    finally:
        loops[0].call_soon_threadsafe(over.set)
        thread.join()


@pytest.mark.parametrize("loop_factory", LOOPS, ids=["uvloop", "asyncio"])
@pytest.mark.parametrize("refused", REFUSALS, ids=str)
def test_a_client_that_is_refused_gets_an_alert(
    certificates: Path, refused: Refusal, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    with serving(certificates, loop_factory) as port:
        for _ in range(4):
            with pytest.raises(ssl.SSLError) as caught:
                ask(port, client(certificates, *refused))
            assert "ALERT" in (caught.value.reason or str(caught.value))
        assert ask(port, client(certificates, V.TLSv1_3)).startswith(b"HTTP/1.1 200 OK")


def test_plain_http_on_a_tls_port_is_answered_in_plain_text(certificates: Path) -> None:
    with serving(certificates) as port, socket.create_connection(("127.0.0.1", port), 20) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b"".join(iter(lambda: sock.recv(1000), b""))
    assert got.startswith(b"HTTP/1.0 400 Bad Request\r\n")
    assert got.endswith(b"use https://.\n")


def test_refused_clients_that_never_close_are_closed(certificates: Path) -> None:
    """Their end comes soon, and no file of theirs stays open."""
    with serving(certificates) as port, contextlib.ExitStack() as stack:
        before = open_sockets()
        socks = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(20)]
        for sock in socks:
            sock.sendall(b"\x16\x03\x01\x00\x05hello")
        for sock in socks:
            assert sock.recv(100).startswith(b"\x15\x03")
            assert sock.recv(100) == b""
        deadline = time.monotonic() + 20
        while open_sockets() > before + len(socks):
            assert time.monotonic() < deadline, "the server has kept its ends"
            time.sleep(0.02)
