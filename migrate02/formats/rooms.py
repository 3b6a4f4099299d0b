"""The rooms for files that hold etcd's settings among other things, and which of them a text belongs to. Pure.

Found out by content; a person may say it better (``--format``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import NamedTuple

from migrate02.formats.document import UnusableInput
from migrate02.formats.heres import without_bodies
from migrate02.formats.places import NOTHING, Inner, Reading
from migrate02.formats.view import TooMuch, View

Sourced = Callable[[str], View | None]
"""Finds a file that a script takes in, by its path on the machine it is for."""


class Room(NamedTuple):
    """``module`` reads it, imported when it is needed; a text without ``sign``, a pattern, is none of its kind."""

    module: str
    said: str
    sign: str


ROOMS: dict[str, Room] = {
    "cloud-config": Room(
        "cloudconfig", "a cloud-config", r"\A(?:\s*#[^\n]*\n)*#cloud-config|(?m:^coreos:[ \t]*(?:#.*)?\r?$)"
    ),
    "systemd": Room("systemd", "a systemd unit", r"(?m)^[ \t]*\[(?:Unit|Service|Install)\][ \t]*\r?$"),
    "openrc": Room("openrc", "a service of OpenRC", r"\A#!.*\b(?:runscript|openrc-run)\b"),
    "shell": Room("shell", "a script", r"\A#!|(?m:^[ \t]*(?:sudo[ \t]+)?docker[ \t]+run\b)"),
    "upstart": Room(
        "upstart",
        "an upstart job",
        r"(?m)^(?:start on|stop on|respawn[ \t]*\r?$|(?:pre|post)-(?:start|stop) |script[ \t]*\r?$|end script)",
    ),
    "supervisor": Room("supervisor", "a supervisor's file", r"(?m)^\[(?:program:[^\]]+|supervisord)\]"),
    "dockerfile": Room(
        "dockerfile", "a Dockerfile", r"(?mi)^[ \t]*FROM[ \t]+\S+(?:[ \t]+AS[ \t]+\S+)?[ \t]*\r?$"
    ),
    "strings": Room(
        "strings",
        "a template with files in it",
        r"""["']\s*#(?:cloud-config|!)|(?:[|>][-+]?|<<[-~]?["']?\w+["']?)\s+#(?:cloud-config|!)""",
    ),
    "containers": Room(
        "containers", "a list of containers", r"""(?m)^[ \t{,-]*["']?(?:image|build|containers)["']?[ \t]*:"""
    ),
    "procfile": Room("procfile", "a Procfile", r"(?m)^[A-Za-z0-9_-]+:[ \t]+(?:\S.*[ /])?etcd[ \t]+-"),
    "script": Room(
        "shell",
        "a script",
        r"(?m)^[ \t]*(?:if[ \t]+\[|\w+[ \t]*\(\)[ \t]*\{|case[ \t].*[ \t]in\b|\.[ \t]+/|set[ \t]+-[eux]"
        r"|(?:source|sudo|nohup|cd|mkdir)[ \t]|cat[ \t]+[<>])",
    ),
}
"""In the order in which they are asked: the first whose sign is in a text has it."""

ALIASES = {
    "compose": "containers",
    "kubernetes": "containers",
    "sysv": "shell",
    "runit": "shell",
    "docker": "shell",
}
"""Other names that a person may give."""

_SHELLS = (
    r"#![ \t]*\S*(?:/env[ \t]+)?\b(?:ba|da|a|k|z)?sh\b|#!.*\b(?:runscript|openrc-run|runlevel)\b|\A(?!#!)"
)


def names() -> list[str]:
    return [*(name for name in ROOMS if name not in ("script", "strings")), *ALIASES]


_DEEPEST = 12
"""Texts in texts."""

_WEAK = frozenset(("containers", "procfile", "strings", "script"))
"""Rooms whose signs other kinds of files bear too."""


def is_no_shell_script(text: str) -> bool:
    """A script of another language."""
    return text.startswith("#!") and not re.match(_SHELLS, text)


def said(name: str) -> str:
    return ROOMS[ALIASES.get(name, name)].said


def candidates(text: str) -> list[str]:
    """The rooms that a text may be of, the surest first."""
    if "etcd" not in text and "ETCD_" not in text:
        return []
    text = text.removeprefix("\ufeff")
    if text.startswith("#!"):
        return ["openrc"] if re.match(ROOMS["openrc"].sign, text) else ["shell"]
    around = without_bodies(text)
    return [
        name for name, room in ROOMS.items() if re.search(room.sign, text if name == "strings" else around)
    ]


def find(view: View, era: str = "", sourced: Sourced | None = None) -> tuple[str, Reading]:
    """The room that finds anything in the text, and what; else the one it is surely of, and nothing.

    Raises UnusableInput when it is surely of one that cannot read it.
    """
    sure = ""
    trouble: UnusableInput | None = None
    for name in candidates(view.text):
        try:
            reading = read(view, name, era, sourced)
        except TooMuch:
            raise
        except UnusableInput as error:
            trouble = trouble or (None if name in _WEAK else error)
            continue
        if not reading.is_empty:
            return name, reading
        if name not in _WEAK:
            sure = name
            break
    if trouble is not None:
        raise trouble
    return sure, NOTHING


def read(view: View, name: str, era: str = "", sourced: Sourced | None = None) -> Reading:
    """What the text holds. Raises UnusableInput when it is not what it was taken for."""
    name = ALIASES.get(name, name)
    if view.text.startswith("\ufeff"):
        view = view.part(1, len(view.text))
    room = ROOMS[name]
    module = import_module(f"migrate02.formats.{room.module}")
    inside = partial(embedded, era=era)
    if name in ("cloud-config", "strings"):
        return module.read(view, inside)  # type: ignore[no-any-return]
    if room.module in ("shell", "upstart", "openrc"):
        if room.module == "shell" and not re.match(_SHELLS, view.text):
            return NOTHING
        found = sourced or (lambda _path: None)
        return module.read(view, era, sourced=found, embedded=inside)  # type: ignore[no-any-return]
    if name == "systemd" and sourced is not None:
        return module.read(view, era, sourced=sourced)  # type: ignore[no-any-return]
    return module.read(view, era)  # type: ignore[no-any-return]


def embedded(view: View, path: str = "", *, era: str = "") -> Reading:
    """A text inside another one, of whatever kind."""
    text = view.text
    if "etcd" not in text and "ETCD_" not in text and "etcd" not in path:
        return NOTHING
    if view.depth > _DEEPEST:
        return NOTHING
    view.spend(1 + len(text) // 100)
    try:
        name, reading = find(view, era)
    except TooMuch:
        raise
    except UnusableInput:
        return NOTHING
    if name:
        return reading
    from migrate02 import formats

    if not formats.looks_like_etcd(text):
        return NOTHING
    try:
        document = formats.read(text, view.name, era)
    except UnusableInput:
        return NOTHING
    if document.form not in ("env", "toml") or not document.given:
        return NOTHING
    return Reading([], [], [], (Inner(view, path),))
