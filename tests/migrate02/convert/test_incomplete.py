"""No etcd starts with a list of members that a person has yet to complete, in whatever form and for whatever release."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.migrate02.running import convert, migrate02
from tests.support import real_etcd
from tests.support.ports import free_ports

OLD_FILE = 'name = "m1"\naddr = "127.0.0.1:{client}"\n{peers}\n[peer]\naddr = "127.0.0.1:{peer}"\n'
WHY = "run-migrate02-plan"

Words = list[str]


def _etcd34() -> Words:
    return [str(real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34))]


def _etcd35() -> Words:
    return [str(real_etcd.required(real_etcd.etcd35(), real_etcd.HOW_35))]


def _bundled() -> Words:
    return [str(Path(sys.executable).parent / "etcd02")]


ENGINES: dict[str, tuple[Callable[[], Words], str]] = {
    "bundled": (_bundled, "2.3"),
    "3.4": (_etcd34, "3.4"),
    "3.5": (_etcd35, "3.5"),
}


@pytest.mark.slow
@pytest.mark.real_etcd
@pytest.mark.parametrize("peers", ['peers = ["127.0.0.1:1"]', 'peers_file = "/etc/peers"'])
@pytest.mark.parametrize(
    ("engine", "form"),
    [
        (engine, form)
        for engine in ENGINES
        for form in ("flags", "env", "yaml", "args-json")
        if (engine, form) != ("bundled", "yaml")  # which etcd 2.x does not read
    ],
)
def test_no_engine_takes_it(engine: str, form: str, peers: str, tmp_path: Path) -> None:
    find, target = ENGINES[engine]
    client, peer = free_ports(2)
    old = tmp_path / "etcd.conf"
    old.write_text(OLD_FILE.format(client=client, peer=peer, peers=peers))
    run = convert("--target", target, "--to", form, old)
    assert (run.status, "incomplete-cluster" in run.codes) == (2, True)
    words, variables = _started(run.out, form, tmp_path)
    environ = {"PATH": os.environ["PATH"], "ETCD_UNSUPPORTED_ARCH": os.uname().machine, **variables}
    started = subprocess.run(
        [*find(), *words], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert started.returncode != 0
    assert WHY in started.stdout + started.stderr
    assert not list(tmp_path.rglob("member"))


def _started(text: str, form: str, folder: Path) -> tuple[Words, dict[str, str]]:
    """The words and the variables of a start with what was written."""
    if form == "yaml":
        path = folder / "etcd.yml"
        path.write_text(text)
        return ["--config-file", str(path)], {}
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    if form == "env":
        return [], dict(shlex.split(line)[0].split("=", 1) for line in code.splitlines())
    words = json.loads(code) if form == "args-json" else shlex.split(code.replace("\\\n", " "))
    return [word for word in words if word != "etcd"], {}


START = "etcd -name m1 -addr 10.0.0.1:4001 -peer-addr 10.0.0.1:7001 -data-dir /d -peers 10.0.0.2:7001"
FORMATS = {
    "script": f"#!/bin/sh\nexec {START}\n",
    "unit": f"[Service]\nExecStart=/usr/bin/{START}\n",
    "supervisor": f"[program:etcd]\ncommand=/usr/bin/{START}\n",
    "upstart": f"start on started networking\nexec /usr/bin/{START}\n",
    "compose": f"etcd:\n  image: quay.io/coreos/etcd\n  command: {START.removeprefix('etcd ')}\n",
    "dockerfile": f"FROM scratch\nCMD {json.dumps(START.split())}\n",
    "procfile": f"etcd: {START}\n",
    "cloud-config": "#cloud-config\ncoreos:\n  etcd:\n    addr: $private_ipv4:4001\n"
    "    peer-addr: $private_ipv4:7001\n    peers: 10.0.0.2:7001\n",
    "variables": "ETCD_NAME=m1\nETCD_PEER_ADDR=10.0.0.1:7001\nETCD_PEERS=10.0.0.2:7001\n",
    "flags": START + "\n",
    "json": json.dumps(START.split()) + "\n",
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_has_the_placeholder_and_is_reported_while_it_has(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(FORMATS[kind])
    run = convert("--write", path)
    text = path.read_text()
    assert (run.status, run.codes.count("incomplete-cluster")) == (2, 1)
    assert text.count(",OTHERS=run-migrate02-plan") == 1
    assert "NAME-OF" not in text
    assert "peers" not in text.replace("# 0.4: peers", "").replace("# 0.4: ETCD_PEERS", "").lower()
    again = convert("--check", path)
    assert (again.status, again.codes.count("incomplete-cluster")) == (2, 1)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_list_completes_it(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(FORMATS[kind])
    convert("--write", path)
    members = "m1=http://10.0.0.1:7001,m2=http://10.0.0.2:7001"
    run = convert("--write", "--initial-cluster", members, path)
    assert "incomplete-cluster" not in run.codes
    text = path.read_text()
    assert (text.count(members), text.count("run-migrate02-plan")) == (1, 0)


def test_every_place_of_a_tree_is_reported(tmp_path: Path) -> None:
    """Of whatever kind the file is, and where a comment hides it: without the line etcd 3.4 starts a cluster of one."""
    (tmp_path / "role.erb").write_text("x\n  '--initial-cluster a=http://a:1,OTHERS=run-migrate02-plan'\n")
    (tmp_path / "etcd.env").write_text("# ETCD_INITIAL_CLUSTER=a=http://a:1,OTHERS=run-migrate02-plan\n")
    (tmp_path / "README.md").write_text("run-migrate02-plan stands for the others\n")
    run = convert("--check", "-v", tmp_path)
    found = [line.split(": ")[0] for line in run.err.splitlines() if line.startswith("review[")]
    assert sorted(found) == [
        f"review[incomplete-cluster] {tmp_path}/etcd.env:1",
        f"review[incomplete-cluster] {tmp_path}/role.erb:2",
    ]
    assert run.status == 2


def test_what_a_start_cannot_see_is_not_put_in_the_list(tmp_path: Path) -> None:
    """The name and the address may stand in the environment file that was not given."""
    path = tmp_path / "etcd.service"
    path.write_text(
        "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -peers 10.0.0.1:7001\n"
    )
    assert "--initial-cluster OTHERS=run-migrate02-plan" in convert("--from", "0.4", path).out


def test_an_empty_list_of_others_is_a_cluster_of_one() -> None:
    run = convert("--", "etcd", "-name", "m1", "-peer-addr", "10.0.0.1:7001", "-peers=")
    assert "--initial-cluster m1=http://10.0.0.1:7001\n" in run.out + "\n"
    assert "incomplete-cluster" not in run.codes


def test_made_up_names_are_no_two_members() -> None:
    run = convert(
        "--", "etcd", "-name", "a", "-peer-addr", "a:7001", "-peers", "a:7002,b:1,b:2,[::1]:3,$IP:4"
    )
    line = next(line for line in run.err.splitlines() if "[incomplete-cluster]" in line)
    proposal = line.partition("each of them: --initial-cluster ")[2].partition(" ")[0]
    names = [entry.partition("=")[0] for entry in proposal.split(",")]
    assert (len(names), len(set(names))) == (6, 6)


# 0.4's discovery gives way where the members are listed.

TOKEN = "https://discovery.example.com/abc"
LIST = "m1=http://10.0.0.1:7001,m2=http://10.0.0.2:7001"


@pytest.mark.parametrize("start", ["-name m1 -peer-addr 10.0.0.1:7001 -discovery", "-name m1 -discovery"])
def test_discovery_is_dropped_for_the_list_of_the_run(start: str) -> None:
    run = convert("--from", "0.4", "--initial-cluster", LIST, "--", "etcd", *start.split(), TOKEN)
    if "-peer-addr" not in start:
        assert (
            "settings-clash" in run.codes
        )  # the list is another's; nothing is said of two ways to a cluster
        assert "several-bootstraps" not in run.codes
        return
    assert (run.status, "discovery-dropped" in run.codes) == (0, True)
    assert f"--initial-cluster {LIST}" in run.out
    assert "--discovery" not in run.out


def test_both_in_one_file_is_refused_as_etcd_does() -> None:
    words = ["etcd", "-name", "m1", "-initial-cluster", LIST, "-discovery", TOKEN]
    assert "several-bootstraps" in convert("--", *words).codes
    assert "several-bootstraps" in convert("--initial-cluster", LIST, "--", *words).codes


@pytest.mark.parametrize(("target", "count"), [("3.3", 0), ("3.4", 1), ("3.5", 1), ("3.6", 0)])
def test_v2_data_is_reported_where_the_v2_api_is_switched_on(target: str, count: int) -> None:
    run = convert("--target", target, "--", "etcd", "-name", "m1", "-peer-addr", "10.0.0.1:7001")
    assert run.codes.count("v2-data") == count


def test_a_list_in_an_environment_file_is_reported_once_for_it_and_its_unit(tmp_path: Path) -> None:
    (tmp_path / "etcd.service").write_text(
        "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -name m1 -peer-addr 10.0.0.1:7001\n"
    )
    default = tmp_path / "etc" / "default" / "etcd"
    default.parent.mkdir(parents=True)
    default.write_text("GOMAXPROCS=4\nETCD_PEERS=10.0.0.2:7001\n")
    for _ in range(2):
        run = convert("--write", tmp_path)
        assert [line.split(": ")[0] for line in run.err.splitlines() if "[incomplete-cluster]" in line] == [
            f"review[incomplete-cluster] {default}:2"
        ]


def test_the_runbook_of_a_cluster_with_a_token_can_be_carried_out(tmp_path: Path) -> None:
    """The plan lists the members that the token stood for."""
    for number in (1, 2, 3):
        unit = tmp_path / f"m{number}/etc/systemd/system/etcd.service"
        unit.parent.mkdir(parents=True)
        unit.write_text(
            f"[Service]\nExecStart=/usr/bin/etcd -name m{number} -data-dir /d -addr 10.0.0.{number}:4001 "
            f"-peer-addr 10.0.0.{number}:7001 -discovery {TOKEN}\n"
        )
    runbook = migrate02("plan", tmp_path).out.splitlines()
    commands = [shlex.split(line) for line in runbook if line.startswith("migrate02 convert ")]
    statuses = [migrate02(*words[1:]).status for words in commands]
    assert (len(statuses), set(statuses)) == (3, {0})
    for path in tmp_path.rglob("*.service"):
        assert "--initial-cluster m1=http://10.0.0.1:7001,m2=http://10.0.0.2:7001" in path.read_text()
        assert "discovery" not in path.read_text()
