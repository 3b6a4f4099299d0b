"""Kinds of files that hold etcd's settings among other things: told by name, never converted as a whole.

Also finds where etcd is started in them, and the command that converts that start. Pure.
"""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

SCRIPT, CLOUD_CONFIG, UNIT = "a script", "a cloud-config", "a systemd unit"
UPSTART, SUPERVISOR = "an upstart job", "a supervisor's file"

_BEGINNINGS = (
    (SCRIPT, "#!"),
    (CLOUD_CONFIG, "#cloud-config"),
    (UNIT, "[Unit]"),
    (UNIT, "[Service]"),
    (UNIT, "[Install]"),
)
"""How the first line begins, comments passed over or not."""
_INSIDE = (
    (UPSTART, r"(?m)^(?:start on|stop on|respawn$|(?:pre|post)-(?:start|stop) |script[ \t]*$|end script)"),
    (SUPERVISOR, r"(?m)^\[(?:program:[^\]]+|supervisord)\]"),
)

_START = re.compile(
    r"""(?:[ \t]*+-?[ \t]*+) (?: ExecStart=[-@+!:]* | command[ \t]*[=:][ \t]* | exec[ \t]+ | nohup[ \t]+ )*
        (?P<words> (?: (?:\S*/)?env[ \t]+ )? (?: [A-Za-z_]\w*=\S*[ \t]+ )*
                   (?:[^\s=:#]*/)?etcd (?:[ \t]+["']?[-$].*)? ) \Z""",
    re.VERBOSE,
)
_SECTION = re.compile(r"([ \t]*)etcd2?:[ \t]*(?:#.*)?\Z")
_ENTRY = re.compile(r"([ \t]+)([a-z][a-z0-9_-]*):[ \t]+(.*)\Z")
_ENVIRONMENT = re.compile(r"[ \t]*Environment=(.*)\Z")
_GROUP = re.compile(r"\$[({`]|`")


class Start(NamedTuple):
    """Where etcd is started or set up, lines counted from 1. ``words`` convert it; none when they are not plain."""

    line: int
    words: tuple[str, ...] = ()


def kind_of(text: str, code: str) -> str:
    """The kind of a file that is not converted, or ``""``; ``code`` is the text without its leading comments."""
    for kind, beginning in _BEGINNINGS:
        if text.startswith(beginning) or code.startswith(beginning):
            return kind
    return next((kind for kind, pattern in _INSIDE if re.search(pattern, text)), "")


def find_start(text: str, kind: str) -> Start | None:
    """The first line that starts etcd, or a cloud-config's section of its settings, or a unit's variables for it."""
    variables: list[str] = []
    first_variable = 0
    lines = [line.rstrip("\r") for line in text.split("\n")]
    for number, line in enumerate(lines, 1):
        if kind == UNIT and (found := _variables(line)):
            variables += found
            first_variable = first_variable or number
        if kind == CLOUD_CONFIG and (section := _SECTION.match(line)):
            return Start(number, _flags_of_section(lines[number:], len(section[1])))
    for number in range(1, len(lines) + 1):
        goes_on = number > 1 and lines[number - 2].endswith("\\")
        start = _START.match(_whole(lines, number, _MOST_INSIDE if goes_on else len(lines)))
        if start is not None:
            return Start(number, _plain_words(start["words"], variables))
    return Start(first_variable, (*variables, "etcd")) if variables else None


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
    """None when a shell would do more with them than split them and leave etcd in the background."""
    from migrate02.formats.command import split

    try:
        line = split(code)
    except ValueError:
        return ()
    if line.tail not in ("", "&") or any("$" in word.raw or "`" in word.raw for word in line.words):
        return ()
    return (*variables, *(word.text for word in line.words))


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


def advice(kind: str, start: Start | None) -> str:
    """What is said of such a file."""
    said = f"{kind}, which is not converted as a whole"
    if start is not None and start.words:
        said += ": etcd is set up here; run: migrate02 convert"
        return f"{said} -- {shlex.join(start.words)}"
    where = "etcd is started here: " if start is not None else ""
    return f"{said}: {where}give the words of etcd's command line after --, and its variables as a file"


def lines_of_04(text: str) -> list[int]:
    """The lines, from 1, that are no comment and name a setting that is 0.4's alone, near the name of etcd: others have
    flags like these too."""
    if "peer" not in text and "cluster" not in text and "ETCD_" not in text:
        return []
    if not re.search(_SURELY_04, text, re.MULTILINE):
        return []
    lines = [line if not line.lstrip().startswith(("#", ";", "//")) else "" for line in text.split("\n")]
    return [
        number
        for number, line in enumerate(lines, 1)
        if re.search(_SURELY_04, line) and re.search(_ETCD, "\n".join(lines[max(0, number - _NEAR) : number]))
    ]


_ETCD = (
    r"(?<![\w.-])etcd[\"',]*[ \t]+[\"']?[-$\\]|/etcd(?![\w.-])|[\"']etcd[\"']|-[ \t]+etcd[ \t]*(?:\n|\Z)"
    r"|(?<![\w.-])etcd:|\bETCD_(?:PEER|CLUSTER)_"
)
"""Etcd as a program, a section or an owner of variables; not a word about it."""
_NEAR = 16
"""Lines from the name of a program to the last of its flags, more or less; a template of JSON has one word on each."""


_SURELY_04 = (
    r"(?<![\w-])--?(?:peer-(?:addr|bind-addr|election-timeout|heartbeat-(?:interval|timeout))"
    r"|cluster-(?:active-size|remove-delay|sync-interval))(?![\w-])"
    r"|\bETCD_(?:PEER_(?:ADDR|BIND_ADDR|ELECTION_TIMEOUT|HEARTBEAT_INTERVAL)"
    r"|CLUSTER_(?:ACTIVE_SIZE|REMOVE_DELAY|SYNC_INTERVAL))\b"
    r"|(?:^|[\"'])[ \t]*peer[-_](?:addr|bind[-_]addr|election[-_]timeout|heartbeat[-_]interval):[ \t]"
)


def holds_settings_of_04(text: str) -> bool:
    """A guess from names that only 0.4 has, in a text that is about etcd."""
    if "etcd" not in text.lower():
        return False
    from compat.flags04 import FLAGS, ONLY_04, ONLY_04_SPELLINGS

    flags = "|".join(sorted(map(re.escape, ONLY_04 - {"v", "vv", "f", "h"})))
    variables = [flag.variable for flag in FLAGS if flag.variable and flag.name in ONLY_04]
    names = "|".join(map(re.escape, [*variables, *(name for name in ONLY_04_SPELLINGS if name.isupper())]))
    of_a_list = r"""["'][ \t]*(?:[,\])}]|$)"""
    flag = rf"(?<![\w-])--?(?:{flags})(?=[\s=]|{of_a_list})"
    pattern = rf"(?m){flag}|\b(?:{names})=|^[ \t]+(?:{flags}):[ \t]"
    return bool(re.search(pattern, text))
