"""Reads an etcd command line, 0.4's or 2.x's or both mixed. Pure: words in, settings and findings out.

The grammar is the union of the two: what 2.3.8 reads it reads the same way; a number after a flag that 2.3.8
ignores (``-cluster-active-size 3``), which 2.3.8 would trip over, is taken as 0.4 took it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from compat import flags04, gateway
from compat.codes import (
    CONFIG_BEHIND_A_WORD,
    DEPRECATED_FLAG,
    IGNORED_WORDS,
    MISSPELT_FLAG,
    NO_FLAG,
    REFUSED_FLAG,
    UNKNOWN_FLAG,
)
from compat.findings import Finding
from compat.flags04 import BY_NAME, BY_SHORT, DEPRECATED, IGNORED, UNKNOWN
from compat.goflag import BOOL, MAYBE, TRUE, VALUE, Flag, FlagError, HelpAsked, Parsed, first_pass, parse
from compat.settings import FLAG, Given, Origin
from compat.translate import ERA_04, era_of
from compat.values import is_to_fill_in, refusal, refusal_04
from server.config import SETTINGS

OWN_FLAGS: dict[str, str] = {
    "engine": VALUE,
    "auto-migrate": BOOL,
    "print-config": BOOL,
    **dict.fromkeys(gateway.FLAGS, VALUE),
}
"""etcd02's own."""


class CommandLine(NamedTuple):
    """``given`` has a ``-config`` too, seen or not; ``config_file`` is the one that 0.4 would have read.

    ``own`` holds what is for etcd02 itself, ``rest`` the last words, which belong to no flag. ``spans`` has the first
    word of each of ``given`` and how many words it took.
    """

    given: list[Given]
    findings: list[Finding]
    own: dict[str, str]
    config_file: Given | None
    wants_help: bool = False
    wants_version: bool = False
    rest: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()


def _kinds_04() -> dict[str, str]:
    kinds = {}
    for flag in flags04.FLAGS:
        if flag.name == "help":
            continue
        kind = BOOL if flag.kind == flags04.BOOL else VALUE
        kinds.update(dict.fromkeys(flag.short, kind))
        kinds[flag.name] = MAYBE if kind == VALUE and flag.in_238 == IGNORED else kind
    return kinds


_KINDS: dict[str, str] = _kinds_04() | {
    setting.name: BOOL if setting.kind == "bool" else VALUE for setting in SETTINGS
}


def canonical(name: str) -> str:
    """The long name for a deprecated short one."""
    flag = BY_SHORT.get(name)
    return flag.name if flag is not None else name


def read_command_line(
    args: Sequence[str], own: Mapping[str, str] | None = None, *, template: bool = False, era: str = ""
) -> CommandLine:
    """Read the words after the program's name; ``own`` are further flags with their kinds.

    A word that etcd would refuse is a finding, not an exception. ``template``: see ``refusal``. ``era`` overrides what
    the flags themselves say.
    """
    kinds = _KINDS | dict(own or {})
    config_file = first_pass(args, "config")

    def check(name: str, value: str) -> str:
        return _refusal(name, value, template)

    try:
        try:
            parsed = parse(args, kinds, check)
        except FlagError as error:
            later = _kinds_of_later_releases(error.name)
            if not later:
                raise
            parsed = parse(args, kinds | later, check)
    except HelpAsked:
        return CommandLine([], [], {}, None, wants_help=True)
    except FlagError as error:
        return CommandLine([], [_refused(error, args)], {}, None)

    etcds = [flag for flag in parsed.flags if flag.name not in (own or {}) and flag.name != "version"]
    given = [_given(flag) for flag in etcds]
    findings = [finding for flag in parsed.flags if (finding := _deprecated(flag))]
    version = next((flag for flag in reversed(parsed.flags) if flag.name == "version"), None)
    if parsed.rest:
        findings.append(_stray(parsed, era or era_of({item.name: item for item in given})))
    seen = next((item for item in given if item.name == "config"), None)
    if seen is not None and seen.value and config_file is None:
        findings.append(_config_not_seen(seen))
    return CommandLine(
        given,
        findings,
        {flag.name: flag.value or "" for flag in parsed.flags if flag.name in (own or {})},
        _given(config_file) if config_file is not None and config_file.value else None,
        wants_version=version is not None and version.value in TRUE,
        rest=tuple(parsed.rest),
        spans=tuple((flag.position, flag.words) for flag in etcds),
    )


