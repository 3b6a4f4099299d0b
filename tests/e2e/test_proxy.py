"""A real proxy process before members, bundled and real ones: it finds them, passes on, and outlives them."""

import contextlib
import http.client
import json
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.discovery import DiscoveryService, new_url
from tests.support.dns_server import DnsServer
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Member, Process
from tests.support.real_etcd import HOW_34, HOW_35, etcd34, etcd35, required

pytestmark = pytest.mark.slow

TLS = Path(__file__).parents[2] / "fixtures" / "tls"


class Proxy(Member):
    """The settings of a proxy over the members with these peer URLs."""

    def __init__(self, data_dir: Path, *peers: str, mode: str = "on", **settings: str) -> None:
        super().__init__(data_dir, "p1", **settings)
        for name in ("advertise-client-urls", "listen-peer-urls", "initial-advertise-peer-urls"):
            del self.settings[name]
        self.settings["proxy"] = mode
        self.settings["initial-cluster"] = ",".join(f"m{n}={url}" for n, url in enumerate(peers))


def peer_url(member: Member) -> str:
    return member.settings["listen-peer-urls"]


def until(true: Callable[[], object], why: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


def has_logged(process: Process, text: str) -> None:
    until(lambda: text in process.log, lambda: process.log)


def endpoints(process: Process) -> list[object]:
    listed = process.request("GET", "/v2/config/local/proxy").json()["endpoints"]
    assert isinstance(listed, list)
    return listed


def listens(process: Process) -> bool:
    with contextlib.suppress(OSError):
        return bool(process.request("GET", "/v2/config/local/proxy").status)
    return False


@contextlib.contextmanager
def watching(process: Process, target: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", process.client_port), PATIENCE) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        yield sock


def received(sock: socket.socket, text: bytes) -> bytes:
    """All that comes until ``text`` has."""
    got = b""
    while text not in got:
        piece = sock.recv(65536)
        assert piece, got
        got += piece
    return got


def test_requests_watches_and_streams_pass_and_lines_are_etcds(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    proxy = Proxy(tmp_path / "p", peer_url(member))
    with member.start() as behind, proxy.start() as process:
        written = process.put("/a", "1")
        assert (written.status, written.headers["x-etcd-index"]) == (201, "4")
        direct = behind.get("/a")
        through = process.get("/a")
        assert (through.status, through.body) == (direct.status, direct.body)
        assert set(through.headers) == set(direct.headers)
        with watching(process, "/v2/keys/w?wait=true&recursive=true&stream=true") as stream:
            assert b"\r\nX-Etcd-Index: 4\r\n" in received(stream, b"\r\n\r\n")
            for n in range(3):
                process.put(f"/w/{n}", "x")
                assert b'"set"' in received(stream, b"\n")
            watchers = b"etcd_store_watchers 1.0"
            assert watchers in behind.request("GET", "/metrics").body
        until(lambda: b"etcd_store_watchers 0.0" in behind.request("GET", "/metrics").body)
        assert endpoints(process) == [behind.url]
        assert process.stop() == -signal.SIGTERM
        lines = [line.partition(" ")[2].partition(" ")[2] for line in process.log.splitlines()]
        assert lines[2:] == [
            f"I | etcdmain: proxy: using peer urls [{peer_url(member)}] ",
            f'I | proxy: endpoints found ["{behind.url}"]',
            f"I | etcdmain: proxy: listening for client requests on {process.url}",
            "N | osutil: received terminated signal, shutting down...",
        ]
    cluster = (tmp_path / "p" / "proxy" / "cluster").read_bytes()
    assert cluster == b'{"PeerURLs":["%s"]}' % peer_url(member).encode()


def test_a_watch_is_cut_off_when_the_proxy_stops(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    with member.start(), Proxy(tmp_path / "p", peer_url(member)).start() as process:
        with watching(process, "/v2/keys/w?wait=true") as watch:
            received(watch, b"\r\n\r\n")
            assert process.stop(signal.SIGINT) == -signal.SIGINT
            with contextlib.suppress(ConnectionResetError):
                assert watch.recv(100) == b""
        assert "Traceback" not in process.log


def test_started_before_its_members_it_finds_them_soon(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    with Proxy(tmp_path / "p", peer_url(member)).launch() as process:
        until(lambda: listens(process), lambda: process.log)
        answer = process.get("/a")
        assert (answer.status, answer.body) == (
            503,
            b'{"message":"proxy: zero endpoints currently available"}',
        )
        with member.start():
            process.wait_until_serving()
            assert process.put("/a", "1").status == 201
        assert (
            "W | etcdmain: proxy: could not retrieve cluster information from the given urls" in process.log
        )


def test_a_member_that_dies_in_the_middle_of_a_watch_and_comes_back(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    with Proxy(tmp_path / "p", peer_url(member), proxy_failure_wait="1000").launch() as process:
        with member.start() as behind:
            process.wait_until_serving()
            with watching(process, "/v2/keys/w?wait=true") as watch:
                received(watch, b"\r\n\r\n")
                behind.kill()
                with contextlib.suppress(ConnectionResetError):
                    assert watch.recv(100) == b""  # and no last chunk
            until(lambda: [process.get("/a").status for _ in range(2)] == [502, 503], lambda: process.log)
        with member.start():
            until(lambda: process.get("/").status == 200, lambda: process.log)
        has_logged(process, "I | proxy: endpoint http://")
        assert process.log.count("failed to direct request to") == 1


def test_restarted_it_goes_by_the_cluster_file_when_its_flags_lead_nowhere(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    proxy = Proxy(tmp_path / "p", peer_url(member))
    file = tmp_path / "p" / "proxy" / "cluster"
    with member.start():
        with proxy.start() as process:
            process.stop()
        (nowhere,) = free_ports(1)
        proxy.settings["initial-cluster"] = f"gone=http://127.0.0.1:{nowhere}"
        del proxy.settings["proxy"]  # what it was, it is again; etcd asks for the other setting then
        proxy.settings["advertise-client-urls"] = proxy.settings["listen-client-urls"]
        with proxy.start() as process:
            assert process.put("/a", "1").status == 201
            for line in (
                "N | etcdmain: the server is already initialized as proxy before, starting as etcd proxy...",
                "W | etcdmain: --initial-cluster ignored since the proxy has already been initialized. "
                f'Valid cluster file found at "{file}"',
                f'I | etcdmain: proxy: using peer urls [{peer_url(member)}] from cluster file "{file}"',
            ):
                assert line in process.log


def test_a_restart_with_the_same_flags_is_no_reason_for_a_warning(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    proxy = Proxy(tmp_path / "p", peer_url(member))
    with member.start():
        for _ in range(2):
            with proxy.start() as process:
                process.stop()
                assert " W | " not in process.log


def test_a_start_that_fails_leaves_no_directory_that_would_make_a_proxy_of_the_next(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path / "p")
    proxy.settings["initial-cluster"] = "a"
    with proxy.launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        assert (
            "C | etcdmain: error setting up initial cluster: URL scheme must be http or https: "
            in process.log
        )
    assert not (tmp_path / "p").exists()


def test_readonly_reads_and_does_not_write(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    with (
        member.start() as behind,
        Proxy(tmp_path / "p", peer_url(member), mode="readonly").start() as process,
    ):
        behind.put("/a", "1")
        assert process.get("/a").status == 200
        for method in ("PUT", "POST", "DELETE"):
            assert process.request(method, "/v2/keys/a", {"value": "2"}).status == 501
        assert b'"value":"1"' in behind.get("/a").body


def test_it_never_proxies_to_itself(tmp_path: Path) -> None:
    """Also not when a member advertises the proxy's address instead of its own."""
    member = Member(tmp_path / "m")
    proxy = Proxy(tmp_path / "p", peer_url(member))
    own = f"http://127.0.0.1:{proxy.client_port}"
    member.settings["advertise-client-urls"] += f",{own}"
    with member.start() as behind, proxy.start() as process:
        assert endpoints(process) == [behind.url]
        assert process.put("/a", "1").status == 201
        assert f"{own} is this proxy itself" in process.log


def test_a_way_back_that_it_cannot_foresee_is_found_and_left(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    proxy = Proxy(tmp_path / "p", peer_url(member))
    roundabout = f"http://127.0.0.2:{proxy.client_port}"
    proxy.settings["listen-client-urls"] = f"http://0.0.0.0:{proxy.client_port}"
    own = Proxy(tmp_path / "p2", peer_url(member))
    other = f"http://127.0.0.1:{own.client_port}"
    member.settings["advertise-client-urls"] += f",{roundabout},{other}"
    with member.start(), own.start() as first, proxy.start() as process:
        for n in range(20):
            assert process.put(f"/a{n}", "1").status == 201
            assert first.put(f"/b{n}", "1").status == 201
        assert f"{roundabout} is this proxy itself" in process.log


def test_a_service_manager_is_told_when_it_serves_and_when_it_stops(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(PATIENCE)
        proxy = Proxy(tmp_path / "p", "http://127.0.0.1:1")
        with proxy.launch({"NOTIFY_SOCKET": str(tmp_path / "notify")}) as process:
            assert channel.recv(100) == b"READY=1"
            assert process.get("/").status == 503
            process.stop()
            assert channel.recv(100) == b"STOPPING=1"


# Data directories


def test_a_directory_that_holds_a_member_stays_a_members(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    with member.start() as process:
        process.put("/a", "1")
    member.settings["proxy"] = "on"
    with member.start() as process:
        assert process.get("/a").status == 200
        assert "the server is already initialized as member before, starting as etcd member..." in process.log
    assert not (tmp_path / "m" / "proxy").exists()


def test_a_directory_of_both_is_refused(tmp_path: Path) -> None:
    for name in ("member", "proxy"):
        (tmp_path / "p" / name).mkdir(parents=True)
    with Proxy(tmp_path / "p", "http://127.0.0.1:1").launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        assert "C | etcdmain: invalid datadir. Both member and proxy directories exist." in process.log


def test_a_former_04_node_can_become_a_proxy_beside_its_old_data(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "conf").write_text('{"commitIndex":4,"peers":[]}')
    member = Member(tmp_path / "m")
    with member.start(), Proxy(tmp_path / "p", peer_url(member)).start() as process:
        assert process.put("/a", "1").status == 201
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["conf", "proxy"]


def test_a_cluster_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "p" / "proxy").mkdir(parents=True)
    (tmp_path / "p" / "proxy" / "cluster").write_text("{")
    with Proxy(tmp_path / "p", "http://127.0.0.1:1").launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        last = process.log.splitlines()[-1]
        assert f"C | etcdmain: {tmp_path}/p/proxy/cluster: the cluster file does not hold" in last
        assert "listening for" not in process.log


def test_a_port_that_is_taken_ends_it_with_etcds_words(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path / "p", "http://127.0.0.1:1")
    with socket.create_server(("127.0.0.1", proxy.client_port)), proxy.launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        words = f"C | etcdmain: listen tcp 127.0.0.1:{proxy.client_port}: bind: address already in use"
        assert process.log.splitlines()[-1].endswith(words)


def test_a_signal_while_it_starts_ends_it(tmp_path: Path) -> None:
    """192.0.2.1 never answers."""
    proxy = Proxy(tmp_path / "p", "http://192.0.2.1:2380", proxy_dial_timeout="60000")
    with proxy.launch() as process:
        has_logged(process, "proxy: using peer urls")
        assert process.stop() == -signal.SIGTERM
        assert "Traceback" not in process.log


# Other ways to the peers


def finding(data_dir: Path, mode: str = "on", **way: str) -> Proxy:
    """A proxy that does not know the members."""
    proxy = Proxy(data_dir, mode=mode, **way)
    del proxy.settings["initial-cluster"]
    return proxy


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Process]:
    with DiscoveryService("--data-dir", str(tmp_path / "tokens")).start() as process:
        yield process


def discovered(tmp_path: Path, name: str, url: str, **settings: str) -> Member:
    member = Member(tmp_path / name, name, discovery=url, **settings)
    del member.settings["initial-cluster"]
    return member


def test_a_proxy_waits_until_the_discovered_cluster_is_whole_and_asks_only_once(
    service: Process, tmp_path: Path
) -> None:
    url = new_url(service, 1)
    proxy = finding(tmp_path / "p", discovery=url)
    with proxy.launch() as process:
        has_logged(process, "discovery: found 0 peer(s), waiting for 1 more")
        with discovered(tmp_path, "m", url).start() as behind:
            process.wait_until_serving()
            assert endpoints(process) == [behind.url]
            process.stop()
            service.stop()
            with proxy.start() as again:
                assert again.put("/a", "1").status == 201
                file = tmp_path / "p" / "proxy" / "cluster"
                assert (
                    "W | etcdmain: discovery token ignored since the proxy has already been initialized. "
                    f'Valid cluster file found at "{file}"'
                ) in again.log


def test_who_finds_the_discovery_url_full_becomes_a_proxy_and_stays_one(
    service: Process, tmp_path: Path
) -> None:
    url = new_url(service, 1)
    late = discovered(tmp_path, "late", url)
    with discovered(tmp_path, "m", url).start() as behind:
        with late.start() as process:
            assert process.put("/a", "1").status == 201
            assert endpoints(process) == [behind.url]
            lines = [line.partition(" | ")[2] for line in process.log.splitlines()]
            at = lines.index("etcdmain: discovery cluster full, falling back to proxy")
            peer = late.settings["listen-peer-urls"]
            assert lines[at - 2 : at] == [
                f"etcdmain: stopping listening for client requests on {process.url}",
                f"etcdmain: stopping listening for peers on {peer}",
            ]
            assert lines[at + 1].startswith("etcdmain: proxy: using peer urls [")
        assert sorted(path.name for path in (tmp_path / "late").iterdir()) == ["proxy"]
        with late.start() as process:
            assert "the server is already initialized as proxy before" in process.log
            assert process.get("/a").status == 200


def test_a_proxy_finds_the_members_by_dns_and_need_not_be_among_them(tmp_path: Path) -> None:
    member = Member(tmp_path / "m")
    listed = member.peer_port
    with DnsServer(
        f"_etcd-server._tcp.example.com. SRV 0 0 {listed} infra0.example.com.\n"
        "infra0.example.com. A 127.0.0.1\nproxy.example.com. A 127.0.0.1\n"
    ) as dns:
        member.settings["advertise-client-urls"] = f"http://infra0.example.com:{member.client_port}"
        proxy = finding(tmp_path / "p", discovery_srv="example.com", dns_server=dns.address)
        proxy.settings["listen-client-urls"] = f"http://proxy.example.com:{proxy.client_port}"
        with member.start(), proxy.start() as process:
            assert process.put("/a", "1").status == 201
            assert endpoints(process) == [f"http://infra0.example.com:{member.client_port}"]
            assert f"proxy: using peer urls [http://infra0.example.com:{listed}] " in process.log


def test_a_proxy_that_finds_nothing_in_dns_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    with DnsServer() as dns:
        proxy = finding(tmp_path / "p", discovery_srv="example.com", dns_server=dns.address)
        with proxy.launch() as process:
            assert process.popen.wait(PATIENCE) == 1
            assert "C | etcdmain: error setting up initial cluster: lookup _etcd-server._tcp" in process.log
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_proxy_that_waits_at_once(
    service: Process, tmp_path: Path, number: signal.Signals
) -> None:
    with finding(tmp_path / "p", discovery=new_url(service, 3)).launch() as process:
        has_logged(process, "waiting for 3 more")
        assert process.stop(number) == -number
        assert "Traceback" not in process.log


def test_twenty_race_for_a_token_of_three_and_seventeen_become_proxies_of_the_three(
    service: Process, tmp_path: Path
) -> None:
    url = new_url(service, 3)
    racers = [discovered(tmp_path, f"n{n}", url) for n in range(20)]
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(racer.launch()) for racer in racers]
        for n, process in enumerate(processes):
            process.wait_until_serving(5 * PATIENCE)  # with twenty, all of them starting
            assert process.put(f"/{n}", "x").status == 201
        members = [process for process in processes if "falling back to proxy" not in process.log]
        assert len(members) == 3
        kinds = sorted(path.name for n in range(20) for path in (tmp_path / f"n{n}").iterdir())
        assert kinds == ["member"] * 3 + ["proxy"] * 17
        for process in processes:
            listed = process.get("/", "quorum=true").json()["node"]["nodes"]  # type: ignore[index]
            assert sorted(int(node["key"][1:]) for node in listed) == list(range(20))


# TLS


def test_it_speaks_tls_to_clients_and_to_members(tmp_path: Path) -> None:
    member = Member(
        tmp_path / "m",
        **{f"{side}{name}": str(TLS / file) for side in ("", "peer-") for name, file in FILES.items()},
    )
    proxy = Proxy(tmp_path / "p")
    for name, file in FILES.items():
        proxy.settings[name] = str(TLS / file)
        proxy.settings[f"peer-{name}"] = str(TLS / file)
    for settings in (member.settings, proxy.settings):
        for name, value in settings.items():
            settings[name] = value.replace("http://", "https://")
    proxy.settings["initial-cluster"] = f"m={peer_url(member)}"
    context = ssl.create_default_context(cafile=str(TLS / "ca.pem"))
    context.load_cert_chain(TLS / "client.pem", TLS / "client.key")
    with member.launch(), proxy.launch() as process:

        def status(method: str, target: str) -> int:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", proxy.client_port, context=context, timeout=PATIENCE
            )
            try:
                connection.request(method, target)
                return connection.getresponse().status
            except OSError:
                return 0
            finally:
                connection.close()

        until(lambda: status("PUT", "/v2/keys/a?value=1") == 201, lambda: process.log)
        assert status("GET", "/v2/keys/a") == 200


FILES = {"cert-file": "server.pem", "key-file": "server.key", "ca-file": "ca.pem"}


# Real members


@pytest.fixture(params=["3.4", "3.5"])
def binary(request: pytest.FixtureRequest) -> Path:
    return required(etcd34(), HOW_34) if request.param == "3.4" else required(etcd35(), HOW_35)


@pytest.mark.real_etcd
def test_one_of_three_real_members_may_fail(tmp_path: Path, binary: Path) -> None:
    members = [Member(tmp_path / f"r{n}", f"r{n}") for n in range(3)]
    cluster = ",".join(f"{member.settings['name']}={peer_url(member)}" for member in members)
    with contextlib.ExitStack() as stack:
        processes = []
        for member in members:
            member.settings["initial-cluster"] = cluster
            flags = [f"--{name}={value}" for name, value in member.settings.items()]
            processes.append(
                stack.enter_context(Process([str(binary), "--enable-v2", *flags], member.client_port))
            )
        process = stack.enter_context(
            Proxy(tmp_path / "p", *map(peer_url, members), proxy_refresh_interval="300").launch()
        )
        process.wait_until_serving()
        until(lambda: len(endpoints(process)) == 3, lambda: process.log)
        failed: list[int] = []
        done = threading.Event()

        def write(n: int) -> None:
            count = 0
            while not done.is_set():
                count += 1
                status = process.put(f"/w{n}/{count}", "x").status
                if status != 201:
                    failed.append(status)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        with watching(process, "/v2/keys/w0?wait=true&recursive=true&stream=true") as watch:
            received(watch, b'"set"')
        first = endpoints(process)[0]
        victim = next(one for one in processes if one.url == first)
        victim.kill()
        until(lambda: process.put("/after", "1").status in (200, 201), lambda: process.log)
        until(lambda: victim.url not in endpoints(process), lambda: process.log)
        done.set()
        for thread in threads:
            thread.join()
        # Those that were under way at the victim, or at one that had lost its leader, and no more.
        assert set(failed) <= {500, 502}
        assert len(failed) < 40
        rest = {one.url for one in processes if one is not victim}
        assert {json.dumps(url) for url in endpoints(process)} <= {
            json.dumps(url) for url in rest | {victim.url}
        }
        assert process.get("/after").status == 200
        file = json.loads((tmp_path / "p" / "proxy" / "cluster").read_bytes())
        assert file == {"PeerURLs": sorted(map(peer_url, members))}


@pytest.mark.real_etcd
def test_a_real_member_is_answered_for_to_the_byte(tmp_path: Path, binary: Path) -> None:
    member = Member(tmp_path / "r")
    with (
        member.start_real(str(binary), "--enable-v2") as behind,
        Proxy(tmp_path / "p", peer_url(member)).start() as process,
    ):
        process.put("/a/b", "ü " * 3000)
        for method, target in (
            ("GET", "/v2/keys/a?recursive=true"),
            ("GET", "/v2/keys/nosuch"),
            ("HEAD", "/v2/keys/a/b"),
            ("GET", "/v2/members"),
            ("GET", "/version"),
            ("GET", "/v2/machines"),
            ("PUT", "/v2/keys/a"),
            ("PATCH", "/v2/keys/a"),
            ("GET", "/nosuch"),
            ("GET", "//v2/keys"),
        ):
            direct, through = behind.request(method, target), process.request(method, target)
            assert (through.status, through.body) == (direct.status, direct.body), target
            moving = {"date", "x-raft-index"}
            for headers in (direct.headers, through.headers):
                for name in moving:
                    headers.pop(name, None)
            assert through.headers == direct.headers, target


@pytest.mark.real_etcd
def test_many_who_read_from_a_real_member_at_once_get_each_their_own(tmp_path: Path, binary: Path) -> None:
    """Their requests share connections to the member."""
    member = Member(tmp_path / "r")
    with (
        member.start_real(str(binary), "--enable-v2"),
        Proxy(tmp_path / "p", peer_url(member)).start() as process,
        contextlib.ExitStack() as stack,
    ):
        for n in range(32):
            assert process.put(f"/{n}", f"value of {n} " * n).status == 201
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", process.client_port), PATIENCE))
            for _ in range(32)
        ]
        for turn in range(20):
            for n, client in enumerate(clients):
                key = (n + turn) % 32
                client.sendall(f"GET /v2/keys/{key} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            for n, client in enumerate(clients):
                key = (n + turn) % 32
                answer = received(client, b"}}\n")
                assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
                node = json.loads(answer.partition(b"\r\n\r\n")[2])["node"]
                assert (node["key"], node["value"]) == (f"/{key}", f"value of {key} " * key)


@pytest.mark.real_etcd
def test_a_real_proxy_stands_before_a_bundled_member(tmp_path: Path, binary: Path) -> None:
    member = Member(tmp_path / "m")
    proxy = Proxy(tmp_path / "p", peer_url(member))
    with member.start(), proxy.start_real(str(binary)) as process:
        assert process.put("/a", "1").status == 201
        assert process.get("/a").json()["node"] is not None
        assert endpoints(process) == [f"http://127.0.0.1:{member.client_port}"]


@pytest.mark.real_etcd
def test_what_a_real_proxy_left_is_taken_up_by_ours_and_the_other_way_round(
    tmp_path: Path, binary: Path
) -> None:
    member = Member(tmp_path / "m")
    proxy = Proxy(tmp_path / "p", peer_url(member))
    (nowhere,) = free_ports(1)
    with member.start():
        with proxy.start_real(str(binary)) as process:
            process.stop()
        proxy.settings["initial-cluster"] = f"gone=http://127.0.0.1:{nowhere}"
        with proxy.start() as process:
            assert process.put("/a", "1").status == 201
        with proxy.start_real(str(binary)) as process:
            assert process.get("/a").status == 200
