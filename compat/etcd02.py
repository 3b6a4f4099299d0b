"""The drop-in binary: takes 0.4 or 2.x settings and starts the bundled server, or becomes a real etcd.

The rule for every command line: it does what etcd 2.3.8 does with it; where 2.3.8 would refuse or silently drop
what 0.4 meant, it carries it over and says so, one line per finding on standard error. Exit statuses are etcd's:
2 for a flag that cannot be read, 1 for anything else that stops the start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from compat import __version__, automigrate, gateway, standard
from compat.codes import (
    BAD_VALUE,
    BUNDLED_CHOSEN,
    CHOSEN,
    CLASH,
    DATA_BESIDE_WAL_DIR,
    DATA_NOT_MIGRATED,
    DATA_OF_04,
    ENGINE_UNUSABLE,
    LATER_FLAG,
    LATER_VARIABLE,
    MIGRATED,
)
from compat.commandline import OWN_FLAGS, read_command_line
from compat.datadir import is_of_etcd04
from compat.findings import ERROR, Finding, Text, worst
from compat.gather import gather, look_around
from compat.goflag import TRUE
from compat.settings import FILE, FLAG, Given, Origin, named_by_etcd
from compat.translate import ERA_04, translate
from server import ETCD_VERSION
from server.config import BY_NAME, Config, ConfigError, ValueRefused, load, redacted
from server.config.gateway import GatewaySettings

if TYPE_CHECKING:
    from compat import engines

SYSTEM_FILE = "/etc/etcd/etcd.conf"

BAD_FLAG, REFUSED = 2, 1
"""etcd's exit statuses."""

BUNDLED, AUTO, GATEWAY = "bundled", "auto", "gateway"
ENGINE_VARIABLE = "ETCD02_ENGINE"


class Ready(NamedTuple):
    """All that is known when the start may begin.

    ``settings`` are those that were given or carried over, ``config`` is the whole of 2.3's with its defaults;
    ``later`` are settings that only releases after 2.3 know.
    """

    settings: dict[str, str]
    config: Config
    later: dict[str, str]
    findings: list[Finding]


def entry() -> None:
    """The console script."""
    standard.prepare()
    sys.exit(standard.run("etcd02", lambda: main(sys.argv, os.environ), REFUSED))


def main(argv: Sequence[str], environ: Mapping[str, str], system_file: str = SYSTEM_FILE) -> int:
    """Returns the exit status; does not return when a real etcd takes over."""
    if argv[1:2] == ["discovery-service"]:
        from compat import discovery_service

        return discovery_service.main(argv[2:])
    if argv[1:2] == ["gateway"]:
        from compat import gateway_command

        return gateway_command.main(argv[2:], environ)
    line = read_command_line(argv[1:], OWN_FLAGS)
    if line.wants_help:
        from compat.usage import usage

        print(usage(), end="")
        return 0
    bad = next((finding for finding in line.findings if finding.severity == ERROR), None)
    if bad is not None:
        return _stop(line.findings, REFUSED if bad.code == "stray-words" else BAD_FLAG)
    prints = line.own.get("print-config") in TRUE
    choice = line.own.get("engine") or environ.get(ENGINE_VARIABLE, "")
    try:
        through = gateway.read_settings(line.own, environ, chosen=choice == GATEWAY)
    except gateway.GatewayRefused as error:
        return _stop([_unusable(error)], REFUSED)
    engine = _choose_engine(choice, argv[0], environ)
    if line.wants_version:
        return _print_version(engine, environ)

    migrates = (line.own.get("auto-migrate") or environ.get(automigrate.VARIABLE, "")) in TRUE
    sources = gather(line, environ, system_file)
    if through is not None:
        given, told = gateway.without_members(sources.given)
        sources = sources._replace(given=given, findings=[*sources.findings, *told])
    translation = translate(sources.given, look_around(sources.given, migrates=migrates), sources.era)
    if through is not None:
        translation = translation._replace(findings=gateway.about_clients(translation.findings))
    findings = sources.findings + translation.findings
    if worst(findings) == ERROR:
        return _stop(findings, _status(findings))
    try:
        config = load(
            {name: value for name, value in translation.config.items() if name in BY_NAME},
            listen_client_from_bind_addr="listen-client-urls" not in sources.given,
        )
    except ConfigError as error:
        return _stop([*findings, _clash(error, sources.given)], REFUSED)
    if not engine and translation.era == ERA_04 and "legacy-api" not in translation.config:
        config = config._replace(legacy_api=True)  # whose settings are 0.4's has clients of 0.4, too
    later = {name: value for name, value in translation.config.items() if name not in BY_NAME}
    ready = Ready(translation.config, config, later, findings)
    if through is not None and not prints:
        return _serve_gateway(ready, through)
    if migrates and not prints and is_of_etcd04(config.data_dir):
        migrated = _migrate(config, sources.given)
        if migrated.severity == ERROR:
            return _stop([migrated], REFUSED)
        findings.append(migrated)
    if not engine:
        unknown = [sources.given[name] for name in later]
        by_flag = next((given for given in unknown if given.origin.kind == FLAG), None)
        if by_flag is not None:
            return _stop([_of_a_later_release(by_flag)], BAD_FLAG)
        ready = ready._replace(later={}, findings=findings + [_unknown_to_23(given) for given in unknown])
    if engine and not prints:
        return _hand_over(engine, ready, environ)
    if not engine and is_of_etcd04(config.data_dir) and not migrates:
        return _stop([_of_data(DATA_OF_04, config.data_dir)], REFUSED)
    _print_findings(ready.findings)
    if prints:
        return _print_config(ready)
    from server.main import run

    return run(config)


