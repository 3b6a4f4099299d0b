"""The drop-in binary in process: what it prints, and the exit status etcd would have had."""

import json
import os
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from compat.etcd02 import main
from server.config import SETTINGS, Config
from tests.compat.helpers import NOWHERE


class Outcome(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = json.loads(self.out)
        return config


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(
        self, line: str, environ: dict[str, str] | None = None, system_file: str = NOWHERE
    ) -> Outcome:
        status = main(["etcd02", *shlex.split(line)], environ or {}, system_file)
        return Outcome(status, *self._capsys.readouterr())


@pytest.fixture
def etcd02(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def refuse(config: Config) -> int:
        raise AssertionError(f"the bundled server was started with {config}")

    monkeypatch.setattr("server.main.run", refuse)
    return Run(capsys)


def test_print_config_is_the_whole_2_x_configuration(etcd02: Run) -> None:
    found = etcd02("--print-config -name m1 -addr 127.0.0.1:4001 -peer-addr 127.0.0.1:7001 -data-dir D -v")
    assert found.status == 0
    assert list(found.config) == [setting.name for setting in SETTINGS]
    expected = {
        "name": "m1",
        "data-dir": "D",
        "advertise-client-urls": ["http://127.0.0.1:4001"],
        "listen-client-urls": ["http://[::]:4001"],
        "initial-advertise-peer-urls": ["http://127.0.0.1:7001"],
        "listen-peer-urls": ["http://[::]:7001"],
        "initial-cluster": "m1=http://127.0.0.1:7001",
        "debug": True,
        "heartbeat-interval": 100,
    }
    assert expected.items() <= found.config.items()


def test_print_config_of_nothing_is_2_3_8s_defaults(etcd02: Run) -> None:
    found = etcd02("--print-config")
    assert (found.status, found.err) == (0, "")
    assert found.config["name"] == "default"
    assert found.config["listen-client-urls"] == ["http://localhost:2379", "http://localhost:4001"]
    assert found.config["initial-cluster"] == "default=http://localhost:2380,default=http://localhost:7001"


def test_the_guides_example_gives_urls_timings_and_a_finding_for_each_thing_bent(etcd02: Run) -> None:
    found = etcd02(
        "-name m1 -addr 10.0.0.9:4001 -peer-addr infra0.example.com:7001 -bind-addr 0.0.0.0 "
        "-peer-heartbeat-interval 500 -peer-election-timeout 2000 --print-config"
    )
    assert found.status == 0
    expected = {
        "advertise-client-urls": ["http://10.0.0.9:4001"],
        "listen-client-urls": ["http://0.0.0.0:4001"],
        "initial-advertise-peer-urls": ["http://infra0.example.com:7001"],
        "listen-peer-urls": ["http://[::]:7001"],
        "heartbeat-interval": 500,
        "election-timeout": 2500,
    }
    assert expected.items() <= found.config.items()
    for code in ("port-added", "host-name", "timing-bent"):
        assert f"[{code}]" in found.err


def test_each_finding_is_one_line_on_standard_error(etcd02: Run) -> None:
    found = etcd02("--print-config -f -addr 127.0.0.1:1", {"ETCD_X": "two\nlines"})
    assert all(line.startswith("etcd02: ") for line in found.err.splitlines())
    assert "two\\nlines" in found.err


@pytest.mark.parametrize(
    ("line", "environ", "status", "says"),
    [
        ("-nope", {}, 2, "flag -nope: flag provided but not defined: -nope"),
        (
            "-addr 10.0.1.10",
            {},
            2,
            'invalid value "10.0.1.10" for flag -addr: address 10.0.1.10: missing port in address',
        ),
        ("-addr http://10.0.1.10:4001", {}, 2, "too many colons in address"),
        ("-addr 127.0.0.1:99999", {}, 1, "address 99999: invalid port"),
        ("-listen-client-urls 127.0.0.1:4001", {}, 2, "first path segment in URL cannot contain colon"),
        (
            "-listen-client-urls http://127.0.0.1:4001/",
            {},
            2,
            "URL must not contain a path: http://127.0.0.1:4001/",
        ),
        (
            "",
            {"ETCD_ADDR": "10.0.1.10"},
            1,
            'invalid value "10.0.1.10" for ETCD_ADDR: address 10.0.1.10: missing port in address',
        ),
        (
            "",
            {"ETCD_LISTEN_CLIENT_URLS": "127.0.0.1:4001"},
            1,
            "first path segment in URL cannot contain colon",
        ),
        (
            "",
            {"ETCD_HEARTBEAT_INTERVAL": "x"},
            1,
            'invalid value "x" for ETCD_HEARTBEAT_INTERVAL: parse error',
        ),
        ("-name", {}, 2, "flag needs an argument: -name"),
        ("-debug=yes", {}, 2, 'invalid boolean value "yes" for -debug: parse error'),
        ("-name m stray", {}, 1, "error verifying flags, 'stray' is not a valid flag. See 'etcd --help'."),
        (
            "-cluster-active-size many",
            {},
            1,
            "error verifying flags, 'many' is not a valid flag. See 'etcd --help'.",
        ),
        ("-peers a:7001", {}, 2, 'flag "-peers" is no longer supported.'),
        ("-peers-file f", {}, 2, 'flag "-peers-file" is no longer supported.'),
        (
            "",
            {"ETCD_PEERS": "a:7001"},
            1,
            'invalid value "a:7001" for ETCD_PEERS: flag "-peers" is no longer supported.',
        ),
        (
            "-addr 127.0.0.1:1 -advertise-client-urls http://127.0.0.1:1",
            {},
            1,
            "Set only one of flags -advertise-client-urls and -addr.",
        ),
        (
            "-addr 127.0.0.1:1",
            {"ETCD_ADVERTISE_CLIENT_URLS": "http://127.0.0.1:1"},
            1,
            "Set only one of flags -advertise-client-urls and -addr.",
        ),
        (
            "-discovery= -initial-cluster a=http://a:1",
            {},
            1,
            "multiple discovery or bootstrap flags are set.",
        ),
        (
            "-listen-client-urls http://127.0.0.1:1",
            {},
            1,
            "error verifying flags, -advertise-client-urls is required when -listen-client-urls is set explicitly. See 'etcd --help'.",
        ),
        (
            "-election-timeout 400",
            {},
            1,
            "error verifying flags, -election-timeout[400ms] should be at least as 5 times as -heartbeat-interval[100ms]. See 'etcd --help'.",
        ),
        ("-election-timeout 60000", {}, 1, "is too long, and should be set less than 50000ms"),
        ("-heartbeat-interval 0", {}, 1, "-heartbeat-interval[0ms] must be at least 1ms"),
        ("-config=gone.conf", {}, 1, "gone.conf: -config: No such file or directory"),
        ("-config=.", {}, 1, ".: -config: Is a directory"),
        ("--enable-v2", {}, 2, "flag provided but not defined: -enable-v2"),
        ("--engine", {}, 2, "flag needs an argument: -engine"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "--print-config "])
def test_what_etcd_refuses_is_one_line_with_etcds_words_and_status(
    prefix: str, line: str, environ: dict[str, str], status: int, says: str, etcd02: Run
) -> None:
    found = etcd02(prefix + line, environ)
    assert (found.status, found.out) == (status, "")
    assert found.err.startswith("etcd02: error[")
    assert says in found.err
    assert found.err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name = \n", "bad.conf: -config: Invalid value (at line 1, column 8)"),
        (b"\xff\xfe\x00binary", "bad.conf: -config: a binary file, not an etcd configuration"),
        (b"http_read_timeout = 10\n", "bad.conf:1: http_read_timeout = 10 has the wrong type"),
        (
            b'\n[peer]\naddr = "h"\n',
            'bad.conf:3: invalid value "h" for peer.addr: address h: missing port in address',
        ),
        (
            b'peers = ["a:7001"]\n',
            'bad.conf:1: invalid value "a:7001" for peers: flag "-peers" is no longer supported.',
        ),
        (b"snapshot_count = -5\n", 'bad.conf:1: invalid value "-5" for snapshot_count: parse error'),
    ],
    ids=["broken", "binary", "type", "address", "peers", "negative"],
)
def test_a_bad_file_is_one_line_with_its_place(content: bytes, says: str, etcd02: Run) -> None:
    Path("bad.conf").write_bytes(content)
    found = etcd02("-config=bad.conf")
    assert (found.status, found.out) == (1, "")
    assert says in found.err
    assert found.err.count("\n") == 1


def test_an_empty_file_was_fine_with_0_4(etcd02: Run) -> None:
    Path("empty.conf").touch()
    found = etcd02("--print-config -config=empty.conf -name m")
    assert found.status == 0
    assert found.config["advertise-client-urls"] == ["http://127.0.0.1:4001"]


def test_the_system_file_of_0_4_is_read(etcd02: Run) -> None:
    Path("etcd.conf").write_text('name = "m9"\naddr = "10.0.0.9:4001"\n[peer]\nbogus = 1\n')
    found = etcd02("--print-config", {}, "etcd.conf")
    assert found.config["name"] == "m9"
    assert "etcd.conf:4: peer.bogus = 1: 0.4 silently ignored this key" in found.err


@pytest.mark.parametrize(
    "line",
    ["-version", "--version", "-version -addr 127.0.0.1:1 -advertise-client-urls http://a:1", "-version -v"],
)
def test_version_comes_before_any_conflict(line: str, etcd02: Run) -> None:
    found = etcd02(line)
    assert (found.status, found.err) == (0, "")
    assert found.out.startswith("etcd Version: 2.3.8\n")


@pytest.mark.parametrize(
    ("line", "status"), [("-version x", 1), ("-addr bad -version", 2), ("-version -nope", 2)]
)
def test_version_comes_after_the_whole_line_was_read(line: str, status: int, etcd02: Run) -> None:
    assert etcd02(line).status == status


@pytest.mark.parametrize("line", ["-h", "--help", "-help=false", "-name x -h -nope"])
def test_help_lists_every_setting_of_both_worlds(line: str, etcd02: Run) -> None:
    found = etcd02(line)
    assert (found.status, found.err) == (0, "")
    for name in (
        "--listen-client-urls",
        "-peer-addr -s",
        "--engine",
        "-cluster-active-size -maxsize -max-cluster-size",
    ):
        assert name in found.out


def test_an_error_before_help_wins(etcd02: Run) -> None:
    assert etcd02("-nope -h").status == 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ETCD_ENABLE_V2", "true"), ("ETCD_LOG_LEVEL", "debug"), ("ETCD_CONFIG_FILE", "x")],
)
def test_a_variable_of_a_later_release_is_unrecognized_as_it_is_to_2_3_8(
    variable: str, value: str, etcd02: Run
) -> None:
    found = etcd02("--print-config", {variable: value})
    assert found.status == 0
    assert f"unrecognized environment variable {variable}={value}" in found.err
    assert list(found.config) == [setting.name for setting in SETTINGS]


