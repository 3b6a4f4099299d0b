"""Gathers what etcd02 was given: command line, environment and 0.4's TOML files, merged by precedence.

Flag over environment over file, in both eras. 2.x knew no file, so 0.4's default one is read only while nothing
given is 2.x's alone; one named by ``-config`` is always read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from compat.codes import NOT_READ, READ_AS_VARIABLES, UNUSABLE_CONFIG, UNUSABLE_SYSTEM_FILE
from compat.commandline import CommandLine
from compat.datadir import has_member_data, is_of_etcd04
from compat.envfile import holds_variables, read_env_file
from compat.findings import Finding
from compat.settings import FILE, VARIABLE, Given, Origin, first_wins
from compat.toml04 import TomlError, read_toml
from compat.translate import ERA_04, Surroundings, era_of, is_of_2x_alone
from compat.variables import PREFIX, read_variables

MOST_CHARACTERS = 4 << 20
"""No configuration file of 0.4 is larger."""


class Sources(NamedTuple):
    """Everything that was given, and of which era it is."""

    given: dict[str, Given]
    findings: list[Finding]
    era: str


class _File(NamedTuple):
    given: list[Given]
    findings: list[Finding]


def gather(line: CommandLine, environ: Mapping[str, str], system_file: str) -> Sources:
    variables = read_variables(
        (value, Origin(VARIABLE, name)) for name, value in environ.items() if name.startswith(PREFIX)
    )
    by_flag = {given.name for given in line.given}
    by_variable = [finding for finding in variables.findings if finding.setting not in by_flag]
    started = first_wins(line.given, variables.given)
    named = _read_named(line.config_file) if line.config_file is not None else _File([], [])
    system = _read_system(system_file, started)
    merged = first_wins(line.given, variables.given, named.given, system.given)
    findings = [*line.findings, *by_variable, *named.findings, *system.findings]
    from_file = bool(named.given or system.given)
    era = ERA_04 if from_file and not _is_new(merged) else era_of(merged)
    return Sources(merged, findings, era)


def look_around(given: Mapping[str, Given], *, migrates: bool = False) -> Surroundings:
    """The facts of this machine that the translation depends on. ``migrates``: data of 0.4 are to be 2.x's at once."""
    hostname = os.uname().nodename
    name = given["name"].value if "name" in given else hostname
    data_dir = given["data-dir"].value if "data-dir" in given else f"{name}.etcd"
    wal_dir = given["wal-dir"].value if "wal-dir" in given else ""
    has_data = has_member_data(data_dir, wal_dir) or (migrates and is_of_etcd04(data_dir))
    return Surroundings(hostname, member_has_data=has_data, is_this_machine=True)


def _is_new(given: Mapping[str, Given]) -> bool:
    return any(map(is_of_2x_alone, given.values()))


def _read_named(config_file: Given) -> _File:
    """The file of -config: whatever is wrong with it stops the start, as it stopped 0.4's."""
    path = config_file.value
    try:
        return _parse(path)
    except (OSError, UnicodeDecodeError, TomlError) as error:
        fields = {"given": config_file.origin.name, "reason": _reason(error)}
        return _File([], [UNUSABLE_CONFIG.finding("config", Origin(FILE, path, path), **fields)])


def _read_system(path: str, started: Mapping[str, Given]) -> _File:
    """0.4's default file, TOML or converted in place. Anything else may stand under that name."""
    if not os.path.isfile(path):  # a pipe would be waited for
        return _File([], [])
    if _is_new(started):
        return _File([], [_not_read(path, "the command line or the environment is of etcd 2.x")])
    try:
        found = _parse(path)
    except (OSError, UnicodeDecodeError, TomlError) as error:
        reason = _reason(error)
        if era_of(started) != ERA_04:
            return _File([], [_not_read(path, f"it is no file of 0.4 ({reason})")])
        return _File([], [UNUSABLE_SYSTEM_FILE.finding("config", Origin(FILE, path, path), reason=reason)])
    if _is_new({given.name: given for given in found.given}) and era_of(started) == ERA_04:
        return _File(
            [], [_not_read(path, "it is of etcd 2.x, and the command line or the environment of 0.4")]
        )
    if not found.given and found.findings:
        return _File([], [_not_read(path, "it holds no setting of 0.4")])
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "a binary file, not an etcd configuration"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _parse(path: str) -> _File:
    with open(path, encoding="utf-8") as file:
        text = file.read(MOST_CHARACTERS + 1)
    if len(text) > MOST_CHARACTERS:
        raise TomlError(f"larger than {MOST_CHARACTERS} characters, so no etcd configuration")
    if holds_variables(text):
        variables = read_env_file(text, path)
        return _File(variables.given, [_read_as_variables(path), *variables.findings])
    found = read_toml(text, path)
    return _File(found.given, found.findings)


def _read_as_variables(path: str) -> Finding:
    return READ_AS_VARIABLES.finding("config", Origin(FILE, path, path))


def _not_read(path: str, why: str) -> Finding:
    return NOT_READ.finding("config", Origin(FILE, path, path), why=why)
