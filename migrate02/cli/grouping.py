"""The findings of many files: what is the same in several is said once, with its places. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from compat.findings import ERROR, INFO, REVIEW, Finding
from migrate02.cli.places import places
from migrate02.findings import CODES
from server.printable import shown

FEW = 2
"""Files up to which a finding that leaves nothing to do is told in full."""

LONG = 160
"""Letters from which on only the first sentence of what to do is told of several files."""

_REASONS = ("reason", "why", "rule")
"""Fields that say what the matter is: findings of one text differ when these do. The others are a node's own values."""
_SEVERITIES = (ERROR, REVIEW, INFO)
_END_OF_SENTENCE = re.compile(r"(?<=[.)]) +(?=[A-Z'])")


class Group:
    """Findings that say the same of one or several files."""

    def __init__(self, first: Finding) -> None:
        self.findings = [first]

    @property
    def first(self) -> Finding:
        return self.findings[0]

    @property
    def files(self) -> int:
        return len({_spot(finding)[0] for finding in self.findings})

    @property
    def line(self) -> str:
        """All that there is to say, in one line."""
        first = self.first
        if len(set(map(str, self.findings))) == 1:
            return str(first)
        where = places([_spot(finding) for finding in self.findings])
        alike = all(finding.message == first.message for finding in self.findings)
        remedy = _common([finding.remedy for finding in self.findings])
        if not remedy and first.remedy:
            remedy = f"For the first: {first.remedy}" if alike else first.remedy
        arrow = f" -> {remedy}" if remedy else ""
        return shown(f"{_head([self])}: {where}{'' if alike else '; the first'}: {first.message}{arrow}")


def _common(remedies: Sequence[str]) -> str:
    """The sentences that all have; of many letters the first."""
    first, *others = (_END_OF_SENTENCE.split(remedy) for remedy in dict.fromkeys(remedies))
    sentences = [sentence for sentence in first if all(sentence in other for other in others)]
    said = " ".join(sentences)
    return said if len(said) <= LONG else sentences[0]


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """The worst first, then what is found most often, then in the order of the files."""
    groups: dict[object, Group] = {}
    for finding in findings:
        key = _key(finding)
        if key in groups:
            groups[key].findings.append(finding)
        else:
            groups[key] = Group(finding)
    return sorted(groups.values(), key=_rank)


def lines(groups: Sequence[Group]) -> list[str]:
    """One for each; what leaves nothing to do and is in many files is counted by its code."""
    counted: dict[str, list[Group]] = {}
    said = []
    for group in groups:
        if group.first.severity == INFO and group.files > FEW:
            counted.setdefault(group.first.code, []).append(group)
        else:
            said.append(group.line)
    return said + [f"{_head(alike)}: {CODES[code].title}" for code, alike in counted.items()]


def told_together(findings: Sequence[Finding], more: str = "") -> list[str]:
    """What the findings of many files have in common; ``more``, which says how to see all, where that is less."""
    groups = grouped(findings)
    return [*lines(groups), *([more] if more and len(groups) < len(findings) else [])]


def _key(finding: Finding) -> object:
    """An error, or what is in no file, is the same when its words are; another finding when it has the same text,
    setting and reasons."""
    text = finding.text
    if finding.severity == ERROR or not (finding.origin and finding.origin.file):
        return text, finding.message
    return text, finding.setting, tuple(item for item in finding.fields if item[0] in _REASONS)


def _rank(group: Group) -> tuple[int, int]:
    return _SEVERITIES.index(group.first.severity), -group.files


def _head(groups: Sequence[Group]) -> str:
    first = groups[0].first
    files = {_spot(finding)[0] for group in groups for finding in group.findings}
    count = sum(len(group.findings) for group in groups)
    of_files = "1 file" if len(files) == 1 else f"{len(files)} files"
    if count != len(files):
        of_files = f"{count} findings in {of_files}"
    return f"{first.severity}[{first.code}] {of_files}"


def _spot(finding: Finding) -> tuple[str, int]:
    """The file, or what else the setting came from, and the line."""
    origin = finding.origin
    if origin is None or not origin.file:
        return finding.place, 0
    return origin.file, origin.line
