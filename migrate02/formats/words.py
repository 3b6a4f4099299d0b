"""Words and where they stand, as the programs that split command lines see them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
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
from migrate02.formats.view import View


class Dialect(NamedTuple):
    """How words are told apart, written, and put behind each other. ``mask`` matches placeholders."""

    blank: str
    part: str
    unquote: Callable[[str], str]
    quote: Callable[[str, str, int], str]
    """(text, the raw word it takes the place of, the level of its markers) -> as it must be written."""
    joint: str = " "
    mask: str = TEMPLATE
    inside: Callable[[View, int, int], View] = View.part
    """(text, where a word begins and ends) -> what it says, as a text of its own."""


class Word(NamedTuple):
    """``start`` and ``end`` are offsets in ``view``; ``text`` is the word without its quotes. ``lines`` are the
    lines that it has to itself, with the line end before them: an item of a list in YAML."""

    view: View
    start: int
    end: int
    text: str
    dialect: Dialect
    lines: tuple[int, int] | None = None

    @property
    def raw(self) -> str:
        return self.view.text[self.start : self.end]

    @property
    def level(self) -> int:
        """Of what is filled in in the word, see ``placeholders``."""
        return self.view.depth + 1

    def quoted(self, text: str, raw: str) -> str:
        """A text as a word in the place of a raw one of the same command."""
        return self.dialect.quote(text, raw, self.level)

    @property
    def is_expansion(self) -> bool:
        """``$ETCD_OPTS`` or ``"$@"``: may stand for any number of words."""
        return bool(re.fullmatch(r"""("?)\$(?:@|\*|\w+|\{[^{}]*\})\1""", self.raw))


def split(view: View, start: int, end: int, dialect: Dialect) -> list[Word]:
    """The words between two offsets; what the dialect has no part for ends them."""
    blank, part = re.compile(dialect.blank), re.compile(dialect.part, re.DOTALL)
    words: list[Word] = []
    text = view.text
    at = start
    while at < end:
        if found := blank.match(text, at, end):
            at = found.end()
            continue
        first, said = at, ""
        while at < end and (found := part.match(text, at, end)):
            said += dialect.unquote(found[0])
            at = found.end()
        if at == first:
            break
        words.append(Word(view, first, at, said, dialect))
    return words


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


_SAFE = re.compile(r"[\w@%+=:,./-]*")
_BARE_PLACEHOLDER = re.compile(rf"{TEMPLATE}|{VARIABLE}", re.DOTALL)


def quoted_for_shell(text: str, raw: str, level: int = INNERMOST) -> str:
    """As the word was quoted whose place it takes, when that can hold it."""
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


def inner(word: Word) -> View:
    """What a word says, as a text of its own: a command for a shell, say. What is filled in in it is a marker."""
    return word.dialect.inside(word.view, word.start, word.end)


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
