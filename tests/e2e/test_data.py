"""Data of 0.4 from end to end: converted, served by the bundled server and by real etcds, carried over HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate02.datadir.conversion import Request, convert_one, convert_together
from migrate02.datadir.listing import Key, user_keys
from migrate02.datadir.sides import is_url, read_side, without_overdue
from migrate02.datadir.source04 import read_source
from tests.migrate02.running import migrate02
from tests.support.cluster import Cluster, kind, kinds, wait_until
from tests.support.datadirs04 import FIRST, Recorded, expected, recorded, set_to, unpack, write_directory
from tests.support.process import Member, Process

pytestmark = pytest.mark.slow

ETCD02 = str(Path(sys.executable).with_name("etcd02"))
ALONE = [one for one in recorded("member") if len(one.expected["members"]) == 1]


def wanted(source: Path) -> list[Key]:
    return list(without_overdue(user_keys(read_source(source).store), time.time_ns()))


def served(url: str, like: list[Key]) -> list[Key]:
    """What a server has, hidden keys too if they are among those it should have."""
    hidden = [key.path for key in like if key.path.rpartition("/")[2].startswith("_")]
    found = read_side(url, hidden).keys
    return [key for key in found if not key.path.startswith("/_healthy")]


def flags(member: Member) -> list[str]:
    return [f"--{name}={value}" for name, value in member.settings.items()]


@pytest.mark.real_etcd
@pytest.mark.parametrize("version", kinds("3.4", "3.5"))
@pytest.mark.parametrize("one", ALONE, ids=str)
def test_a_real_etcd_serves_what_0_4_9_served(one: Recorded, version: str, tmp_path: Path) -> None:
    """Handed over by etcd02, which gives it the database it wants beside a snapshot; and again after that."""
    etcd = kind(version).handed_over()
    source = one.unpack(tmp_path)
    convert_one(source, tmp_path / "new", Request())
    keys = wanted(source)
    member = Member(tmp_path / "new", one.directory)
    arch = {"ETCD_UNSUPPORTED_ARCH": os.uname().machine}
    for _ in range(2):
        with Process([*etcd.command, *flags(member), *etcd.flags], member.client_port, env=arch) as real:
            real.wait_until_serving()
            wait_until(lambda real=real: served(real.url, keys) == keys, "it serves the keys")  # type: ignore[misc]
            assert int(real.get("/").headers["x-etcd-index"]) >= one.expected["etcd_index"]
            real.stop()


@pytest.mark.parametrize("together", [True, False], ids=["together", "one at a time"])
@pytest.mark.parametrize("fixture", ["s-cluster4to3", "s-standby"])
def test_a_clusters_directories_form_a_bundled_cluster_at_once(
    fixture: str, together: bool, tmp_path: Path
) -> None:
    source = unpack(fixture, tmp_path)
    keys = wanted(source / "n1")
    with Cluster(tmp_path, [kind("bundled")] * 3) as cluster:
        for member, name in zip(cluster.members, ("n1", "n2", "n3"), strict=True):
            member.name, member.data_dir = name, tmp_path / "out" / name
        urls = ",".join(f"{member.name}={member.peer_url}" for member in cluster.members)
        request = Request(initial_cluster=urls)
        if together:
            convert_together(sorted(source.iterdir()), tmp_path / "out", request)
        else:
            for name in ("n1", "n2", "n3"):
                convert_one(source / name, tmp_path / "out" / name, request)
        cluster.start()
        for member in cluster.members:
            assert served(f"http://127.0.0.1:{member.client_port}", keys) == keys, member
            listed = cluster.listed(member)
            assert sorted(str(one["name"]) for one in listed) == ["n1", "n2", "n3"]
        cluster.members[0].write("/new", "1")
        index = int(cluster.members[0].request("GET", "/v2/keys/new").headers["x-etcd-index"])
        assert index > expected(fixture)["etcd_index"]
        first = cluster.wait_for_leader()
        first.kill()
        cluster.wait_until_healthy(cluster.others(first))
        first.start()
        cluster.wait_until_healthy()
        assert cluster.panics() == []


@pytest.mark.real_etcd
@pytest.mark.parametrize("version", kinds("3.4"))
def test_a_clusters_directories_form_a_cluster_of_real_etcds(version: str, tmp_path: Path) -> None:
    source = unpack("s-standby", tmp_path)
    keys = wanted(source / "n1")
    with Cluster(tmp_path, [kind(version).handed_over()] * 3) as cluster:
        for member, name in zip(cluster.members, ("n1", "n2", "n3"), strict=True):
            member.name, member.data_dir = name, tmp_path / "out" / name
        urls = ",".join(f"{member.name}={member.peer_url}" for member in cluster.members)
        convert_together(sorted(source.iterdir()), tmp_path / "out", Request(initial_cluster=urls))
        cluster.start()
        for member in cluster.members:
            assert served(f"http://127.0.0.1:{member.client_port}", keys) == keys, member


@pytest.mark.real_etcd
def test_a_directory_of_3x_is_told_from_others(tmp_path: Path) -> None:
    member = Member(tmp_path / "new")
    with member.start_real(*kind("3.4").command, "--enable-v2") as real:
        assert real.put("/a", "1").status == 201
        real.stop()
    told = json.loads(migrate02("data", "inspect", "--json", member.data_dir).out)
    assert (told["kind"], told["damage"]) == ("3.x", [])


# etcd02 on an old directory


def old_directory(where: Path) -> Path:
    return write_directory(where / "data", [*FIRST, set_to("/a", "1"), set_to("/_h/b", "2")])


def test_auto_migrate_converts_and_serves_and_later_starts_need_it_no_more(tmp_path: Path) -> None:
    data = old_directory(tmp_path)
    member = Member(data, "m")
    log = (data / "log").read_bytes()
    for extra in (["--auto-migrate"], ["--auto-migrate"], []):
        with Process([ETCD02, *flags(member), *extra], member.client_port) as process:
            process.wait_until_serving()
            assert process.get("/a").json()["node"] == {
                "key": "/a", "value": "1", "modifiedIndex": 3, "createdIndex": 3,
            }  # fmt: skip
            assert process.get("/_h/b").status == 200
            assert process.stop() == -15
            said = process.log
        assert ("info[data-migrated]" in said) == (extra != [] and "digest" in said)
    assert (data / "log").read_bytes() == log


def test_auto_migrate_by_variable_with_an_untouched_command_line_of_0_4(tmp_path: Path) -> None:
    data = old_directory(tmp_path)
    member = Member(data, "m")
    words = f"-name m -data-dir {data} -addr 127.0.0.1:{member.client_port} -peer-addr 127.0.0.1:{member.peer_port}"
    env = {"ETCD02_AUTO_MIGRATE": "true"}
    peers = ["-peers", "127.0.0.1:7001"]  # known from the data
    with Process([ETCD02, *words.split(), *peers], member.client_port, env=env) as process:
        process.wait_until_serving()
        assert process.get("/a").status == 200


@pytest.mark.real_etcd
def test_auto_migrate_goes_with_a_real_etcd(tmp_path: Path) -> None:
    etcd = kind("3.4").handed_over()
    member = Member(old_directory(tmp_path), "m")
    arch = {"ETCD_UNSUPPORTED_ARCH": os.uname().machine}
    with Process(
        [*etcd.command, *flags(member), "--auto-migrate", *etcd.flags], member.client_port, env=arch
    ) as real:
        real.wait_until_serving()
        assert real.get("/_h/b").status == 200


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ETCD02, *words], capture_output=True, text=True, timeout=60, check=False)


def test_without_auto_migrate_the_command_is_named_and_it_works(tmp_path: Path) -> None:
    data = old_directory(tmp_path)
    found = run("-name", "m", "-data-dir", str(data))
    assert found.returncode == 1
    assert f"migrate02 data {data} --beside" in found.stderr
    assert migrate02("data", data, "--beside").status == 0
    with Member(data, "m").start() as process:
        assert process.get("/a").status == 200


def test_the_server_itself_names_the_command_too(tmp_path: Path) -> None:
    data = old_directory(tmp_path)
    with Member(data, "m").launch() as process:
        assert process.popen.wait(20) == 1
        assert f"migrate02 data {data} --beside" in process.log


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        (["--name", "x"], "x is no member of the cluster; the members are m"),
        (["--wal-dir", "w"], "cannot be used with --wal-dir"),
    ],
)
def test_auto_migrate_that_cannot_be_is_one_line_and_changes_nothing(
    tmp_path: Path, flag: list[str], says: str
) -> None:
    data = old_directory(tmp_path)
    found = run("--auto-migrate", "--data-dir", str(data), *flag)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert says in found.stderr
    assert sorted(os.listdir(data)) == ["conf", "log", "snapshot"]


def test_print_config_converts_nothing(tmp_path: Path) -> None:
    data = old_directory(tmp_path)
    found = run("--auto-migrate", "--print-config", "--data-dir", str(data), "--name", "m")
    assert json.loads(found.stdout)["data-dir"] == str(data)
    assert sorted(os.listdir(data)) == ["conf", "log", "snapshot"]


# Carried over HTTP


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Process]:
    with Member(tmp_path / "target").start() as process:
        yield process


def test_import_carries_every_key_and_goes_on_where_it_was_broken_off(
    target: Process, tmp_path: Path
) -> None:
    source = unpack("s-snap", tmp_path) / "snapper"
    assert target.put("/svc/02/52", "nvipx3q5k5ck4rl6").status == 201
    first = migrate02("import", "--snapshot", source, "--to", target.url)
    assert first.status == 0
    assert ", 1 were there already, " in first.out
    verified = migrate02("data", "verify", "--within", "1.5", source, target.url)
    assert verified.status == 0, verified.out
    again = migrate02("import", "--snapshot", source, "--to", target.url)
    assert again.out.startswith("0 keys made, ")
    assert again.status == 0


def test_import_overwrites_nothing_unless_asked(target: Process, tmp_path: Path) -> None:
    source = write_directory(
        tmp_path / "old", [*FIRST, set_to("/a", "old"), set_to("/b", "1"), set_to("/f/x", "1")]
    )
    assert target.put("/a", "new").status == 201
    assert target.put("/f", "a file").status == 201
    found = migrate02("import", "--snapshot", source, "--to", target.url)
    assert found.status == 2
    assert "warning: /a: exists with another value, and is not changed" in found.err
    assert "warning: /f/x: answers 400: " in found.err
    assert found.out.startswith("1 keys made, ")
    assert target.get("/a").json()["node"]["value"] == "new"  # type: ignore[index]
    assert migrate02("import", "--overwrite", "--snapshot", source, "--to", target.url).status == 2
    assert target.get("/a").json()["node"]["value"] == "old"  # type: ignore[index]


def test_import_from_a_running_cluster(target: Process, tmp_path: Path) -> None:
    with Member(tmp_path / "source").start() as source:
        for n in range(50):
            source.put(f"/dir{n % 7}/k{n}", f"value {n} é &%")
        source.put("/_hidden/x", "h")
        source.put("/ttl", "x", ttl="1000")
        source.request("PUT", "/v2/keys/empty", {"dir": "true", "ttl": "1000"})
        words = ["--live", source.url, "--to", target.url, "--hidden", "/_hidden"]
        found = migrate02("import", *words)
        assert (found.status, found.err) == (0, "")
        verified = migrate02(
            "data", "verify", "--within", "1.5", "--hidden", "/_hidden", source.url, target.url
        )
        assert verified.status == 0, verified.out
        warned = migrate02("import", "--live", source.url, "--to", target.url)
        assert "does not list hidden keys" in warned.err


def test_import_over_tls_with_a_certificate(tmp_path: Path) -> None:
    source = write_directory(tmp_path / "old", [*FIRST, set_to("/a", "1"), set_to("/_h/b", "2")])
    files = Path(__file__).parents[2] / "fixtures" / "tls"
    server, client = (
        {f"{kind}-file": str(files / name) for kind, name in pairs.items()}
        for pairs in (
            {"cert": "server.pem", "key": "server.key", "ca": "ca.pem"},
            {"cert": "client.pem", "key": "client.key", "ca": "ca.pem"},
        )
    )
    member = Member(tmp_path / "target", **server)
    for name in ("listen-client-urls", "advertise-client-urls"):
        member.settings[name] = member.settings[name].replace("http://", "https://")
    words = [f"--{name}={value}" for name, value in client.items()]
    with member.launch() as process:
        url = process.url.replace("http://", "https://")
        wait_until(
            lambda: migrate02("import", "--snapshot", source, "--to", url, *words).status == 0,
            "it is carried",
        )
        assert migrate02("data", "verify", source, url, *words).status == 0
        refused = migrate02("data", "verify", source, url)
        assert (refused.status, refused.err.count("\n")) == (3, 1)


def test_the_keys_of_a_directory_come_in_the_order_they_were_made(target: Process, tmp_path: Path) -> None:
    queue = [("etcd:create", {"key": "/q", "value": str(n), "unique": True}) for n in range(200)]
    others = [set_to(f"/other{n}/x", "1") for n in range(50)]
    source = write_directory(tmp_path / "old", [*FIRST, *queue, *others])
    assert migrate02("import", "--snapshot", source, "--to", target.url).status == 0
    nodes = target.get("/q").json()["node"]["nodes"]  # type: ignore[index]
    made = [node["value"] for node in sorted(nodes, key=lambda node: node["createdIndex"])]
    assert made == [str(n) for n in range(200)]


def test_a_cluster_that_stops_answering_is_told_of(tmp_path: Path) -> None:
    source = write_directory(tmp_path / "old", [*FIRST, set_to("/a", "1")])
    with Member(tmp_path / "target").start() as process:
        process.stop()
        found = migrate02("import", "--snapshot", source, "--to", process.url)
    assert is_url(process.url)
    assert (found.status, found.err.count("\n")) == (3, 1)


def test_requests_can_be_replayed_with_curl(target: Process, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("needs curl")
    source = unpack("s-ops", tmp_path) / "solo"
    requests = migrate02("data", "export", "--requests", "--to", target.url, source)
    assert requests.err == "warning: /app/big: too long for curl, left out; migrate02 import takes it\n"
    assert requests.status == 2
    (tmp_path / "requests").write_text(requests.out)
    done = subprocess.run(
        [curl, "--config", tmp_path / "requests"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    verified = migrate02("data", "verify", "--within", "1.5", source, target.url)
    assert verified.out.splitlines()[:-1] == ["/app/big: missing in B"]
