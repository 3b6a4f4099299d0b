"""Files that change together, or not at all."""

from __future__ import annotations

from pathlib import Path

from migrate02.cli.exits import REFUSED, RESIDUE
from tests.migrate02.running import convert
from tests.migrate02.trees import OLD, UNIT, plant


def test_a_file_that_belongs_to_a_refused_one_stays_with_it(tmp_path: Path) -> None:
    unit = UNIT.replace("-peer-addr", "-bind-addr nowhere:at:all -peer-addr")
    plant(tmp_path, {"etc/systemd/system/etcd.service": unit, "etc/default/etcd": OLD})
    assert convert("--write", tmp_path).status == REFUSED
    assert (tmp_path / "etc/default/etcd").read_text() == OLD
    assert (tmp_path / "etc/systemd/system/etcd.service").read_text() == unit


def test_an_environment_file_that_two_units_need_differently_is_left(tmp_path: Path) -> None:
    other = "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -addr 10.0.0.3:4003\n"
    plant(
        tmp_path,
        {
            "etc/systemd/system/a.service": UNIT,
            "etc/systemd/system/b.service": other,
            "etc/default/etcd": OLD,
        },
    )
    run = convert("--write", "-v", tmp_path)
    assert run.status == RESIDUE
    assert run.codes.count("shared-settings") == 3
    assert (tmp_path / "etc/default/etcd").read_text() == OLD
