"""Names looked up in DNS: at a server on loopback that answers well, late, cut short, wrongly or never."""

import asyncio
import contextlib
import time

import dns.rcode
import pytest
import uvloop

from server import names
from server.cluster.srv import LookupFailed, Place
from server.names import BadServer, DnsNames, parse_server
from tests.support.dns_server import DnsServer, unused_address

SERVICE = "_etcd-server._tcp.example.com"
ZONE = f"""
{SERVICE}. SRV 10 0 2380 infra2.example.com.
{SERVICE}. SRV 0 0 2380 infra1.example.com.
{SERVICE}. SRV 5 0 2380 infra0.example.com.
_none._tcp.example.com. SRV 0 0 0 .
_bare.example.com. A 10.0.0.1
infra0.example.com. A 10.0.1.10
infra1.example.com. A 10.0.1.11
infra1.example.com. AAAA 2001:db8::11
infra2.example.com. CNAME infra0.example.com.
"""
PLACES = [Place(f"infra{n}.example.com", 2380) for n in (1, 0, 2)]


def srv(server: str, name: str = SERVICE) -> list[Place]:
    return list(asyncio.run(DnsNames(server).srv(name)))


def addresses(server: str, host: str) -> list[str]:
    return list(asyncio.run(DnsNames(server).addresses(host)))


def failure(server: str, name: str = SERVICE) -> LookupFailed:
    with pytest.raises(LookupFailed) as caught:
        srv(server, name)
    return caught.value


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For who gets no answer at all."""
    monkeypatch.setattr(names, "_TRY", 0.1)
    monkeypatch.setattr(names, "_REST", 0.01)
    monkeypatch.setattr(names, "PATIENCE", 1)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For who gets one in the end: a server that a busy machine keeps waiting is asked again."""
    monkeypatch.setattr(names, "_TRY", 1)
    monkeypatch.setattr(names, "_REST", 0.01)
    monkeypatch.setattr(names, "PATIENCE", 60)


def test_records_come_by_priority() -> None:
    with DnsServer(ZONE) as server:
        assert srv(server.address) == PLACES


def test_it_works_on_uvloop_too() -> None:
    with DnsServer(ZONE) as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert list(runner.run(DnsNames(server.address).srv(SERVICE))) == PLACES


def test_an_answer_that_is_cut_short_is_asked_for_by_tcp() -> None:
    with DnsServer(ZONE) as server:
        server.truncate = True
        assert srv(server.address) == PLACES
        assert [transport for _, _, transport in server.asked] == ["udp", "tcp"]


@pytest.mark.usefixtures("patient")
def test_a_late_answer_is_waited_for() -> None:
    with DnsServer(ZONE) as server:
        server.delay = 0.05
        assert srv(server.address) == PLACES


@pytest.mark.parametrize("name", ["_nosuch._tcp.example.com", "_bare.example.com", "_none._tcp.example.com"])
def test_no_such_name_or_no_such_records(name: str) -> None:
    with DnsServer(ZONE) as server:
        error = failure(server.address, name)
        assert str(error) == f"lookup {name} on {server.address}: no such host"
        assert not error.for_now


def test_a_server_that_cannot_answer_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_TRY", 60)
    monkeypatch.setattr(names, "PATIENCE", 60)
    monkeypatch.setattr(names, "_REST", 0.01)
    with DnsServer(ZONE) as server:
        server.rcode = dns.rcode.SERVFAIL
        error = failure(server.address)
        assert str(error) == f"lookup {SERVICE} on {server.address}: server misbehaving"
        assert error.for_now
        assert len(server.asked) == 2


