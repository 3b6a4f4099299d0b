"""OpenRC starts ``$command $command_args`` by itself, with what /etc/conf.d/NAME sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.migrate02.running import convert

FLAGS = "-name m1 -addr 10.0.0.1:4001 -peer-addr 10.0.0.1:7001 -data-dir /d"
HEADS = ["#!/sbin/runscript", "#!/sbin/openrc-run", "#!/usr/bin/openrc-run"]
NEW = "--advertise-client-urls http://10.0.0.1:4001"


def service(arguments: str, head: str = HEADS[0], more: str = "") -> str:
    return f"{head}\ncommand=/usr/bin/etcd\n{arguments}pidfile=/run/etcd.pid\n\ndepend() {{\n\tneed net\n}}\n{more}"


def plant(root: Path, script: str, settings: str | None = None) -> tuple[Path, Path]:
    paths = (root / "etc/init.d/etcd", root / "etc/conf.d/etcd")
    for path, text in zip(paths, (script, settings), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text)
    return paths


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("head", HEADS)
def test_the_arguments_are_converted_in_their_place(head: str, quote: str, tmp_path: Path) -> None:
    text = service(f"command_args={quote}{FLAGS}{quote}\n", head)
    script, _ = plant(tmp_path, text)
    run = convert("--write", tmp_path)
    assert run.status == 0
    before, after = text.splitlines(), script.read_text().splitlines()
    assert [line for line in after if not line.startswith("command_args")] == [
        line for line in before if not line.startswith("command_args")
    ]
    assert NEW in after[2]
    assert convert("--check", tmp_path).status == 0


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ('command_args="$ETCD_OPTS"\n', f'ETCD_OPTS="{FLAGS}"\n'),
        ('command_args="${ETCD_OPTS}"\n', f"ETCD_OPTS='{FLAGS}'\n"),
        ("", f'command_args="{FLAGS}"\n'),
    ],
)
def test_the_pair_is_converted_together(arguments: str, settings: str, tmp_path: Path) -> None:
    script, beside = plant(tmp_path, service(arguments), settings)
    assert convert("--write", tmp_path).status == 0
    assert script.read_text() == service(arguments)
    assert NEW in beside.read_text()


def test_variables_that_the_pair_exports_are_converted(tmp_path: Path) -> None:
    settings = "export ETCD_ADDR=10.0.0.1:4001\n"
    script, beside = plant(tmp_path, service('command_args="-name m1 -peer-addr 10.0.0.1:7001"\n'), settings)
    convert("--write", tmp_path)
    assert "ETCD_ADVERTISE_CLIENT_URLS" in beside.read_text()
    assert "--initial-advertise-peer-urls" in script.read_text()


def test_settings_that_are_not_there_are_not_guessed(tmp_path: Path) -> None:
    text = service('command_args="$ETCD_OPTS"\n')
    script, _ = plant(tmp_path, text)
    run = convert("--write", "--from", "0.4", tmp_path)
    assert (run.status, script.read_text()) == (2, text)
    assert "flags-elsewhere" in run.codes


def test_a_service_that_starts_etcd_itself_is_a_script(tmp_path: Path) -> None:
    own = f"start() {{\n\tstart-stop-daemon --start --exec /usr/bin/etcd -- {FLAGS}\n}}\n"
    script, _ = plant(tmp_path, service("", more=own))
    assert convert("--write", tmp_path).status == 0
    assert NEW in script.read_text()


def test_another_program_is_left(tmp_path: Path) -> None:
    text = service(f'command_args="{FLAGS}"\n').replace("/usr/bin/etcd", "/usr/bin/other")
    script, _ = plant(tmp_path, text)
    convert("--write", tmp_path)
    assert script.read_text() == text
