"""0.4's own file, /etc/etcd/etcd.conf. It becomes an environment file: 2.x reads no file of its own."""

from __future__ import annotations

import re

from compat.toml04 import Span, TomlError, line_of, read_toml
from migrate02.formats.document import Document, NothingToConvert, Piece, UnusableInput, lines_of, newline_of
from migrate02.formats.format import Context
from migrate02.formats.reading import Reading, settings_alone
from migrate02.formats.view import View

_HEADER = r"\s*\[\s*[^\[\]]+\]\s*(#.*)?\Z"
_AT_LINE = r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z"


def read(view: View, _context: Context) -> Reading:
    """Raises UnusableInput with the TOML parser's words."""
    try:
        found = read_toml(view.text, view.name)
    except TomlError as error:
        raise _broken(str(error), view.text) from None
    keys = [given.origin.name for given in found.given] + [
        finding.origin.name for finding in found.findings if finding.origin
    ]
    pieces = _pieces(lines_of(view.text), found.spans, keys)
    if not found.given and not any(finding.code == "invalid-value" for finding in found.findings):
        raise NothingToConvert("no setting of etcd")
    return settings_alone(
        Document("toml", "env", pieces, found.given, found.findings, newline_of(view.text), whole=True)
    )


def _broken(words: str, text: str) -> UnusableInput:
    place = re.search(_AT_LINE, words)
    if place is None:
        return UnusableInput(f"broken TOML: {words}")
    column = f", at column {place[2]}" if place[2] else ", at the end"
    line = int(place[1]) if place[1] else len(lines_of(text))
    return UnusableInput(f"broken TOML: {words[: place.start()]}{column}", line)


def _pieces(lines: list[str], spans: dict[str, Span], keys: list[str]) -> list[Piece]:
    by_line: dict[int, list[str]] = {}
    for key in keys:
        by_line.setdefault(line_of(spans, key.lower()), []).append(key)
    last_lines = {span.first: span.last for span in spans.values()}
    pieces: list[Piece] = []
    number = 1
    while number <= len(lines):
        last = last_lines.get(number, number)
        run = tuple(lines[number - 1 : last])
        if number in last_lines:
            pieces.append(Piece(run, tuple(by_line.get(number, ())), _comments(run)))
        elif header := re.match(_HEADER, run[0]):
            pieces.append(Piece(run, comments=(header[1],) if header[1] else (), structural=True))
        else:
            pieces.append(Piece(run))
        number = last + 1
    return pieces


def _comments(run: tuple[str, ...]) -> tuple[str, ...]:
    """Those beside the items of a list over several lines, too; in a text over several lines there are none."""
    if len(run) > 1 and not run[0].partition("=")[2].lstrip().startswith("["):
        run = run[-1:]
    return tuple(comment for line in run if (comment := split_comment(line)[1]))


def split_comment(line: str) -> tuple[str, str]:
    """A line and the comment at its end, if any; a ``#`` inside quotes is no comment."""
    quote = ""
    skip = False
    for place, character in enumerate(line):
        if skip:
            skip = False
        elif quote:
            skip = character == "\\" and quote == '"'
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return line[:place].rstrip(), line[place:]
    return line, ""
