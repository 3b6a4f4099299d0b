"""The section ``[tool.migrate02]`` of a project, or its file ``.migrate02.toml``: options of ``convert`` for there."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from compat.findings import ERROR, Finding
from compat.likely import did_you_mean
from migrate02.cli import values
from migrate02.cli.parsing import Misuse
from migrate02.convert.conversion import Conversion
from migrate02.files.reading import Unreadable
from migrate02.files.sections import Section, find_section, read_section


class Configured(NamedTuple):
    """``folder`` is where the section's file is: its patterns are about paths below that."""

    folder: str = "."
    target: str = ""
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    exclude: Sequence[str] = ()
    per_path_ignores: Mapping[str, Sequence[str]] = {}

    def without_ignored(self, conversions: Iterable[Conversion]) -> list[Conversion]:
        """Without the findings that are ignored where they are. What refuses a file is always there."""
        if not self.per_path_ignores:
            return list(conversions)
        from pathspec import GitIgnoreSpec

        rules = [
            (GitIgnoreSpec.from_lines([pattern]), codes) for pattern, codes in self.per_path_ignores.items()
        ]

        def is_wanted(finding: Finding, name: str) -> bool:
            if finding.severity == ERROR:
                return True
            file = finding.origin.file if finding.origin and finding.origin.file else name
            path = os.path.relpath(file, self.folder)
            return not any(finding.code in codes and spec.match_file(path) for spec, codes in rules)

        return [
            item._replace(findings=[finding for finding in item.findings if is_wanted(finding, item.name)])
            for item in conversions
        ]


def apply(args: Namespace) -> Configured:
    """Gives ``args`` what the section says, where the command line does not say it. Raises Misuse."""
    project = configured(args.config)
    args.target = args.target or project.target
    for name in ("select", "ignore", "exclude"):
        setattr(args, name, getattr(args, name) or getattr(project, name))
    return project


def configured(path: str | None) -> Configured:
    """What the file says, or, without one, the nearest that there is. Raises Misuse."""
    try:
        section = read_section(path) if path else find_section(os.curdir)
    except Unreadable as error:
        raise Misuse(f"{path or 'the configuration of this project'} cannot be read: {error}") from None
    return parsed(section) if section is not None else Configured()


def parsed(section: Section) -> Configured:
    """Raises Misuse for what is not known, with the name that was probably meant."""
    import tomllib

    try:
        table: Any = tomllib.loads(section.text)
    except (ValueError, RecursionError) as error:
        raise Misuse(f"{section.path}: broken TOML: {error}") from None
    if section.shared:
        table = _table(table.get("tool", {}), f"{section.path}: tool").get("migrate02", {})
    found: dict[str, Any] = {"folder": os.path.dirname(section.path) or os.curdir}
    for key, value in _table(table, section.path).items():
        if key not in _KEYS:
            meant = did_you_mean(key.replace("_", "-"), _KEYS) or f"; the keys are {', '.join(_KEYS)}"
            raise Misuse(f"{section.path}: unknown key {key}{meant}")
        found[key.replace("-", "_")] = _KEYS[key](value, f"{section.path}: {key}")
    return Configured(**found)


def _target(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise Misuse(f'{place} has to be text in quotes, such as "2.3"')
    return _checked(values.target, value, place)


def _codes(value: object, place: str) -> list[str]:
    return [_checked(values.code, code, place) for code in _texts(value, place)]


def _texts(value: object, place: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Misuse(f'{place} has to be a list of texts, such as ["..."]')
    return value


def _by_path(value: object, place: str) -> dict[str, list[str]]:
    return {pattern: _codes(codes, f"{place}: {pattern}") for pattern, codes in _table(value, place).items()}


def _table(value: object, place: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Misuse(f"{place} has to be a table")
    return value


def _checked(check: Callable[[str], str], text: str, place: str) -> str:
    try:
        return check(text)
    except ArgumentTypeError as error:
        raise Misuse(f"{place}: {error}") from None


_KEYS: Mapping[str, Callable[[object, str], object]] = {
    "target": _target,
    "select": _codes,
    "ignore": _codes,
    "exclude": _texts,
    "per-path-ignores": _by_path,
}
"""What may stand in the section, and what reads it."""