@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers() -> None:
    with DnsServer(ZONE) as server:
        server.silent = True
        error = failure(server.address)
        assert str(error) == f"lookup {SERVICE} on {server.address}: i/o timeout"
        assert error.for_now
        while len(server.asked) < 2:
            time.sleep(0.01)  # it may have been kept waiting itself


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("how", ["silent", "refuses", "is not there"])
@pytest.mark.parametrize("which", range(3))
def test_one_of_three_servers_may_fail(monkeypatch: pytest.MonkeyPatch, which: int, how: str) -> None:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(DnsServer(ZONE))
        port = int(first.address.partition(":")[2])
        servers = [first, *(stack.enter_context(DnsServer(ZONE, f"127.0.0.{n}", port)) for n in (2, 3))]
        addresses = [f"127.0.0.{n}" for n in (1, 2, 3)]
        if how == "is not there":
            addresses[which] = "127.0.0.9"
        elif how == "silent":
            servers[which].silent = True
        else:
            servers[which].rcode = dns.rcode.SERVFAIL
        monkeypatch.setattr(names, "parse_server", lambda _text: (addresses, port))
        assert srv("any") == PLACES


def test_where_no_server_is() -> None:
    assert failure(unused_address()).for_now


def test_a_name_that_cannot_be_one() -> None:
    assert "lookup _etcd-server._tcp..x on" in str(failure("127.0.0.1", "_etcd-server._tcp..x"))


def test_addresses_of_both_kinds_through_aliases_too() -> None:
    with DnsServer(ZONE) as server:
        assert addresses(server.address, "infra1.example.com") == ["10.0.1.11", "2001:db8::11"]
        assert addresses(server.address, "infra2.example.com") == ["10.0.1.10"]


def test_a_host_without_an_address() -> None:
    with DnsServer(ZONE) as server:
        with pytest.raises(LookupFailed) as caught:
            addresses(server.address, "nosuch.example.com")
        assert str(caught.value) == f"lookup nosuch.example.com on {server.address}: no such host"


def test_an_address_is_its_own_and_nobody_is_asked() -> None:
    server = unused_address()
    assert addresses(server, "10.0.1.10") == ["10.0.1.10"]
    assert addresses(server, "2001:DB8::0") == ["2001:db8::"]


def test_localhost_is_not_asked_of_a_dns_server() -> None:
    assert "127.0.0.1" in addresses(unused_address(), "localhost")


def test_without_a_server_hosts_are_looked_up_by_the_system() -> None:
    assert "127.0.0.1" in addresses("", "localhost")


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("127.0.0.1", (["127.0.0.1"], 53)),
        ("127.0.0.1:5353", (["127.0.0.1"], 5353)),
        ("[::1]:5353", (["::1"], 5353)),
        ("[::1]", (["::1"], 53)),
        ("::1", (["::1"], 53)),
    ],
)
def test_how_a_server_is_written(text: str, parsed: tuple[list[str], int]) -> None:
    assert parse_server(text) == parsed


@pytest.mark.parametrize("text", [":53", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:99999", "no such host"])
def test_a_server_that_is_none(text: str) -> None:
    with pytest.raises(BadServer, match="--dns-server"):
        parse_server(text)


def test_more_records_than_a_cluster_can_have_are_refused() -> None:
    """Each of them would be looked up."""
    many = "".join(
        f"{SERVICE}. SRV 0 0 {port} infra0.example.com.\n" for port in range(1, names.MOST_RECORDS + 2)
    )
    with DnsServer(many) as server:
        assert str(failure(server.address)).endswith(f": {names.MOST_RECORDS + 1} records, more than 100")


def test_more_addresses_than_a_host_can_have_are_refused() -> None:
    many = "".join(
        f"many.example.com. A 10.0.{n // 250}.{n % 250 + 1}\n" for n in range(names.MOST_RECORDS + 1)
    )
    with DnsServer(many) as server, pytest.raises(LookupFailed, match="101 records, more than 100"):
        addresses(server.address, "many.example.com")


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_in_trouble_again_and_again_gets_one_time_for_all_tries() -> None:
    with DnsServer(ZONE) as server:
        server.delay = 0.3
        server.rcode = dns.rcode.SERVFAIL
        error = failure(server.address)
    assert error.for_now
