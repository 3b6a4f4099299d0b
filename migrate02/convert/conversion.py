"""One configuration converted: text or words in, text and findings out. Pure: reading and writing files is done
by ``migrate02.files.reading`` and ``migrate02.files.replacing``.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import NamedTuple

from compat.findings import ERROR, INFO, REVIEW, Finding, worst
from compat.flags04 import BY_NAME
from compat.settings import FILE, FLAG, Given, Origin, first_wins
from compat.translate import ERA_04, Surroundings, Translation, is_of_04_alone, translate
from compat.translate import era_of as era_by_names
from migrate02.convert.guesses import defaults_left_out, is_moot, without_guesses
from migrate02.convert.rendering import MARKS_04, MARKS_2X, Result, render
from migrate02.formats.document import Document
from migrate02.formats.placeholders import INNERMOST, restore, unmask

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
    kind: str = ""
    """What kind of file it is, when a person has said so."""


class _Fitted(NamedTuple):
    """``sources`` as in a Translation, ``renamed`` as in compat.fit."""

    config: dict[str, str]
    sources: dict[str, str]
    findings: list[Finding]
    renamed: dict[str, str]


class Conversion(NamedTuple):
    """``text`` is None when the input was refused; it is the input itself when there was nothing to do. Those with the
    same ``node`` are to be written together; empty for one by itself."""

    name: str
    before: str
    text: str | None
    config: dict[str, str]
    findings: list[Finding]
    node: str = ""

    @property
    def refused(self) -> bool:
        return self.text is None

    @property
    def changed(self) -> bool:
        return self.text is not None and self.text != self.before

    @property
    def says_something(self) -> bool:
        """Whether there is any setting of etcd in it, or anything to say about it."""
        codes = {finding.code for finding in self.findings}
        return bool(self.changed or codes - {"nothing-to-convert"} or self.config)

    @property
    def left_alone(self) -> bool:
        return any(finding.code == "not-converted" for finding in self.findings)

    @property
    def needs_review(self) -> bool:
        return any(finding.severity == REVIEW for finding in self.findings)


def refused(name: str, reason: str, line: int = 0, before: str = "", remedy: str = "") -> Conversion:
    """A whole input that cannot be used."""
    finding = Finding("unusable-input", "", Origin(FILE, name, name, line), reason, remedy)
    return Conversion(name, before, None, {}, [finding])


def left_alone(
    name: str,
    text: str,
    reason: str,
    line: int,
    remedy: str = "convert etcd's part of it, and put the result in by hand",
) -> Conversion:
    """A file that holds settings of 0.4 among other things and stays as it is."""
    return Conversion(
        name, text, text, {}, [Finding("not-converted", "", Origin(FILE, name, name, line), reason, remedy)]
    )


def nothing_to_convert(name: str, text: str, options: Options) -> Conversion:
    """A file without any setting of etcd's."""
    if options.form:
        return refused(name, "no setting of etcd in it that could be written in another form", before=text)
    message = "No etcd setting in this file; nothing to convert."
    return Conversion(
        name, text, text, {}, [Finding("nothing-to-convert", "", Origin(FILE, name, name), message, "")]
    )


class Outcome(NamedTuple):
    """What comes of merged settings: ``config`` in the words of the target, ``sources`` the given setting behind each.
    ``given`` may hold one more than was passed in, the cluster told by option. Nothing is to be written when
    ``refused``."""

    config: dict[str, str]
    sources: dict[str, str]
    findings: list[Finding]
    refused: bool


def carry_over(
    given: dict[str, Given], told: list[Finding], options: Options, era: str, name: str, target: str
) -> Outcome:
    """Translate settings that are merged by precedence and fit them to a release; ``told`` is what their reading had to
    say, ``name`` what the input is called."""
    dropped = _discovery_to_drop(given, options, era)
    translation = translate(
        _with_option(given, options, dropped),
        Surroundings(
            options.hostname, options.hostname_given, options.member_has_data, may_be_completed=True
        ),
        era,
    )
    if options.initial_cluster:
        translation.sources["initial-cluster"] = _instead_of(given, dropped)
    findings = told + translation.findings + _line_breaks(given) + [_dropped(item) for item in dropped]
    if options.initial_cluster and not options.member_has_data:
        findings += _against_the_member(translation, options, name)
    if worst(findings) == ERROR:
        return Outcome({}, {}, [finding for finding in findings if finding.severity != INFO], True)
    fitted = _fitted(translation, given, target)
    findings = [_as_written(finding, translation, fitted) for finding in findings] + fitted.findings
    return Outcome(fitted.config, fitted.sources, findings, False)


def convert_document(document: Document, name: str, before: str, options: Options) -> Conversion:
    """``before`` is the text that the document was read from."""
    found = _convert_document(document, name, before, options)
    return found._replace(
        text=None if found.text is None else restore(found.text, INNERMOST),
        config={key: unmask(value) for key, value in found.config.items()},
        findings=[unmasked(finding) for finding in found.findings],
    )


def unmasked(finding: Finding) -> Finding:
    return finding._replace(message=unmask(finding.message), remedy=unmask(finding.remedy))


