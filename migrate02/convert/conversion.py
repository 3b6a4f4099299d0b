"""What is asked of a conversion, and what comes of it. Pure: ``migrate02.files`` reads and writes the files."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import NamedTuple

from compat.findings import ERROR, INFO, REVIEW, Finding, Text
from compat.settings import FILE, Origin
from migrate02.convert.findings import NO_SETTING_OF_ETCD, UNUSABLE
from migrate02.formats.findings import LEFT_ALONE
from migrate02.formats.placeholders import unmask

_SEVERITIES = (ERROR, REVIEW, INFO)

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


def unchanged(name: str, text: str, findings: list[Finding]) -> Conversion:
    """A file that stays as it is."""
    return Conversion(name, text, text, {}, findings)


def refused(
    name: str, reason: str, line: int = 0, before: str = "", remedy: str = "", text: Text = UNUSABLE
) -> Conversion:
    """A whole input that cannot be used, read or written, as the ``text`` says."""
    finding = text.finding("", Origin(FILE, name, name, line), reason=reason, remedy=remedy)
    return Conversion(name, before, None, {}, [finding])


def left_alone(
    name: str,
    text: str,
    reason: str,
    line: int,
    remedy: str = "Convert etcd's part of it, and insert the result by hand.",
) -> Conversion:
    """A file that holds settings of 0.4 among other things and stays as it is."""
    return unchanged(
        name, text, [LEFT_ALONE.finding("", Origin(FILE, name, name, line), reason=reason, remedy=remedy)]
    )


def nothing_to_convert(name: str, text: str, options: Options) -> Conversion:
    """A file without any setting of etcd's."""
    if options.form:
        return nothing_for_another_form(name, text)
    return unchanged(name, text, [NO_SETTING_OF_ETCD.finding("", Origin(FILE, name, name))])


def nothing_for_another_form(name: str, text: str) -> Conversion:
    return refused(name, "it has no etcd setting to write in another form", before=text)


def unmasked(finding: Finding) -> Finding:
    """With what its markers stand for, as a person reads it."""
    if not any("$" in value for _, value in finding.fields):  # as in every marker
        return finding
    return finding.with_fields(unmask)


def for_a_person(findings: Iterable[Finding], name: str) -> list[Finding]:
    """The worst first, then by line. With many files, each has to say which one it is about."""
    if name != COMMAND_LINE:
        findings = (
            finding if finding.origin else finding._replace(origin=Origin(FILE, name, name))
            for finding in findings
        )
    return sorted(findings, key=_rank)


def _rank(finding: Finding) -> tuple[int, int]:
    line = finding.origin.line if finding.origin else 0
    return _SEVERITIES.index(finding.severity), line or sys.maxsize
