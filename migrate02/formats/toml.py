"""0.4's own file, /etc/etcd/etcd.conf. It becomes an environment file: 2.x reads no file of its own."""

from __future__ import annotations

import re

from compat.toml04 import Span, TomlError, line_of, read_toml
from migrate02.formats.document import Document, Piece, UnusableInput, newline_of

_HEADER = re.compile(r"\s*\[\s*[^\[\]]+\]\s*(#.*)?\Z")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)\Z")


def read(text: str, name: str) -> Document:
    """Raises UnusableInput with the TOML parser's words."""
    try:
        found = read_toml(text, name)
    except TomlError as error:
        place = _AT_LINE.search(str(error))
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        raise UnusableInput(f"broken TOML: {error}", line) from None
    keys = [given.origin.name for given in found.given] + [
        finding.origin.name for finding in found.findings if finding.origin
    ]
    pieces = _pieces(text.splitlines(), found.spans, keys)
    if not found.given and not any(finding.code == "invalid-value" for finding in found.findings):
        raise UnusableInput("no setting of etcd in it")
    return Document("toml", "env", pieces, found.given, found.findings, newline_of(text), whole=True)


def _pieces(lines: list[str], spans: dict[str, Span], keys: list[str]) -> list[Piece]:
    by_line: dict[int, tuple[str, ...]] = {}
    for key in keys:
        line = line_of(spans, key.lower())
        by_line[line] = (*by_line.get(line, ()), key)
    last_lines = {span.first: span.last for span in spans.values()}
    pieces: list[Piece] = []
    number = 1
    while number <= len(lines):
        last = last_lines.get(number, number)
        run = tuple(lines[number - 1 : last])
        if number in last_lines:
            pieces.append(Piece(run, by_line.get(number, ()), split_comment(run[-1])[1]))
        elif header := _HEADER.match(run[0]):
            pieces.append(Piece(run, comment=header[1] or "", structural=True))
        else:
            pieces.append(Piece(run))
        number = last + 1
    return pieces


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
