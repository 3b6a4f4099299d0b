"""Releases of etcd that a file names, as the tag of an image or an archive: what runs there. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from compat.findings import Finding
from compat.settings import FILE, Origin
from compat.translate import ERA_04, ERA_2X
from migrate02.formats.findings import BEFORE_20, BEFORE_TARGET

_NAMED = re.compile(
    r"""(?xi)(?<![a-z0-9])etcd
        (?: [/:@_-]{1,2} (?: releases/download/ )?      # quay.io/coreos/etcd:v0.4.6, etcd-v0.4.6-linux-amd64
          | _ver(?:sion)? [=:] [ \t]* ["']? )           # ETCD_VERSION=0.4.6
        v? (\d{1,2}) \. (\d{1,2}) (?: \.\d+ )? (?! [\d.]*\d )"""
)
_SIGNS = ("etcd:", "etcd/", "etcd-", "etcd@", "etcd_v", "etcd_0")
"""Quick to look for; every release has one."""
_IMAGE = re.compile(r"(?s).*etcd(?:[-_]\w++)*+:v?(\d)\.\d")
_DEFAULT = (2, 3)
"""Whose words are written when no other release is asked for."""


_SET = re.compile(
    r"""(?mx)^[ \t]* (?: (?:export|readonly|local|ENV|ARG) [ \t]+ )?
        (\w+) (?: = | [ \t]+(?=v?\d) ) ["']? (v?\d{1,2}\.\d{1,2}(?:\.\d+)?) ["']? [ \t;]* \r?$"""
)
"""A variable that holds a release, as scripts and Dockerfiles set it."""
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


class Release(NamedTuple):
    """``text`` is the image or the archive as far as it tells the release, where it is named first."""

    text: str
    version: tuple[int, int]
    lines: tuple[int, ...]


def named_in(text: str) -> list[Release]:
    """Every release once, with its lines. What a comment names is not run."""
    lower = text.lower()
    if not any(sign in lower for sign in _SIGNS):
        return []
    found: dict[str, tuple[str, tuple[int, int], dict[int, None]]] = {}
    text = _filled_in(text)
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith(("#", ";", "//")):
            continue
        for match in _NAMED.finditer(line):
            words = match[0]
            version = (int(match[1]), int(match[2]))
            key = re.sub(r"(?i).*?v?(?=\d+\.\d)", "", words, count=1)
            found.setdefault(key, (words, version, {}))[2][number] = None
    return [Release(words, version, tuple(lines)) for words, version, lines in found.values()]


def _filled_in(text: str) -> str:
    """With the releases that variables hold in the place of their names."""
    releases = dict(_SET.findall(text)) if "$" in text else {}
    if not releases:
        return text
    return _VARIABLE.sub(lambda found: releases.get(found[1] or found[2], found[0]), text)


def era_of_image(image: str) -> str:
    """Of the release that an image's tag names; 2.x's takes 0.4's flags too, but what is not set has 2.x's defaults.
    ``""`` where it names none."""
    found = _IMAGE.match(image[:1000])
    if found is None:
        return ""
    return ERA_04 if found[1] == "0" else ERA_2X


def era_of(named: list[Release]) -> str:
    """0.4 when the file names that etcd and no later one, else unknown."""
    return ERA_04 if named and all(release.version < (2, 0) for release in named) else ""


def too_old(named: list[Release], name: str, target: str) -> list[Finding]:
    """Those that do not read what is written for ``target``, 2.3 when it is empty."""
    found = []
    for release in named:
        wanted = _version(target) if target else _DEFAULT
        if release.version < (2, 0):
            text = BEFORE_20
        elif target and release.version < wanted:
            text = BEFORE_TARGET
        else:
            continue
        others = ", ".join(map(str, release.lines[1:]))
        also = f"; also in line{'s' if len(release.lines) > 2 else ''} {others}" if others else ""
        fields = {
            "release": release.text,
            "target": target,
            "wanted": f"{wanted[0]}.{wanted[1]}",
            "also": also,
        }
        found.append(text.finding("", Origin(FILE, release.text, name, release.lines[0]), **fields))
    return found


def _version(text: str) -> tuple[int, int]:
    major, minor, *_ = [*map(int, re.findall(r"\d+", text)), 0, 0]
    return major, minor
