"""NAME=value files: /etc/default/etcd, a systemd EnvironmentFile, a profile with ``export``."""

from __future__ import annotations

import re
from typing import NamedTuple

from compat.settings import VARIABLE, Origin
from compat.variables import read_variables
from migrate02.formats.document import Document, Piece, UnusableInput, newline_of

_LINE = re.compile(r"(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\$`])')


class Value(NamedTuple):
    text: str
    quote: str
    comment: str


def read(text: str, name: str) -> Document:
    """Raises UnusableInput when a quote is left open."""
    pieces: list[Piece] = []
    items: list[tuple[str, Origin]] = []
    lines = text.splitlines()
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
        if match is None or not match[2].startswith("ETCD_"):
            pieces.append(Piece(run))
            continue
        value = parse_value(match[3])
        if value is None:
            raise UnusableInput(f"{match[2]}: a quote is left open", first + 1)
        key = f"{match[2]}@{first + 1}"
        pieces.append(Piece(run, (key,), value.comment, match[1], value.quote))
        items.append((value.text, Origin(VARIABLE, match[2], name, first + 1)))
    found = read_variables(items)
    return Document("env", "env", pieces, found.given, found.findings, newline_of(text))


def parse_value(text: str) -> Value | None:
    """What follows ``=``: quoted or bare, with a comment behind it. None when a quote is left open."""
    text = text.strip()
    quote = text[:1]
    if quote not in ('"', "'"):
        bare, sharp, comment = text.partition(" #")
        if text.startswith("#"):
            return Value("", "", text)
        return Value(bare.rstrip(), "", f"#{comment}" if sharp else "")
    end = 1
    while end < len(text) and text[end] != quote:
        end += 2 if quote == '"' and text[end] == "\\" else 1
    if end >= len(text):
        return None
    inside = text[1:end]
    return Value(_ESCAPED.sub(r"\1", inside) if quote == '"' else inside, quote, text[end + 1 :].strip())
