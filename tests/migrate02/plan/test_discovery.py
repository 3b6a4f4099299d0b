"""A cluster that found itself through a discovery service is converted by its own runbook's lines."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.migrate02.running import migrate02

TOKEN = "https://discovery.etcd.io/3e86b59982e49066c5d813af1c2e2579cbf573de"
UNIT = "[Service]\nExecStart=/usr/bin/etcd -name {name} -addr {host}:4001 -peer-addr {host}:7001 -data-dir /d -discovery {token}\n"
VARIABLES = "ETCD_NAME={name}\nETCD_ADDR={host}:4001\nETCD_PEER_ADDR={host}:7001\nETCD_DATA_DIR=/d\nETCD_DISCOVERY={token}\n"
CLOUD_CONFIG = """\
#cloud-config
coreos:
  etcd:
    name: {name}
    addr: {host}:4001
    peer-addr: {host}:7001
    discovery: {token}
  units:
    - name: etcd.service
      command: start
"""
TOML = """\
name = "{name}"
addr = "{host}:4001"
data_dir = "/d"
discovery = "{token}"

[peer]
addr = "{host}:7001"
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("etc/systemd/system/etcd.service", UNIT),
        ("etc/default/etcd", VARIABLES),
        ("user-data", CLOUD_CONFIG),
        ("etc/etcd/etcd.conf", TOML),
    ],
)
def test_its_lines_convert_and_leave_nothing(path: str, text: str, tmp_path: Path) -> None:
    for at in (1, 2, 3):
        file = tmp_path / f"n{at}" / path
        file.parent.mkdir(parents=True)
        file.write_text(text.format(name=f"n{at}", host=f"10.0.0.{at}", token=TOKEN))
    (cluster,) = json.loads(migrate02("plan", "--json", ".", cwd=tmp_path).out)["clusters"]
    assert len(cluster["nodes"]) == 3
    titles = ("Read what becomes of the configuration", "Convert the configuration")
    steps = [step for step in cluster["steps"] if step["title"] in titles]
    lines = [line for step in steps for line in (*step["run"], *step["check"])]
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "migrate02"
        run = migrate02(*words, cwd=tmp_path)
        assert run.status == 0, (line, run.err)
    assert [line.split()[2] for line in lines] == ["--diff", "--write", "--check"]
    assert TOKEN not in (tmp_path / "n1" / path).read_text()
