"""One configuration converted: text or words in, text and findings out. Pure: reading and writing files is done
by ``migrate02.files``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

from compat.findings import ERROR, INFO, REVIEW, Finding, worst
from compat.flags04 import BY_NAME
from compat.settings import FILE, FLAG, Given, Origin, first_wins
from compat.translate import ERA_04, Surroundings, Translation, is_of_04_alone, translate
from compat.translate import era_of as era_by_names
from migrate02 import formats
from migrate02.formats import Document, UnusableInput
from migrate02.render import MARKS_04, MARKS_2X, Result, render

_SEVERITIES = (ERROR, REVIEW, INFO)
_PASSED_OVER = frozenset(("never-read", "unusable-value"))

COMMAND_LINE = "command line"
"""What an input is called that came as words."""


class Options(NamedTuple):
    """What was asked for. ``form`` is empty for the input's own; ``target`` empty for 2.3."""

    form: str = ""
    target: str = ""
    hostname: str = "localhost"
    hostname_given: bool = False
    initial_cluster: str = ""
    member_has_data: bool = False
    era: str = ""


class _Fitted(NamedTuple):
    """``sources`` as in a Translation, ``renamed`` as in compat.fit."""

    config: dict[str, str]
    sources: dict[str, str]
    findings: list[Finding]
    renamed: dict[str, str]


class Conversion(NamedTuple):
    """``text`` is None when the input was refused; it is the input itself when there was nothing to do."""

    name: str
    before: str
    text: str | None
    config: dict[str, str]
    findings: list[Finding]

    @property
    def refused(self) -> bool:
        return self.text is None

    @property
    def changed(self) -> bool:
        return self.text is not None and self.text != self.before

    @property
    def left_alone(self) -> bool:
        return any(finding.code == "not-converted" for finding in self.findings)

    @property
    def needs_review(self) -> bool:
        return any(finding.severity == REVIEW for finding in self.findings)


def convert_text(text: str, name: str, options: Options) -> Conversion:
    """Convert a file's text; ``name`` is what messages call it."""
    try:
        document = formats.read(text, name, options.era)
    except UnusableInput as error:
        return refused(name, str(error), error.line, before=text)
    if document.form == formats.ONLY_COMMENTS:
        return Conversion(name, text, text, {}, [])
    return _convert(document, name, text, options)


def convert_words(words: Sequence[str], options: Options) -> Conversion:
    """Convert a command line, in words or all of it in one."""
    import shlex

    from migrate02.formats.command import read_line, read_words

    in_one = len(words) == 1 and len(words[0].split()) > 1
    try:
        document = read_line(words[0], options.era) if in_one else read_words(words, options.era)
    except UnusableInput as error:
        return refused(COMMAND_LINE, str(error))
    return _convert(document, COMMAND_LINE, (words[0] if in_one else shlex.join(words)) + "\n", options)


def refused(name: str, reason: str, line: int = 0, before: str = "") -> Conversion:
    """A whole input that cannot be used."""
    finding = Finding("unusable-input", "", Origin(FILE, name, name, line), reason, "")
    return Conversion(name, before, None, {}, [finding])


def left_alone(name: str, text: str, reason: str, line: int) -> Conversion:
    """A file of a tree that holds settings of 0.4 among other things and stays as it is."""
    remedy = "convert etcd's part of it, and put the result in by hand"
    return Conversion(
        name, text, text, {}, [Finding("not-converted", "", Origin(FILE, name, name, line), reason, remedy)]
    )


def _convert(document: Document, name: str, before: str, options: Options) -> Conversion:
    given = first_wins(document.given)
    if document.form == "env" and not given:
        options = options._replace(initial_cluster="")  # a file that is not about etcd's settings
    era = _era(document, given, options)
    translation = translate(
        _with_option(given, options),
        Surroundings(options.hostname, options.hostname_given, options.member_has_data),
        era,
    )
    if options.initial_cluster:
        translation.sources["initial-cluster"] = _instead_of(given)
    findings = document.findings + translation.findings + _line_breaks(given)
    if options.initial_cluster and not options.member_has_data:
        findings += _against_the_member(translation, options, name)
    if worst(findings) == ERROR:
        told = [finding for finding in findings if finding.severity != INFO]
        return Conversion(name, before, None, {}, _for_a_person(told, name))
    if _is_unclear(document, given, options):
        findings.append(_unclear(name))
    form = options.form or document.default_form
    if form == "yaml" and options.target.removeprefix("v").startswith("2."):
        reason = (
            f"etcd {options.target} reads no YAML file: add --to env or --to flags, or a --target from 3.0 on"
        )
        return refused(name, reason, before=before)
    fitted = _fitted(translation, given, document, form, options)
    findings = [_as_written(finding, translation, fitted) for finding in findings] + fitted.findings
    if document.tail and form != "flags":
        findings.append(_left_behind(document))
    if not fitted.config and document.form != form:
        nothing = refused(
            name, "no setting of etcd in it that could be written in another form", before=before
        )
        return nothing._replace(findings=_for_a_person([*nothing.findings, *findings], name))
    dead = _dead_lines(document, given, fitted.config, findings)
    text = before
    if document.form != form or fitted.config != _as_given(given) or dead:
        marks = MARKS_04 if era == ERA_04 else MARKS_2X
        text = render(document, Result(fitted.config, fitted.sources, given, dead, marks), form)
    if form == "yaml" and text is not before:
        from migrate02.formats.yaml3 import NOT_IN_YAML

        if NOT_IN_YAML.search(text):
            odd = NOT_IN_YAML.search(before)
            line = before.count("\n", 0, odd.start()) + 1 if odd else 0
            return refused(name, "YAML takes no control characters, and nothing but UTF-8", line, before)
    return Conversion(name, before, text, fitted.config, _for_a_person(findings, name))


