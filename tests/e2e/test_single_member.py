"""A real server process for a cluster of one: it serves, it stops in order, and it loses nothing when it is killed."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from server.process import is_compiled
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Member, Process, keys_below

pytestmark = pytest.mark.slow


def test_put_get_kill_restart_keeps_key_and_indexes(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    with member.start() as process:
        written = process.put("/a", "1")
        assert (written.status, written.headers["x-etcd-index"]) == (201, "4")
        process.kill()
    with member.start() as process:
        read = process.get("/a")
        assert read.status == 200
        assert read.json()["node"] == written.json()["node"]


class Writers:
    """Threads that write keys of their own as fast as they are answered, and remember what was acknowledged."""

    def __init__(self, process: Process, count: int, run: int) -> None:
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._write, args=(process, f"/r{run}w{n}")) for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _write(self, process: Process, prefix: str) -> None:
        for n in range(100_000):
            key = f"{prefix}/k{n}"
            try:
                reply = process.put(key, str(n))
                node = reply.json()["node"]
            except (OSError, http.client.HTTPException, ValueError):
                return  # killed, perhaps in the middle of an answer
            assert isinstance(node, dict)
            with self._lock:
                self.acknowledged[key] = (str(n), node["createdIndex"])

    def join(self) -> dict[str, tuple[str, int]]:
        for thread in self._threads:
            thread.join(PATIENCE)
        return self.acknowledged


def test_kill_in_the_middle_of_concurrent_writes_loses_nothing_acknowledged(tmp_path: Path) -> None:
    member = Member(tmp_path / "d", snapshot_count="100")
    acknowledged: dict[str, tuple[str, int]] = {}
    for run in range(4):
        with member.start() as process:
            listed = process.get("/", "recursive=true").json()["node"]
            there = {
                key: (value, created) for key, value, created, _ in keys_below(listed) if value is not None
            }
            for key, expected in acknowledged.items():
                assert there.get(key) == expected
            writers = Writers(process, 8, run)
            deadline = time.monotonic() + PATIENCE
            while len(writers.acknowledged) < 100 * (run + 1) and time.monotonic() < deadline:
                time.sleep(0.01)
            process.kill()
            acknowledged.update(writers.join())
    assert len(acknowledged) > 400
    assert list((tmp_path / "d" / "member" / "snap").glob("*.snap"))


def test_what_was_answered_before_a_kill_outlives_a_forced_new_cluster(tmp_path: Path) -> None:
    """--force-new-cluster drops what the log does not say is committed."""
    member = Member(tmp_path / "d")
    with member.start() as process:
        for n in range(50):
            assert process.put(f"/k{n}", "v").status == 201
        process.kill()
    member.settings["force-new-cluster"] = "true"
    with member.start() as process:
        assert [process.get(f"/k{n}").status for n in range(50)] == [200] * 50


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupt")], ids=["term", "int"]
)
def test_a_signal_ends_it_in_order_and_by_that_signal(
    tmp_path: Path, number: signal.Signals, name: str
) -> None:
    member = Member(tmp_path / "d", idle_sync="false")
    with member.start() as process:
        process.put("/a", "1")
        with socket.create_connection(("127.0.0.1", member.client_port)) as watch:
            watch.sendall(b"GET /v2/keys/a?wait=true HTTP/1.1\r\nHost: x\r\n\r\n")
            watch.settimeout(PATIENCE)
            head = watch.recv(4096)
            assert b"Transfer-Encoding: chunked" in head
            assert process.stop(number) == -number  # though a client waits
            rest = b""
            while piece := watch.recv(4096):
                rest += piece
            # Cut off as by etcd: an end in order would say that there was no event.
            assert (head + rest).endswith(b"\r\n\r\n")
            assert not rest
        assert f"N | osutil: received {name} signal, shutting down..." in process.log
        assert "Traceback" not in process.log
    with member.start() as process:
        assert process.get("/a").status == 200
        assert "at commit index 5" in process.log  # a clean end brings the commit index to the disk


_SLOW_SNAPSHOTS = """import json, sys, time
from server.config import load
from server.main import run
from server.storage.files import Files
sync = Files.sync
Files.sync = lambda self, fd: (time.sleep(600), sync(self, fd))
sys.exit(run(load(json.loads(sys.argv[1]))))
"""


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_writes_pass_a_snapshot_on_a_slow_disk_and_a_second_signal_does_not_wait_for_it(
    tmp_path: Path, again: signal.Signals
) -> None:
    member = Member(tmp_path / "d", snapshot_count="10")
    argv = [sys.executable, "-c", _SLOW_SNAPSHOTS, json.dumps(member.settings)]
    with Process(argv, member.client_port) as process:
        process.wait_until_serving()
        for n in range(50):
            assert process.put(f"/k{n}", "1").status == 201
        assert "start to snapshot" in process.log
        assert "saved snapshot" not in process.log
        process.popen.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.popen.wait(1)
        assert process.stop(again) == -again
    with member.start() as process:
        assert process.get("/k49").status == 200


def test_a_torn_tail_is_cut_off_and_the_rest_served(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    with member.start() as process:
        process.put("/a", "1")
        process.put("/b", "2")
        process.kill()
    (segment,) = (tmp_path / "d" / "member" / "wal").glob("*.wal")
    with segment.open("ab") as file:
        file.write(b"\x55\0\0\0\0\0\0\0\x08\x02")
    with member.start() as process:
        assert process.get("/b").json()["node"] == {
            "key": "/b",
            "value": "2",
            "modifiedIndex": 5,
            "createdIndex": 5,
        }
        assert "repaired WAL error (unexpected EOF)" in process.log


def test_other_damage_is_refused_in_one_line_and_the_file_stays(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    with member.start() as process:
        process.put("/a", "1")
        process.kill()
    (segment,) = (tmp_path / "d" / "member" / "wal").glob("*.wal")
    damaged = bytearray(segment.read_bytes())
    damaged[100] ^= 1
    segment.write_bytes(damaged)
    with member.launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        (line,) = [line for line in process.log.splitlines() if " C | " in line]
        assert segment.name in line
        assert "Traceback" not in process.log
    assert segment.read_bytes() == damaged


def test_a_disk_that_takes_no_more_ends_it_with_status_1_and_loses_nothing(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    acknowledged = {}
    with member.launch(
        under=("sh", "-c", 'ulimit -f 200; exec "$@"', "sh")
    ) as process:  # in 512 or 1024 bytes
        process.wait_until_serving()
        for n in range(1000):
            try:
                reply = process.put(f"/k{n}", "x" * 1000)
            except OSError:
                break  # it has ended meanwhile
            if reply.status != 201:
                assert reply.json()["errorCode"] == 300
                break
            acknowledged[f"/k{n}"] = reply.json()["node"]
        assert process.popen.wait(PATIENCE) == 1
        assert "File too large" in process.log
        assert "Traceback" not in process.log
    assert 20 < len(acknowledged) < 1000
    with member.start() as process:
        for key, node in acknowledged.items():
            assert process.get(key).json()["node"] == node


def test_a_port_in_use_ends_it_with_the_words_of_etcd(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", member.client_port))
        taken.listen()
        with member.launch() as process:
            assert process.popen.wait(PATIENCE) == 1
            lines = [line.split(" | ", 1)[1] for line in process.log.splitlines()][-3:]
            assert lines == [
                f"etcdmain: listening for peers on http://127.0.0.1:{member.peer_port}",
                f"etcdmain: stopping listening for peers on http://127.0.0.1:{member.peer_port}",
                f"etcdmain: listen tcp 127.0.0.1:{member.client_port}: bind: address already in use",
            ]


def test_a_directory_that_cannot_be_is_refused_in_one_line(tmp_path: Path) -> None:
    name = "x" * 300
    with Member(tmp_path / "d", wal_dir=str(tmp_path / name)).launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        (line,) = [line for line in process.log.splitlines() if " I | " not in line]
        assert line.endswith(
            f"C | etcdmain: {tmp_path}/{name}: cannot read the directory: File name too long"
        )


def test_a_data_directory_in_use_is_refused(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    other = Member(tmp_path / "d")
    with member.start(), other.launch() as second:
        assert second.popen.wait(PATIENCE) == 1
        assert "file already locked" in second.log


def test_a_data_directory_of_0_4_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    conf = tmp_path / "d" / "conf"
    conf.write_text('{"commitIndex":4,"peers":[]}')
    with Member(tmp_path / "d").launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        assert "holds the data of an etcd 0.4" in process.log
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["conf"]


def test_what_it_cannot_do_is_refused_by_name_before_it_listens(tmp_path: Path) -> None:
    member = Member(tmp_path / "d", experimental_v3demo="true")
    with member.launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        last = process.log.splitlines()[-1]
        assert "C | etcdmain: --experimental-v3demo" in last
        assert "listening for" not in process.log
    assert not (tmp_path / "d").exists()


def test_a_service_manager_is_told_when_it_serves_and_when_it_stops(tmp_path: Path) -> None:
    for address in (str(tmp_path / "notify"), f"\0migrate02-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(address)
            channel.settimeout(PATIENCE)
            member = Member(tmp_path / f"d{len(address)}")
            with member.launch({"NOTIFY_SOCKET": address.replace("\0", "@")}) as process:
                assert channel.recv(100) == b"READY=1"
                assert process.get("/").status == 200
                process.stop()
                assert channel.recv(100) == b"STOPPING=1"


def test_all_addresses_means_ipv4_and_ipv6(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    for spelling in ("[::]", "0.0.0.0"):
        member.client_port, peer = free_ports(2)
        member.settings["listen-client-urls"] = f"http://{spelling}:{member.client_port}"
        member.settings["listen-peer-urls"] = f"http://localhost:{peer}"
        with member.start():
            for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                if family == socket.AF_INET6 and not Path("/proc/net/if_inet6").exists():
                    continue  # this machine has no IPv6
                with socket.socket(family) as sock:
                    sock.settimeout(PATIENCE)
                    sock.connect((host, member.client_port))
                    sock.sendall(b"GET /version HTTP/1.0\r\n\r\n")
                    assert b" 200 OK" in sock.recv(4096)


def test_banner_lines_are_those_of_etcd(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    with member.start() as process:
        texts = [line.split(" | ", 1)[1] for line in process.log.splitlines()]
    peer = f"http://127.0.0.1:{member.peer_port}"
    client = f"http://127.0.0.1:{member.client_port}"
    for text in (
        "etcdmain: etcd Version: 2.3.8",
        f"etcdmain: listening for peers on {peer}",
        f"etcdmain: listening for client requests on {client}",
        "etcdserver: name = m1",
        f"etcdserver: data dir = {member.data_dir}",
        f"etcdserver: member dir = {member.data_dir}/member",
        "etcdserver: heartbeat = 100ms",
        "etcdserver: election = 1000ms",
        "etcdserver: snapshot count = 10000",
        f"etcdserver: advertise client URLs = {client}",
        f"etcdserver: initial advertise peer URLs = {peer}",
        f"etcdserver: initial cluster = m1={peer}",
        "etcdserver: starting server... [version: 2.3.8, cluster version: to_be_decided]",
        f"etcdserver: the cores are {'compiled' if is_compiled() else 'interpreted'}",
        "etcdserver: setting up the initial cluster version to 2.3",
        "etcdserver: set the initial cluster version to 2.3",
    ):
        assert text in texts


def test_garbage_on_the_port_gets_a_400_and_leaves_no_traceback(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    with member.start() as process:
        with socket.create_connection(("127.0.0.1", member.client_port)) as sock:
            sock.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            sock.settimeout(PATIENCE)
            assert b"400" in sock.recv(4096)
        assert process.get("/").status == 200
        assert "Traceback" not in process.log


def test_stats_members_and_version_are_json(tmp_path: Path) -> None:
    with Member(tmp_path / "d").start() as process:
        for path in ("/v2/stats/self", "/v2/stats/leader", "/v2/stats/store", "/v2/members", "/version"):
            json.loads(process.request("GET", path).body)
