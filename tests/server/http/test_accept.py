"""No more connections than may be; and TLS where HTTP is expected and the reverse: one line in the log each, and no
hanging client.
"""

import asyncio
import logging
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
import uvloop

from server.http.messages import Request, Response
from server.http.serving import Listening, serve
from server.listen import listen
from server.tls import TlsFiles, server_context
from tests.support.process import PATIENCE
from tests.support.real_etcd import required_tool
from tests.support.turns import turns

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CLIENT_HELLO = bytes.fromhex("16030100ff010000fb0303") + bytes(60)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with c.pem and k.pem, its own authority, good for servers and clients."""
    openssl = required_tool("openssl")
    folder = tmp_path_factory.mktemp("tls")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=m1"
    words += " -keyout k.pem -out c.pem -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([openssl, *words.split()], cwd=folder, check=True, capture_output=True)
    return folder


def talk(
    context: ssl.SSLContext | None,
    sent: bytes,
    *,
    client: ssl.SSLContext | None = None,
    address: str = "http://127.0.0.1:0",
) -> bytes:
    """All that a client gets that sends this, until the server closes; with ``client`` it speaks TLS."""

    def answer(request: Request) -> Response:
        return Response(200, (("Connection", "close"),), b"hello")

    async def body() -> bytes:
        sock = listen(address)
        serving = await serve(answer, [Listening(sock, context)])
        got = b""
        try:
            host, port = sock.getsockname()[:2]
            reader, writer = await asyncio.open_connection(host, port, ssl=client)
            writer.write(sent)
            if not sent:
                writer.close()
            got = await asyncio.wait_for(reader.read(), PATIENCE)
            writer.close()
            await turns(5)  # for the server to notice the end
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client sees an alert, or nothing
        finally:
            await serving.cleanup()
        return got

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(body())


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate / "c.pem"))


def context_of(certificate: Path, *, auth: bool = False) -> ssl.SSLContext:
    cert, key = str(certificate / "c.pem"), str(certificate / "k.pem")
    return server_context(TlsFiles(cert, key, trusted_ca=cert if auth else "", client_cert_auth=auth))


def test_https_is_served_by_either_path(certificate: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    got = talk(context_of(certificate), GET, client=trusting(certificate))
    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert got.endswith(b"\r\n\r\nhello")
    assert caplog.messages == []


def test_a_client_with_a_certificate_is_served_where_one_is_required(certificate: Path) -> None:
    client = trusting(certificate)
    client.load_cert_chain(certificate / "c.pem", certificate / "k.pem")
    assert talk(context_of(certificate, auth=True), GET, client=client).endswith(b"hello")


def test_plain_http_on_a_tls_port_is_a_line_in_the_log(
    certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert b"hello" not in talk(context_of(certificate), GET)
    (line,) = caplog.messages
    assert line.startswith("http: TLS handshake error from 127.0.0.1:")
    assert line.endswith("use https://")
    assert caplog.records[0].exc_info is None


@pytest.mark.parametrize(
    ("sent", "why"),
    [(b"", "EOF"), (b"\x16\x03\x01\x00\x05hello", ""), (b"\0" * 100, "")],
)
def test_a_handshake_that_fails_is_a_line_in_the_log(
    certificate: Path, sent: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert b"hello" not in talk(context_of(certificate), sent)
    (line,) = caplog.messages
    assert line.startswith("http: TLS handshake error from 127.0.0.1:")
    assert line.endswith(why)
    assert not line.endswith(": ")


def test_a_client_without_the_certificate_that_is_required_is_a_line_in_the_log(
    certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert talk(context_of(certificate, auth=True), GET, client=trusting(certificate)) == b""
    (line,) = caplog.messages
    assert line.endswith("tls: client didn't provide a certificate")


def test_tls_on_a_plain_port_is_refused_at_once_with_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    got = talk(None, CLIENT_HELLO)  # a client waits for the answer to this
    assert got.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    (line,) = caplog.messages
    assert line.startswith("http: 127.0.0.1:")
    assert "speaks TLS" in line
    assert caplog.records[0].exc_info is None


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_connection_too_many_waits_until_another_is_closed(
    certificate: Path, tls: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(request: Request) -> Response:
        return Response(200, (), b"hello")

    async def body() -> None:
        socks = [listen("http://127.0.0.1:0"), listen("http://127.0.0.1:0")]
        context, client = (context_of(certificate), trusting(certificate)) if tls else (None, None)
        serving = await serve(answer, [Listening(sock, context) for sock in socks], most=2)

        async def connect(sock: socket.socket) -> asyncio.StreamWriter:
            host, port = sock.getsockname()[:2]
            reader, writer = await asyncio.open_connection(host, port, ssl=client)
            writer.write(GET)
            assert b"hello" in await reader.read(1000)
            return writer

        first, second = await connect(socks[0]), await connect(socks[1])
        waiting = [asyncio.ensure_future(connect(sock)) for sock in socks]
        await turns(10)
        assert not any(one.done() for one in waiting)
        first.close()
        done, _ = await asyncio.wait(waiting, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        second.close()
        done, _ = await asyncio.wait(waiting, timeout=PATIENCE)
        assert len(done) == 2
        for task in done:
            task.result().close()
        await serving.cleanup()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(body())
    full = "http: there are as many connections as may be; others wait until one is closed"
    assert caplog.messages in ([full], [full] * 2)  # one for each listener


@pytest.mark.parametrize("turns", range(8))
def test_a_connection_that_comes_while_the_server_ends_is_ended_in_order(
    turns: int, caplog: pytest.LogCaptureFixture
) -> None:
    """As peers dial again the moment their streams end; ``turns`` of the loop after it came the server ends."""

    def answer(request: Request) -> Response:
        return Response(200, (), b"hello")

    async def body() -> None:
        sock = listen("http://127.0.0.1:0")
        serving = await serve(answer, [Listening(sock, None)])
        with socket.create_connection(sock.getsockname()) as client:
            client.sendall(GET)
            for _ in range(turns):
                await asyncio.sleep(0)
            await serving.cleanup()
            client.setblocking(True)
            client.settimeout(PATIENCE)
            try:
                got = client.recv(1000)
            except ConnectionResetError:
                got = b""  # never accepted
            assert not got or got.endswith(b"hello")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(body())
    assert caplog.messages == []
