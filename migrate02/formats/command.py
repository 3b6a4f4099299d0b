"""A bare command line: ``etcd -name m1 -addr ...``, over several lines with ``\\`` or not.

What a shell would do with it, expansions and redirections, is kept as it was written and never carried out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from compat.commandline import CommandLine, no_flags, read_command_line
from compat.findings import Finding
from compat.flags04 import NEVER_READ
from compat.settings import FILE, VARIABLE, Given, Origin
from compat.variables import Variables, read_variables, setting_of
from migrate02.formats.document import Document, Piece, UnusableInput, lines_of, newline_of
from migrate02.formats.findings import FILE_LEFT_OUT, MORE_FLAGS
from migrate02.formats.format import Context
from migrate02.formats.reading import Reading, settings_alone
from migrate02.formats.view import View

_PART = re.compile(r"""\$\([^()]*\)|`[^`]*`|'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\`;&|<>$]+|\$""", re.DOTALL)
_OPERATOR = re.compile(r"\d*[<>]|[;&|]")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
_EXPANSION = re.compile(r"""("?)\$(?:@|\*|\w+|\{[^{}]*\})\1\Z""")


class WrittenWord(NamedTuple):
    """``raw`` as it was written, ``text`` without its quotes."""

    raw: str
    text: str

    @property
    def is_expansion(self) -> bool:
        """``$ETCD_OPTS`` or ``"$@"``: may stand for any number of words."""
        return bool(_EXPANSION.match(self.raw))


class SplitLine(NamedTuple):
    """A command line in words. ``tail`` starts at the first thing that only a shell reads: ``> log``, ``&``."""

    words: list[WrittenWord]
    tail: str = ""
    comment: str = ""


def read(view: View, context: Context) -> Reading:
    """Raises UnusableInput when the words cannot be told apart, or are of some other program."""
    lines = lines_of(view.text)
    comments = []
    code = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            comments.append(line)
        else:
            code.append((number, line))
    first = code[0][0]
    for (_, line), (number, _) in pairwise(code):
        if not line.endswith("\\"):
            raise UnusableInput(
                "more than one command: give only etcd's, or its command line after --", number
            )
    try:
        found = split("\n".join(line for _, line in code).replace("\\\n", " "))
    except ValueError as error:
        raise UnusableInput(f"not a command line: {error}", first) from None
    document = _of_line(found, context.era, first)
    comments.append(found.comment)
    pieces = [Piece((line,)) for line in comments if line.strip()]
    document = in_file(document, view.name, first)
    return settings_alone(document._replace(pieces=pieces, newline=newline_of(view.text)))


def read_line(code: str, era: str = "") -> Document:
    """A command line in one text. Raises UnusableInput as ``read`` does."""
    try:
        return _of_line(split(code), era)
    except ValueError as error:
        raise UnusableInput(f"not a command line: {error}") from None


def read_words(words: Sequence[str], era: str = "") -> Document:
    """The words of a command line that a shell has read already, the program's name before the first flag or not.

    Raises UnusableInput when they are of some other program.
    """
    return _of_line(SplitLine([WrittenWord(shlex.quote(word), word) for word in words]), era)


def split(code: str) -> SplitLine:
    """Raises ValueError for a quote that is left open."""
    words: list[WrittenWord] = []
    at = 0
    while at < len(code):
        if code[at].isspace():
            at += 1
            continue
        if code[at] == "#":
            return SplitLine(words, comment=code[at:].rstrip())
        if _OPERATOR.match(code, at):
            return SplitLine(words, tail=code[at:].strip())
        start = at
        text = ""
        while part := _PART.match(code, at):
            text += _unquoted(part[0])
            at = part.end()
        if at < len(code) and code[at] in "'\"`\\":
            raise ValueError("a quote is not closed")
        words.append(WrittenWord(code[start:at], text))
    return SplitLine(words)


def _unquoted(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] == '"':
        return re.sub(r'\\([$`"\\])', r"\1", part[1:-1])
    return part[1:] if part[0] == "\\" else part


def _of_line(found: SplitLine, era: str, number: int = 0) -> Document:
    words = found.words
    start = next((place for place, word in enumerate(words) if word.text.startswith("-")), len(words))
    variables, before = _read_variables(words[:start])
    program = tuple(word.raw for word in before) or ("etcd",)
    names = [word.raw for word in before if not _ASSIGNMENT.match(word.text)]
    if not any("etcd" in name for name in names) and before:
        raise UnusableInput(
            f"a command line of {(names or program)[0]}, not of etcd: give etcd's command line after --",
            number,
        )
    line, elsewhere = _read_flags(words[start:], era)
    by_flag = {item.name for item in line.given}
    findings = [item for item in variables.findings if item.setting not in by_flag] + line.findings
    if line.config_file is not None:
        findings.append(_config_elsewhere(line.config_file))
    unseen = [*(word.raw for word in before[1:] if word.is_expansion), *elsewhere]
    if unseen:
        findings.append(_flags_elsewhere(unseen))
    tail = tuple(part for part in (*elsewhere, found.tail) if part)
    given = [*variables.given, *line.given]
    return Document(
        "flags",
        "flags",
        [],
        given,
        findings,
        program=program,
        tail=tail,
        unseen=line.config_file is not None,
    )


def _read_variables(words: list[WrittenWord]) -> tuple[Variables, list[WrittenWord]]:
    """The settings among the ``NAME=value`` words before the program, and the words without them."""
    items: list[tuple[str, Origin]] = []
    for word in words:
        if assignment := _ASSIGNMENT.match(word.text):
            items.append((assignment[2], Origin(VARIABLE, assignment[1])))
    found = read_variables(items, template=True)
    not_ours = {finding.origin for finding in found.findings if finding.code == "unknown-variable"}
    ours = {
        origin.name
        for _, origin in items
        if origin not in not_ours and (setting_of(origin.name) or origin.name in NEVER_READ)
    }
    return found, [word for word in words if word.text.partition("=")[0] not in ours]


def _read_flags(words: list[WrittenWord], era: str) -> tuple[CommandLine, list[str]]:
    """Where a flag should stand, ``$ETCD_OPTS`` is no stray word: set aside, so that what follows is read too."""
    expansions = {at for at, word in enumerate(words) if word.is_expansion}
    aside = set(no_flags([word.text for word in words], expansions))
    left = [word.text for at, word in enumerate(words) if at not in aside]
    return read_command_line(left, template=True, era=era), [words[at].raw for at in sorted(aside)]


def _config_elsewhere(config_file: Given) -> Finding:
    return FILE_LEFT_OUT.finding("config", config_file.origin, path=config_file.value)


def _flags_elsewhere(words: list[str]) -> Finding:
    return MORE_FLAGS.finding("", None, words=" ".join(words))


def in_file(document: Document, name: str, line: int) -> Document:
    """The same, as it stands in a file."""

    def place(origin: Origin) -> Origin:
        return Origin(FILE, origin.name, name, line)

    return document._replace(
        given=[item._replace(origin=place(item.origin)) for item in document.given],
        findings=[
            finding._replace(origin=place(finding.origin)) if finding.origin else finding
            for finding in document.findings
        ],
    )
