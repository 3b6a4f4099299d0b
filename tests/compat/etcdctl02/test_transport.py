"""The ways in which one server can fail a request, and what they are called."""

from __future__ import annotations

import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compat.etcdctl02.errors import ClientError
from compat.etcdctl02.transport import Deadlines, Request, TlsFiles, Transport
from tests.compat.etcdctl02.scripted import Scripted, answer
from tests.support.ports import free_ports
from tests.support.tls import make_certificates, with_passphrase

PLAIN = TlsFiles("", "", "")
TLS = Path(__file__).parents[3] / "fixtures" / "tls"
CA, CERT, KEY = (str(TLS / name) for name in ("ca.pem", "client.pem", "client.key"))
OK = answer(200, b"fine")


def send(url: str, tls: TlsFiles = PLAIN, method: str = "GET", transport: Transport | None = None) -> bytes:
    limit = time.monotonic() + 60
    return (transport or Transport(tls, 60.0)).send(Request(method, f"{url}/x"), Deadlines(limit, limit)).body


def failure(url: str, tls: TlsFiles = PLAIN) -> ClientError:
    with pytest.raises(ClientError) as caught:
        send(url, tls)
    return caught.value


def server_context(*, asks_for_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    if asks_for_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(CA)
    return context


def test_nobody_there() -> None:
    (port,) = free_ports(1)
    error = failure(f"http://127.0.0.1:{port}")
    assert str(error) == f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    assert error.no_connection


def test_a_name_that_does_not_exist() -> None:
    error = failure("http://nowhere.invalid:1")
    assert str(error).startswith("dial tcp: lookup nowhere.invalid: ")
    assert error.no_connection


def test_a_server_that_hangs_up() -> None:
    with Scripted(b"") as server:
        error = failure(server.url)
    assert str(error) == "EOF"
    assert not error.no_connection


def test_an_answer_that_is_cut_short() -> None:
    with Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf") as server:
        assert str(failure(server.url)) == "unexpected EOF"


def test_an_answer_that_is_no_http() -> None:
    with Scripted(b"SSH-2.0 hello\r\n") as server:
        assert str(failure(server.url)) == 'malformed HTTP response "SSH-2.0 hello"'


def test_an_answer_in_chunks_and_one_without_a_length() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfi\r\n2\r\nne\r\n0\r\n\r\n"
    with Scripted(chunked, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfine") as server:
        assert [send(server.url), send(server.url)] == [b"fine", b"fine"]


def test_a_connection_is_kept_and_made_anew_when_the_server_did_not_keep_it() -> None:
    transport = Transport(PLAIN, 60.0)
    with Scripted(OK, OK, b"", OK) as server:
        assert [send(server.url, transport=transport) for _ in range(3)] == [b"fine"] * 3
        assert (server.connections, len(server.asked)) == (2, 4)


def test_a_write_is_not_sent_twice() -> None:
    transport = Transport(PLAIN, 60.0)
    with Scripted(OK, b"", OK) as server:
        send(server.url, transport=transport)
        with pytest.raises(ClientError, match="EOF"):
            send(server.url, method="PUT", transport=transport)
        assert len(server.asked) == 2


def test_tls_with_and_without_the_authority() -> None:
    with Scripted(OK, tls=server_context()) as server:
        assert send(server.url, TlsFiles(CA, "", "")) == b"fine"
        assert str(failure(server.url)) == "x509: certificate signed by unknown authority"


def test_tls_with_and_without_a_certificate_of_ones_own() -> None:
    with Scripted(OK, tls=server_context(asks_for_certificate=True)) as server:
        assert send(server.url, TlsFiles(CA, CERT, KEY)) == b"fine"
        failure(server.url, TlsFiles(CA, "", ""))  # which words depends on who hangs up first


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "http: server gave HTTP response to HTTPS client"),
        (b"", "EOF"),
    ],
)
def test_tls_to_a_server_that_has_none(reply: bytes, error: str) -> None:
    def answer_one(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        answered = pool.submit(answer_one, listener)
        assert str(failure(f"https://127.0.0.1:{listener.getsockname()[1]}")) == error
        answered.result(5)


def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    with Scripted(OK, tls=server_context()) as server:
        transport = Transport(TlsFiles(CA, "", ""), 5.0, lambda name: ["127.0.0.1"])
        with pytest.raises(ClientError, match=r"^x509: .*other\.example"):
            send(server.url.replace("127.0.0.1", "other.example"), transport=transport)


@pytest.mark.parametrize("traditional", [False, True])
def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(
    tmp_path: Path, traditional: bool
) -> None:
    locked = with_passphrase(make_certificates(tmp_path), traditional=traditional)
    with pytest.raises(
        ClientError, match=r"^tls: failed to parse private key: .*locked\.key has a passphrase"
    ):
        Transport(TlsFiles("", str(tmp_path / "server.pem"), str(locked)), 5.0)


def test_files_that_cannot_be_read_are_told_before_anything_is_sent(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for files, error in [
        (TlsFiles("/nowhere", "", ""), "^open /nowhere: no such file or directory$"),
        (TlsFiles("", "/x", ""), r"^KeyFile and CertFile must both be present\[key: , cert: /x\]$"),
        (TlsFiles(str(empty), "", ""), f"^tls: there is no certificate in {empty}"),
        (TlsFiles("", str(empty), str(empty)), "no pair of certificate and key"),
    ]:
        with pytest.raises(ClientError, match=error):
            Transport(files, 5.0)


def test_only_http_is_spoken() -> None:
    assert str(failure("ftp://127.0.0.1:1")) == 'unsupported protocol scheme "ftp"'
