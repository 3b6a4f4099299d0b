"""Members that find each other, as processes: by a discovery URL and by DNS SRV records."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import real_etcd
from tests.support.discovery import DiscoveryService, new_url, wait_for
from tests.support.dns_server import DnsServer
from tests.support.forward_proxy import ForwardProxy
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Member, Process

pytestmark = pytest.mark.slow

TLS = Path(__file__).parents[2] / "fixtures" / "tls"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Process]:
    with DiscoveryService("--data-dir", str(tmp_path / "tokens")).start() as process:
        yield process


def member(tmp_path: Path, n: int, **settings: str) -> Member:
    """One that does not know the others."""
    made = Member(tmp_path / f"infra{n}", f"infra{n}", **settings)
    del made.settings["initial-cluster"]
    return made


def names(process: Process) -> list[str]:
    listed = process.request("GET", "/v2/members").json()["members"]
    assert isinstance(listed, list)
    return sorted(one["name"] for one in listed)


def assert_one_cluster(processes: list[Process]) -> None:
    for process in processes:
        process.wait_until_serving()
    wait_for(lambda: "" not in names(processes[0]), *processes)
    assert names(processes[0]) == [f"infra{n}" for n in range(len(processes))]
    assert processes[0].put("/a", "1").status == 201
    assert processes[-1].get("/a", "quorum=true").json()["node"]["value"] == "1"  # type: ignore[index]


# By a discovery URL


def test_three_find_each_other_and_a_fourth_is_told_it_is_full(service: Process, tmp_path: Path) -> None:
    url = new_url(service, 3)
    with ExitStack() as stack:
        three = [stack.enter_context(member(tmp_path, n, discovery=url).launch()) for n in range(3)]
        assert_one_cluster(three)
        assert "discovery: found 3 needed peer(s)" in three[0].log
        fourth = member(tmp_path, 3, discovery=url, discovery_fallback="exit")
        with fourth.launch() as late:
            assert late.popen.wait(PATIENCE) == 1
            assert "E | etcdmain: failed to join discovery cluster (discovery: cluster is full)" in late.log
            assert late.log.index("listening for client") < late.log.index("stopping listening for client")
        assert not (tmp_path / "infra3" / "member").exists()


def test_a_member_that_has_data_needs_no_discovery(service: Process, tmp_path: Path) -> None:
    one = member(tmp_path, 0, discovery=new_url(service, 1))
    with one.start() as process:
        process.put("/a", "1")
    service.stop()
    with one.start() as process:
        assert process.get("/a").status == 200
        wal = tmp_path / "infra0" / "member" / "wal"
        assert (
            "W | etcdserver: discovery token ignored since a cluster has already been initialized. "
            f'Valid log found at "{wal}"'
        ) in process.log


def test_a_member_with_data_as_2_0_0_laid_them_out_needs_no_discovery(tmp_path: Path) -> None:
    one = Member(tmp_path / "d")
    with one.start() as process:
        process.put("/a", "1")
    for name in ("wal", "snap"):
        (tmp_path / "d" / "member" / name).rename(tmp_path / "d" / name)
    (tmp_path / "d" / "member").rmdir()
    del one.settings["initial-cluster"]
    one.settings |= {"discovery": "http://127.0.0.1:1/token", "discovery-timeout": "1"}
    with one.start() as process:
        assert process.get("/a").status == 200
        assert "discovery token ignored" in process.log


@pytest.mark.real_etcd
def test_ours_and_real_members_find_each_other_through_a_real_etcd(tmp_path: Path) -> None:
    binary = real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
    with ExitStack() as stack:
        store = stack.enter_context(
            real_etcd.running(binary, tmp_path / "store", tmp_path / "store.log", "--enable-v2")
        )
        key = "/v2/keys/discovery/6c007a14875d53d9bf0ef5a6fc0257c817f0fb83"
        assert store.request("PUT", f"{key}/_config/size", {"value": "3"}).status == 201
        url = store.url + key
        three = [stack.enter_context(member(tmp_path, n, discovery=url).launch()) for n in range(2)]
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("ETCD_UNSUPPORTED_ARCH", os.uname().machine)
        real = member(tmp_path, 2, discovery=url)
        argv = [str(binary), *(f"--{key}={value}" for key, value in real.settings.items()), "--enable-v2"]
        three.append(stack.enter_context(Process(argv, real.client_port)))
        assert_one_cluster(three)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_member_that_waits_at_once(
    service: Process, tmp_path: Path, number: signal.Signals
) -> None:
    with member(tmp_path, 0, discovery=new_url(service, 3)).launch() as waiting:
        wait_for(lambda: "waiting for 2 more: 1 of 3 found (infra0)" in waiting.log, waiting)
        assert waiting.stop(number) == -number
        assert "Traceback" not in waiting.log


def test_a_service_that_dies_while_members_wait_and_comes_back_is_found_again(tmp_path: Path) -> None:
    settings = DiscoveryService("--data-dir", str(tmp_path / "tokens"))
    with ExitStack() as stack:
        service = stack.enter_context(settings.start())
        url = new_url(service, 2)
        first = stack.enter_context(member(tmp_path, 0, discovery=url).launch())
        wait_for(lambda: "waiting for 1 more" in first.log, first)
        service.kill()
        wait_for(lambda: "retrying in 2s" in first.log, first)
        second = stack.enter_context(member(tmp_path, 1, discovery=url).launch())
        stack.enter_context(settings.start())
        assert_one_cluster([first, second])
        assert "connect: connection refused" in second.log or "found 2 needed" in second.log


def test_who_waits_too_long_is_told_who_is_there(service: Process, tmp_path: Path) -> None:
    waiting = member(tmp_path, 0, discovery=new_url(service, 3), discovery_timeout="1")
    with waiting.launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        assert "after 1s (--discovery-timeout): 1 of 3 found (infra0), 2 missing" in process.log


def test_a_token_that_is_not_there(service: Process, tmp_path: Path) -> None:
    with member(tmp_path, 0, discovery=f"{service.url}/deadbeef").launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        assert "failed to join discovery cluster (100: Key not found (" in process.log
        assert "discovery: token not found" in process.log


def test_the_service_is_reached_through_a_proxy(service: Process, tmp_path: Path) -> None:
    with ForwardProxy() as proxy:
        one = member(tmp_path, 0, discovery=new_url(service, 1), discovery_proxy=proxy.address)
        with one.start() as process:
            assert f'discovery: using proxy "http://{proxy.address}"' in process.log
    assert any(line.endswith("/_config/size") and line.startswith("GET http://") for line in proxy.asked)


def test_a_service_with_tls_is_trusted_by_the_cas_of_a_file(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    flags = ("--listen-client-urls", f"https://127.0.0.1:{port}")
    files = ("--cert-file", str(TLS / "server.pem"), "--key-file", str(TLS / "server.key"))
    settings = DiscoveryService("--data-dir", str(tmp_path / "tokens"), *flags, *files)
    plain = DiscoveryService("--data-dir", str(tmp_path / "tokens"))
    with plain.start() as process:
        token = new_url(process, 1).rpartition("/")[2]
    with settings.launch() as process:
        wait_for(lambda: "discovery service on" in process.log, process)
        one = member(tmp_path, 0, discovery=f"https://127.0.0.1:{port}/{token}")
        with one.launch() as distrustful:
            wait_for(lambda: "is not trusted; the CAs that count are" in distrustful.log, distrustful)
            assert "error #0: x509: certificate signed by unknown authority" in distrustful.log
        with one.launch({"SSL_CERT_FILE": str(TLS / "ca.pem")}) as trusting:
            trusting.wait_until_serving()


# By DNS


def zone(members: list[Member], service: str = "_etcd-server._tcp") -> str:
    """Each has an address and a name of its own: infra0.example.com at 127.0.1.10, as the guide has them."""
    return "\n".join(
        f"{service}.example.com. SRV 0 0 {one.peer_port} infra{n}.example.com.\n"
        f"infra{n}.example.com. A 127.0.1.1{n}"
        for n, one in enumerate(members)
    )


def at_names(member: Member, n: int, scheme: str = "http") -> None:
    """Has it listen at and advertise its name for peers."""
    url = f"{scheme}://infra{n}.example.com:{member.peer_port}"
    member.settings |= {"listen-peer-urls": url, "initial-advertise-peer-urls": url}


def test_three_find_each_other_by_srv_records_and_listen_at_names(tmp_path: Path) -> None:
    members = [member(tmp_path, n, discovery_srv="example.com") for n in range(3)]
    with DnsServer(zone(members)) as dns, ExitStack() as stack:
        processes = []
        for n, one in enumerate(members):
            at_names(one, n)
            one.settings["dns-server"] = dns.address
            processes.append(stack.enter_context(one.launch()))
        assert_one_cluster(processes)
        port = members[1].peer_port
        assert (
            f"got bootstrap from DNS for etcd-server at http://infra1.example.com:{port}" in processes[0].log
        )
        assert f"listening for peers on http://infra0.example.com:{members[0].peer_port}" in processes[0].log


def test_a_member_may_advertise_the_address_that_its_record_leads_to(tmp_path: Path) -> None:
    one = member(tmp_path, 0, discovery_srv="example.com", discovery_srv_name="foo")
    url = f"http://127.0.1.10:{one.peer_port}"
    one.settings |= {"listen-peer-urls": url, "initial-advertise-peer-urls": url}
    with DnsServer(zone([one], "_etcd-server-foo._tcp")) as dns:
        one.settings["dns-server"] = dns.address
        with one.start() as process:
            assert f"initial cluster = infra0=http://infra0.example.com:{one.peer_port}" in process.log
        dns.set_zone("")
        with one.start() as process:  # which has data, and asks for no records
            assert names(process) == ["infra0"]


def test_records_of_tls_have_the_bootstrap_run_over_tls(tmp_path: Path) -> None:
    one = member(tmp_path, 0, discovery_srv="example.com")
    at_names(one, 0, "https")
    one.settings |= {"peer-cert-file": str(TLS / "server.pem"), "peer-key-file": str(TLS / "server.key")}
    records = zone([one]) + "\n" + zone([one], "_etcd-server-ssl._tcp").splitlines()[0]
    with DnsServer(records) as dns:
        one.settings["dns-server"] = dns.address
        with one.start() as process:
            assert f"initial cluster = infra0=https://infra0.example.com:{one.peer_port}" in process.log


def test_a_member_that_no_record_leads_to_is_told_so_before_it_listens(tmp_path: Path) -> None:
    one = member(tmp_path, 0, discovery_srv="example.com")
    with DnsServer(zone([one])) as dns:
        one.settings["dns-server"] = dns.address
        with one.launch() as process:
            assert process.popen.wait(PATIENCE) == 1
            assert (
                'C | etcdmain: error setting up initial cluster: cannot find local etcd member "infra0" in SRV records'
            ) in process.log
            assert "cannot find local etcd infra0 from SRV records." in process.log
            assert "listening for" not in process.log


def test_a_domain_without_records(tmp_path: Path) -> None:
    with DnsServer() as dns:
        one = member(tmp_path, 0, discovery_srv="nosuch.invalid", dns_server=dns.address)
        with one.launch() as process:
            assert process.popen.wait(PATIENCE) == 1
            for service in ("_etcd-server-ssl", "_etcd-server"):
                lookup = f"lookup {service}._tcp.nosuch.invalid on {dns.address}: no such host"
                assert f"W | discovery: error querying DNS SRV records for {service} {lookup}" in process.log
            assert f"C | etcdmain: error setting up initial cluster: {lookup}" in process.log


def test_a_dns_server_that_is_none(tmp_path: Path) -> None:
    with member(tmp_path, 0, discovery_srv="example.com", dns_server="x:y").launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        assert "--dns-server x:y: write it as HOST or HOST:PORT" in process.log
