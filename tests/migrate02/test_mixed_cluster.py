"""Three machines of one cluster, each set up in another way: converted as one tree, they form the cluster in 2.x."""

from __future__ import annotations

import contextlib
import sysconfig
from pathlib import Path

import pytest

from migrate02.cli.exits import DONE
from migrate02.convert.conversion import Options
from migrate02.convert.deployment import Deployment
from tests.migrate02.running import convert
from tests.support import real_etcd
from tests.support.ports import free_ports
from tests.support.process import Process

pytestmark = pytest.mark.slow


def plant(root: Path, ports: list[int]) -> None:
    """A unit with its environment file, a script with its defaults, a unit with 0.4's own file."""
    client, peer = ports[:3], ports[3:]
    here = "-bind-addr 127.0.0.1 -peer-bind-addr 127.0.0.1"
    files = {
        "a/etc/systemd/system/etcd.service": "[Service]\nEnvironmentFile=/etc/default/etcd\n"
        f"ExecStart=/usr/bin/etcd -addr 127.0.0.1:{client[0]} {here} -data-dir {root}/data-a\n",
        "a/etc/default/etcd": f"ETCD_NAME=a\nETCD_PEER_ADDR=127.0.0.1:{peer[0]}\nETCD_PEER_ELECTION_TIMEOUT=1000\n",
        "b/etc/init.d/etcd": "#!/bin/sh\n. /etc/default/etcd\n"
        "start-stop-daemon --start --exec /usr/bin/etcd -- -name b $OPTS\n",
        "b/etc/default/etcd": f'OPTS="-addr 127.0.0.1:{client[1]} {here} -peer-addr 127.0.0.1:{peer[1]}"\n'
        f'OPTS="$OPTS -peers 127.0.0.1:{peer[0]} -data-dir {root}/data-b -peer-election-timeout 1000"\n',
        "c/etc/systemd/system/etcd.service": "[Service]\nExecStart=/usr/bin/etcd -config /etc/etcd/etcd.conf\n",
        "c/etc/etcd/etcd.conf": f'name = "c"\naddr = "127.0.0.1:{client[2]}"\nbind_addr = "127.0.0.1"\n'
        f'data_dir = "{root}/data-c"\npeers = ["127.0.0.1:{peer[0]}", "127.0.0.1:{peer[1]}"]\n'
        f'[peer]\naddr = "127.0.0.1:{peer[2]}"\nbind_addr = "127.0.0.1"\nelection_timeout = 1000\n',
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def start_lines(root: Path) -> list[list[str]]:
    """The settings of every node of the converted tree, as it would run."""
    texts = {str(path): path.read_text() for path in sorted(root.glob("?/etc/**/etcd*")) if path.is_file()}
    deployment = Deployment(texts, (), Options())
    deployment.read()
    nodes = sorted(deployment.nodes(), key=lambda node: node.given["name"].value)
    return [[f"--{name}={item.value}" for name, item in node.given.items()] for node in nodes]


def serves_as_one(program: list[str], root: Path, ports: list[int]) -> None:
    with contextlib.ExitStack() as stack:
        members = [
            stack.enter_context(Process([*program, *words], port, env={"ETCD_UNSUPPORTED_ARCH": "any"}))
            for words, port in zip(start_lines(root), ports[:3], strict=True)
        ]
        for member in members:
            member.wait_until_serving()
        assert members[0].put("/a", "1").status == 201
        assert members[2].request("GET", "/v2/keys/a?quorum=true").json()["node"]["value"] == "1"  # type: ignore[index]
        members[1].wait_for_members("a", "b", "c")


@pytest.fixture
def ports() -> list[int]:
    return free_ports(6)


def test_the_bundled_servers_form_the_cluster(tmp_path: Path, ports: list[int]) -> None:
    plant(tmp_path, ports)
    assert convert("--write", tmp_path).status == DONE
    etcd02 = str(Path(sysconfig.get_path("scripts")) / "etcd02")
    serves_as_one([etcd02, "--engine", "bundled"], tmp_path, ports)


@pytest.mark.real_etcd
def test_real_etcds_form_the_cluster(tmp_path: Path, ports: list[int]) -> None:
    etcd = str(real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34))
    plant(tmp_path, ports)
    assert convert("--write", "--target", "3.4", "--allow-residue", tmp_path).status == DONE
    serves_as_one([etcd], tmp_path, ports)
