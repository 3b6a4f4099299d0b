"""``migrate02 srv check``, against a DNS server on loopback."""

import dns.rcode
import pytest

from server import names
from tests.migrate02.running import Run, migrate02
from tests.support.dns_server import DnsServer

THREE = "\n".join(
    f"_etcd-server._tcp.example.com. SRV {n} 0 2380 infra{n}.example.com.\ninfra{n}.example.com. A 10.0.1.1{n}"
    for n in range(3)
)
CLIENTS = "\n".join(f"_etcd-client._tcp.example.com. SRV {n} 0 2379 infra{n}.example.com." for n in range(3))


def check(zone: str, *argv: str) -> Run:
    with DnsServer(zone) as server:
        return migrate02("srv", "check", "example.com", "--dns-server", server.address, *argv)


def test_all_is_there() -> None:
    run = check(f"{THREE}\n{CLIENTS}", "--advertise", "http://infra1.example.com:2380")
    assert run == Run(
        0,
        "_etcd-server-ssl._tcp.example.com: none (no such host)\n"
        "_etcd-server._tcp.example.com: these count, with http\n"
        "  infra0.example.com:2380  10.0.1.10\n"
        "  infra1.example.com:2380  10.0.1.11  <- this member\n"
        "  infra2.example.com:2380  10.0.1.12\n"
        "_etcd-client-ssl._tcp.example.com: none (no such host)\n"
        "_etcd-client._tcp.example.com: infra0.example.com:2379, infra1.example.com:2379, infra2.example.com:2379\n"
        "\n"
        "3 members, over plain HTTP\n",
        "",
    )


def test_records_for_clients_are_proposed_and_no_fault() -> None:
    run = check(THREE, "--advertise", "http://10.0.1.11:2380")
    assert run.status == 0
    assert run.out.endswith(
        "missing, for clients to find them (etcdctl --discovery-srv):\n"
        "_etcd-client._tcp.example.com. 300 IN SRV 0 0 2379 infra0.example.com.\n"
        "_etcd-client._tcp.example.com. 300 IN SRV 0 0 2379 infra1.example.com.\n"
        "_etcd-client._tcp.example.com. 300 IN SRV 0 0 2379 infra2.example.com.\n"
    )


def test_records_of_tls_count_where_there_are_any() -> None:
    zone = f"{THREE}\n_etcd-server-ssl._tcp.example.com. SRV 0 0 2380 infra0.example.com."
    run = check(zone, "--advertise", "https://10.0.1.10:2380")
    assert run.status == 0
    assert "_etcd-server-ssl._tcp.example.com: these count, with https\n" in run.out
    assert "infra2.example.com:2380: ignored, because there are records for TLS\n" in run.out
    assert "1 members, over TLS" in run.out
    assert "_etcd-client-ssl._tcp.example.com. 300 IN SRV" in run.out


def test_the_suffix_is_asked_for() -> None:
    run = check(
        "_etcd-server-foo._tcp.example.com. SRV 0 0 2380 a.example.com.\na.example.com. A 10.0.0.1",
        "--name",
        "foo",
    )
    assert run.status == 0
    assert (
        "_etcd-server-foo._tcp.example.com: these count, with http\n  a.example.com:2380  10.0.0.1\n"
        in run.out
    )
    assert "give its peer URLs with --advertise" in run.out


def test_a_target_without_an_address() -> None:
    run = check(THREE.replace("infra2.example.com. A 10.0.1.12", ""))
    assert run.status == 2
    assert "  infra2.example.com:2380  no address (lookup infra2.example.com on " in run.out
    assert "missing, for members to find each other:\ninfra2.example.com. 300 IN A ADDRESS\n" in run.out


def test_a_member_that_no_record_leads_to() -> None:
    run = check(f"{THREE}\ninfra3.example.com. A 10.0.1.13", "--advertise", "http://infra3.example.com:2380")
    assert run.status == 2
    assert "cannot find local etcd from SRV records" in run.out
    assert "http://infra3.example.com:2380 is at 10.0.1.13, which is no address of a record's" in run.out
    assert "\n_etcd-server._tcp.example.com. 300 IN SRV 0 0 2380 infra3.example.com.\n" in run.out


def test_a_member_at_an_address_without_a_name() -> None:
    run = check(THREE, "--advertise", "http://10.0.1.99:2380")
    assert run.status == 2
    assert (
        "_etcd-server._tcp.example.com. 300 IN SRV 0 0 2380 HOST.example.com.\nHOST.example.com. 300 IN A 10.0.1.99\n"
    ) in run.out


def test_a_member_whose_own_name_has_no_address() -> None:
    run = check(THREE, "--advertise", "http://nohost.example.com:2380")
    assert run.status == 2
    assert "lookup nohost.example.com on" in run.out
    assert "nohost.example.com. 300 IN A ADDRESS\n" in run.out


@pytest.mark.parametrize(("scheme", "service"), [("http", "_etcd-server"), ("https", "_etcd-server-ssl")])
def test_no_records_at_all(scheme: str, service: str) -> None:
    run = check("a.example.com. A 10.0.0.1", "--advertise", f"{scheme}://a.example.com:2380")
    assert run.status == 2
    assert "members do not find each other" in run.out
    assert f"\n{service}._tcp.example.com. 300 IN SRV 0 0 2380 a.example.com.\n" in run.out


def test_no_records_and_no_member_to_make_them_for() -> None:
    assert "_etcd-server._tcp.example.com. 300 IN SRV 0 0 2380 HOST.example.com.\n" in check("").out


def test_dns_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_REST", 0.01)
    with DnsServer(THREE) as server:
        server.rcode = dns.rcode.SERVFAIL
        run = migrate02("srv", "check", "example.com", "--dns-server", server.address)
        assert run.status == 3
        assert f"lookup _etcd-server._tcp.example.com on {server.address}: server misbehaving" in run.out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["check"], "DOMAIN"),
        (["look", "example.com"], "invalid choice"),
        (["check", "example.com", "--advertise", "10.0.0.1"], "URL"),
        (["check", "example.com", "--dns-server", "x:y"], "HOST:PORT"),
    ],
)
def test_misuse(argv: list[str], said: str) -> None:
    run = migrate02("srv", *argv)
    assert (run.status, run.out) == (3, "")
    assert run.err.startswith("migrate02 srv")
    assert said in run.err
