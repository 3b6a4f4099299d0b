"""An old and a new setting for the same thing, as 2.0.13 and 2.3.8 see it: both names, both places, whatever the values."""

import itertools
from pathlib import Path

import pytest

from compat.flags04 import OLD_AND_NEW
from compat.translate import Translation
from tests.compat.helpers import codes, finding, translated

URL = {
    "listen-peer-urls": "http://127.0.0.1:7001",
    "initial-advertise-peer-urls": "http://127.0.0.1:7001",
    "listen-client-urls": "http://127.0.0.1:4001",
    "advertise-client-urls": "http://127.0.0.1:4001",
}
ADDRESS = {
    "peer-bind-addr": "127.0.0.1:7001",
    "peer-addr": "127.0.0.1:7001",
    "bind-addr": "127.0.0.1:4001",
    "addr": "127.0.0.1:4001",
}
TOML = {
    "peer-bind-addr": "[peer]\nbind_addr",
    "peer-addr": "[peer]\naddr",
    "bind-addr": "bind_addr",
    "addr": "addr",
}
PLACES_OLD, PLACES_NEW = ("flag", "short", "variable", "file"), ("flag", "variable")
SHORT = {"peer-bind-addr": "sl", "peer-addr": "s", "bind-addr": "cl", "addr": "c"}


def variable(name: str) -> str:
    return "ETCD_" + name.upper().replace("-", "_")


def given_in(tmp_path: Path, name: str, value: str, place: str) -> tuple[str, dict[str, str], str]:
    """(words, environment, what the message calls it)."""
    if place == "flag":
        return f"-{name} {value}", {}, f"flag -{name}"
    if place == "short":
        return f"-{SHORT[name]} {value}", {}, f"flag -{SHORT[name]}"
    if place == "variable":
        return "", {variable(name): value}, f"variable {variable(name)}"
    file = tmp_path / "old.conf"
    file.write_text(f'{TOML[name]} = "{value}"\n')
    line = TOML[name].count("\n") + 1
    return f"-config={file}", {}, f"({file}:{line})"


@pytest.mark.parametrize(("new", "old"), OLD_AND_NEW)
@pytest.mark.parametrize(("place_old", "place_new"), list(itertools.product(PLACES_OLD, PLACES_NEW)))
def test_each_pair_conflicts_wherever_its_sides_come_from(
    new: str, old: str, place_old: str, place_new: str, tmp_path: Path
) -> None:
    old_words, old_env, old_name = given_in(tmp_path, old, ADDRESS[old], place_old)
    new_words, new_env, new_name = given_in(tmp_path, new, URL[new], place_new)
    made = translated(f"{old_words} {new_words}", old_env | new_env)
    assert made.refused
    message = finding(made, "old-and-new").message
    assert f"Set only one of flags -{new} and -{old}." in message
    assert old_name in message
    assert new_name in message


@pytest.mark.parametrize(
    ("line", "environ", "reported"),
    [
        # The rows of migration-semantics.md, section 2.
        ("-advertise-client-urls http://a:1", {"ETCD_ADDR": "1.2.3.4:1"}, "-advertise-client-urls and -addr"),
        ("-addr 1.2.3.4:1", {"ETCD_ADVERTISE_CLIENT_URLS": "http://a:1"}, "-advertise-client-urls and -addr"),
        (
            "",
            {"ETCD_ADDR": "1.2.3.4:1", "ETCD_ADVERTISE_CLIENT_URLS": "http://a:1"},
            "-advertise-client-urls and -addr",
        ),
        ("-listen-client-urls http://a:1 -addr 1.2.3.4:1", {}, "-listen-client-urls and -bind-addr"),
        ("-listen-client-urls http://a:1", {"ETCD_ADDR": "1.2.3.4:1"}, "-listen-client-urls and -bind-addr"),
        ("-listen-peer-urls http://a:1 -peer-addr 1.2.3.4:1", {}, "-listen-peer-urls and -peer-bind-addr"),
        ("-addr host:1 -advertise-client-urls http://host:1", {}, "-advertise-client-urls and -addr"),
    ],
)
def test_conflicts(line: str, environ: dict[str, str], reported: str) -> None:
    made = translated(line, environ)
    assert made.refused
    assert f"Set only one of flags {reported}." in finding(made, "old-and-new").message


