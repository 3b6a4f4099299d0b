"""The command-line grammar of Go programs. Knows no flag of etcd; tables are passed in.

One dash or two are the same; ``-f=v`` and ``-f v``; a boolean takes its value only after ``=``; parsing ends at
the first word that is no flag, at a lone ``-`` and after ``--``; errors come left to right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

BOOL = "bool"
"""Bare or ``=value``; the next word is never its value."""
VALUE = "value"
"""Always takes a value: after ``=``, or the next word whatever it looks like."""
MAYBE = "maybe"
"""0.4 gave it a value, 2.x reads it as a boolean and takes anything after ``=``: the next word is its value if it does
not look like a flag and 0.4 would have taken it, because a word left over there is refused by 2.x anyway."""

TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))

Check = Callable[[str, str], str]
"""(name, value) -> why Go's flag package would refuse the value, or ``""``; for a MAYBE flag, why 0.4 would."""


class FlagError(Exception):
    """What Go's flag package would have printed. ``name`` and ``position`` say which word was wrong."""

    def __init__(self, text: str, name: str, position: int) -> None:
        super().__init__(text)
        self.name = name
        self.position = position


class HelpAsked(Exception):
    """``-h`` or ``-help`` came before any error."""


class Flag(NamedTuple):
    """One flag as it was given. ``value`` is None for a bare MAYBE flag, ``"true"`` for a bare boolean; ``words`` is 2
    when the value was a word of its own."""

    name: str
    spelled: str
    value: str | None
    position: int
    words: int = 1


class Parsed(NamedTuple):
    """The flags in order, and the words after the last of them, which starts at ``rest_position``."""

    flags: list[Flag]
    rest: list[str]
    rest_position: int


def accept_any(_name: str, _value: str) -> str:
    return ""


def parse(
    args: Sequence[str],
    kinds: Mapping[str, str],
    check: Check = accept_any,
    skip: Callable[[int], bool] = lambda _at: False,
) -> Parsed:
    """Read a command line (without the program's name). Raises FlagError or HelpAsked.

    ``skip`` is asked of the place of a word that is no flag where one should stand: whether to go on behind it.
    """
    flags: list[Flag] = []
    at = 0
    while at < len(args):
        word = args[at]
        if len(word) < 2 or word[0] != "-":
            if skip(at):
                at += 1
                continue
            break
        if word == "--":
            at += 1
            break
        body = word[2:] if word.startswith("--") else word[1:]
        if not body or body[0] in "-=":
            raise FlagError(f"bad flag syntax: {word}", "", at)
        name, equals, value = body.partition("=")
        spelled = word[: len(word) - len(body)] + name
        kind = kinds.get(name)
        if kind is None:
            if name in ("h", "help"):
                raise HelpAsked
            raise FlagError(f"flag provided but not defined: -{name}", name, at)
        flag, at = _take(Flag(name, spelled, value if equals else None, at), kind, args, check)
        _refuse_bad_value(flag, kind, check)
        flags.append(flag)
    while at < len(args) and skip(at):
        at += 1
    return Parsed(flags, list(args[at:]), at)


def _take(flag: Flag, kind: str, args: Sequence[str], check: Check) -> tuple[Flag, int]:
    """Give the flag its value; also where to go on reading."""
    after = flag.position + 1
    if flag.value is not None:
        return flag, after
    if kind == BOOL:
        return flag._replace(value="true"), after
    has_next = after < len(args)
    if kind == MAYBE:
        if has_next and not args[after].startswith("-") and not check(flag.name, args[after]):
            return flag._replace(value=args[after], words=2), after + 1
        return flag, after
    if not has_next:
        raise FlagError(f"flag needs an argument: -{flag.name}", flag.name, flag.position)
    return flag._replace(value=args[after], words=2), after + 1


def _refuse_bad_value(flag: Flag, kind: str, check: Check) -> None:
    if flag.value is None or kind == MAYBE:
        return
    reason = check(flag.name, flag.value)
    if not reason:
        return
    if kind == BOOL:
        raise FlagError(
            f'invalid boolean value "{flag.value}" for -{flag.name}: {reason}', flag.name, flag.position
        )
    raise FlagError(f'invalid value "{flag.value}" for flag -{flag.name}: {reason}', flag.name, flag.position)


def first_pass(args: Sequence[str], wanted: str) -> Flag | None:
    """0.4's search for ``-config``: a pass that knows this one flag and steps over any other word with a dash.

    It ends at the first word that is no flag, so the value of ``-name x`` hides whatever follows (0.4.9, seen).
    A missing value ends the search too.
    """
    found: Flag | None = None
    at = 0
    while at < len(args):
        word = args[at]
        if len(word) < 2 or word[0] != "-" or word == "--":
            break
        body = word.lstrip("-")
        name, equals, value = body.partition("=")
        at += 1
        if name != wanted or word.startswith("---"):
            continue
        if not equals:
            if at == len(args):
                break
            value = args[at]
            at += 1
        found = Flag(name, word.partition("=")[0], value, at)
    return found