def test_print_config_false_starts(etcd02: Run) -> None:
    assert etcd02("--print-config=false --engine gone").status == 1


# Engines


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "etcd"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\necho "etcd Version: 3.4.23"\n')
    path.chmod(0o755)
    return path


class Became(Exception):
    """In the place of exec."""


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def execve(path: str, argv: list[str], environ: dict[str, str]) -> None:
        assert path == argv[0]
        calls.append((argv, environ))
        raise Became

    monkeypatch.setattr(os, "execve", execve)
    return calls


Calls = list[tuple[list[str], dict[str, str]]]


@pytest.mark.parametrize("by", ["flag", "variable", "auto flag", "auto variable"])
def test_a_real_etcd_takes_over(by: str, engine: Path, became: Calls, etcd02: Run) -> None:
    choice = "auto" if by.startswith("auto") else str(engine)
    environ = {"PATH": str(engine.parent), "ETCD_ADDR": "127.0.0.1:1"}
    line = f"-name m --engine {choice}" if by.endswith("flag") else "-name m"
    if by.endswith("variable"):
        environ["ETCD02_ENGINE"] = choice
    with pytest.raises(Became):
        etcd02(line, environ)
    ((argv, kept),) = became
    assert argv[0] == str(engine)
    assert argv[argv.index("--advertise-client-urls") + 1] == "http://127.0.0.1:1"
    assert "--enable-v2=true" in argv
    assert kept == {"PATH": str(engine.parent)}


