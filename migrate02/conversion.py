"""One configuration converted: text or words in, text and findings out. Pure: reading and writing files is done
by ``migrate02.files``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from compat.findings import ERROR, REVIEW, Finding
from compat.flags04 import BY_NAME, ONLY_04
from compat.settings import FILE, FLAG, Given, Origin, first_wins
from compat.translate import ERA_04, ERA_2X, Surroundings, translate
from compat.translate import era_of as era_by_names
from migrate02 import formats
from migrate02.formats import Document, UnusableInput
from migrate02.render import Result, render

DEFAULT_TARGET = "2.3"


class Options(NamedTuple):
    """What was asked for. ``form`` is empty for the input's own; ``target`` empty for 2.3."""

    form: str = ""
    target: str = ""
    hostname: str = "localhost"
    initial_cluster: str = ""
    member_has_data: bool = False
    era: str = ""


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
    def needs_review(self) -> bool:
        return any(finding.severity == REVIEW for finding in self.findings)


def convert_text(text: str, name: str, options: Options) -> Conversion:
    """Convert a file's text; ``name`` is what messages call it."""
    try:
        document = formats.read(text, name)
    except UnusableInput as error:
        return refused(name, str(error), error.line, before=text)
    return _convert(document, name, text, options)


def convert_words(words: Sequence[str], options: Options) -> Conversion:
    """Convert a command line."""
    import shlex

    from migrate02.formats.command import read_words

    return _convert(read_words(words), "command line", shlex.join(words) + "\n", options)


def refused(name: str, reason: str, line: int = 0, before: str = "") -> Conversion:
    """A whole input that cannot be used."""
    finding = Finding("unusable-input", "", Origin(FILE, name, name, line), reason, "")
    return Conversion(name, before, None, {}, [finding])


def _convert(document: Document, name: str, before: str, options: Options) -> Conversion:
    given = first_wins(document.given)
    era = _era(document, given, options)
    if options.initial_cluster:
        origin = Origin(FLAG, "--initial-cluster")
        given = {**given, "initial-cluster": Given("initial-cluster", options.initial_cluster, origin)}
    around = Surroundings(options.hostname, options.member_has_data)
    translation = translate(given, around, era)
    findings = document.findings + translation.findings
    if _is_unclear(document, given, options):
        findings.append(_unclear(name))
    if any(finding.severity == ERROR for finding in findings):
        return Conversion(
            name, before, None, {}, [finding for finding in findings if finding.severity != "info"]
        )
    config, sources = translation.config, translation.sources
    form = options.form or document.default_form
    target = options.target or ("3.0" if form == "yaml" and document.form != "yaml" else "")
    if target:
        from compat.fit import fit, parse_target

        fitted = fit(config, parse_target(target))
        config, findings = fitted.config, findings + fitted.findings
        sources = {new: sources.get(fitted.renamed.get(new, new), "") for new in config}
        if form == "yaml" and not options.target:
            findings.append(
                Finding("yaml-needs-3", "", None, "etcd 2.x reads no YAML file; this one is for 3.0", "")
            )
    told = frozenset(found.origin.line for found in findings if found.code == "never-read" and found.origin)
    text = before
    if document.form != form or config != _as_given(given) or told:
        text = render(document, Result(config, sources, given, told), form)
    return Conversion(name, before, text, config, findings)


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
    if options.era or document.whole or not given or document.form == "yaml":
        return False
    return all(name in BY_NAME and name not in ONLY_04 for name in given)


def _unclear(name: str) -> Finding:
    message = "left as it is: all settings in it exist in etcd 0.4 and in 2.x, but what is not set differs"
    return Finding(
        "era-unclear", "", Origin(FILE, name, name), message, "if it was written for 0.4, add --from 0.4"
    )


__all__ = [
    "DEFAULT_TARGET",
    "ERA_04",
    "ERA_2X",
    "Conversion",
    "Options",
    "convert_text",
    "convert_words",
    "refused",
]
