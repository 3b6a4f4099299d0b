"""Where etcd is started in a file that is not converted as a whole, and the command that converts that start. Pure."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from migrate02.formats.placeholders import mask, unmask

_START = re.compile(
    r"""(?:[ \t]*+-?[ \t]*+) (?: ExecStart=[-@+!:]* | command[ \t]*[=:][ \t]* | exec[ \t]+ | nohup[ \t]+ )*+
        (?P<words> (?: (?:\S*/)?env[ \t]+ )? (?: [A-Za-z_]\w*=\S*[ \t]+ )*+
                   (?:[^\s=:#]*/)?etcd (?:[ \t]+["']?[-$].*)? ) \Z""",
    re.VERBOSE,
)
_SECTION = re.compile(r"([ \t]*)etcd2?:[ \t]*(?:#.*)?\Z")
_ENTRY = re.compile(r"([ \t]+)([a-z][a-z0-9_-]*):[ \t]+(.*)\Z")
_ENVIRONMENT = re.compile(r"[ \t]*Environment=(.*)\Z")
_GROUP = re.compile(r"\$[({`]|`")


class StartLine(NamedTuple):
    """Where etcd is started or set up, lines counted from 1. ``words`` convert it; none when they are not plain."""

    line: int
    words: tuple[str, ...] = ()


def find_start(text: str, format: str = "") -> StartLine | None:
    """The first line that starts etcd, or a cloud-config's section of its settings, or a unit's variables for it."""
    variables: list[str] = []
    first_variable = 0
    lines = [line.rstrip("\r") for line in text.split("\n")]
    for number, line in enumerate(lines, 1):
        if format == "systemd" and (found := _variables(line)):
            variables += found
            first_variable = first_variable or number
        if format == "cloud-config" and (section := _SECTION.match(line)):
            return StartLine(number, _flags_of_section(lines[number:], len(section[1])))
    for number in range(1, len(lines) + 1):
        goes_on = number > 1 and lines[number - 2].endswith("\\")
        start = _START.match(_whole(lines, number, _MOST_INSIDE if goes_on else len(lines)))
        if start is not None:
            return StartLine(number, _plain_words(start["words"], variables))
    return StartLine(first_variable, (*variables, "etcd")) if variables else None


_MOST_INSIDE = 20
"""Lines of a command that are looked at from one in its middle: each is looked at from all before it."""


def _whole(lines: list[str], number: int, most: int) -> str:
    """A line with those that it goes on in, no more than so many."""
    whole = [lines[number - 1]]
    while whole[-1].endswith("\\") and number < len(lines) and len(whole) < most:
        whole[-1] = whole[-1][:-1]
        whole.append(lines[number].lstrip())
        number += 1
    return " ".join(whole).rstrip()


def _variables(line: str) -> list[str]:
    match = _ENVIRONMENT.match(line)
    if match is None:
        return []
    try:
        words = shlex.split(match[1])
    except ValueError:
        return []
    return [word for word in words if word.startswith("ETCD_") and "=" in word]


def _plain_words(code: str, variables: list[str]) -> tuple[str, ...]:
    """None of them when a shell would do more with them than split them and leave etcd in the background."""
    from migrate02.formats.command import split

    if "$" in code or "`" in code:
        return ()
    try:
        line = split(mask(code))
    except ValueError:
        return ()
    return (*variables, *(unmask(word.text) for word in line.words)) if line.tail in ("", "&") else ()


def _flags_of_section(lines: list[str], indent: int) -> tuple[str, ...]:
    words = ["etcd"]
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _ENTRY.match(line)
        if entry is None or len(entry[1]) <= indent:
            break
        value = entry[3].partition(" #")[0].strip()
        if value[:1] in ("'", '"') and value[-1:] == value[:1]:
            value = value[1:-1]
        words.append(f"-{entry[2].replace('_', '-')}={value}")
    return tuple(words) if len(words) > 1 else ()


def advice(title: str, start: StartLine | None) -> str:
    """What is said of such a file."""
    said = f"{title}, which is not converted as a whole"
    if start is not None and start.words:
        said += ": etcd is set up here; run: migrate02 convert"
        return f"{said} -- {shlex.join(start.words)}"
    where = "etcd is started here: " if start is not None else ""
    return f"{said}: {where}give the words of etcd's command line after --, and its variables as a file"
