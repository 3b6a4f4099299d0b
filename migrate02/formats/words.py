"""Words and where they stand, as the programs that split command lines see them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from migrate02.formats.masks import IN_BRACES, SPECIFIER, SUBSTITUTION, TEMPLATE
from migrate02.formats.view import View


class Dialect(NamedTuple):
    """How words are told apart, written, and put behind each other. ``mask``: what is filled in, see ``masks``."""

    blank: str
    part: str
    unquote: Callable[[str], str]
    quote: Callable[[str, str], str]
    """(text, the raw word it takes the place of) -> as it must be written."""
    joint: str = " "
    mask: str = TEMPLATE


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


def unquoted_by_shell(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] == '"':
        return re.sub(r'\\([$`"\\])', r"\1", part[1:-1]).replace("\\\n", "")
    if part.startswith("\\"):
        return part[1:].removeprefix("\n")
    return part


def quoted_for_shell(text: str, raw: str) -> str:
    """As the word was quoted whose place it takes, when that does."""
    if raw[:1] == "'" and raw[-1:] == "'" and "'" not in text and "$" not in text:
        return f"'{text}'"
    if (
        raw[-1:] not in ("'", '"')
        and re.fullmatch(r"[\w@%+=:,./-]*", (bare := re.sub(TEMPLATE, "", text)))
        and bare != text
    ):
        return text
    filled_in = "$" in text or "`" in text
    if filled_in or (raw[:1] == '"' and raw[-1:] == '"'):
        if filled_in and raw[-1:] != '"' and re.fullmatch(r"[\w@%+=:,./${}-]*", text):
            return text  # as bare as it was
        escaped = re.sub(r'(["\\])', r"\\\1", text)
        return f'"{escaped}"'
    from shlex import quote

    return quote(text)


def quoted_for_systemd(text: str, raw: str) -> str:
    if raw[:1] in ("'", '"') and raw[-1:] == raw[:1]:
        return raw[0] + text.replace("\\", "\\\\").replace(raw[0], "\\" + raw[0]) + raw[0]
    if not text or re.search(r"[\s'\"\\]", re.sub(TEMPLATE, "", text)):
        return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
    return text


def _bare(text: str, _raw: str) -> str:
    return text


_ESCAPES = {"n": "\n", "t": "\t", "s": " ", "r": "\r"}


def unquoted_by_systemd(part: str) -> str:
    if part[0] in "\"'":
        part = part[1:-1]
    if "\\" not in part:
        return part
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), part, flags=re.DOTALL)


_SHELL_PART = (
    rf"{TEMPLATE}|{SUBSTITUTION}|\$\{{[^{{}}]*\}}|'[^']*'|\"(?:\\.|{SUBSTITUTION}|[^\"\\])*+\"|\\[^\n]|\\\n"
    r"|[^\s'\"\\`;&|<>()$%{#@]+|[%{#@$]"
)
SHELL = Dialect(
    r"[ \t]+|\\\r?\n", _SHELL_PART, unquoted_by_shell, quoted_for_shell, mask=f"{TEMPLATE}|{SUBSTITUTION}"
)
SYSTEMD = Dialect(
    r"[ \t]+|\\\r?\n(?:[ \t]*[#;][^\n]*\n)*",
    rf"{IN_BRACES}|'(?:\\.|[^'\\])*+'|\"(?:\\.|[^\"\\])*+\"|\\[^\r\n]|[^\s'\"\\{{<]+|[{{<]",
    unquoted_by_systemd,
    quoted_for_systemd,
    mask=f"{TEMPLATE}|{SPECIFIER}",
)
PLAIN = Dialect(
    r"\s+|\\\r?\n",
    rf"{TEMPLATE}|{SUBSTITUTION}|\$\{{[^{{}}]*\}}|[^\s\\%{{<#@$`]+|[^\s\\]|\\[^\r\n]",
    str,
    _bare,
    mask=f"{TEMPLATE}|{SUBSTITUTION}",
)
"""What is split at blanks and nowhere else: a variable that a shell fills in without quotes."""
SUPERVISOR = Dialect(
    r"\s+",
    r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|[^\s'\"\\]+",
    unquoted_by_shell,
    quoted_for_shell,
)


def quoted_as_json(text: str, _raw: str) -> str:
    return json.dumps(text, ensure_ascii=False)
