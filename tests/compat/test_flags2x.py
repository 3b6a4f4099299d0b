"""The table of 2.x and 3.x settings, against the recorded one and against the bundled server's."""

from typing import Any

import pytest
from packaging.version import Version

from compat.flags2x import BY_NAME, FLAGS, LATEST
from server.config import SETTINGS
from server.config.settings import OURS
from tests.compat.helpers import reference

RECORDED = reference("flags-by-version.yaml")
ROWS: dict[str, dict[str, Any]] = {row["name"]: row for row in RECORDED["flags"]}

KINDS = {
    "url-list or *": "string-list",
    "uint32": "uint",
    "uint64": "uint",
    "int64": "int",
    "map Name=bool,...": "string",
    "always an error": "error",
    "ignored (parsed as a bool flag, any =value accepted)": "ignored",
}
"""Recorded types that are one kind here."""


def test_the_tables_have_the_same_rows() -> None:
    assert set(BY_NAME) == set(ROWS)
    assert len(FLAGS) == len(BY_NAME)
    assert RECORDED["latest"] == LATEST


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_as_recorded(name: str) -> None:
    row, flag = ROWS[name], BY_NAME[name]
    assert flag.kind == ("string" if name == "v2-deprecation" else KINDS.get(row["type"], row["type"]))
    assert (flag.first, flag.removed or None) == (row["first"], row["removed"])
    assert flag.yaml_key == (row["yaml_key"] or "")
    assert flag.deprecated == row.get("deprecated_in", "")
    if flag.values:
        assert ", ".join(flag.values) == row["values"]
    partial = {minor: text.split()[-1] for minor, text in row.get("partial_minors", {}).items()}
    assert dict(flag.partial) == partial
    if flag.yaml_key:
        assert flag.yaml_since == row.get("yaml_since", "3.0")
    if row["env"] and flag.kind != "ignored":
        assert flag.variable == row["env"].partition(" ")[0]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.get("default")])
def test_a_default_is_as_recorded_in_each_release(name: str) -> None:
    recorded = ROWS[name]["default"]
    if isinstance(recorded, str):
        recorded = [{"since": ROWS[name]["first"], "value": recorded}]
    for step in recorded:
        assert BY_NAME[name].default_in(Version(step["since"])) == step["value"]


@pytest.mark.parametrize("release", list(RECORDED["latest"].values()))
def test_the_last_patch_of_a_line_knows_the_flags_that_are_recorded_for_it(release: str) -> None:
    version = Version(release)
    recorded = {
        name
        for name, row in ROWS.items()
        if Version(row["first"]) <= version and (row["removed"] is None or version < Version(row["removed"]))
    }
    assert {flag.name for flag in FLAGS if flag.known_to(version)} == recorded


def test_a_flag_that_came_inside_a_patch_series_is_unknown_before() -> None:
    flag = BY_NAME["auth-token-ttl"]
    assert not flag.known_to(Version("3.3.22"))
    assert flag.known_to(Version("3.3.23"))
    assert not flag.known_to(Version("3.4.9"))
    assert flag.known_to(Version("3.4.10"))
    assert flag.known_to(Version("3.5.0"))


def test_the_settings_that_the_bundled_server_has_besides() -> None:
    besides = {setting.name: setting.since for setting in SETTINGS if setting.since != "2.3"}
    assert besides == {
        "idle-sync": OURS,
        "legacy-api": OURS,
        "allow-old-tls": OURS,
        "discovery-timeout": OURS,
        "discovery-srv-name": "3.4",
        "dns-server": OURS,
    }
    assert BY_NAME["discovery-srv-name"].first == "3.4.0"
    assert not {name for name, since in besides.items() if since == OURS} & set(BY_NAME)


@pytest.mark.parametrize(
    "setting", [setting for setting in SETTINGS if setting.since == "2.3"], ids=lambda setting: setting.name
)
def test_the_bundled_servers_settings_are_those_of_2_3_8(setting: Any) -> None:
    flag = BY_NAME[setting.name]
    assert flag.known_to(Version("2.3.8"))
    if setting.name not in ("initial-cluster", "data-dir"):  # made from the name
        assert flag.default_in(Version("2.3.8")) == setting.default
