"""Our table of 0.4's settings against the recorded one, and every recorded run of 2.3.8 against the translation."""

import shlex
from typing import Any, NamedTuple

import pytest

from compat.etcd02 import main
from compat.findings import Finding
from compat.flags04 import (
    ALIAS,
    BOOL,
    BOOTSTRAP,
    BY_NAME,
    BY_SHORT,
    COMMAND,
    DEPRECATED,
    DROP,
    FLAGS,
    FLOAT,
    IGNORED,
    INT,
    LIST,
    NEVER_READ,
    OLD_AND_NEW,
    READ,
    REFUSED,
    SAME,
    UNKNOWN,
)
from server.config import BY_NAME as BY_NAME_2X
from tests.compat.helpers import NOWHERE, codes, reference, translated

RECORDED = reference("flags04.yaml")
ROWS: dict[str, dict[str, Any]] = {row["flag"]: row for row in RECORDED["flags"]}

TYPES = {
    "host:port": "host:port",
    "host[:port]": "host[:port]",
    "comma list": LIST,
    "comma list of host:port": LIST,
    "bool": BOOL,
    "int": INT,
    "float": FLOAT,
}
WITHOUT_EFFECT = frozenset(("trace", "graphite-host"))
"""Recorded with a TOML key and a variable that the flag's default overwrites: our table calls them never read."""
DEFAULTS_IN_OTHER_WORDS = {
    "name": "the host name",
    "data-dir": "NAME.etcd",
    "bind-addr": "every interface at the port of addr",
    "peer-bind-addr": "every interface at the port of peer-addr",
    "http-write-timeout": "300",
    "retry-interval": "2.5 to 5, by chance",
}


def first_word(text: str | None) -> str:
    return (text or "").partition(" ")[0]


def test_the_tables_have_the_same_rows() -> None:
    assert set(BY_NAME) == set(ROWS)
    assert len(FLAGS) == len(BY_NAME)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_as_recorded(name: str) -> None:
    row, flag = ROWS[name], BY_NAME[name]
    effective = name not in WITHOUT_EFFECT
    assert flag.toml == (first_word(row["toml"]) if effective else "")
    assert flag.variable == (first_word(row["env_read_by_code"]) if effective else "")
    assert flag.default == DEFAULTS_IN_OTHER_WORDS.get(name, row["default"])
    assert flag.kind == ("string" if name == "graphite-host" else TYPES.get(row["type"], "string"))
    assert flag.unit == row.get("unit", "")
    assert flag.since == first_word(row.get("since", "0.4.0"))
    assert set(flag.short) == {first_word(short) for short in row.get("deprecated_short", ())}


@pytest.mark.parametrize("name", ROWS)
def test_documented_names_that_were_never_read_are_known(name: str) -> None:
    documented = ROWS[name].get("env_in_0.4_documentation", "")
    for variable in (word for word in documented.split() if word.startswith("ETCD_")):
        if variable != BY_NAME[name].variable:
            assert NEVER_READ[variable].name == name


def test_what_2_x_ignores_and_refuses_is_as_recorded() -> None:
    assert {flag.name for flag in FLAGS if flag.in_238 == IGNORED} == set(RECORDED["ignored_by_2x"])
    errors = {first_word(text) for text in RECORDED["errors_in_2x"]} - {"f", "all"}
    assert {flag.name for flag in FLAGS if flag.in_238 in (UNKNOWN, REFUSED)} == errors
    assert {old for _, old in OLD_AND_NEW} == {flag.name for flag in FLAGS if flag.in_238 == ALIAS}


def test_what_is_the_same_in_2_x_is_a_setting_of_2_x() -> None:
    assert {flag.name for flag in FLAGS if flag.in_238 == SAME and flag.fate != COMMAND} <= set(BY_NAME_2X)
    for flag in FLAGS:
        assert set(flag.becomes) <= set(BY_NAME_2X), flag.name


def test_no_name_stands_for_two_settings() -> None:
    names = [name for flag in FLAGS for name in (flag.name, *flag.short)]
    assert len(names) == len(set(names))
    assert set(BY_SHORT) - DEPRECATED == {"f", "h"}


def test_each_row_says_what_a_person_needs() -> None:
    for flag in FLAGS:
        assert flag.meaning
        assert bool(flag.dropped) == bool(flag.remedy) == (flag.fate == DROP), flag.name
        assert bool(flag.becomes) == (flag.fate not in (DROP, BOOTSTRAP, READ, COMMAND)), flag.name


# Every recorded run of 2.3.8.


class Run(NamedTuple):
    line: str
    result: str
    status: int
    text: str


RUNS = [
    Run(
        real["given"],
        real["2.3.8"]["result"],
        real["2.3.8"].get("exit", 0),
        real["2.3.8"].get("text", "").removeprefix("etcdmain: ").removeprefix("flags: "),
    )
    for row in RECORDED["flags"]
    for real in row.get("real", ())
]

