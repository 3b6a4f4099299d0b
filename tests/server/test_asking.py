"""One question over a socket: what is sent with it, by which way, and how it ends."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from server.asking import NoAnswer, get, get_once
from server.bounded import Bounds
from tests.compat.etcdctl02.scripted import Scripted, answer
from tests.support.forward_proxy import ForwardProxy
from tests.support.hostile_http import HARMFUL, HostileServer

TLS = Path(__file__).parents[2] / "fixtures" / "tls"
BOUNDS = Bounds(body=1000, seconds=20.0)
NAMES = ("http_proxy", "https_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    return server, ssl.create_default_context(cafile=str(TLS / "ca.pem"))


def test_what_goes_with_a_question() -> None:
    with Scripted(answer(200, b"fine", "X-Etcd-Index: 7")) as server:
        found = get(server.url.replace("http://", "http://us%40er:p%3Aw@") + "/a/b?c=d#e", BOUNDS)
        host = server.url.removeprefix("http://")
    assert (found.status, found.body, found.etcd_index) == (200, b"fine", 7)
    (asked,) = server.asked
    assert asked.line == "GET /a/b?c=d HTTP/1.1"
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.headers["host"] == host
    assert asked.headers["authorization"] == "Basic dXNAZXI6cDp3"


def test_a_redirect_that_stays_is_followed_with_user_and_password() -> None:
    with Scripted(answer(307, None, "Location: /b?c"), answer(200, b"fine")) as server:
        assert get(server.url.replace("http://", "http://a:b@") + "/a", BOUNDS).body == b"fine"
    assert [asked.line for asked in server.asked] == ["GET /a HTTP/1.1", "GET /b?c HTTP/1.1"]
    assert len({asked.headers["authorization"] for asked in server.asked}) == 1


def test_the_environments_proxy_is_asked_but_for_whom_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted(answer(200, b"fine")) as server, ForwardProxy() as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
        assert get(f"{server.url}/a", BOUNDS).body == b"fine"
        assert proxy.asked == [f"GET {server.url}/a"]
        assert get_once(f"{server.url}/a", BOUNDS, straight=True).body == b"fine"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert get(f"{server.url}/a", BOUNDS).body == b"fine"
        assert len(proxy.asked) == 1


def test_https_goes_through_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    serving, asking = contexts()
    with Scripted(answer(200, b"fine"), tls=serving) as server, ForwardProxy() as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        assert get(f"{server.url}/a", BOUNDS, tls=asking).body == b"fine"
        assert proxy.asked == [f"CONNECT {server.url.removeprefix('https://')}"]
        with pytest.raises(NoAnswer, match="its certificate is not trusted"):
            get(f"{server.url}/a", BOUNDS)


@pytest.mark.parametrize("name", ["silence", "a head that drips", "chunks that drip"])
def test_the_time_is_for_all_of_it(name: str) -> None:
    with (
        HostileServer(HARMFUL[name]) as server,
        pytest.raises(NoAnswer, match=r"no whole answer within 0\.2s"),
    ):
        get(server.url, BOUNDS._replace(seconds=0.2))


@pytest.mark.parametrize(
    "name", ["silence", "headers without an end", "a body without an end, in chunks", "another protocol"]
)
def test_a_proxy_that_means_no_good_is_bounded_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, asking = contexts()
    with HostileServer(HARMFUL[name]) as server:
        monkeypatch.setenv("https_proxy", server.url)
        with pytest.raises(NoAnswer):
            get("https://127.0.0.1:9/", BOUNDS._replace(seconds=1.0), tls=asking)
        assert server.asked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://",
        "http://h:99999/",
        "file:///etc/passwd",
        "http://[::1",
        "http://h:1/\r\nX: y",
        "http://%zz:1",
    ],
)
def test_what_is_no_url_is_asked_of_nobody(url: str) -> None:
    with pytest.raises(NoAnswer) as caught:
        get(url, BOUNDS)
    assert "\n" not in str(caught.value)
