"""The words behind ``etcd`` on a command line, read as settings that know where they stand. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from compat.commandline import no_flags, read_command_line
from compat.findings import Finding
from compat.flags04 import ADVERTISED, BY_NAME, BY_SHORT
from compat.settings import FILE, Given, Origin
from migrate02.formats.placeholders import MARKER, VARIABLE, mask, unmask, with_port
from migrate02.formats.reading import InsertionPoint, Occurrence, Settings
from migrate02.formats.starts.words import Word
from migrate02.formats.view import Edit


class Flags(NamedTuple):
    """``elsewhere`` are the words that stand for flags which cannot be seen. ``config`` is the file 0.4 would read."""

    occurrences: list[Occurrence]
    findings: list[Finding]
    elsewhere: list[Word]
    config: Given | None
    insertion: InsertionPoint | None
    filled: tuple[tuple[str, str], ...] = ()


Resolve = Callable[[Word], str]
"""What a word is with the plain variables in it filled in."""


def as_it_is(word: Word) -> str:
    return word.text


def read(words: Sequence[Word], before: Word | None, era: str = "", resolve: Resolve = as_it_is) -> Flags:
    """``before`` is the word that the first one stands behind, when there is one."""
    filled: dict[str, str] = {}
    masked = [mask(_said(word, resolve, filled), word.dialect.mask, word.level) for word in words]
    said = _with_ports(masked)
    aside = set(no_flags(said, {at for at, word in enumerate(words) if word.is_expansion}))
    kept = [at for at in range(len(words)) if at not in aside]
    left = [words[at] for at in kept]
    if aside:
        said = _with_ports([masked[at] for at in kept])
    line = read_command_line(said, template=True, era=era)
    neighbours = [*([before] if before else []), *words]
    shift = len(neighbours) - len(words)

    def occurrence(given: Given, first: int, count: int) -> Occurrence:
        return _occurrence(given, left[first : first + count], kept[first] + shift, neighbours)

    occurrences = [
        occurrence(given._replace(origin=_origin(left[first], given.origin)), first, count)
        for given, (first, count) in zip(line.given, line.spans, strict=True)
    ]
    behind = len(left) - len(line.rest)
    if line.rest and all(finding.code == "words-ignored" for finding in line.findings[-1:]):
        nothing = Given("", "", _origin(left[behind], Origin(FILE, left[behind].text)))
        occurrences += [occurrence(nothing, at, 1) for at in range(behind, len(left))]
    findings = _with_lines(line.findings, left)
    ends = [span for given, span in zip(line.given, line.spans, strict=True) if given.name]
    first, count = ends[-1] if ends else (0, 0)
    insertion = _insertion(
        left[first : first + count], kept[first] + shift if ends else 0, neighbours, before
    )
    elsewhere = [words[at] for at in sorted(aside)]
    config = line.config_file
    if config is not None:
        config = config._replace(value=unmask(config.value))
    return Flags(occurrences, findings, elsewhere, config, insertion, tuple(filled.items()))


def _with_ports(texts: Sequence[str]) -> list[str]:
    return [_with_port(text, texts[at - 1] if at else "") for at, text in enumerate(texts)]


def _with_port(text: str, before: str) -> str:
    name, equals, value = text.rpartition("=") if text.startswith("-") else (before, "", text)
    flag = BY_SHORT.get(name.lstrip("-")) or BY_NAME.get(name.lstrip("-"))
    if flag is None or flag.kind != ADVERTISED or not name.startswith("-"):
        return text
    return f"{name}={with_port(value)}" if equals else with_port(value)


def _said(word: Word, resolve: Resolve, filled: dict[str, str]) -> str:
    """A word, or the address that a plain variable in it stands for: its port has to be known."""
    if "$" not in word.text:
        return word.text
    name, equals, value = word.text.rpartition("=") if word.text.startswith("-") else ("", "", word.text)
    if not re.fullmatch(rf"{MARKER}|\$(?:\w+|\{{\w+\}})", value):
        return word.text
    known = resolve(word).removeprefix(name + equals)
    if not re.fullmatch(r"[^\s$:]+:\d+|\[[\da-fA-F:]+\]:\d+", known):
        return word.text
    filled[known] = mask(value, VARIABLE, word.level)
    return name + equals + known


def _origin(word: Word, origin: Origin) -> Origin:
    return Origin(FILE, origin.name, word.view.name, word.view.line(word.start))


def _with_lines(findings: Sequence[Finding], words: Sequence[Word]) -> list[Finding]:
    """Each at the line of the first word that it names."""
    if not words or not findings:
        return list(findings)
    by_name: dict[str, Word] = {}
    for word in words:
        by_name.setdefault(mask(word.text).partition("=")[0], word)
    return [
        finding._replace(origin=_origin(by_name.get(finding.origin.name, words[0]), finding.origin))
        if finding.origin is not None
        else finding
        for finding in findings
    ]


def _occurrence(given: Given, run: Sequence[Word], at: int, neighbours: Sequence[Word]) -> Occurrence:
    """``at`` is the position of the first word among its neighbours."""
    first, last = run[0], run[-1]
    before = neighbours[at - 1] if at and neighbours[at - 1].view is first.view else None
    after = neighbours[at + len(run)] if at + len(run) < len(neighbours) else None
    if after is not None and after.view is not first.view:
        after = None

    def write(settings: Settings) -> str:
        return joint_of(before, first).join(flag_text(name, value, run) for name, value in settings)

    return Occurrence(given, first.view, first.start, last.end, write, _gone(before, first, last, after))


def _gone(before: Word | None, first: Word, last: Word, after: Word | None) -> Edit:
    if first.lines is not None and last.lines is not None:
        return Edit(first.lines[0], last.lines[1], "")
    if before is not None:
        return Edit(before.end, last.end, "")
    if after is not None:
        return Edit(first.start, after.start, "")
    return Edit(first.start, last.end, "")


def joint_of(before: Word | None, word: Word) -> str:
    """What stands between a word and the one before it, to be written again between two others."""
    if before is None or word.lines is not None:
        return word.dialect.joint
    gap = word.view.text[before.end : word.start]
    if not gap.strip():
        return word.view.as_written(before.end, word.start) or " "
    if gap.replace("\\", "").strip() in ("", ","):
        return gap
    if "#" in gap or ";" in gap:  # comments between the two
        newline = "\r\n" if "\r\n" in gap else "\n"
        return (f" \\{newline}" if "\\" in gap else newline) + gap.rpartition("\n")[2]
    return word.dialect.joint


def flag_text(name: str, value: str, run: Sequence[Word]) -> str:
    """One flag as the one was written whose place it takes: in one word or in two."""
    quote, raw = run[0].quoted, run[-1].raw
    if value in ("true", "false") or not value or value.startswith("-"):
        return quote(f"--{name}={value}", raw)
    if len(run) == 1 and "=" in run[0].raw:
        return quote(f"--{name}={value}", raw if raw[:1] in "\"'" else raw.partition("=")[2])
    between = run[0].dialect.joint
    if len(run) == 2 and run[0].lines is None:
        between = run[0].view.text[run[0].end : run[1].start]
    return quote(f"--{name}", run[0].raw) + between + quote(value, raw)


def _insertion(
    run: Sequence[Word], at: int, neighbours: Sequence[Word], program: Word | None
) -> InsertionPoint | None:
    """Where flags go that stood nowhere: behind the last one, or behind the program."""
    if not run and program is None:
        return None
    word = run[-1] if run else program
    assert word is not None
    if run:
        before = neighbours[at - 1] if at and neighbours[at - 1].view is run[0].view else None
        joint = joint_of(before, run[0])
    else:
        joint, run = word.dialect.joint, [word]

    def write(settings: Settings) -> str:
        return "".join(joint + flag_text(name, value, run) for name, value in settings)

    return InsertionPoint(word.view, word.lines[1] if word.lines is not None else word.end, write)