CARRIED_OVER = {
    # 0.4 took host names; 2.x's URL settings take them too.
    "-addr infra0.example.com:4001": "host-name",
    "-peer-addr infra0:7001": "host-name",
    # 0.4 gave a bare bind address the advertised port.
    "-bind-addr 0.0.0.0": "port-added",
    "-peer-bind-addr 0.0.0.0": "port-added",
    # 0.4 started a new cluster of one; 2.x wants it in --initial-cluster.
    "-peer-addr 10.0.1.10:7001": "single-member",
    "-peer-cert-file c.pem -peer-key-file k.pem -peer-ca-file c.pem -peer-addr 127.0.0.1:7001": "single-member",
    # 0.4 served plain http when half of the pair was missing.
    "-cert-file c.pem -addr 127.0.0.1:4001": "half-tls-pair",
    # Flags of 0.4 that 2.x ignores as booleans, so that a value of its own becomes a stray word there.
    "-peer-heartbeat-interval 100": "carried-over",
    "-peer-election-timeout 500": "carried-over",
    "-max-result-buffer 1024": "no-counterpart",
    "-cluster-active-size 3": "no-counterpart",
    # Flags of 0.4 that 2.x does not know.
    "-http-read-timeout 10": "no-counterpart",
    "-http-write-timeout 10": "no-counterpart",
    "-cpuprofile x": "no-counterpart",
    "-trace *": "no-counterpart",
    "-graphite-host 127.0.0.1:2003": "no-counterpart",
    "-f": "no-counterpart",
    "-vvv": "carried-over",
}
"""What 2.3.8 refused and we carry over, by what is said about it."""

REFUSED_HERE = {
    # 2.3.8 never looks at the file, 0.4 read it: a file that is not there stopped 0.4 and stops us.
    "-config=/x/etcd.conf": "No such file or directory",
    "-config /x/etcd.conf": "No such file or directory",
}
"""What 2.3.8 drops without reading, and what 0.4 refused to go on without."""


