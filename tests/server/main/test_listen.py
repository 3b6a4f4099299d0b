"""Binding listen URLs as Go binds them."""

import socket

import pytest

from server.listen import ListenError, listen
from tests.support.ports import free_ports


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:99999", "listen tcp: address 99999: invalid port"),
        ("http://nohost.invalid:1234", "listen tcp: lookup nohost.invalid: no such host"),
        ("http://192.0.2.1:1234", "listen tcp 192.0.2.1:1234: bind: cannot assign requested address"),
    ],
)
def test_what_cannot_be_listened_on_is_refused_in_the_words_of_etcd(url: str, message: str) -> None:
    with pytest.raises(ListenError) as caught:
        listen(url)
    assert str(caught.value) == message


def test_a_port_in_use() -> None:
    with listen("http://127.0.0.1:0") as first:
        port = first.getsockname()[1]
        with pytest.raises(ListenError) as caught:
            listen(f"http://localhost:{port}")
    assert str(caught.value) == f"listen tcp 127.0.0.1:{port}: bind: address already in use"


def test_a_host_name_is_looked_up_ipv4_first() -> None:
    with listen("http://localhost:0") as sock:
        assert sock.getsockname()[0] == "127.0.0.1"


def test_an_empty_port_is_any_port() -> None:
    with listen("http://127.0.0.1:") as sock:
        assert sock.getsockname()[1] > 0


@pytest.mark.parametrize("host", ["[::]", "0.0.0.0", ""])
def test_every_address_means_ipv4_too(host: str) -> None:
    (port,) = free_ports(1)
    with listen(f"http://{host}:{port}"), socket.create_connection(("127.0.0.1", port), 5):
        pass


def test_a_machine_without_ipv6_listens_on_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def only_ipv4(family: int = socket.AF_INET, *rest: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, *rest)

    monkeypatch.setattr("server.listen.socket.socket", only_ipv4)
    with listen("http://[::]:0") as sock:
        assert sock.family == socket.AF_INET
        assert sock.getsockname()[0] == "0.0.0.0"


def test_a_silent_connection_is_asked_after_30_seconds_whether_it_is_there() -> None:
    with listen("http://127.0.0.1:0") as listener, socket.create_connection(listener.getsockname()):
        listener.setblocking(True)
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 30