def no_flags(args: Sequence[str], expansions: Collection[int]) -> list[int]:
    """The places of words that stand where a flag should, and for flags that are not seen: of the ``expansions``
    (``$OPTIONS``) those that are no flag's value."""
    if not expansions:  # as in most command lines, which are not read twice then
        return []
    found: list[int] = []

    def skip(at: int) -> bool:
        if at not in expansions:
            return False
        found.append(at)
        return True

    def check(name: str, value: str) -> str:
        return _refusal(name, value, template=True)

    with suppress(FlagError, HelpAsked):
        try:
            parse(args, _KINDS, check, skip)
        except FlagError as error:
            later = _kinds_of_later_releases(error.name)
            if later:
                found.clear()
                parse(args, _KINDS | later, check, skip)
    return found


def _refusal(name: str, value: str, template: bool) -> str:
    """A name that only 0.4 knows is judged by 0.4's type, and so is the word after a flag that 2.3.8 ignores."""
    if template and is_to_fill_in(value):
        return refusal(canonical(name), value, template=True)
    old = BY_SHORT.get(name) or BY_NAME.get(name)
    if old is None:
        return refusal(name, value)
    only_04 = name in BY_SHORT or old.in_238 == UNKNOWN
    if only_04 or (old.in_238 == IGNORED and old.kind != flags04.BOOL):
        return refusal_04(old, value) or refusal(old.name, value)
    return refusal(name, value)


def _kinds_of_later_releases(name: str) -> dict[str, str]:
    """The flags that came after 2.3, when ``name`` is one of them: a newer engine or target may want it."""
    if not name:
        return {}
    from compat.flags2x import BY_NAME

    if name not in BY_NAME:
        return {}
    return {
        flag.name: BOOL if flag.kind == "bool" else VALUE
        for flag in BY_NAME.values()
        if flag.name not in _KINDS
    }


def _given(flag: Flag) -> Given:
    return Given(canonical(flag.name), flag.value or "", Origin(FLAG, flag.spelled))


def _refused(error: FlagError, args: Sequence[str]) -> Finding:
    text = str(error)
    origin = Origin(FLAG, args[error.position].partition("=")[0])
    if text.startswith("flag provided but not defined"):
        return _unknown(error.name, origin, text)
    remedy = ""
    if "in address" in text:
        remedy = "Write it as IP:port or host:port, without http://."
    elif "URL" in text or "first path segment" in text:
        remedy = "Write it as http://host:port or https://host:port."
    return REFUSED_FLAG.finding(canonical(error.name), origin, reason=text, remedy=remedy)


def _unknown(name: str, origin: Origin, reason: str) -> Finding:
    from compat.flags2x import BY_NAME as OF_2X
    from compat.likely import likely

    like = likely(name, (*_KINDS, *OF_2X))
    if like:
        return MISSPELT_FLAG.finding(canonical(name), origin, reason=reason, like=like)
    return UNKNOWN_FLAG.finding(canonical(name), origin, reason=reason)


def _deprecated(flag: Flag) -> Finding | None:
    if flag.name not in DEPRECATED:
        return None
    new = canonical(flag.name)
    origin = Origin(FLAG, flag.spelled)
    return DEPRECATED_FLAG.finding(new, origin, new=new, old=flag.name)


def _stray(parsed: Parsed, era: str) -> Finding:
    """2.x refuses leftover words; 0.4 ignored them, and a command line that is plainly 0.4's has lived with that.

    Not so the word after a bare ``-cluster-active-size``: it was no number, or it would not be left over, and 0.4
    refused it too.
    """
    rest = parsed.rest
    origin = Origin(FLAG, rest[0])
    words = " ".join(rest)
    refused_by_both = any(
        flag.position + 1 == parsed.rest_position and flag.value is None for flag in parsed.flags[-1:]
    )
    if not refused_by_both and era == ERA_04:
        return IGNORED_WORDS.finding("", origin, words=words, word=rest[0])
    return NO_FLAG.finding("", origin, word=rest[0])


def _config_not_seen(seen: Given) -> Finding:
    return CONFIG_BEHIND_A_WORD.finding("config", seen.origin, value=seen.value)
