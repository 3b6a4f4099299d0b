"""Which files of a tree make up one configuration."""

from __future__ import annotations

from pathlib import Path

from migrate02.cli.exits import DONE, REFUSED
from tests.migrate02.running import convert
from tests.migrate02.trees import OLD, UNIT, plant


def test_a_unit_and_its_environment_file_are_one_configuration(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "m1/etc/systemd/system/etcd.service": UNIT,
            "m1/etc/default/etcd": "ETCD_NAME=m1\nETCD_ADDR=10.0.0.1:4001\nETCD_PEER_ADDR=10.0.0.7:7001\n",
        },
    )
    run = convert("--write", tmp_path)
    assert run.status == DONE
    unit = (tmp_path / "m1/etc/systemd/system/etcd.service").read_text()
    assert "--initial-cluster m1=http://10.0.0.1:7001" in unit
    environment = (tmp_path / "m1/etc/default/etcd").read_text()
    assert "ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:4001" in environment
    assert "# 0.4: ETCD_PEER_ADDR=10.0.0.7:7001" in environment  # the flag had the last word
    assert "PEER_URLS" not in environment


def test_files_that_are_named_together_are_one_configuration_too(tmp_path: Path) -> None:
    plant(tmp_path, {"etcd.service": UNIT, "etcd": OLD})
    alone = convert("--check", tmp_path / "etcd.service")
    assert "environment-elsewhere" in alone.codes
    both = convert("--check", tmp_path / "etcd.service", tmp_path / "etcd")
    assert "environment-elsewhere" not in both.codes


def test_an_environment_file_of_another_machine_is_not_taken(tmp_path: Path) -> None:
    plant(tmp_path, {"m1/etc/systemd/system/etcd.service": UNIT, "m2/etc/default/etcd": OLD})
    assert "environment-elsewhere" in convert("--check", tmp_path).codes


def test_a_unit_takes_04s_own_file_without_naming_it(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "etc/systemd/system/etcd.service": "[Service]\nExecStart=/usr/bin/etcd -name m1\n",
            "etc/etcd/etcd.conf": 'name = "other"\naddr = "10.0.0.1:4001"\ndata_dir = "/d"\n',
        },
    )
    assert convert("--write", tmp_path).status == DONE
    unit = (tmp_path / "etc/systemd/system/etcd.service").read_text()
    assert "EnvironmentFile=/etc/etcd/etcd.conf\nExecStart=/usr/bin/etcd -name m1 --" in unit
    environment = (tmp_path / "etc/etcd/etcd.conf").read_text()
    assert 'ETCD_ADVERTISE_CLIENT_URLS="http://10.0.0.1:4001"' in environment
    assert "ETCD_NAME" not in environment


def test_a_script_gets_the_settings_of_04s_own_file_as_flags(tmp_path: Path) -> None:
    text = 'addr = "10.0.0.1:4001"\ndata_dir = "/d"\n'
    plant(tmp_path, {"run": "#!/bin/sh\nexec etcd -config /srv/etcd.conf -v\n", "srv/etcd.conf": text})
    run = convert("--write", tmp_path)
    assert "file-moved" in run.codes
    script = (tmp_path / "run").read_text()
    assert "--advertise-client-urls http://10.0.0.1:4001" in script
    assert "-config" not in script
    assert (tmp_path / "srv/etcd.conf").read_text() == text


def test_defaults_that_a_script_takes_in_are_converted_with_it(tmp_path: Path) -> None:
    script = "#!/bin/sh\n. /etc/default/etcd\nset -a\nexec etcd -data-dir /d $OPTS\n"
    plant(
        tmp_path,
        {"etc/init.d/etcd": script, "etc/default/etcd": 'OPTS="-name m1 -addr 10.0.0.1:4001"\nX=1\n'},
    )
    assert convert("--write", tmp_path).status == DONE
    assert "--advertise-client-urls http://10.0.0.1:4001" in (tmp_path / "etc/default/etcd").read_text()
    assert (tmp_path / "etc/init.d/etcd").read_text() == script


def test_flags_in_a_variable_of_an_environment_file_are_converted_with_the_unit(tmp_path: Path) -> None:
    unit = "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -data-dir /d $ETCD_OPTS\n"
    options = 'ETCD_NAME=m1\nETCD_OPTS="-addr 10.0.0.1:4001 -v"\nETCD_PEER_ADDR=10.0.0.1:7001\n'
    plant(tmp_path, {"etc/systemd/system/etcd.service": unit, "etc/default/etcd": options})
    run = convert("--write", tmp_path)
    assert (run.status, "flags-elsewhere" in run.codes) == (DONE, False)
    environment = (tmp_path / "etc/default/etcd").read_text()
    assert (
        'ETCD_OPTS="--listen-client-urls http://[::]:4001 --advertise-client-urls http://10.0.0.1:4001'
        in environment
    )
    assert "--debug=true" in environment
    assert "ETCD_INITIAL_ADVERTISE_PEER_URLS=http://10.0.0.1:7001\n" in environment
    assert (tmp_path / "etc/systemd/system/etcd.service").read_text() == unit


def test_a_file_of_this_machine_that_cannot_be_read_is_refused_and_its_start_stays(tmp_path: Path) -> None:
    unit = tmp_path / "etcd.service"
    unit.write_text(
        f"[Service]\nEnvironmentFile={tmp_path}/none/etcd.env\nExecStart=/usr/bin/etcd -addr 10.0.0.1:4001\n"
    )
    code, _, err = convert(unit, tmp_path / "none/etcd.env")
    assert code == REFUSED
    assert "No such file or directory" in err
    assert "2 files: 0 converted, 1 unchanged (1 needs your attention), 1 refused" in err
