"""NAME=value files: /etc/default/etcd, a systemd EnvironmentFile, a profile with ``export``."""

from __future__ import annotations

import re
from typing import NamedTuple

from compat.findings import Finding
from compat.flags04 import ONLY_04
from compat.settings import VARIABLE, Origin
from compat.variables import read_variables
from migrate02.formats.document import Document, Piece, UnusableInput, lines_of, newline_of
from migrate02.formats.findings import FLAGS_IN_A_VARIABLE
from migrate02.formats.format import Context
from migrate02.formats.placeholders import LITERAL_DOLLAR
from migrate02.formats.reading import Reading, settings_alone
from migrate02.formats.view import View

_LINE = re.compile(r"(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
_EXPORTS = re.compile(
    r"(\s*+(?:export|(?:declare|typeset)\s++-x)\s++)([A-Za-z_]\w*(?:\s+[A-Za-z_]\w*)*)\s*+;?\s*+(#.*)?\Z",
    re.ASCII,
)
_ESCAPED = re.compile(r'\\(["\\$`])')
_ESCAPED_ALONE = re.compile(r"\\(.)", re.DOTALL)
_DOLLAR = re.compile(r"\$(?!\{_m)")
"""Not of a marker."""
_EXPORTED = re.compile(r"\s*export\s+[A-Z0-9_ ]+\Z")
_PART = re.compile(r"""[^\s'"\\;#$]+|'[^']*'|"(?:\\.|[^"\\])*"|\\.?|\$\([^()]*\)|[^'"\\]""", re.DOTALL)
_COMMAND = re.compile(r"\s(?:\S*/)?etcd\s+-")


class WrittenValue(NamedTuple):
    """``quote`` is the one to write it with again; ``export`` what stood behind it, as in ``A=b; export A``."""

    text: str
    quote: str
    comment: str
    export: bool = False


def read(view: View, _context: Context) -> Reading:
    """Raises UnusableInput when a value cannot be read."""
    pieces: list[Piece] = []
    items: list[tuple[str, Origin]] = []
    elsewhere: list[Finding] = []
    name, lines = view.name, lines_of(view.text)
    number = 0
    while number < len(lines):
        first = number
        while (
            lines[number].endswith("\\")
            and not lines[number].lstrip().startswith("#")
            and number + 1 < len(lines)
        ):
            number += 1
        run = tuple(lines[first : number + 1])
        number += 1
        joined = "".join(line[:-1] for line in run[:-1]) + run[-1]
        match = _LINE.match(joined)
        if match is None:
            pieces.append(_without_setting(run, joined))
            continue
        origin = Origin(VARIABLE, match[2], name, first + 1)
        if not match[2].startswith("ETCD_"):
            pieces.append(Piece(run))
            elsewhere += _flags_inside(match[3], origin)
            continue
        value = _value(match[3], origin)
        comments = (value.comment,) if value.comment else ()
        lead = f"{match[1]}export " if value.export and "export" not in match[1] else match[1]
        pieces.append(Piece(run, (f"{match[2]}@{first + 1}",), comments, lead, value.quote))
        items.append((value.text, origin))
        elsewhere += _flags_inside(match[3], origin)
    found = read_variables(items, template=True)
    holds_flags = {finding.origin for finding in elsewhere}
    findings = [finding for finding in found.findings if finding.origin not in holds_flags]
    document = Document("env", "env", pieces, found.given, findings + elsewhere, newline_of(view.text))
    return settings_alone(document)


def _without_setting(run: tuple[str, ...], joined: str) -> Piece:
    """A line that sets nothing; one that exports variables of etcd's has to follow their names."""
    match = _EXPORTS.match(joined)
    if match is None or "ETCD_" not in match[2]:
        return Piece(run)
    comments = (match[3],) if match[3] else ()
    return Piece(run, comments=comments, lead=match[1], structural=True, exports=tuple(match[2].split()))


def _value(text: str, origin: Origin) -> WrittenValue:
    try:
        value = parse_value(text)
    except ValueError as error:
        raise UnusableInput(f"{origin.name}: {error}", origin.line) from None
    if not value.quote and _COMMAND.search(value.text):
        raise UnusableInput(
            f"{origin.name}: a command behind a variable; give them one by one: the variable as a file, the command "
            "after --",
            origin.line,
        )
    return value


def parse_value(text: str) -> WrittenValue:
    """What follows ``=``: quoted, bare or both in a row, with a comment behind it.

    A bare value may hold blanks, as systemd has it, where a shell would want quotes. Raises ValueError when a quote is
    left open or something stands behind a closed one.
    """
    text = text.strip()
    value = ""
    quotes = ""
    at = 0
    exported = _exported_at(text)
    while at < len(text) and not (text[at] == "#" and (at == 0 or text[at - 1].isspace())):
        if exported <= at and exported >= 0:
            return WrittenValue(value, _quote_for(text[:at], quotes), "", export=True)
        if text[at].isspace() and quotes:
            break
        part = _PART.match(text, at)
        if part is None:
            raise ValueError("a quote is not closed")
        if part[0][0] in "\"'":
            quotes += part[0][0]
        value += _unquoted(part[0])
        at = part.end()
    behind = text[at:].strip()
    if behind and not behind.startswith("#"):
        raise ValueError(f"{behind} is behind the closing quote")
    return WrittenValue(value if quotes else value.rstrip(), _quote_for(text[:at], quotes), behind)


def _exported_at(text: str) -> int:
    """Where the ``; export A`` begins that a value ends with, with the blanks before it; -1 for none."""
    value, semicolon, behind = text.rpartition(";")
    return len(value.rstrip()) if semicolon and _EXPORTED.match(behind) else -1


def _quote_for(raw: str, quotes: str) -> str:
    r"""The value's own; single ones where a ``\$`` must not become a ``$`` to be filled in."""
    if quotes[:1] != "'" and "\\$" in raw:
        return "'"
    return quotes[:1]


def _unquoted(part: str) -> str:
    if part[0] == "'":
        return _DOLLAR.sub(LITERAL_DOLLAR, part[1:-1])
    if part[0] == '"':
        return _ESCAPED.sub(_escaped, part[1:-1])
    return _escaped(found) if (found := _ESCAPED_ALONE.fullmatch(part)) else part


def _escaped(found: re.Match[str]) -> str:
    return LITERAL_DOLLAR if found[1] == "$" else found[1]


def _flags_inside(text: str, origin: Origin) -> list[Finding]:
    """``DAEMON_OPTS="-addr ..."``: a piece of a command line, which is not converted."""
    if "-" not in text.lstrip("\"' ")[:1]:
        return []
    from migrate02.formats.command import read_words, split

    try:
        words = [word.text for word in split(parse_value(text).text).words]
        given = read_words(words).given
    except (ValueError, UnusableInput):
        return []
    if not any(item.name in ONLY_04 for item in given):
        return []
    return [FLAGS_IN_A_VARIABLE.finding("", origin, variable=origin.name, flags=" ".join(words))]
