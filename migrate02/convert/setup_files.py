"""The files that a setup takes its settings from: which, what they add, and what becomes of each. Pure."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from compat.findings import Finding
from compat.settings import FILE, Given, Origin, first_wins
from compat.translate import ERA_04
from migrate02.convert.documents import dead_lines
from migrate02.convert.findings import CONFIG_NOT_GIVEN, FILE_NOT_GIVEN, WRITTEN_HERE
from migrate02.convert.rendering import MARKS_04, MARKS_2X, NewSettings, render
from migrate02.formats.document import Document
from migrate02.formats.placeholders import INNERMOST, filled_back, restore
from migrate02.formats.reading import Setup


class SettingsFile(NamedTuple):
    """A file of settings that a setup takes in: an environment file, or 0.4's own. ``name`` is where it is here,
    ``path`` what it is called on its machine."""

    name: str
    document: Document
    path: str

    def is_config_of(self, setup: Setup) -> bool:
        """0.4's own file, or what it was converted to: 2.x has to be given it as an environment file."""
        named = setup.config is not None and setup.config.value == self.path
        return named or self.document.whole

    def is_lost_to(self, setup: Setup) -> bool:
        """2.x would not read it, and nothing here can make it."""
        return self.is_config_of(setup) and setup.add_environment_file is None


def named_files(setup: Setup) -> list[str]:
    """The files whose settings belong to a setup, the strongest first: a later environment file wins."""
    files = [file.path for file in reversed(setup.files)]
    return [*files, setup.config.value] if setup.config is not None else files


def merged(setup: Setup, files: Sequence[SettingsFile] = ()) -> dict[str, Given]:
    """The settings as they would run, each with where it stands: flags over variables over files."""
    flags = [setting.given for setting in setup.flags if setting.given.name]
    variables = [setting.given for setting in setup.variables if setting.given.name]
    return first_wins(flags, variables, *(file.document.given for file in files))


def is_whole(setup: Setup, files: Sequence[SettingsFile]) -> bool:
    """Whether all that it is set up with is seen. A file that need not be there is taken for one that is not."""
    needed = setup._replace(files=tuple(file for file in setup.files if not file.optional))
    return not setup.unseen and not missing(needed, "", files)


def missing(setup: Setup, name: str, files: Sequence[SettingsFile]) -> list[Finding]:
    """What the setup takes in that was not given. A file without etcd in its name is taken for others'."""
    seen = {file.path for file in files}
    findings = []
    for file in setup.files:
        if file.path not in seen and "etcd" in file.path.lower():
            origin = Origin(FILE, file.path, name, file.line)
            both = _operands(name, file.path)
            findings.append(FILE_NOT_GIVEN.finding("", origin, path=file.path, files=both))
    if setup.config is not None and setup.config.value not in seen:
        path = setup.config.value
        given = setup.config.origin.name
        origin = Origin(FILE, given, name, setup.line)
        fields = {"path": path, "given": given, "files": _operands(name, path)}
        findings.append(CONFIG_NOT_GIVEN.finding("config", origin, **fields))
    return findings


def _operands(name: str, path: str) -> str:
    """The two files as a shell takes them: what is written in a file runs nothing."""
    beside = (
        path if path.startswith("/") else posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    )
    return f"{shlex.quote(name)} {shlex.quote(beside)}"


def findings_in(setup: Setup, files: Sequence[SettingsFile]) -> list[Finding]:
    """What the files had to say, but for variables in them whose flags are seen."""
    seen = {(setting.view.name, setting.given.origin.line) for setting in setup.flags}
    return [
        finding
        for file in files
        for finding in file.document.findings
        if finding.code != "flags-elsewhere"
        or (file.name, finding.origin and finding.origin.line) not in seen
    ]


def moved(file: SettingsFile, name: str, setup: Setup) -> Finding:
    return WRITTEN_HERE.finding("config", Origin(FILE, file.path, name, setup.line), path=file.path)


def new_text(
    file: SettingsFile,
    given: Mapping[str, Given],
    config: Mapping[str, str],
    sources: Mapping[str, str],
    findings: Iterable[Finding],
    era: str,
) -> str | None:
    """The file anew with the settings that it gave, None when none of them changes."""
    document = file.document
    own = {item.name: item for item in document.given if given.get(item.name) == item}
    part = {key: value for key, value in config.items() if sources.get(key) in own}
    here = [item for item in findings if item.origin is not None and item.origin.file == file.name]
    shadowed = [item for item in document.given if given.get(item.name) != item and item.name not in config]
    dead = dead_lines(document, own, config, here) | {item.origin.line for item in shadowed}
    part = {key: filled_back(value, INNERMOST) for key, value in part.items()}
    as_given = {item.name: filled_back(item.value, INNERMOST) for item in document.given}
    if document.form == "env" and part == as_given and not dead:
        return None
    marks = MARKS_04 if era == ERA_04 else MARKS_2X
    return restore(render(document, NewSettings(part, sources, own, dead, marks), "env"), INNERMOST)