def _line_breaks(given: dict[str, Given]) -> list[Finding]:
    """No form but JSON could say such a value, and nothing of etcd's takes one."""
    return [
        Finding(
            "invalid-value",
            item.name,
            item.origin,
            f"{item.origin.name}: a line break in the value",
            "remove it",
        )
        for item in given.values()
        if "\n" in item.value or "\r" in item.value
    ]


def _with_option(given: dict[str, Given], options: Options) -> dict[str, Given]:
    if not options.initial_cluster:
        return given
    origin = Origin(FLAG, "--initial-cluster")
    return {**given, "initial-cluster": Given("initial-cluster", options.initial_cluster, origin)}


def _against_the_member(translation: Translation, options: Options, name: str) -> list[Finding]:
    """A refusal of etcd's when the list given by option is not for this member."""
    if translation.refused:
        return []
    from migrate02.members import trouble

    message, remedy = trouble(options.initial_cluster, translation.config)
    kind, file = (FLAG, "") if name == COMMAND_LINE else (FILE, name)
    origin = Origin(kind, "--initial-cluster", file)
    return [Finding("settings-clash", "initial-cluster", origin, message, remedy)] if message else []


def _instead_of(given: dict[str, Given]) -> str:
    """The setting in whose place --initial-cluster goes."""
    return next((name for name in ("initial-cluster", "peers", "peers-file") if name in given), "")


def _fitted(
    translation: Translation, given: dict[str, Given], document: Document, form: str, options: Options
) -> _Fitted:
    """The configuration in the words of the release asked for; 2.3's words are the translation's own."""
    to_yaml = form == "yaml" and document.form != "yaml"
    target = options.target or ("3.0" if to_yaml else "")
    if not target:
        return _Fitted(translation.config, translation.sources, [], {})
    from compat.fit import fit, parse_target

    fitted = fit(translation.config, parse_target(target))
    findings = [_with_origin(finding, translation, given) for finding in fitted.findings]
    if to_yaml and not options.target:
        message = (
            "etcd 2.x reads no YAML file; this one is for 3.0 to 3.3: in 3.4 and 3.5 the v2 API is off unless the "
            "file says enable-v2"
        )
        findings.append(Finding("yaml-needs-3", "", None, message, "for 3.4 or 3.5, add --target 3.4 or 3.5"))
    sources = {name: translation.sources.get(fitted.renamed.get(name, name), "") for name in fitted.config}
    return _Fitted(fitted.config, sources, findings, fitted.renamed)


def _as_written(finding: Finding, translation: Translation, fitted: _Fitted) -> Finding:
    """What was carried over is told by the name that the release asked for has for it."""
    if finding.code != "carried-over":
        return finding
    message = finding.message
    for new, old in fitted.renamed.items():
        message = message.replace(
            f"became --{old} {translation.config[old]}:", f"became --{new} {fitted.config[new]}:"
        )
    return finding._replace(message=message)


def _with_origin(finding: Finding, translation: Translation, given: dict[str, Given]) -> Finding:
    source = given.get(translation.sources.get(finding.setting, ""))
    return finding._replace(origin=source.origin) if source else finding


def _dead_lines(
    document: Document, given: dict[str, Given], config: dict[str, str], findings: list[Finding]
) -> frozenset[int]:
    """Lines of settings that have no effect: passed over, or said again by a later line."""
    passed_over = {found.origin.line for found in findings if found.code in _PASSED_OVER and found.origin}
    said_again = {
        item.origin.line
        for item in document.given
        if item.name not in config and item.origin.line != given[item.name].origin.line
    }
    return frozenset(passed_over | said_again)


def _for_a_person(findings: list[Finding], name: str) -> list[Finding]:
    """The worst first, then by line. With many files, each has to say which one it is about."""
    if name != COMMAND_LINE:
        findings = [
            finding if finding.origin else finding._replace(origin=Origin(FILE, name, name))
            for finding in findings
        ]
    return sorted(findings, key=_rank)


def _rank(finding: Finding) -> tuple[int, int]:
    line = finding.origin.line if finding.origin else 0
    return _SEVERITIES.index(finding.severity), line or sys.maxsize


def _left_behind(document: Document) -> Finding:
    message = f"what stands after the flags has no place in this form: {' '.join(document.tail)}"
    return Finding("flags-elsewhere", "", None, message, "put it where it belongs by hand")


def _as_given(given: dict[str, Given]) -> dict[str, str]:
    return {name: item.value for name, item in given.items()}


def _era(document: Document, given: dict[str, Given], options: Options) -> str:
    if options.era:
        return options.era
    if document.whole:
        return ERA_04
    return era_by_names(given)


def _is_unclear(document: Document, given: dict[str, Given], options: Options) -> bool:
    """Only settings that both eras have, in a kind of file that both eras have."""
    if options.era or document.whole or document.form == "yaml":
        return False
    if not given and document.form not in ("flags", "args-json"):
        return False  # no setting of etcd's in it, unless it starts etcd
    return all(item.name in BY_NAME and not is_of_04_alone(item) for item in given.values())


def _unclear(name: str) -> Finding:
    message = "left as it is: all settings in it exist in etcd 0.4 and in 2.x, but what is not set differs"
    return Finding(
        "era-unclear", "", Origin(FILE, name, name), message, "if it was written for 0.4, add --from 0.4"
    )