def _serve_gateway(ready: Ready, settings: GatewaySettings) -> int:
    try:
        gateway.check_library()
    except gateway.GatewayRefused as error:
        return _stop([_unusable(error)], REFUSED)
    _print_findings(ready.findings)
    from server.main import run

    return run(ready.config, gateway=settings)


def _choose_engine(choice: str, ourselves: str, environ: Mapping[str, str]) -> str:
    """The path of a real etcd, or ``""`` for the bundled server."""
    if choice != AUTO:
        return "" if choice in (BUNDLED, GATEWAY) else choice
    from compat.engines import find_on_path

    path = find_on_path(environ.get("PATH", os.defpath), ourselves)
    _print_findings([(CHOSEN if path else BUNDLED_CHOSEN).finding("engine", None, path=path)])
    return path


def _hand_over(path: str, ready: Ready, environ: Mapping[str, str]) -> int:
    """Become a real etcd; returns only when that cannot be."""
    from compat import engines, handover

    config = ready.config
    try:
        engine = engines.ask_version(path, environ)
        if is_of_etcd04(config.data_dir) and not engine.reads_data_of_04:
            return _stop([*ready.findings, _of_data(DATA_OF_04, config.data_dir)], REFUSED)
        start = engines.prepare(engine, ready.settings, config, environ)
        told = handover.told_of_2x(engine, config.data_dir, config.wal_dir)
        handed_over = handover.hand_over(engine, config.data_dir, config.wal_dir)
        _print_findings([*ready.findings, *start.findings, *told, *handed_over.findings])
        try:
            engines.become(start)
        except engines.EngineError:
            handed_over.take_back()
            raise
    except engines.EngineError as error:
        return _stop([*ready.findings, _unusable(error)], REFUSED)


def _unusable(error: engines.EngineError | gateway.GatewayRefused) -> Finding:
    return ENGINE_UNUSABLE.finding("engine", None, reason=str(error), remedy=error.remedy)


def _print_config(ready: Ready) -> int:
    import json

    print(redacted(json.dumps({**ready.config.effective(), **ready.later}, indent=2)))
    return 0


def _print_version(engine: str, environ: Mapping[str, str]) -> int:
    """A real etcd answers for itself."""
    if engine:
        from compat import engines

        try:
            engines.become(engines.Start([engine, "--version"], dict(environ), []))
        except engines.EngineError as error:
            return _stop([_unusable(error)], REFUSED)
    print(f"etcd Version: {ETCD_VERSION}\nmigrate02 Version: {__version__} (bundled server)")
    return 0


def _status(findings: Sequence[Finding]) -> int:
    """etcd stops at the first error; only a flag that is refused while it is read makes it 2."""
    first = next(finding for finding in findings if finding.severity == ERROR)
    by_flag = first.origin is not None and first.origin.kind == FLAG
    return BAD_FLAG if first.code == "peers" and by_flag else REFUSED


def _clash(error: ConfigError, given: Mapping[str, Given]) -> Finding:
    at_fault = given.get(error.setting)
    origin = at_fault.origin if at_fault is not None else None
    if isinstance(error, ValueRefused):
        named = named_by_etcd(at_fault) if at_fault is not None else f"--{error.setting}"
        remedy = "Write a value that etcd takes."
        fields = {"value": error.value, "given": named, "reason": error.message, "remedy": remedy}
        return BAD_VALUE.finding(error.setting, origin, **fields)
    return CLASH.finding(error.setting, origin, reason=error.message, remedy=" ".join(error.hints))


def _of_a_later_release(given: Given) -> Finding:
    return LATER_FLAG.finding(given.name, given.origin, flag=given.name)


def _unknown_to_23(given: Given) -> Finding:
    return LATER_VARIABLE.finding(given.name, given.origin, variable=given.origin.name, value=given.value)


def _of_data(text: Text, data_dir: str, **fields: str) -> Finding:
    return text.finding("data-dir", Origin(FILE, "data-dir", data_dir), directory=data_dir, **fields)


def _migrate(config: Config, given: Mapping[str, Given]) -> Finding:
    """Converts the data directory of 0.4; an error when that cannot be."""
    if config.wal_dir:
        return _of_data(DATA_BESIDE_WAL_DIR, config.data_dir)
    try:
        said = automigrate.migrate(config.data_dir, {name: one.value for name, one in given.items()})
    except automigrate.MigrationFailed as error:
        return _of_data(DATA_NOT_MIGRATED, config.data_dir, reason=str(error))
    return _of_data(MIGRATED, config.data_dir, what=said)


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f"etcd02: {finding}", file=sys.stderr)


def _stop(findings: Sequence[Finding], status: int) -> int:
    """Says why it does not start, and only that: nothing comes of the rest."""
    _print_findings([finding for finding in findings if finding.severity == ERROR])
    return status
