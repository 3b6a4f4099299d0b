"""Which URLs lead to the proxy itself."""

import pytest

from server.proxy.own import Own, is_local


@pytest.mark.parametrize(
    ("listened", "url", "own"),
    [
        ("http://10.0.1.1:2379", "http://10.0.1.1:2379", True),
        ("http://10.0.1.1:2379", "https://10.0.1.1:2379", True),
        ("http://Host.example:2379", "http://host.EXAMPLE:2379", True),
        ("http://10.0.1.1:2379", "http://10.0.1.1:2380", False),
        ("http://10.0.1.1:2379", "http://10.0.1.2:2379", False),
        ("http://0.0.0.0:2379", "http://here:2379", True),
        ("http://[::]:2379", "http://here:2379", True),
        ("http://:2379", "http://elsewhere:2379", False),
        ("http://0.0.0.0:2379", "http://here:4001", False),
        ("http://0.0.0.0:2379", "no url", False),
    ],
)
def test_a_url_is_own_by_port_and_host(listened: str, url: str, own: bool) -> None:
    assert Own([listened], lambda host: host == "here").among([url]) == ({url} if own else set())


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("no.such.host.invalid", False),
    ],
)
def test_a_host_is_local_if_one_can_bind_there(host: str, local: bool) -> None:
    assert is_local(host) is local
