"""The files of one node are converted together or not at all: a part that is refused leaves the node as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrate02.cli.exits import REFUSED
from tests.migrate02.running import convert, state
from tests.migrate02.trees import OLD, plant

CONFLICT = "<<<<<<< a\nETCD_NAME=m1\n=======\nETCD_NAME=m2\n>>>>>>> b\n"
UNIT = "[Service]\n{}ExecStart=/usr/bin/etcd -peer-addr 10.0.0.1:7001\n"
SERVICE = "etc/systemd/system/etcd.service"

TORN = {
    "0.4's file is broken": {SERVICE: UNIT.format(""), "etc/etcd/etcd.conf": "addr = = 5\n"},
    "0.4's file has a wrong type": {SERVICE: UNIT.format(""), "etc/etcd/etcd.conf": "addr = 5\n"},
    "the environment file is in conflict": {
        SERVICE: UNIT.format("EnvironmentFile=/etc/default/etcd\n"),
        "etc/default/etcd": CONFLICT,
    },
    "the environment file has a bad value": {
        SERVICE: UNIT.format("EnvironmentFile=/etc/default/etcd\n"),
        "etc/default/etcd": "ETCD_NAME=m1\nETCD_ADDR=h\n",
    },
    "one of two files is in conflict": {
        SERVICE: UNIT.format("EnvironmentFile=/etc/default/etcd\n"),
        "etc/default/etcd": CONFLICT,
        "etc/etcd/etcd.conf": 'name = "m1"\n',
    },
    "the drop-in is in conflict": {
        SERVICE: UNIT.format(""),
        f"{SERVICE}.d/10.conf": "[Service]\n" + CONFLICT.replace("ETCD", "Environment=ETCD"),
    },
    "the file that a script takes in is in conflict": {
        "etc/init.d/etcd": "#!/bin/sh\n. /etc/default/etcd\nexec etcd -addr 10.0.0.1:4001 -name x\n",
        "etc/default/etcd": CONFLICT,
    },
    "the file of -config is broken": {
        SERVICE: "[Service]\nExecStart=/usr/bin/etcd -config=/etc/my-etcd.toml -addr 10.0.0.1:4001\n",
        "etc/my-etcd.toml": "addr = = 5\n",
    },
}


@pytest.mark.parametrize("files", TORN.values(), ids=TORN)
def test_a_node_with_a_refused_part_stays_as_it_was_and_others_are_converted(
    files: dict[str, str], tmp_path: Path
) -> None:
    plant(tmp_path, {f"m1/{name}": text for name, text in files.items()})
    plant(tmp_path, {"m2/etc/default/etcd": OLD})
    before = state(tmp_path)
    assert convert("--check", tmp_path).status == REFUSED
    assert convert("--write", tmp_path).status == REFUSED
    changed = [name for name, was in state(tmp_path).items() if was != before[name]]
    assert changed == ["m2/etc/default/etcd"]


def test_the_other_files_say_which_one_it_was(tmp_path: Path) -> None:
    plant(tmp_path, TORN["one of two files is in conflict"])
    run = convert("--check", "-v", ".", cwd=tmp_path)
    because = "Not changed: it belongs to ./etc/default/etcd, which is refused."
    told = [line.partition(": ")[0] for line in run.err.splitlines() if because in line]
    assert told == [f"review[not-converted] ./{name}" for name in ("etc/etcd/etcd.conf", SERVICE)]
    assert run.codes.count("unusable-input") == 1
    assert len(run.codes) == 3


def test_a_part_that_cannot_be_read_is_refused_too(tmp_path: Path) -> None:
    plant(tmp_path, {SERVICE: UNIT.format("EnvironmentFile=/etc/default/etcd\n")})
    (tmp_path / "etc/default").mkdir()
    os.mkfifo(tmp_path / "etc/default/etcd")
    before = (tmp_path / SERVICE).read_text()
    assert convert("--write", tmp_path).status == REFUSED
    assert (tmp_path / SERVICE).read_text() == before


def test_a_member_with_a_refused_part_is_not_taken_for_what_is_left_of_it(tmp_path: Path) -> None:
    """Its address may stand in the part that cannot be read, and would be wrong in the lists of the others."""
    for number in (1, 2):
        unit = (
            f"[Service]\nExecStart=/usr/bin/etcd -name m{number} -addr 10.0.0.{number}:4001 "
            f"-peer-addr 10.0.0.{number}:7001 -peers 10.0.0.{3 - number}:7001 -data-dir /d\n"
        )
        plant(tmp_path, {f"m{number}/{SERVICE}": unit})
    assert "incomplete-cluster" not in convert("--check", tmp_path).codes
    plant(tmp_path, {"m2/etc/etcd/etcd.conf": "[peer]\naddr = = 5\n"})
    run = convert("--check", "-v", tmp_path)
    assert f"review[incomplete-cluster] {tmp_path}/m1/" in run.err


def test_nothing_is_said_of_a_node_that_would_not_change(tmp_path: Path) -> None:
    plant(tmp_path, {SERVICE: "[Service]\nExecStart=/usr/bin/etcd --listen-peer-urls http://10.0.0.1:2380\n"})
    plant(tmp_path, {"etc/etcd/etcd.conf": "addr = = 5\n"})
    assert convert("--check", tmp_path).codes == ["unusable-input"]
