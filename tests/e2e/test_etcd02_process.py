"""The installed ``etcd02``: started by untouched command lines of 0.4, killed, started again, handing over to a real etcd."""

import contextlib
import http.client
import os
import signal
import ssl
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.flags04 import COMMAND, FLAGS
from tests.support import real_etcd
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Process

pytestmark = pytest.mark.slow

ETCD02 = str(Path(sys.executable).with_name("etcd02"))
OLD_DATA = Path(__file__).parents[2] / "fixtures" / "datadirs04" / "s-qget.tar.gz"


@pytest.fixture(autouse=True)
def on_any_machine_in_a_folder_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    nothing_of_etcd_in_the_environment: None,  # which clears before
) -> None:
    monkeypatch.setenv("ETCD_UNSUPPORTED_ARCH", os.uname().machine)
    monkeypatch.chdir(tmp_path)


def run(*words: str, program: str = ETCD02, **environ: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to end by itself."""
    return subprocess.run(
        [program, *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **environ},
        check=False,
    )


class Old:
    """An untouched command line of 0.4, from which a member can be started again and again."""

    def __init__(self, data_dir: Path) -> None:
        self.client_port, self.peer_port = free_ports(2)
        client, peer = f"127.0.0.1:{self.client_port}", f"127.0.0.1:{self.peer_port}"
        self.words = [
            "-name",
            "m1",
            "-addr",
            client,
            "-bind-addr",
            "127.0.0.1",
            "-peer-addr",
            peer,
            "-peer-bind-addr",
            "127.0.0.1",
        ]
        self.words += ["-data-dir", str(data_dir)]

    def launch(self, *more: str, program: str = ETCD02, env: dict[str, str] | None = None) -> Process:
        return Process([program, *self.words, *more], self.client_port, env=env)


@pytest.fixture
def old(tmp_path: Path) -> Old:
    return Old(tmp_path / "D")


def test_an_old_line_serves_and_loses_nothing_to_kill_9(old: Old) -> None:
    with old.launch() as member:
        put = member.wait_until_serving().put("/a", "1")
        assert put.status == 201
        node = put.json()["node"]
        assert node == {"key": "/a", "value": "1", "modifiedIndex": 4, "createdIndex": 4}
        assert "etcd02: info[single-member]" in member.log
        assert member.stop(signal.SIGKILL) == -signal.SIGKILL
    with old.launch() as member:
        got = member.wait_until_serving().get("/a")
        assert got.json()["node"] == node
        assert "single-member" not in member.log, "a member with data knows its cluster"
        assert member.stop(signal.SIGTERM) == -signal.SIGTERM


def test_a_file_of_0_4_serves(old: Old, tmp_path: Path) -> None:
    conf = tmp_path / "old.conf"
    conf.write_text(
        f'name = "m1"\naddr = "127.0.0.1:{old.client_port}"\nbind_addr = "127.0.0.1"\ndata_dir = "D"\n'
        f'[peer]\naddr = "127.0.0.1:{old.peer_port}"\nbind_addr = "127.0.0.1"\n'
    )
    with Process([ETCD02, "-config", str(conf)], old.client_port) as member:
        assert member.wait_until_serving().put("/a", "1").status == 201


def test_it_works_under_the_name_etcd(old: Old, tmp_path: Path) -> None:
    link = tmp_path / "bin" / "etcd"
    link.parent.mkdir()
    link.symlink_to(ETCD02)
    path = {"PATH": str(link.parent)}
    assert run("-version", program=str(link)).stdout.startswith("etcd Version: 2.3.8\n")
    with old.launch("--engine=auto", program=str(link), env=path) as member:
        assert member.wait_until_serving().put("/a", "1").status == 201
        assert "no etcd on the PATH, so the bundled server" in member.log


PAIRS = [
    ("ADDR=127.0.0.1:1", "ADVERTISE_CLIENT_URLS=http://127.0.0.1:1", "-advertise-client-urls and -addr"),
    ("BIND_ADDR=127.0.0.1:1", "LISTEN_CLIENT_URLS=http://127.0.0.1:1", "-listen-client-urls and -bind-addr"),
    (
        "PEER_ADDR=127.0.0.1:1",
        "INITIAL_ADVERTISE_PEER_URLS=http://127.0.0.1:1",
        "-initial-advertise-peer-urls and -peer-addr",
    ),
    (
        "PEER_BIND_ADDR=127.0.0.1:1",
        "LISTEN_PEER_URLS=http://127.0.0.1:1",
        "-listen-peer-urls and -peer-bind-addr",
    ),
]


@pytest.mark.parametrize(("old_one", "new_one", "named"), PAIRS)
def test_an_old_and_a_new_setting_exit_1_and_are_both_named(old_one: str, new_one: str, named: str) -> None:
    def flag(setting: str) -> str:
        name, _, value = setting.partition("=")
        return f"--{name.lower().replace('_', '-')}={value}"

    def variable(setting: str) -> dict[str, str]:
        name, _, value = setting.partition("=")
        return {f"ETCD_{name}": value}

    for found in (
        run(flag(old_one), flag(new_one)),
        run(flag(old_one), **variable(new_one)),
        run(flag(new_one), **variable(old_one)),
        run("--print-config", **variable(new_one), **variable(old_one)),
    ):
        assert (found.returncode, found.stdout) == (1, "")
        assert f"Set only one of flags {named}." in found.stderr


def test_peers_are_refused_with_etcds_status() -> None:
    by_flag, by_variable = run("-peers", "a:7001"), run(ETCD_PEERS="a:7001")
    assert (by_flag.returncode, by_variable.returncode) == (2, 1)
    for found in (by_flag, by_variable):
        assert 'flag "-peers" is no longer supported.' in found.stderr
        assert "--initial-cluster" in found.stderr


def test_data_of_0_4_is_left_alone(old: Old, tmp_path: Path) -> None:
    with tarfile.open(OLD_DATA) as archive:
        archive.extractall(tmp_path, filter="data")
    (data_dir,) = (path.parent for path in tmp_path.rglob("log"))
    before = {path: path.stat().st_mtime_ns for path in data_dir.rglob("*")}
    found = run(*old.words, "-data-dir", str(data_dir))
    assert found.returncode == 1
    assert "error[data-dir-04]" in found.stderr
    assert f"mv {data_dir} {data_dir}.0.4" in found.stderr
    assert {path: path.stat().st_mtime_ns for path in data_dir.rglob("*")} == before


HEAVY = (
    "aiohttp",
    "asyncio",
    "uvloop",
    "yaml",
    "google",
    "server.main",
    "server.process",
    "server.node",
    "server.raft",
    "server.store",
    "dataclasses",
)


def imported(*words: str, **environ: str) -> set[str]:
    """The modules that a start of the command imports, whether it execs or not."""
    code = "import sys; from compat.etcd02 import entry; sys.argv[0] = 'etcd02'; entry()"
    found = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **environ},
        check=False,
    )
    lines = [
        line.rpartition("|")[2].strip()
        for line in found.stderr.splitlines()
        if line.startswith("import time:")
    ]
    assert "compat.etcd02" in lines
    return set(lines)


def test_handing_over_imports_neither_aiohttp_nor_the_server(tmp_path: Path) -> None:
    engine = tmp_path / "etcd"
    engine.write_text('#!/bin/sh\necho "etcd Version: 3.4.23"\n')
    engine.chmod(0o755)
    for words in (
        ["-version"],
        ["--print-config", "-addr", "h:1"],
        ["-addr", "h:1", "--engine", str(engine)],
        ["-help"],
        ["-nope"],
    ):
        heavy = [name for name in imported(*words) if name.startswith(HEAVY)]
        assert not heavy, f"{words}: {heavy}"


def test_handing_over_a_directory_imports_no_more_than_it_needs(old: Old, tmp_path: Path) -> None:
    """Of the server its storage, with protobuf, and that only where a snapshot wants a database beside it."""
    with old.launch("-snapshot-count", "5") as member:
        member.wait_until_serving()
        for n in range(20):
            assert member.put(f"/{n}", "x").status == 201
        member.stop()
    engine = tmp_path / "etcd"
    for version, needed in (("2.3.8", ()), ("3.4.23", ("google", "server.raft", "dataclasses"))):
        engine.write_text(f'#!/bin/sh\necho "etcd Version: {version}"\n')
        engine.chmod(0o755)
        found = [name for name in imported(*old.words, "--engine", str(engine)) if name.startswith(HEAVY)]
        assert [name for name in found if not name.startswith(needed or "-")] == []
        assert bool(needed) == bool(found)


# A real etcd in our place.


@pytest.fixture
def etcd34() -> str:
    return str(real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34))


FAST = ("-peer-heartbeat-interval", "50", "-peer-election-timeout", "250")
"""A cluster of one elects itself after this, so that the tests need not wait a second each."""


@pytest.mark.real_etcd
def test_a_real_etcd_takes_the_place_of_the_process(old: Old, etcd34: str) -> None:
    with old.launch("--engine", etcd34, *FAST) as member:
        member.wait_until_serving()
        assert Path(f"/proc/{member.popen.pid}/exe").resolve() == Path(etcd34).resolve()
        assert member.put("/a", "1").status == 201
        assert member.request("GET", "/version").json()["etcdserver"] != "2.3.8"
        assert member.stop(signal.SIGTERM) == -signal.SIGTERM
    assert run("--engine", etcd34, "-version").stdout.startswith("etcd Version: 3.")


@pytest.mark.real_etcd
def test_a_directory_of_the_bundled_server_goes_on_under_a_real_etcd(old: Old, etcd34: str) -> None:
    with old.launch() as member:
        node = member.wait_until_serving().put("/a", "1").json()["node"]
        member.stop()
    with old.launch("--engine", etcd34, *FAST) as member:
        assert member.wait_until_serving().get("/a").json()["node"] == node


@pytest.mark.real_etcd
@pytest.mark.parametrize("version", ["3.4", "3.5"])
def test_a_directory_with_a_snapshot_goes_on_under_a_real_etcd(
    old: Old, version: str, tmp_path: Path
) -> None:
    binary = (
        real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
        if version == "3.4"
        else real_etcd.required(real_etcd.etcd35(), real_etcd.HOW_35)
    )
    keys = {f"/k{n}": f"v{n}" for n in range(40)}
    with old.launch("-snapshot-count", "10") as member:
        member.wait_until_serving()
        for key, value in keys.items():
            assert member.put(key, value).status == 201
        expected = member.get("/", "recursive=true&sorted=true").json()
        member.stop()
    snap = tmp_path / "D" / "member" / "snap"
    assert any(path.name.endswith(".snap") for path in snap.iterdir())
    said = f"review[v3-database] {snap}/db: Added an empty v3 database"
    for start in range(2):
        with old.launch("-snapshot-count", "10", "--engine", str(binary), *FAST) as member:
            assert member.wait_until_serving().get("/", "recursive=true&sorted=true").json() == expected
            assert (said in member.log) == (start == 0)
            assert member.put("/more", "x").status == 201
            assert member.request("DELETE", "/v2/keys/more").status == 200
            member.stop()
    refused = run(*old.words)
    assert refused.returncode == 1
    assert "experimental-v3demo cannot be disabled once it is enabled" in refused.stderr


def test_what_was_added_for_an_etcd_that_cannot_be_executed_is_taken_back(old: Old, tmp_path: Path) -> None:
    with old.launch("-snapshot-count", "5") as member:
        member.wait_until_serving()
        for n in range(20):
            assert member.put(f"/{n}", "x").status == 201
        member.stop()
    engine = tmp_path / "etcd"
    engine.write_text('#!/bin/sh\necho "etcd Version: 3.5.1"\nrm "$0"\n')  # it is gone when its turn comes
    engine.chmod(0o755)
    refused = run(*old.words, "--engine", str(engine))
    assert refused.returncode == 1
    assert f"error[engine] {engine}: No such file or directory" in refused.stderr
    assert not (tmp_path / "D" / "member" / "snap" / "db").exists()
    with old.launch() as member:
        assert member.wait_until_serving().get("/19").status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with c.pem and k.pem, for 127.0.0.1, its own authority, good for servers and clients."""
    openssl = real_etcd.required_tool("openssl")
    folder = tmp_path_factory.mktemp("tls")
    extensions = ("subjectAltName=IP:127.0.0.1", "extendedKeyUsage=serverAuth,clientAuth")
    words = [
        str(openssl),
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=m1",
    ]
    words += [
        "-keyout",
        "k.pem",
        "-out",
        "c.pem",
        *(word for text in extensions for word in ("-addext", text)),
    ]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def discovery_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh discovery token for a cluster of one, kept by a bundled server."""
    keeper = Old(tmp_path_factory.mktemp("discovery"))
    with keeper.launch() as member:
        member.wait_until_serving().put("/discovery/t/_config/size", "1")
        yield f"{member.url}/v2/keys/discovery/t"


TLS = "-cert-file {tls}/c.pem -key-file {tls}/k.pem"
PEER_TLS = "-peer-cert-file {tls}/c.pem -peer-key-file {tls}/k.pem"
SAMPLES: dict[str, str] = {
    "name": "-name other",
    "data-dir": "-data-dir elsewhere",
    "addr": "-addr 127.0.0.1:{client}",
    "bind-addr": "-bind-addr 127.0.0.1:{client}",
    "peer-addr": "-peer-addr localhost:{peer}",
    "peer-bind-addr": "-peer-bind-addr 127.0.0.1:{peer}",
    "peers": "-peers 127.0.0.1:1 -initial-cluster m1=http://127.0.0.1:{peer}",
    "peers-file": "-peers-file gone -initial-cluster m1=http://127.0.0.1:{peer}",
    "discovery": "-discovery {token}",
    "ca-file": TLS + " -ca-file {tls}/c.pem",
    "cert-file": TLS,
    "key-file": "-key-file {tls}/k.pem",
    "peer-ca-file": PEER_TLS + " -peer-ca-file {tls}/c.pem",
    "peer-cert-file": PEER_TLS,
    "peer-key-file": "-peer-key-file {tls}/k.pem",
    "cors": "-cors http://a.example.com,https://b:8443",
    "peer-heartbeat-interval": "-peer-heartbeat-interval 60",
    "peer-election-timeout": "-peer-election-timeout 300",
    "snapshot-count": "-snapshot-count 500",
    "snapshot": "-snapshot=false",
    "v": "-v",
    "vv": "-vv",
    "vvv": "-vvv",
    "cluster-active-size": "-cluster-active-size 3",
    "cluster-remove-delay": "-cluster-remove-delay 60",
    "cluster-sync-interval": "-cluster-sync-interval 5",
    "http-read-timeout": "-http-read-timeout 10",
    "http-write-timeout": "-http-write-timeout 10",
    "max-result-buffer": "-max-result-buffer 1024",
    "max-retry-attempts": "-max-retry-attempts 3",
    "retry-interval": "-retry-interval 10",
    "force": "-f",
    "cpuprofile": "-cpuprofile p",
    "trace": "-trace *",
    "graphite-host": "-graphite-host g:2003",
    "internal-binary-dir": "-internal-binary-dir /x",
    "config": "-config=old.conf",
}


def test_every_row_of_the_table_has_a_sample() -> None:
    assert set(SAMPLES) == {flag.name for flag in FLAGS if flag.fate != COMMAND}


def wait_until_healthy(member: Process, context: ssl.SSLContext | None) -> None:
    """As Process.wait_until_serving, over TLS too."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and member.popen.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = (
                http.client.HTTPSConnection("127.0.0.1", member.client_port, context=context, timeout=5)
                if context
                else http.client.HTTPConnection("127.0.0.1", member.client_port, timeout=5)
            )
            with contextlib.closing(connection):
                connection.request("GET", "/health")
                if b'"true"' in connection.getresponse().read():
                    return
        time.sleep(0.02)
    raise AssertionError(f"not serving:\n{member.log[-4000:]}")


@pytest.mark.real_etcd
@pytest.mark.parametrize("row", SAMPLES)
def test_what_a_row_becomes_is_accepted_by_a_real_etcd(
    row: str, old: Old, etcd34: str, request: pytest.FixtureRequest
) -> None:
    Path("old.conf").write_text("snapshot_count = 500\n")
    sample = SAMPLES[row]
    tls = Path(request.getfixturevalue("certificate") if "{tls}" in sample else "")
    token = request.getfixturevalue("discovery_token") if "{token}" in sample else ""
    words = sample.format(tls=tls, token=token, client=old.client_port, peer=old.peer_port).split()
    context = None
    if sample.startswith(TLS):
        context = ssl.create_default_context(cafile=tls / "c.pem")
        context.load_cert_chain(tls / "c.pem", tls / "k.pem")
    first = words if row == "config" else []  # 0.4 saw it only in front of the other words
    program = [
        ETCD02,
        *first,
        *old.words,
        *(
            FAST
            if "-initial-cluster" not in words
            else ("-heartbeat-interval", "50", "-election-timeout", "250")
        ),
        *words,
        "--engine",
        etcd34,
    ]
    with Process(program, old.client_port) as member:
        wait_until_healthy(member, context)
