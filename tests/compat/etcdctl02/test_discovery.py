"""SRV records for clients, asked of a DNS server inside the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dns import rcode as rcodes

from compat.etcdctl02 import discovery
from compat.etcdctl02.discovery import discover, resolver
from compat.etcdctl02.errors import ClientError
from tests.compat.etcdctl02.ran import run
from tests.compat.etcdctl02.scripted import Scripted, answer, members
from tests.support.dns_server import DnsServer, unused_address

ZONE = """\
_etcd-client._tcp.example.com. SRV 0 0 2379 infra0.example.com.
_etcd-client._tcp.example.com. SRV 0 0 4001 infra1.example.com.
_etcd-client-ssl._tcp.example.com. SRV 0 0 2380 infra2.example.com.
_etcd-client-blue._tcp.example.com. SRV 0 0 2379 blue.example.com.
_etcd-client-ssl-blue._tcp.example.com. SRV 0 0 2379 blue.example.com.
_etcd-client._tcp.plain.com. SRV 0 0 2379 infra0.example.com.
infra0.example.com. A 127.0.0.1
infra1.example.com. AAAA ::1
infra1.example.com. A 127.0.0.1
alias.example.com. CNAME infra0.example.com.
"""


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with DnsServer(ZONE) as server:
        yield server


def test_records_for_tls_come_before_those_without(dns: DnsServer) -> None:
    first, *others = discover("example.com", "", dns.address)
    assert first == "https://infra2.example.com:2380"
    assert sorted(others) == ["http://infra0.example.com:2379", "http://infra1.example.com:4001"]


def test_a_suffix_names_other_services(dns: DnsServer) -> None:
    assert discover("example.com", "blue", dns.address) == [
        "https://blue.example.com:2379",
        "http://blue.example.com:2379",
    ]


def test_one_of_the_services_is_enough(dns: DnsServer) -> None:
    assert discover("plain.com", "", dns.address) == ["http://infra0.example.com:2379"]


def test_an_answer_too_long_for_a_datagram_is_asked_for_again_over_tcp(dns: DnsServer) -> None:
    dns.truncate = True
    assert len(discover("example.com", "", dns.address)) == 3
    assert {transport for _, _, transport in dns.asked} == {"udp", "tcp"}


def test_a_domain_without_records_is_refused_with_both_reasons(dns: DnsServer) -> None:
    ran = run("--discovery-srv", "nowhere.com", "--dns-server", dns.address, "get", "/a")
    assert ran == (
        1,
        "",
        f"dns lookup errors: lookup _etcd-client-ssl._tcp.nowhere.com on {dns.address}: no such host and "
        f"lookup _etcd-client._tcp.nowhere.com on {dns.address}: no such host\n",
    )


@pytest.mark.parametrize("rcode", [rcodes.SERVFAIL, rcodes.REFUSED])
def test_a_dns_server_that_fails_is_told_from_a_name_that_is_not_there(
    dns: DnsServer, rcode: rcodes.Rcode
) -> None:
    dns.rcode = rcode
    with pytest.raises(ClientError, match=r"_etcd-client\._tcp\.example\.com on .*: server misbehaving$"):
        discover("example.com", "", dns.address)


def test_a_dns_server_that_is_silent_or_not_there_is_given_up(
    dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_SECONDS", 0.3)
    dns.silent = True
    for address in (dns.address, unused_address()):
        with pytest.raises(ClientError, match=r"_etcd-client\._tcp\.example\.com on .*: i/o timeout$"):
            discover("example.com", "", address)


def test_the_server_may_be_named_and_has_a_port_unless_it_is_the_usual_one(dns: DnsServer) -> None:
    port = dns.address.partition(":")[2]
    assert discover("plain.com", "", f"localhost:{port}") == ["http://infra0.example.com:2379"]
    assert discovery._address("127.0.0.1") == (["127.0.0.1"], 53)
    assert discovery._address("::1") == (["::1"], 53)
    assert discovery._address("[::1]:5353") == (["::1"], 5353)
    with pytest.raises(ClientError, match=r"--dns-server 127\.0\.0\.1:port is not HOST or HOST:PORT"):
        discover("plain.com", "", "127.0.0.1:port")


def test_hosts_are_looked_up_at_the_same_server(dns: DnsServer) -> None:
    resolve = resolver(dns.address)
    assert resolve("infra0.example.com") == ["127.0.0.1"]
    assert set(resolve("infra1.example.com")) == {"127.0.0.1", "::1"}
    assert resolve("alias.example.com") == ["127.0.0.1"]
    with pytest.raises(OSError, match="no such host"):
        resolve("nowhere.example.com")


def test_addresses_are_not_looked_up(dns: DnsServer) -> None:
    resolve = resolver(dns.address)
    assert [resolve(host) for host in ("127.0.0.1", "::1", "localhost")] == [
        ["127.0.0.1"],
        ["::1"],
        ["localhost"],
    ]
    assert not dns.asked


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_command_runs_against_the_cluster_that_was_found(dns: DnsServer, by_variable: bool) -> None:
    node = {"action": "set", "node": {"key": "/foo", "value": "bar", "createdIndex": 5, "modifiedIndex": 5}}
    with Scripted(b"") as server:
        port = server.url.rpartition(":")[2]
        dns.set_zone(ZONE + f"_etcd-client-green._tcp.example.com. SRV 0 0 {port} infra0.example.com.\n")
        server.answers = [members(f"http://alias.example.com:{port}"), answer(201, node)]
        words = [
            "--discovery-srv",
            "example.com",
            "--discovery-srv-name",
            "green",
            "--dns-server",
            dns.address,
        ]
        env = {
            "ETCDCTL_DISCOVERY_SRV": "example.com",
            "ETCDCTL_DISCOVERY_SRV_NAME": "green",
            "ETCD_DNS_SERVER": dns.address,
        }
        ran = run(*([] if by_variable else words), "set", "foo", "bar", env=env if by_variable else {})
    assert ran == (0, "bar\n", "")
    assert [asked.headers["host"] for asked in server.asked] == [
        f"infra0.example.com:{port}",
        f"alias.example.com:{port}",
    ]
