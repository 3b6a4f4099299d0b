"""What comes out is what a real etcd takes: Debian's 3.4 is started with a converted configuration."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.migrate02.running import convert
from tests.support import real_etcd
from tests.support.ports import free_ports
from tests.support.process import Process

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]


@pytest.fixture
def etcd() -> str:
    return str(real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34))


@pytest.fixture
def ports() -> tuple[int, int]:
    client, peer = free_ports(2)
    return client, peer


@pytest.fixture
def old(tmp_path: Path, ports: tuple[int, int]) -> Path:
    path = tmp_path / "etcd.conf"
    path.write_text(
        f"""\
# one of each kind of setting
name = "m1"
addr = "127.0.0.1:{ports[0]}"
bind_addr = "127.0.0.1"
data_dir = "{tmp_path / "it's data"}"
cors = ["http://a.example.com", "https://b.example.com:8443"]
snapshot_count = 5000
verbose = true
http_read_timeout = 10.0

[peer]
addr = "127.0.0.1:{ports[1]}"
bind_addr = "127.0.0.1:{ports[1]}"
heartbeat_interval = 50
election_timeout = 200
"""
    )
    return path


def served(argv: list[str], port: int, env: dict[str, str] | None = None) -> None:
    """Starts it, and sees that it serves the v2 API under its name."""
    variables = {"ETCD_UNSUPPORTED_ARCH": os.uname().machine, **(env or {})}
    with Process(argv, port, env=variables) as process:
        process.wait_until_serving()
        assert str(process.request("GET", "/version").json()["etcdserver"]).startswith("3.4.")
        assert process.put("/a", "1").status == 201
        assert process.request("GET", "/v2/stats/self").json()["name"] == "m1"


@pytest.fixture
def result(old: Path, request: pytest.FixtureRequest) -> str:
    run = convert("--target", "3.4", "--to", request.param, "--allow-residue", old)
    assert run.status == 0, run.err
    return run.out


@pytest.mark.parametrize("result", ["flags"], indirect=True)
def test_flags(etcd: str, ports: tuple[int, int], result: str) -> None:
    code = "\n".join(line for line in result.splitlines() if not line.startswith("#"))
    _, *words = shlex.split(code.replace("\\\n", " "))
    served([etcd, *words], ports[0])


@pytest.mark.parametrize("result", ["args-json"], indirect=True)
def test_arguments_as_json(etcd: str, ports: tuple[int, int], result: str) -> None:
    served([etcd, *json.loads(result)], ports[0])


@pytest.mark.parametrize("result", ["yaml"], indirect=True)
def test_yaml(etcd: str, ports: tuple[int, int], result: str, tmp_path: Path) -> None:
    path = tmp_path / "etcd.yml"
    path.write_text(result)
    served([etcd, "--config-file", str(path)], ports[0])


@pytest.mark.parametrize("result", ["env"], indirect=True)
def test_environment_read_by_a_shell(etcd: str, ports: tuple[int, int], result: str, tmp_path: Path) -> None:
    path = tmp_path / "etcd.env"
    path.write_text(result)
    shell = subprocess.run(
        ["/bin/sh", "-c", 'set -a; . "$1"; env -0', "sh", str(path)],
        capture_output=True,
        check=True,
        text=True,
    )
    variables = dict(item.split("=", 1) for item in shell.stdout.split("\0") if item.startswith("ETCD_"))
    served([etcd], ports[0], variables)