def start(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit status of ``etcd02 --print-config LINE``, and everything it wrote."""
    status = main(["etcd02", "--print-config", *shlex.split(line)], {}, NOWHERE)
    written = capsys.readouterr()
    return status, written.out + written.err


def test_the_lists_of_exceptions_are_of_recorded_runs() -> None:
    recorded = {run.line for run in RUNS}
    assert set(CARRIED_OVER) <= recorded
    assert set(REFUSED_HERE) <= recorded


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.line)
def test_a_recorded_run_of_2_3_8(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status, written = start(run.line, capsys)
    if run.line in REFUSED_HERE:
        assert (status, REFUSED_HERE[run.line] in written) == (1, True)
    elif run.line in CARRIED_OVER:
        assert run.result == "error"
        assert status == 0
        assert f"[{CARRIED_OVER[run.line]}]" in written
    elif run.result == "error":
        assert status == run.status
        assert run.text.removesuffix(".") in written
    else:
        assert status == 0


ACCEPTED = {
    # What 2.3.8 logged as its effective settings, where it took the line.
    "-addr 10.0.1.10:4001": {
        "advertise-client-urls": "http://10.0.1.10:4001",
        "listen-client-urls": "http://[::]:4001",
    },
    "-cert-file c.pem -key-file k.pem -addr 127.0.0.1:4001": {
        "advertise-client-urls": "https://127.0.0.1:4001",
        "listen-client-urls": "https://[::]:4001",
    },
    "-bind-addr 127.0.0.1:4001": {"listen-client-urls": "http://127.0.0.1:4001"},
    "-addr 10.0.1.10:4001 -bind-addr 127.0.0.1:4001": {
        "advertise-client-urls": "http://10.0.1.10:4001",
        "listen-client-urls": "http://127.0.0.1:4001",
    },
    "-peer-bind-addr 127.0.0.1:7001": {"listen-peer-urls": "http://127.0.0.1:7001"},
    "-name n1": {"name": "n1"},
    "-data-dir dd": {"data-dir": "dd"},
    "-discovery http://127.0.0.1:1/v2/keys/x": {"discovery": "http://127.0.0.1:1/v2/keys/x"},
    "-ca-file c.pem": {"ca-file": "c.pem"},
    "-cert-file c.pem -key-file k.pem -ca-file c.pem": {
        "cert-file": "c.pem",
        "key-file": "k.pem",
        "ca-file": "c.pem",
    },
    "-peer-ca-file c.pem": {"peer-ca-file": "c.pem"},
    "-cors http://a.example.com": {"cors": "http://a.example.com"},
    "-cors *": {"cors": "*"},
    "-snapshot-count 1000": {"snapshot-count": "1000"},
    "-snapshot-count=0": {"snapshot-count": "0"},
}


@pytest.mark.parametrize("line", ACCEPTED)
def test_what_2_3_8_took_means_the_same(line: str) -> None:
    made = translated(line)
    assert not made.refused
    assert ACCEPTED[line].items() <= made.config.items()


# What each row becomes.

NOTHING: dict[str, str] = {}
BECOMES: dict[str, tuple[str, dict[str, str], str]] = {
    # flag: (value, settings it gives, code of the finding about it)
    "name": ("n1", {"name": "n1"}, ""),
    "data-dir": ("/d", {"data-dir": "/d"}, ""),
    "addr": (
        "10.0.0.9:5001",
        {"advertise-client-urls": "http://10.0.0.9:5001", "listen-client-urls": "http://[::]:5001"},
        "listens-everywhere",
    ),
    "bind-addr": ("10.0.0.9:5001", {"listen-client-urls": "http://10.0.0.9:5001"}, ""),
    "peer-addr": (
        "10.0.0.9:5001",
        {
            "initial-advertise-peer-urls": "http://10.0.0.9:5001",
            "listen-peer-urls": "http://[::]:5001",
            "initial-cluster": "host1=http://10.0.0.9:5001",
        },
        "single-member",
    ),
    "peer-bind-addr": ("10.0.0.9:5001", {"listen-peer-urls": "http://10.0.0.9:5001"}, ""),
    "peers": ("a:7001", NOTHING, "peers"),
    "peers-file": ("f", NOTHING, "peers"),
    "discovery": ("http://d/t", {"discovery": "http://d/t"}, ""),
    "ca-file": ("c.pem", {"ca-file": "c.pem"}, ""),
    "cert-file": ("c.pem", {"cert-file": "c.pem"}, ""),
    "key-file": ("c.pem", {"key-file": "c.pem"}, ""),
    "peer-ca-file": ("c.pem", {"peer-ca-file": "c.pem"}, ""),
    "peer-cert-file": ("c.pem", {"peer-cert-file": "c.pem"}, ""),
    "peer-key-file": ("c.pem", {"peer-key-file": "c.pem"}, ""),
    "cors": ("http://a,http://b", {"cors": "http://a,http://b"}, ""),
    "peer-heartbeat-interval": ("200", {"heartbeat-interval": "200"}, "carried-over"),
    "peer-election-timeout": ("2500", {"election-timeout": "2500"}, "carried-over"),
    "snapshot-count": ("500", {"snapshot-count": "500"}, ""),
    "snapshot": ("false", NOTHING, "no-counterpart"),
    "v": ("true", {"debug": "true"}, "carried-over"),
    "vv": ("true", {"debug": "true"}, "carried-over"),
    "vvv": ("true", {"debug": "true"}, "carried-over"),
    "cluster-active-size": ("5", NOTHING, "no-counterpart"),
    "cluster-remove-delay": ("60.5", NOTHING, "no-counterpart"),
    "cluster-sync-interval": ("2", NOTHING, "no-counterpart"),
    "http-read-timeout": ("10.5", NOTHING, "no-counterpart"),
    "http-write-timeout": ("10", NOTHING, "no-counterpart"),
    "max-result-buffer": ("2048", NOTHING, "no-counterpart"),
    "max-retry-attempts": ("7", NOTHING, "no-counterpart"),
    "retry-interval": ("1.5", NOTHING, "no-counterpart"),
    "force": ("true", NOTHING, "no-counterpart"),
    "cpuprofile": ("p", NOTHING, "no-counterpart"),
    "trace": ("*", NOTHING, "no-counterpart"),
    "graphite-host": ("g:2003", NOTHING, "no-counterpart"),
    "internal-binary-dir": ("/x", NOTHING, "no-counterpart"),
    "config": ("", NOTHING, ""),
}


def test_every_row_but_the_two_commands_is_tried() -> None:
    assert set(BECOMES) == {flag.name for flag in FLAGS if flag.fate != COMMAND}


def about(findings: list[Finding], name: str) -> set[str]:
    return codes(
        [
            item
            for item in findings
            if item.setting == name or (item.origin and item.origin.name.endswith(f"-{name}"))
        ]
    )


@pytest.mark.parametrize("name", BECOMES)
@pytest.mark.parametrize("dashes", ["-", "--"])
def test_what_a_flag_becomes(name: str, dashes: str) -> None:
    value, settings, code = BECOMES[name]
    made = translated(f"{dashes}{name}={shlex.quote(value)}")
    assert settings.items() <= made.config.items()
    assert not code or code in about(made.findings, name)
    assert name in settings or name not in made.config


@pytest.mark.parametrize("short", [short for short in BY_SHORT if short != "h"])
def test_a_short_name_is_its_long_one(short: str) -> None:
    name = BY_SHORT[short].name
    value, settings, code = BECOMES[name]
    era_free = {
        key: want
        for key, want in settings.items()
        if "ca-file" not in key and "cert" not in key and "key-file" not in key
    }
    made = translated(f"-{short}={shlex.quote(value)}")
    assert era_free.items() <= made.config.items()
    assert ("deprecated-name" in codes(made.findings)) == (short in DEPRECATED)
    assert made.era == "0.4", "2.x does not know the short name, so 0.4's defaults hold"
    assert not code or code in codes(made.findings)


@pytest.mark.parametrize("name", [flag.name for flag in FLAGS if flag.variable])
def test_a_variable_is_its_flag(name: str) -> None:
    value, settings, code = BECOMES[name]
    made = translated("", {BY_NAME[name].variable: value})
    assert settings.items() <= made.config.items()
    assert not code or code in codes(made.findings)
