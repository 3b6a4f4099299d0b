"""Options and commands as tables, and how etcdctl reads words by them. Pure; knows no option of etcdctl.

The grammar is Go's (``compat.goflag``) with what the library on top of it, codegangsta/cli, makes of it: an option may
have two names and be given by one of them; options may follow a command's arguments, and are then read first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from compat import goflag

SWITCH, TEXT, NUMBER, SECONDS, TEXTS = "switch", "text", "number", "seconds", "texts"
"""What an option's value is: TEXTS is a text that may be given several times, SECONDS is written like ``1m30s``."""


class Option(NamedTuple):
    """``names``: the one it is known by, then perhaps a letter. ``default`` as it would be written.

    ``later`` is another name that a later release gave it: taken, and not shown in the help.
    """

    names: tuple[str, ...]
    kind: str
    usage: str
    default: str = ""
    later: str = ""

    @property
    def all_names(self) -> tuple[str, ...]:
        return (*self.names, self.later) if self.later else self.names


class Command(NamedTuple):
    """``run`` is ``module:function`` below ``commands``, or empty for one that only groups ``commands``."""

    name: str
    usage: str
    run: str = ""
    arguments: str = "[arguments...]"
    options: tuple[Option, ...] = ()
    description: str = ""
    commands: tuple[Command, ...] = ()
    aliases: tuple[str, ...] = ()

    def is_called(self, word: str) -> bool:
        return word == self.name or word in self.aliases


HELP_OPTION = Option(("help", "h"), SWITCH, "show help")
VERSION_OPTION = Option(("version", "v"), SWITCH, "print the version")


class GivenOptions:
    """The options of one level of a command line, by any of their names; what was not given has its default."""

    def __init__(self, options: Sequence[Option], values: Mapping[str, list[str]]) -> None:
        self._options = {name: option for option in options for name in option.all_names}
        self._values = values

    def texts(self, name: str) -> list[str]:
        """Every value that was given, in order."""
        option = self._options[name]
        return [value for each in option.all_names for value in self._values.get(each, ())]

    def text(self, name: str) -> str:
        given = self.texts(name)
        return given[-1] if given else self._options[name].default

    def switch(self, name: str) -> bool:
        return self.text(name) in goflag.TRUE

    def number(self, name: str) -> int:
        return read_number(self.text(name) or "0")

    def seconds(self, name: str) -> float:
        return read_seconds(self.text(name) or "0")


class Read(NamedTuple):
    """``complaint`` is what to print before the help instead of going on; ``words`` are the arguments."""

    given: GivenOptions
    words: list[str]
    complaint: str


_BAD_USE = "Incorrect Usage.\n\n"


def read(words: Sequence[str], options: Sequence[Option], space: str = "\n\n") -> Read:
    """Options, then arguments: the program's own options, and those of a command that groups others.

    ``space`` stands between the complaint about an option given by both its names and the help.
    """
    parsed, refused = _parse(words, options)
    return _checked(parsed, options, (_two_forms(parsed, options, space), refused))


def read_command(words: Sequence[str], options: Sequence[Option]) -> Read:
    """A command's words, in which options may follow arguments.

    From the first option on, up to a ``--``, words are read before those in front of it: so ``set a --ttl 5 b``
    has the arguments b and a, as in etcdctl.
    """
    parsed, refused = _parse(_options_first(words), options)
    return _checked(parsed, options, (refused, _two_forms(parsed, options, "\n\n")))


def _options_first(words: Sequence[str]) -> list[str]:
    end = words.index("--") if "--" in words else len(words)
    first = next((at for at in range(end) if words[at].startswith("-")), None)
    if first is None:
        return list(words)
    return [*words[first:end], *words[:first], *words[end:]]


def _parse(words: Sequence[str], options: Sequence[Option]) -> tuple[goflag.Parsed, str]:
    kinds = {name: _KINDS[option.kind] for option in options for name in option.all_names}
    types = {name: option.kind for option in options for name in option.all_names}
    try:
        return goflag.parse(words, kinds, lambda name, value: _check(types[name], value)), ""
    except goflag.FlagError as error:  # what stands before it counts
        return goflag.parse(words[: error.position], kinds), _BAD_USE


_KINDS = {
    SWITCH: goflag.BOOL,
    TEXT: goflag.VALUE,
    NUMBER: goflag.VALUE,
    SECONDS: goflag.VALUE,
    TEXTS: goflag.VALUE,
}


def _two_forms(parsed: goflag.Parsed, options: Sequence[Option], space: str) -> str:
    given = {flag.name for flag in parsed.flags}
    for option in options:
        if len(option.all_names) == 2 and given.issuperset(option.all_names):
            long, short = option.all_names
            return f"Cannot use two forms of the same flag: {short} {long}{space}"
    return ""


def _checked(parsed: goflag.Parsed, options: Sequence[Option], complaints: Sequence[str]) -> Read:
    values: dict[str, list[str]] = {}
    for flag in parsed.flags:
        values.setdefault(flag.name, []).append(flag.value or "")
    return Read(GivenOptions(options, values), parsed.rest, next(filter(None, complaints), ""))


def _check(kind: str, value: str) -> str:
    """Why Go would not take the value, or ``""``."""
    try:
        if kind == NUMBER:
            read_number(value)
        elif kind == SECONDS:
            read_seconds(value)
        elif kind == SWITCH and value not in goflag.TRUE | goflag.FALSE:
            return "parse error"
    except ValueError:
        return "parse error"
    return ""


_NUMBER = re.compile(r"[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*)")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def read_number(text: str) -> int:
    """A 64-bit number as Go writes it in source code: ``0x1f``, ``0o17`` and ``017`` too. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"no number: {text}")
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    if re.fullmatch("0[0-7_]+", digits):
        digits = f"0o{digits[1:]}"
    number = int(sign + digits, 0)
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(f"not 64 bits: {text}")
    return number


def read_seconds(text: str) -> float:
    """A duration as Go writes it, ``1h2m3.5s``; no unit only for 0. Raises ValueError."""
    sign, rest = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if rest == "0":
        return 0.0
    total, at = 0.0, 0
    while part := _PART.match(rest, at):
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    if not rest or at != len(rest):
        raise ValueError(f"no duration: {text}")
    return -total if sign == "-" else total