def test_a_real_etcd_answers_for_its_version(engine: Path, became: Calls, etcd02: Run) -> None:
    with pytest.raises(Became):
        etcd02(f"-version --engine {engine}")
    assert became[0][0] == [str(engine), "--version"]


def test_flags_of_later_releases_are_for_a_later_etcd(engine: Path, became: Calls, etcd02: Run) -> None:
    with pytest.raises(Became):
        etcd02(f"--auto-tls -name m --engine {engine}")
    assert "--auto-tls=true" in became[0][0]
    found = etcd02(f"--auto-tls -name m --engine {engine} --print-config")
    assert found.config["auto-tls"] == "true"


def test_auto_without_a_real_etcd_says_so(etcd02: Run) -> None:
    found = etcd02("--engine auto --print-config", {"PATH": "/nonexistent"})
    assert found.status == 0
    assert "no etcd on the PATH, so the bundled server" in found.err


@pytest.mark.parametrize("line", ["--engine /nonexistent", "--engine /nonexistent -version", "--engine /etc"])
def test_an_engine_that_is_none_is_one_line(line: str, etcd02: Run) -> None:
    found = etcd02(line)
    assert found.status == 1
    assert found.err.startswith("etcd02: error[engine]")
    assert found.err.count("\n") == 1


@pytest.mark.parametrize("line", ["", "--engine {engine}", "--print-config"])
def test_data_of_0_4_is_not_started_over(line: str, engine: Path, became: Calls, etcd02: Run) -> None:
    Path("D").mkdir()
    Path("D/log").touch()
    found = etcd02(f"-name m -data-dir D {line.format(engine=engine)}")
    assert found.status == 1
    assert "error[data-dir-04] D: This directory holds data of etcd 0.4" in found.err
    assert "mv D D.0.4" in found.err
    assert found.out == ""
    assert os.listdir("D") == ["log"]
    assert not became


