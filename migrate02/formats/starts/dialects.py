"""How shells, systemd, Python and JSON tell words apart, and how they write them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from migrate02.formats.layers.jsonstrings import JSON
from migrate02.formats.layers.layer import AS_IT_IS, Layer
from migrate02.formats.layers.python import SHLEX_DOUBLE
from migrate02.formats.layers.shells import ANSI_C, BARE, DOUBLE, SHELL_PLACEHOLDER, SINGLE, VALUE
from migrate02.formats.layers.systemd import SYSTEMD_ESCAPE, systemd, unescaped_by_systemd
from migrate02.formats.placeholders import (
    IN_BRACES,
    INNERMOST,
    LITERAL,
    MARKER,
    OUTER,
    PLACEHOLDER,
    SPECIFIER,
    SUBSTITUTION,
    TEMPLATE,
    VARIABLE,
    literal,
    mask,
    restore,
    segments,
)
from migrate02.formats.starts.words import Dialect, Word
from migrate02.formats.view import View

_FILLED_IN = re.compile(f"{MARKER}|{SHELL_PLACEHOLDER}|[$`]")


def _literal(text: str) -> str:
    """A text in which a shell fills in nothing, whatever it looks like."""
    if "$" not in text and "`" not in text:
        return text
    return _FILLED_IN.sub(lambda found: found[0] if found[0].startswith("${_m") else literal(found[0]), text)


_IN_DOUBLE = re.compile(rf"(?P<as_it_is>{MARKER}|{SHELL_PLACEHOLDER})|\\\n|\\[$`\"\\]", re.DOTALL)


def _of_double(found: re.Match[str]) -> str:
    if found["as_it_is"]:
        return found[0]
    return "" if found[0][1] == "\n" else _literal(found[0][1])


def unquoted_by_shell(part: str) -> str:
    if part[0] == "'":
        return _literal(part[1:-1])
    if part[0] == '"':
        return _IN_DOUBLE.sub(_of_double, part[1:-1]) if "\\" in part else part[1:-1]
    if part.startswith("$'"):
        return _literal(ANSI_C.decode(part, start=2, end=len(part) - 1).text)
    if part.startswith("\\"):
        return _literal(part[1:].removeprefix("\n"))
    return part


_PLAIN = re.compile(r"(?a:[\w+=:,./-]+)")
"""What a shell and systemd take as it is, bare: nothing in it is filled in."""
_SAFE = re.compile(r"[\w@%+=:,./-]*")
_BARE_PLACEHOLDER = re.compile(rf"{TEMPLATE}|{VARIABLE}", re.DOTALL)


def quoted_for_shell(text: str, raw: str, level: int = INNERMOST) -> str:
    """As the word was quoted whose place it takes, when that can hold it."""
    if raw[:1] not in "'\"$" and _PLAIN.fullmatch(text):  # as most words
        return text
    pieces = list(segments(mask(text, SHELL.mask, level), level))
    placeholders = [said for kind, said in pieces if kind == PLACEHOLDER]
    plain = "".join(said for kind, said in pieces if kind == LITERAL)
    bare = bool(_SAFE.fullmatch(plain)) and all(map(_BARE_PLACEHOLDER.fullmatch, placeholders))
    if raw[:1] == "'" and raw[-1:] == "'" and len(raw) > 1 and not placeholders:
        return f"'{SINGLE.encode(text, level)}'"
    if raw.startswith("$'") and not placeholders:
        return (
            f"$'{ANSI_C.encode(restore(text, level))}'"
            if "${_m" not in restore(text, level)
            else _double(pieces)
        )
    if len(pieces) and any(kind != LITERAL for kind, _ in pieces) and bare and raw[-1:] != '"':
        return "".join(said for _, said in pieces)
    if placeholders or (raw[:1] == '"' and raw[-1:] == '"'):
        return _double(pieces)
    if any(kind == OUTER for kind, _ in pieces):
        return _double(pieces)
    from shlex import quote

    return quote(plain)


def _double(pieces: Sequence[tuple[str, str]]) -> str:
    return '"' + "".join(DOUBLE.encode(said) if kind == LITERAL else said for kind, said in pieces) + '"'


def quoted_for_systemd(text: str, raw: str, level: int = INNERMOST) -> str:
    quote = raw[0] if raw[:1] in ("'", '"') and raw[-1:] == raw[:1] else ""
    if not quote and _PLAIN.fullmatch(text):  # as most words
        return text
    pieces = list(segments(mask(text, SYSTEMD.mask, level), level))
    plain = "".join(said for kind, said in pieces if kind == LITERAL)
    others = "".join(
        re.sub(TEMPLATE, "", said, flags=re.DOTALL) for kind, said in pieces if kind == PLACEHOLDER
    )
    if not quote and (not text or re.search(r"[\s'\"\\]", plain + others)):
        quote = '"'
    said = "".join(_for_systemd(said, quote) if kind == LITERAL else said for kind, said in pieces)
    return f"{quote}{said}{quote}"


def _for_systemd(text: str, quote: str) -> str:
    text = re.sub(r"%(?=[A-Za-z%]|\Z)", "%%", text)
    if not quote:
        return text
    return text.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n")


def _bare(text: str, _raw: str, level: int) -> str:
    return restore(text, level)


_SYSTEMD_ESCAPES = re.compile(f"{SYSTEMD_ESCAPE}|%%", re.DOTALL)


def unquoted_by_systemd(part: str) -> str:
    if part[0] in "\"'":
        part = part[1:-1]
    if "\\" not in part and "%%" not in part:
        return part
    return _SYSTEMD_ESCAPES.sub(
        lambda found: literal("%") if found[0] == "%%" else unescaped_by_systemd(found[0]), part
    )


def _unquoted_by_python(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] == '"':
        return re.sub(r'\\(["\\])', r"\1", part[1:-1])
    return part[1:] if part[0] == "\\" else part


class Quotes(NamedTuple):
    """The layers of a language's words, by the quotes that they begin with."""

    by_quote: dict[str, Layer]
    bare: Layer

    def layer(self, raw: str) -> tuple[Layer, int]:
        """With how many characters its quotes have in front."""
        for quote, layer in self.by_quote.items():
            if raw.startswith(quote) and raw.endswith(quote[-1]) and len(raw) > len(quote):
                return layer, len(quote)
        return self.bare, 0

    def inside(self, view: View, start: int, end: int) -> View:
        layer, quotes = self.layer(view.text[start:end])
        return layer.inside(view, start + quotes, end - 1 if quotes else end)