@pytest.mark.parametrize(
    ("line", "environ", "settings"),
    [
        ("-addr 1.2.3.4:1", {"ETCD_ADDR": "5.6.7.8:1"}, {"advertise-client-urls": "http://1.2.3.4:1"}),
        ("-addr 1.2.3.4:1", {"ETCD_ADDR": "garbage"}, {"advertise-client-urls": "http://1.2.3.4:1"}),
        ("-advertise-client-urls http://a:1", {"ETCD_ADDR": ""}, {"advertise-client-urls": "http://a:1"}),
        (
            "-addr 1.2.3.4:1",
            {"ETCD_ADVERTISE_CLIENT_URLS": ""},
            {"advertise-client-urls": "http://1.2.3.4:1"},
        ),
        (
            "-advertise-client-urls http://a:1 -bind-addr 1.2.3.4:1",
            {},
            {"advertise-client-urls": "http://a:1", "listen-client-urls": "http://1.2.3.4:1"},
        ),
        (
            "-initial-advertise-peer-urls http://a:1 -peer-bind-addr 1.2.3.4:1",
            {},
            {"initial-advertise-peer-urls": "http://a:1", "listen-peer-urls": "http://1.2.3.4:1"},
        ),
        (
            "-bind-addr 1.2.3.4:1",
            {"ETCD_ADDR": "5.6.7.8:2"},
            {"advertise-client-urls": "http://5.6.7.8:2", "listen-client-urls": "http://1.2.3.4:1"},
        ),
    ],
)
def test_no_conflict(line: str, environ: dict[str, str], settings: dict[str, str]) -> None:
    made = translated(line, environ)
    assert not made.refused
    assert settings.items() <= made.config.items()


def test_the_message_says_why_addr_stands_for_bind_addr() -> None:
    made = translated("-listen-client-urls http://a:1 -addr 1.2.3.4:1")
    assert "(-addr alone also sets -bind-addr)" in finding(made, "old-and-new").message


def test_several_conflicts_come_in_the_order_2_3_8_checks_them() -> None:
    line = (
        "-addr 1.2.3.4:1 -peer-addr 1.2.3.4:2 -advertise-client-urls http://a:1 -listen-peer-urls http://a:2"
    )
    found = [item.message for item in translated(line).findings if item.code == "old-and-new"]
    assert ["-listen-peer-urls" in found[0], "-advertise-client-urls" in found[1]] == [True, True]


def test_the_bootstrap_settings_come_before_the_pairs() -> None:
    made = translated(
        "-addr 1.2.3.4:1 -advertise-client-urls http://a:1 -discovery http://d/t -initial-cluster a=http://a:1"
    )
    assert [item.code for item in made.findings if item.severity == "error"] == [
        "several-bootstraps",
        "old-and-new",
    ]


@pytest.mark.parametrize(
    ("line", "environ", "conflicts"),
    [
        ("-discovery http://d/t -initial-cluster a=http://a:1", {}, True),
        ("-discovery http://d/t -discovery-srv example.com", {}, True),
        ("-discovery= -initial-cluster a=http://a:1", {}, True),
        ("-discovery http://d/t -discovery-srv=", {}, True),
        ("-initial-cluster a=http://a:1", {"ETCD_DISCOVERY": "http://d/t"}, True),
        ("-initial-cluster a=http://a:1", {"ETCD_DISCOVERY": ""}, False),
        ("-initial-cluster a=http://a:1", {}, False),
    ],
)
def test_one_way_to_find_the_cluster(line: str, environ: dict[str, str], conflicts: bool) -> None:
    made = translated(line, environ)
    assert ("several-bootstraps" in codes(made.findings)) == conflicts == made.refused
    if conflicts:
        assert (
            "multiple discovery or bootstrap flags are set. "
            'Choose one of "initial-cluster", "discovery" or "discovery-srv"'
        ) in finding(made, "several-bootstraps").message


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        ("-heartbeat-interval 200 -peer-heartbeat-interval=300", {"heartbeat-interval": "200"}),
        ("-election-timeout 2000 -peer-election-timeout=3000", {"election-timeout": "2000"}),
        ("-debug=false -v", {"debug": "false"}),
    ],
)
def test_outside_the_addresses_the_new_name_wins(line: str, settings: dict[str, str]) -> None:
    made = translated(line)
    assert not made.refused
    assert settings.items() <= made.config.items()
    assert "new-wins" in codes(made.findings)


def errors(made: Translation) -> list[str]:
    return [item.code for item in made.findings if item.severity == "error"]


def test_what_comes_to_nothing_is_not_told_beside_an_error() -> None:
    made = translated("-peer-addr 1.2.3.4:1 -addr 1.2.3.4:1 -advertise-client-urls http://a:1")
    assert errors(made) == ["old-and-new"]
    assert "listens-everywhere" not in codes(made.findings)
