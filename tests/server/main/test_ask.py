"""Asking other members over real sockets: answers, and Go's words when there are none."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from server.ask import PeerAsk
from server.cluster import PeerUnreachable
from server.tls import TlsError, TlsFiles, server_context

FILES = Path(__file__).parents[3] / "fixtures" / "tls"
SERVER = TlsFiles(cert=str(FILES / "server.pem"), key=str(FILES / "server.key"), ca=str(FILES / "ca.pem"))
CLIENT = TlsFiles(cert=str(FILES / "client.pem"), key=str(FILES / "client.key"), ca=str(FILES / "ca.pem"))

ask = PeerAsk(TlsFiles(), connect_timeout=60)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/version" else 200)
        self.send_header("X-Etcd-Cluster-ID", "5")
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, format: str, *args: object) -> None: ...


@contextlib.contextmanager
def serving(tls: TlsFiles | None = None) -> Iterator[int]:
    """A peer on a port of its own."""
    server = HTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = server_context(tls)
        context.maximum_version = (
            ssl.TLSVersion.TLSv1_2
        )  # so that a certificate that is missing is told at once
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_answer_comes_back_whatever_its_status() -> None:
    with serving() as port:
        members = ask(f"http://127.0.0.1:{port}", "/members", 60)
        version = ask(f"http://127.0.0.1:{port}", "/version", 5)
    assert (members.status, members.body) == (200, b"/members")
    assert members.headers.get("x-etcd-cluster-id") == "5"
    assert (version.status, version.body) == (404, b"/version")


def test_nobody_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        with pytest.raises(PeerUnreachable) as caught:
            ask(url, "/members", 60)
    address = url.removeprefix("http://")
    assert str(caught.value) == f'Get "{url}/members": dial tcp {address}: connect: connection refused'


def test_who_listens_and_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock, pytest.raises(PeerUnreachable, match="i/o timeout"):
        ask(f"http://127.0.0.1:{sock.getsockname()[1]}", "/members", 0.2)


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(PeerUnreachable, match=r"lookup nobody\.invalid: no such host"):
        ask("http://nobody.invalid:2380", "/members", 60)


def test_a_name_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        answered.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(PeerUnreachable, match="i/o timeout"):
        ask("http://slow.example:2380", "/members", 0.2)
    answered.set()


def test_peers_show_each_other_certificates() -> None:
    with serving(SERVER) as port:
        url = f"https://127.0.0.1:{port}"
        assert PeerAsk(CLIENT, connect_timeout=60)(url, "/members", 60).status == 200
        with pytest.raises(PeerUnreachable):  # without one of its own
            PeerAsk(TlsFiles(trusted_ca=str(FILES / "ca.pem")), connect_timeout=60)(url, "/members", 60)
        with pytest.raises(PeerUnreachable, match="certificate"):  # without trust in that authority
            ask(url, "/members", 60)


def test_certificates_that_cannot_be_used_are_told_when_they_are_needed() -> None:
    broken = PeerAsk(TlsFiles(cert="/nowhere/x.pem", key="/nowhere/x.key"), connect_timeout=60)
    with pytest.raises(TlsError, match=r"open /nowhere/x\.pem: no such file or directory"):
        broken("https://127.0.0.1:1", "/members", 60)
    with serving() as port:
        assert broken(f"http://127.0.0.1:{port}", "/members", 60).status == 200