_OF_SHELL = Quotes({"'": SINGLE, '"': DOUBLE, "$'": ANSI_C}, BARE)
_OF_SHLEX = Quotes({"'": SINGLE, '"': SHLEX_DOUBLE}, BARE)
_OF_VALUE = Quotes({"'": SINGLE, '"': VALUE, "$'": ANSI_C}, AS_IT_IS)


def _inside_of_systemd(view: View, start: int, end: int) -> View:
    raw = view.text[start:end]
    quoted = len(raw) > 1 and raw[0] in "\"'" and raw[-1] == raw[0]
    layer = systemd(raw[0] if quoted else '"', doubled="$$" in raw)
    return layer.inside(view, start + quoted, end - quoted)


def value_of(word: Word) -> View:
    """What a word says that is a variable's value: what is filled in in it stands there as it is."""
    return _OF_VALUE.inside(word.view, word.start, word.end)


_SHELL_PART = (
    rf"{TEMPLATE}|{SUBSTITUTION}|\$\{{[^{{}}]*\}}|\$'(?:\\.|[^'\\])*+'|'[^']*'|\"(?:\\.|{SUBSTITUTION}|[^\"\\])*+\"|\\[^\n]|\\\n"
    r"|[^\s'\"\\`;&|<>()$%{#@]+|[%{#@$]"
)
SHELL = Dialect(
    r"[ \t]+|\\\r?\n",
    _SHELL_PART,
    unquoted_by_shell,
    quoted_for_shell,
    mask=f"{TEMPLATE}|{SUBSTITUTION}|{VARIABLE}",
    inside=_OF_SHELL.inside,
)
SYSTEMD = Dialect(
    r"[ \t]+|\\\r?\n(?:[ \t]*[#;][^\n]*\n)*",
    rf"{IN_BRACES}|'(?:\\.|[^'\\])*+'|\"(?:\\.|[^\"\\])*+\"|{SYSTEMD_ESCAPE}|[^\s'\"\\{{<]+|[{{<]",
    unquoted_by_systemd,
    quoted_for_systemd,
    mask=f"{TEMPLATE}|{SPECIFIER}|{VARIABLE}",
    inside=_inside_of_systemd,
)
PLAIN = Dialect(
    r"\s+|\\\r?\n",
    rf"{TEMPLATE}|{SUBSTITUTION}|\$\{{[^{{}}]*\}}|[^\s\\%{{<#@$`]+|[^\s\\]|\\[^\r\n]",
    str,
    _bare,
    mask=f"{TEMPLATE}|{SUBSTITUTION}|{VARIABLE}",
)
"""What is split at blanks and nowhere else: a variable that a shell fills in without quotes."""
SHLEX = Dialect(
    r"\s+",
    r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|[^\s'\"\\]+",
    _unquoted_by_python,
    quoted_for_shell,
    mask=f"{TEMPLATE}|{VARIABLE}",
    inside=_OF_SHLEX.inside,
)
"""Python's ``shlex``: what supervisord and docker-compose do with a command."""


def quoted_as_json(text: str, _raw: str, level: int = INNERMOST) -> str:
    return json.dumps(restore(text, level), ensure_ascii=False)


def _in_json(view: View, start: int, end: int) -> View:
    return JSON.inside(view, start + 1, end - 1)


JSON_LIST = Dialect("", "", str, quoted_as_json, ", ", inside=_in_json)
"""Words of a list in JSON, as Dockerfiles have them."""
