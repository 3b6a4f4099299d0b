"""Where the 2.x settings of a setup go: where those they came from stood, else where etcd is started. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compat.findings import Finding
from compat.settings import FILE, Given, Origin
from migrate02.convert.findings import NO_PLACE
from migrate02.convert.setup_files import SettingsFile
from migrate02.formats.placeholders import unmask
from migrate02.formats.reading import Occurrence, Setup
from migrate02.formats.view import Edit


def edits_in_place(
    setup: Setup, given: Mapping[str, Given], config: Mapping[str, str], sources: Mapping[str, str]
) -> list[tuple[str, Edit]]:
    """(file, edit) for every flag and variable that changes."""
    of_source: dict[str, list[str]] = {}
    for key in config:
        of_source.setdefault(sources.get(key, ""), []).append(key)
    edits: list[tuple[str, Edit]] = []
    for setting in (*setup.flags, *setup.variables):
        item = setting.given
        keys = of_source.get(item.name, []) if given.get(item.name) == item else []
        if not _stays(setting, keys, given, config):
            edits.append((setting.view.name, setting.becomes([(key, config[key]) for key in keys])))
    return edits


def _stays(
    setting: Occurrence, keys: Sequence[str], given: Mapping[str, Given], config: Mapping[str, str]
) -> bool:
    """Said already as 2.x says it; or without effect in etcd already, by a rule that 2.x has too."""
    item = setting.given
    spelled = item.origin.name.lstrip("-").removeprefix("ETCD_").lower().replace("_", "-")
    if list(keys) == [item.name] and spelled == item.name:
        return unmask(item.value) == unmask(config[item.name])
    return not keys and item.name in config and given.get(item.name) != item and spelled == item.name


def homeless(
    setup: Setup,
    given: Mapping[str, Given],
    config: Mapping[str, str],
    sources: Mapping[str, str],
    files: Sequence[SettingsFile],
) -> list[str]:
    """The settings that stood nowhere, and those of a file that 2.x does not read and of nothing stronger."""
    lost = {item.name for file in files if file.is_lost_to(setup) for item in file.document.given}
    here = [setting.given for setting in (*setup.flags, *setup.variables)]

    def has_no_home(key: str) -> bool:
        source = sources.get(key, "")
        return not source or (source in lost and given.get(source) not in here)

    return [key for key in config if has_no_home(key)]


def nowhere_to_write(setup: Setup, name: str, config: Mapping[str, str], keys: Sequence[str]) -> Finding:
    flags = unmask(" ".join(f"--{key}={config[key]}" for key in keys))
    return NO_PLACE.finding("", Origin(FILE, name, name, setup.line), flags=flags)
