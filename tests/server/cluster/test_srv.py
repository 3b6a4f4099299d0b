"""Finding the first members by DNS SRV records: which count, which is this member, and what is said of the rest."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from server.cluster import BootstrapError
from server.cluster.srv import LookupFailed, Place, Service, initial_cluster, services
from server.names import survey

PLAIN, SSL = "_etcd-server._tcp.example.com", "_etcd-server-ssl._tcp.example.com"
THREE = [Place(f"infra{n}.example.com", 2380) for n in range(3)]
HOSTS = {f"infra{n}.example.com": [f"10.0.1.1{n}"] for n in range(3)}
NO_SSL = f"lookup {SSL} on 10.0.0.53:53: no such host"
NO_PLAIN = f"lookup {PLAIN} on 10.0.0.53:53: no such host"


class Zone:
    """Names in memory."""

    def __init__(self, srv: dict[str, list[Place]], hosts: dict[str, list[str]] | None = None) -> None:
        self._srv = srv
        self._hosts = HOSTS if hosts is None else hosts
        self.asked: list[str] = []
        self.silent: set[str] = set()

    async def srv(self, name: str) -> Sequence[Place]:
        self.asked.append(name)
        if name in self.silent:
            raise LookupFailed(f"lookup {name} on 10.0.0.53:53: i/o timeout", for_now=True)
        if name not in self._srv:
            raise LookupFailed(f"lookup {name} on 10.0.0.53:53: no such host")
        return self._srv[name]

    async def addresses(self, host: str) -> Sequence[str]:
        if host.replace(".", "").isdigit():
            return [host]
        if host not in self._hosts:
            raise LookupFailed(f"lookup {host} on 10.0.0.53:53: no such host")
        return self._hosts[host]


def find(
    zone: Zone, *advertised: str, name: str = "infra1", domain: str = "example.com", suffix: str = ""
) -> str:
    return initial_cluster(asyncio.run(survey(domain, suffix, advertised, zone)), name)


def refusal(zone: Zone, *advertised: str) -> list[str]:
    with pytest.raises(BootstrapError) as caught:
        find(zone, *advertised)
    assert caught.value.status == 1
    return [f"{level} {text}" for level, text in caught.value.lines]


def srv_log(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{record.levelname[0]} {record.getMessage()}" for record in caplog.records]


@pytest.mark.parametrize("advertised", ["http://infra1.example.com:2380", "http://10.0.1.11:2380"])
def test_the_record_with_an_address_of_ours_has_our_name_and_the_others_numbers(advertised: str) -> None:
    assert find(Zone({PLAIN: THREE}), advertised) == (
        "0=http://infra0.example.com:2380,infra1=http://infra1.example.com:2380,1=http://infra2.example.com:2380"
    )


def test_each_record_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    find(Zone({PLAIN: THREE}), "http://10.0.1.11:2380")
    assert [record.getMessage() for record in caplog.records] == [
        f"got bootstrap from DNS for etcd-server at http://infra{n}.example.com:2380" for n in range(3)
    ]


def test_records_of_tls_win_where_there_are_any() -> None:
    zone = Zone({PLAIN: THREE, SSL: THREE[:2]})
    assert find(zone, "https://10.0.1.11:2380") == (
        "0=https://infra0.example.com:2380,infra1=https://infra1.example.com:2380"
    )


def test_a_scheme_that_is_not_the_advertised_one_is_told(caplog: pytest.LogCaptureFixture) -> None:
    find(Zone({SSL: THREE}), "http://10.0.1.11:2380")
    (warning,) = srv_log(caplog)
    assert warning.startswith(f"W the records of {SSL} make this member's URL begin with https://")


def test_that_dns_could_not_say_whether_there_are_records_of_tls_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    zone = Zone({PLAIN: THREE})
    zone.silent = {SSL}
    assert find(zone, "http://10.0.1.11:2380").startswith("0=http://")
    assert srv_log(caplog) == [
        f"W error querying DNS SRV records for _etcd-server-ssl lookup {SSL} on 10.0.0.53:53: i/o timeout"
    ]


def test_both_kinds_are_asked_for_with_the_suffix() -> None:
    zone = Zone({"_etcd-server-foo._tcp.example.com": THREE})
    assert find(zone, "http://10.0.1.11:2380", suffix="foo").startswith("0=http://infra0")
    assert zone.asked == ["_etcd-server-ssl-foo._tcp.example.com", "_etcd-server-foo._tcp.example.com"]


def test_a_domain_may_be_written_with_its_dot() -> None:
    assert services("example.com.") == (
        Service("etcd-server-ssl", "https", "example.com"),
        Service("etcd-server", "http", "example.com"),
    )


def test_one_of_several_addresses_is_enough() -> None:
    hosts = {**HOSTS, "infra1.example.com": ["192.0.2.7", "2001:db8::7"], "me": ["10.9.9.9", "2001:db8::7"]}
    assert ",infra1=http://infra1.example.com:2380," in find(Zone({PLAIN: THREE}, hosts), "http://me:2380")


def test_two_urls_of_ours_are_both_ours() -> None:
    found = find(Zone({PLAIN: THREE}), "http://10.0.1.11:2380", "http://10.0.1.12:2380")
    assert found == (
        "0=http://infra0.example.com:2380,infra1=http://infra1.example.com:2380,infra1=http://infra2.example.com:2380"
    )


def test_a_name_that_is_a_number_is_nobody_elses() -> None:
    assert find(Zone({PLAIN: THREE}), "http://10.0.1.11:2380", name="0") == (
        "1=http://infra0.example.com:2380,0=http://infra1.example.com:2380,2=http://infra2.example.com:2380"
    )


def test_a_record_that_comes_twice_counts_once() -> None:
    assert find(Zone({PLAIN: [THREE[1], THREE[1]]}), "http://10.0.1.11:2380") == (
        "infra1=http://infra1.example.com:2380"
    )


def test_targets_without_an_address_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    hosts = {"infra1.example.com": ["10.0.1.11"]}
    assert find(Zone({PLAIN: THREE}, hosts), "http://10.0.1.11:2380") == (
        "infra1=http://infra1.example.com:2380"
    )
    assert srv_log(caplog) == [
        "W couldn't resolve host infra0.example.com:2380 during SRV discovery",
        "W couldn't resolve host infra2.example.com:2380 during SRV discovery",
    ]


def test_a_proxy_needs_no_record_of_its_own() -> None:
    assert find(Zone({PLAIN: THREE})) == (
        "0=http://infra0.example.com:2380,1=http://infra1.example.com:2380,2=http://infra2.example.com:2380"
    )


def test_none_of_the_records_is_us() -> None:
    lines = refusal(Zone({PLAIN: THREE}), "http://10.0.1.99:2380")
    assert (
        lines[0]
        == 'C error setting up initial cluster: cannot find local etcd member "infra1" in SRV records'
    )
    assert lines[1] == (
        f"I cannot find local etcd infra1 from SRV records. {PLAIN} has infra0.example.com:2380 (10.0.1.10), "
        "infra1.example.com:2380 (10.0.1.11), infra2.example.com:2380 (10.0.1.12)"
    )
    assert lines[2] == "I http://10.0.1.99:2380 is at 10.0.1.99, which is no address of a record's"


def test_a_record_has_our_address_but_another_port() -> None:
    lines = refusal(Zone({PLAIN: THREE}), "http://10.0.1.11:7001")
    assert "I http://10.0.1.11:7001 has the address of infra1.example.com:2380, but not its port" in lines


def test_there_are_no_records_at_all(caplog: pytest.LogCaptureFixture) -> None:
    lines = refusal(Zone({}), "http://10.0.1.11:2380")
    assert lines[0] == f"C error setting up initial cluster: {NO_PLAIN}"
    assert f"{PLAIN}. 300 IN SRV 0 0 2380" in lines[1]
    assert srv_log(caplog) == [
        f"W error querying DNS SRV records for _etcd-server-ssl {NO_SSL}",
        f"W error querying DNS SRV records for _etcd-server {NO_PLAIN}",
        "E SRV discovery failed: too many errors querying DNS SRV records",
    ]


def test_our_own_host_has_no_address(caplog: pytest.LogCaptureFixture) -> None:
    lines = refusal(Zone({PLAIN: THREE}), "http://nohost.other:24701")
    assert lines[0] == (
        "C error setting up initial cluster: lookup nohost.other on 10.0.0.53:53: no such host"
    )
    assert srv_log(caplog) == ["E couldn't resolve host nohost.other:24701 during SRV discovery"]


def test_no_record_leads_anywhere() -> None:
    lines = refusal(Zone({PLAIN: THREE}, {}), "http://10.0.1.11:2380")
    assert (
        lines[0]
        == 'C error setting up initial cluster: cannot find local etcd member "infra1" in SRV records'
    )
    assert "infra0.example.com:2380 (lookup infra0.example.com on 10.0.0.53:53: no such host)" in lines[1]