def test_data_of_0_4_is_read_by_2_0_and_2_1(engine: Path, became: Calls, etcd02: Run) -> None:
    engine.write_text('#!/bin/sh\necho "etcd Version: 2.1.3"\n')
    Path("D").mkdir()
    Path("D/log").touch()
    with pytest.raises(Became):
        etcd02(f"-name m -data-dir D --engine {engine}")


def test_data_of_2x_given_to_3_5_is_told_of_before_it_starts(
    engine: Path, became: Calls, etcd02: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.write_text('#!/bin/sh\necho "etcd Version: 3.5.33"\n')
    Path("D/member/wal").mkdir(parents=True)
    Path("D/member/wal/0000000000000000-0000000000000000.wal").touch()
    with pytest.raises(Became):
        etcd02(f"--name m --data-dir D --engine {engine}")
    assert "review[straight-from-2x] D: D holds data of etcd 2.x. etcd 3.5.33" in capsys.readouterr().err


OLD_LINE = "-name m1 -addr 127.0.0.1:4001 -peer-addr 127.0.0.1:7001 -v"
NEW_LINE = "--name m1"


@pytest.mark.parametrize(
    ("line", "environ", "on"),
    [
        (OLD_LINE, {}, True),
        (f"{OLD_LINE} --legacy-api=false", {}, False),
        (OLD_LINE, {"ETCD_LEGACY_API": "false"}, False),
        (f"{OLD_LINE} --legacy-api", {"ETCD_LEGACY_API": "false"}, True),
        (NEW_LINE, {}, False),
        (f"{NEW_LINE} --legacy-api", {}, True),
        (NEW_LINE, {"ETCD_LEGACY_API": "true"}, True),
        ("-addr 127.0.0.1:4001 --listen-peer-urls http://127.0.0.1:7001", {}, False),
    ],
)
def test_settings_of_0_4_bring_its_endpoints(
    etcd02: Run, line: str, environ: dict[str, str], on: bool
) -> None:
    assert etcd02(f"--print-config {line}", environ).config["legacy-api"] is on


def test_what_only_the_bundled_server_has_does_not_make_a_line_one_of_2_x(etcd02: Run) -> None:
    plain = etcd02(f"--print-config {OLD_LINE}").config
    with_ours = etcd02(f"--print-config {OLD_LINE} --legacy-api=false").config
    assert with_ours == plain | {"legacy-api": False}
    assert plain["listen-client-urls"] == ["http://[::]:4001"]
