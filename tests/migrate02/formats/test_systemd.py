"""systemd's units and drop-ins."""

from __future__ import annotations

import pytest

from tests.migrate02.formats.readers import Settings, converted, read, settings_of, starts

NAME: Settings = {"name": "m1"}
STARTS: list[tuple[str, Settings, Settings]] = [
    ("ExecStart=/usr/bin/etcd -name m1\n", NAME, {}),
    ("ExecStart=-/usr/bin/etcd -name m1\n", NAME, {}),
    ("ExecStart=@/usr/bin/etcd member -name m1\n", NAME, {}),
    ("ExecStart=/usr/bin/etcd \\\n  # a comment\n  -name m1\n", NAME, {}),
    ("ExecStart=/usr/bin/etcd '-name' \"m1\"\n", NAME, {}),
    ("ExecStart=/usr/bin/etcd -name %H\n", {"name": "%H"}, {}),
    ("ExecStart=/usr/bin/env etcd -name m1\n", NAME, {}),
    ("ExecStart=/bin/sh -c 'exec etcd -name m1'\n", NAME, {}),
    ("ExecStart=/usr/bin/docker run -e ETCD_CORS=x quay.io/coreos/etcd -name m1\n", NAME, {"cors": "x"}),
    ("Environment=ETCD_CORS=x A=b\nExecStart=/usr/bin/etcd -name m1\n", NAME, {"cors": "x"}),
    ('Environment="ETCD_CORS=x y"\nExecStart=/usr/bin/etcd -name m1\n', NAME, {"cors": "x y"}),
]


@pytest.mark.parametrize(("lines", "flags", "variables"), STARTS)
def test_a_start_is_found_with_its_settings(lines: str, flags: Settings, variables: Settings) -> None:
    assert starts("systemd", f"[Service]\n{lines}") == [(flags, variables)]


NONE = [
    "[Service]\nExecStart=/usr/bin/flanneld -etcd-endpoints=http://10.0.0.9:4001\n",
    "[Service]\nExecStartPre=/usr/bin/etcd -version\nExecStart=/bin/true\n",
    "[Service]\n#ExecStart=/usr/bin/etcd -name m1\nExecStart=/bin/true\n",
    "[Unit]\nAfter=etcd.service\n",
]


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_start_of_etcd_is_left(text: str) -> None:
    assert starts("systemd", text) == []


def test_an_environment_file_is_named_and_may_be_missing() -> None:
    text = "[Service]\nEnvironmentFile=-/etc/default/etcd\nExecStart=/usr/bin/etcd\n"
    ((file,),) = (setup.files for setup in read("systemd", text).setups)
    assert (file.path, file.line, file.optional) == ("/etc/default/etcd", 2, True)


def test_a_variable_of_that_file_may_stand_for_flags() -> None:
    text = "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd $OPTS\n"
    (setup,) = read("systemd", text, files={"/etc/default/etcd": 'OPTS="-name m1"\n'}).setups
    assert settings_of(setup) == (NAME, {})


def test_a_drop_in_has_variables_for_a_unit_that_is_not_seen() -> None:
    (setup,) = read("systemd", "[Service]\nEnvironment=ETCD_NAME=m1\n", "etcd.service.d/a.conf").setups
    assert setup.only_variables
    assert setup.unseen


def test_a_drop_in_of_another_unit_is_none() -> None:
    text = "[Service]\nEnvironment=ETCD_NAME=m1\n"
    assert read("systemd", text, "flannel.service.d/a.conf").is_empty


def test_only_the_settings_of_a_unit_change() -> None:
    text = "[Unit]\n; mine\nDescription=a  b\n\n[Service]\nExecStart=/usr/bin/etcd -name m1 \\\r\n  -f\nUser=etcd\n"
    after = converted(text)
    assert after.startswith("[Unit]\n; mine\nDescription=a  b\n\n[Service]\nExecStart=/usr/bin/etcd ")
    assert after.endswith("\nUser=etcd\n")
