"""One document of settings and nothing else, converted: the document in, its text anew and findings out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compat.findings import Finding
from compat.settings import Given, first_wins
from compat.translate import ERA_04
from migrate02.convert.conversion import (
    Conversion,
    Options,
    for_a_person,
    nothing_for_another_form,
    refused,
    unmasked,
)
from migrate02.convert.era import document_is_unclear, era_of_document, unclear_document
from migrate02.convert.findings import BEHIND_THE_FLAGS, FILE_FOR_3
from migrate02.convert.guesses import defaults_left_out, is_moot, without_guesses
from migrate02.convert.rendering import MARKS_04, MARKS_2X, NewSettings, render
from migrate02.convert.translating import TranslatedSettings, translate_settings
from migrate02.formats.document import Document
from migrate02.formats.placeholders import INNERMOST, restore, unmask

_WITHOUT_EFFECT = frozenset(("never-read", "unusable-value"))


def convert_document(document: Document, name: str, before: str, options: Options) -> Conversion:
    """``before`` is the text that the document was read from."""
    found = _convert(document, name, before, options)
    return found._replace(
        text=None if found.text is None else restore(found.text, INNERMOST),
        config={key: unmask(value) for key, value in found.config.items()},
        findings=[unmasked(finding) for finding in found.findings],
    )


def _convert(document: Document, name: str, before: str, options: Options) -> Conversion:
    given = first_wins(document.given)
    if document.form == "env" and not given:
        options = options._replace(initial_cluster="")  # a file that is not about etcd's settings
    form = options.form or document.default_form
    if form == "yaml" and options.target.removeprefix("v").startswith("2."):
        reason = (
            f"etcd {options.target} reads no YAML file: add --to env or --to flags, or a --target from 3.0 on"
        )
        return refused(name, reason, before=before)
    to_yaml = form == "yaml" and document.form != "yaml"
    era = era_of_document(document, given, options)
    target = options.target or ("3.0" if to_yaml else "")
    translated = translate_settings(given, document.findings, options, era, name, target)
    if translated.refused:
        return Conversion(name, before, None, {}, for_a_person(translated.findings, name))
    if document.unseen:
        translated = _without_guesses(translated, given, options)
    findings = list(translated.findings)
    if document_is_unclear(document, given, options):
        findings.append(unclear_document(name))
    if to_yaml and not options.target:
        findings.append(_needs_3())
    if document.tail and form != "flags":
        findings.append(_left_behind(document))
    if not translated.config and document.form != form:
        nothing = nothing_for_another_form(name, before)
        return nothing._replace(findings=for_a_person([*nothing.findings, *findings], name))
    dead = dead_lines(document, given, translated.config, findings)
    as_given = {setting: item.value for setting, item in given.items()}
    text = before
    if document.form != form or translated.config != as_given or dead:
        marks = MARKS_04 if era == ERA_04 else MARKS_2X
        new = NewSettings(translated.config, translated.sources, given, dead, marks)
        text = render(document, new, form)
    if form == "yaml" and text is not before and (line := _line_no_yaml_takes(text, before)) is not None:
        return refused(name, "YAML allows no control characters, and only UTF-8", line, before)
    return Conversion(name, before, text, translated.config, for_a_person(findings, name))


def _without_guesses(
    translated: TranslatedSettings, given: Mapping[str, Given], options: Options
) -> TranslatedSettings:
    """Without 0.4's defaults, which would win over what is set elsewhere."""
    config, left_out = without_guesses(
        translated.config, translated.sources, given, unseen=True, asked=bool(options.initial_cluster)
    )
    findings = [item for item in translated.findings if not is_moot(item, set(config), translated.config)]
    findings += [defaults_left_out(None, left_out)] if left_out else []
    return translated._replace(config=config, findings=findings)


def dead_lines(
    document: Document, given: Mapping[str, Given], config: Mapping[str, str], findings: Iterable[Finding]
) -> frozenset[int]:
    """Lines of settings that have no effect: 0.4 never read them, or a later line says it again."""
    never_read = {found.origin.line for found in findings if found.code in _WITHOUT_EFFECT and found.origin}
    said_again = {
        item.origin.line
        for item in document.given
        if item.name not in config and item.name in given and item.origin.line != given[item.name].origin.line
    }
    return frozenset(never_read | said_again)


def _line_no_yaml_takes(text: str, before: str) -> int | None:
    """The line of the input with what YAML takes nowhere, 0 where only the text anew has it; None for neither."""
    from migrate02.formats.yaml import NOT_IN_YAML

    if not NOT_IN_YAML.search(text):
        return None
    odd = NOT_IN_YAML.search(before)
    return before.count("\n", 0, odd.start()) + 1 if odd else 0


def _needs_3() -> Finding:
    return FILE_FOR_3.finding("", None)


def _left_behind(document: Document) -> Finding:
    return BEHIND_THE_FLAGS.finding("", None, words=" ".join(document.tail))