def _convert_document(document: Document, name: str, before: str, options: Options) -> Conversion:
    given = first_wins(document.given)
    if document.form == "env" and not given:
        options = options._replace(initial_cluster="")  # a file that is not about etcd's settings
    era = _era(document, given, options)
    form = options.form or document.default_form
    to_yaml = form == "yaml" and document.form != "yaml"
    if form == "yaml" and options.target.removeprefix("v").startswith("2."):
        reason = (
            f"etcd {options.target} reads no YAML file: add --to env or --to flags, or a --target from 3.0 on"
        )
        return refused(name, reason, before=before)
    target = options.target or ("3.0" if to_yaml else "")
    outcome = carry_over(given, document.findings, options, era, name, target)
    findings = outcome.findings
    if outcome.refused:
        return Conversion(name, before, None, {}, for_a_person(findings, name))
    if document.unseen:
        config, left_out = without_guesses(
            outcome.config, outcome.sources, given, unseen=True, asked=bool(options.initial_cluster)
        )
        findings = [item for item in findings if not is_moot(item, set(config), outcome.config)]
        findings += [defaults_left_out(None, left_out)] if left_out else []
        outcome = outcome._replace(config=config)
    if _is_unclear(document, given, options):
        findings.append(unclear(name))
    if to_yaml and not options.target:
        findings.append(_needs_3())
    if document.tail and form != "flags":
        findings.append(_left_behind(document))
    if not outcome.config and document.form != form:
        nothing = refused(
            name, "no setting of etcd in it that could be written in another form", before=before
        )
        return nothing._replace(findings=for_a_person([*nothing.findings, *findings], name))
    dead = dead_lines(document, given, outcome.config, findings)
    text = before
    if document.form != form or outcome.config != _as_given(given) or dead:
        marks = MARKS_04 if era == ERA_04 else MARKS_2X
        text = render(document, Result(outcome.config, outcome.sources, given, dead, marks), form)
    if form == "yaml" and text is not before:
        from migrate02.formats.yaml import NOT_IN_YAML

        if NOT_IN_YAML.search(text):
            odd = NOT_IN_YAML.search(before)
            line = before.count("\n", 0, odd.start()) + 1 if odd else 0
            return refused(name, "YAML takes no control characters, and nothing but UTF-8", line, before)
    return Conversion(name, before, text, outcome.config, for_a_person(findings, name))


def _needs_3() -> Finding:
    message = (
        "etcd 2.x reads no YAML file; this one is for 3.0 to 3.3: in 3.4 and 3.5 the v2 API is off unless the "
        "file says enable-v2"
    )
    return Finding("yaml-needs-3", "", None, message, "for 3.4 or 3.5, add --target 3.4 or 3.5")


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


def _with_option(given: dict[str, Given], options: Options, dropped: Collection[Given]) -> dict[str, Given]:
    if not options.initial_cluster:
        return given
    origin = Origin(FLAG, "--initial-cluster")
    kept = {name: item for name, item in given.items() if item not in dropped}
    return {**kept, "initial-cluster": Given("initial-cluster", options.initial_cluster, origin)}


def _discovery_to_drop(given: dict[str, Given], options: Options, era: str) -> list[Given]:
    """0.4's token, where the run gives the cluster. Beside a list of its own in the file, etcd refuses it."""
    is_04 = era == ERA_04 or all(name in BY_NAME for name in given)
    if not options.initial_cluster or not is_04 or "initial-cluster" in given:
        return []
    return [given["discovery"]] if "discovery" in given else []


def _dropped(discovery: Given) -> Finding:
    message = (
        f"{discovery.origin.name} is removed: --initial-cluster now lists the members, and a token of 0.4 cannot be "
        "used again."
    )
    return Finding("discovery-dropped", "discovery", discovery.origin, message, "")


def _against_the_member(translation: Translation, options: Options, name: str) -> list[Finding]:
    """A refusal of etcd's when the list given by option is not for this member."""
    if translation.refused:
        return []
    from migrate02.convert.members import trouble

    message, remedy = trouble(
        unmask(options.initial_cluster), {key: unmask(value) for key, value in translation.config.items()}
    )
    kind, file = (FLAG, "") if name == COMMAND_LINE else (FILE, name)
    origin = Origin(kind, "--initial-cluster", file)
    return [Finding("settings-clash", "initial-cluster", origin, message, remedy)] if message else []


def _instead_of(given: dict[str, Given], dropped: Sequence[Given]) -> str:
    """The setting in whose place --initial-cluster goes."""
    names = ("initial-cluster", "peers", "peers-file", *(item.name for item in dropped))
    return next((name for name in names if name in given), "")


def _fitted(translation: Translation, given: dict[str, Given], target: str) -> _Fitted:
    """The configuration in the words of the release asked for; 2.3's words are the translation's own."""
    if not target:
        return _Fitted(translation.config, translation.sources, [], {})
    from compat.fit import fit, parse_target

    fitted = fit(translation.config, parse_target(target))
    findings = [_with_origin(finding, translation, given) for finding in fitted.findings]
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


def dead_lines(
    document: Document, given: dict[str, Given], config: dict[str, str], findings: list[Finding]
) -> frozenset[int]:
    """Lines of settings that have no effect: passed over, or said again by a later line."""
    passed_over = {found.origin.line for found in findings if found.code in _PASSED_OVER and found.origin}
    said_again = {
        item.origin.line
        for item in document.given
        if item.name not in config and item.name in given and item.origin.line != given[item.name].origin.line
    }
    return frozenset(passed_over | said_again)


def for_a_person(findings: list[Finding], name: str) -> list[Finding]:
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
    return unclear_setup(given)


def unclear_setup(given: dict[str, Given]) -> bool:
    """Nothing in it is of one era alone."""
    return all(item.name in BY_NAME and not is_of_04_alone(item) for item in given.values())


def unclear(name: str) -> Finding:
    message = "left as it is: all settings in it exist in etcd 0.4 and in 2.x, but what is not set differs"
    return Finding(
        "era-unclear", "", Origin(FILE, name, name), message, "if it was written for 0.4, add --from 0.4"
    )
