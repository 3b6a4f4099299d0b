"""The drop-in binary: takes 0.4 or 2.x settings and starts the bundled server, or becomes a real etcd.

The rule for every command line: it does what etcd 2.3.8 does with it; where 2.3.8 would refuse or silently drop
what 0.4 meant, it carries it over and says so, one line per finding on standard error. Exit statuses are etcd's:
2 for a flag that cannot be read, 1 for anything else that stops the start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from compat import __version__
from compat.commandline import OWN_FLAGS, CommandLine, read_command_line
from compat.datadir import has_member_data, is_of_etcd04
from compat.findings import ERROR, Finding
from compat.settings import FILE, FLAG, VARIABLE, Given, Origin, first_wins
from compat.toml04 import TomlError, read_toml
from compat.translate import ERA_04, ERA_2X, Surroundings, Translation, era_of, translate
from compat.variables import read_variables
from server import ETCD_VERSION
from server.config import BY_NAME, Config, ConfigError, load

SYSTEM_FILE = "/etc/etcd/etcd.conf"

_BAD_FLAG, _REFUSED = 2, 1


class Sources(NamedTuple):
    """Everything that was given, merged, and whose it is."""

    given: dict[str, Given]
    findings: list[Finding]
    era: str


def entry() -> None:
    """The console script."""
    sys.exit(main(sys.argv, os.environ))


def main(argv: Sequence[str], environ: Mapping[str, str], system_file: str = SYSTEM_FILE) -> int:
    """Returns the exit status; does not return when a real etcd takes over."""
    line = read_command_line(argv[1:], OWN_FLAGS)
    if line.wants_help:
        from compat.usage import usage

        print(usage(), end="")
        return 0
    bad = next((finding for finding in line.findings if finding.severity == ERROR), None)
    if bad is not None:
        return _stop(line.findings, _REFUSED if bad.code == "stray-words" else _BAD_FLAG)
    choice = line.own.get("engine") or environ.get("ETCD02_ENGINE", "")
    if line.wants_version:
        return _print_version(choice, argv[0], environ)

    sources = _gather(line, environ, system_file)
    translation = translate(sources.given, _surroundings(sources.given), sources.era)
    findings = sources.findings + translation.findings
    if any(finding.severity == ERROR for finding in findings):
        return _stop(findings, _status(findings))
    return _start(translation, sources, findings, choice, line, argv[0], environ)


def _gather(line: CommandLine, environ: Mapping[str, str], system_file: str) -> Sources:
    """Flag over environment over file, as both eras have it; 2.x knew no file."""
    variables = read_variables(
        (value, Origin(VARIABLE, name)) for name, value in environ.items() if name.startswith("ETCD_")
    )
    findings = [*line.findings, *variables.findings]
    started = first_wins(line.given, variables.given)
    layers = [line.given, variables.given]
    files = [line.config_file.value] if line.config_file is not None else []
    if _is_new(started):
        if not files and os.path.exists(system_file):  # noqa: PTH110
            findings.append(_not_read(system_file))
    elif os.path.exists(system_file):  # noqa: PTH110
        files.append(system_file)
    read = False
    for path in files:
        given, told = _read_file(path, required=path != system_file or era_of(started) == ERA_04)
        layers.append(given)
        findings += told
        read = read or bool(given)
    merged = first_wins(*layers)
    era = ERA_04 if read and not _is_new(merged) else era_of(merged)
    return Sources(merged, findings, era)


def _is_new(given: Mapping[str, Given]) -> bool:
    """Whether something in it is 2.x's alone."""
    from compat.flags04 import BY_NAME as OLD

    return any(name not in OLD for name in given)


def _not_read(path: str) -> Finding:
    message = (
        f"{path} is not read: the command line or the environment is of etcd 2.x, which has no such file"
    )
    return Finding(
        "file-not-read", "config", Origin(FILE, path), message, "to have it read, name it with -config"
    )


def _read_file(path: str, required: bool) -> tuple[list[Given], list[Finding]]:
    """A TOML file. One that is not required may be anything else, such as 2.x's environment file of that name."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        found = read_toml(text, path)
    except (OSError, UnicodeDecodeError, TomlError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if not required:
            return [], [_not_read(path)]
        message = f"{path}: {reason}"
        return [], [Finding("unusable-input", "config", Origin(FILE, path, path), message, "mend the file")]
    if not required and not found.given:
        return [], [_not_read(path)] if found.findings else []
    return found.given, found.findings


def _surroundings(given: Mapping[str, Given]) -> Surroundings:
    hostname = os.uname().nodename
    name = given["name"].value if "name" in given else hostname
    data_dir = given["data-dir"].value if "data-dir" in given else f"{name}.etcd"
    wal_dir = given["wal-dir"].value if "wal-dir" in given else ""
    return Surroundings(hostname, has_member_data(data_dir, wal_dir), is_this_machine=True)


def _start(
    translation: Translation,
    sources: Sources,
    findings: list[Finding],
    choice: str,
    line: CommandLine,
    ourselves: str,
    environ: Mapping[str, str],
) -> int:
    known = {name: value for name, value in translation.config.items() if name in BY_NAME}
    later = {name: value for name, value in translation.config.items() if name not in BY_NAME}
    try:
        config = load(known, listen_client_from_bind_addr="listen-client-urls" not in sources.given)
    except ConfigError as error:
        clash = _clash(error, sources.given)
        return _stop([*findings, clash], _REFUSED)
    if "print-config" in line.own:
        _print_config(config, later, findings)
        return 0
    if choice not in ("", "bundled"):
        return _hand_over(translation, config, findings, choice, ourselves, environ)
    if later:
        return _stop([*findings, _of_a_later_release(next(iter(later)))], _BAD_FLAG)
    if is_of_etcd04(config.data_dir):
        return _stop([*findings, _old_data(config.data_dir)], _REFUSED)
    _print_findings(findings)
    from server.main import run

    return run(config)


def _hand_over(
    translation: Translation,
    config: Config,
    findings: list[Finding],
    choice: str,
    ourselves: str,
    environ: Mapping[str, str],
) -> int:
    from packaging.version import Version

    from compat import engines

    path = choice
    if choice == engines.AUTO:
        path = engines.find_on_path(environ.get("PATH", os.defpath), ourselves)
        message = f"--engine auto: {path or 'no etcd on the PATH, so the bundled server'}"
        findings = [*findings, Finding("engine-chosen", "engine", None, message, "")]
        if not path:
            return _start_bundled(config, findings)
    try:
        engine = engines.ask_version(path)
    except engines.EngineError as error:
        return _stop([*findings, Finding("engine", "engine", None, str(error), error.remedy)], _REFUSED)
    if is_of_etcd04(config.data_dir) and engine.version >= Version("2.2"):
        return _stop([*findings, _old_data(config.data_dir)], _REFUSED)
    settings = translation.config
    if engine.version >= Version("3.0"):
        settings = _with_defaults_of_23(settings, config)
    start = engines.prepare(engine, settings, environ)
    _print_findings([*findings, *start.findings])
    engines.become(start)


def _start_bundled(config: Config, findings: list[Finding]) -> int:
    if is_of_etcd04(config.data_dir):
        return _stop([*findings, _old_data(config.data_dir)], _REFUSED)
    _print_findings(findings)
    from server.main import run

    return run(config)


def _with_defaults_of_23(settings: Mapping[str, str], config: Config) -> dict[str, str]:
    """3.0 and later default to other ports: what 2.3 would have listened on is said in so many words."""
    spelled = {
        "listen-peer-urls": ",".join(config.listen_peer_urls),
        "listen-client-urls": ",".join(config.listen_client_urls),
        "initial-advertise-peer-urls": ",".join(config.initial_advertise_peer_urls),
        "advertise-client-urls": ",".join(config.advertise_client_urls),
    }
    if not {"discovery", "discovery-srv"} & settings.keys():
        spelled["initial-cluster"] = config.initial_cluster
    return {**spelled, **settings}


def _print_config(config: Config, later: Mapping[str, str], findings: list[Finding]) -> None:
    import json

    _print_findings(findings)
    print(json.dumps({**config.effective(), **later}, indent=2))


def _print_version(choice: str, ourselves: str, environ: Mapping[str, str]) -> int:
    if choice not in ("", "bundled"):
        from compat import engines

        path = choice
        if choice == engines.AUTO:
            path = engines.find_on_path(environ.get("PATH", os.defpath), ourselves)
        if path:
            try:
                engines.become(engines.Start([path, "--version"], dict(environ), []))
            except OSError as error:
                return _stop([Finding("engine", "engine", None, f"{path}: {error.strerror}", "")], _REFUSED)
    print(f"etcd Version: {ETCD_VERSION}\nmigrate02 Version: {__version__} (bundled server)")
    return 0


def _status(findings: list[Finding]) -> int:
    """etcd stops at the first error; only a flag that is refused while it is read makes it 2."""
    first = next(finding for finding in findings if finding.severity == ERROR)
    by_flag = first.origin is not None and first.origin.kind == FLAG
    return _BAD_FLAG if first.code == "peers" and by_flag else _REFUSED


def _clash(error: ConfigError, given: Mapping[str, Given]) -> Finding:
    at_fault = given.get(error.setting)
    message = f"error verifying flags, {error.message}. See 'etcd --help'."
    origin = at_fault.origin if at_fault is not None else None
    return Finding("settings-clash", error.setting, origin, message, " ".join(error.hints))


def _of_a_later_release(name: str) -> Finding:
    message = f"flag provided but not defined: -{name}"
    remedy = "etcd 2.3 has no such flag; start a newer etcd with --engine PATH"
    return Finding("unknown-setting", name, Origin(FLAG, f"--{name}"), message, remedy)


def _old_data(data_dir: str) -> Finding:
    return Finding(
        "data-dir-04",
        "data-dir",
        Origin(FILE, "data-dir", data_dir),
        "this directory holds data of etcd 0.4; starting here would start empty beside it",
        f"to start empty, run: mv {data_dir} {data_dir}.0.4 - to keep the keys, see 'migrate02 explain data-dir-04'",
    )


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f"etcd02: {finding}".replace("\n", "\\n"), file=sys.stderr)


def _stop(findings: Sequence[Finding], status: int) -> int:
    _print_findings(findings)
    return status
