"""Procfiles: ``name: command``, one a line, run by a shell. Pure."""

from __future__ import annotations

import re

from migrate02.formats import shell
from migrate02.formats.places import Reading, joined
from migrate02.formats.starts import find
from migrate02.formats.view import View
from migrate02.formats.words import SHELL, split

_LINE = re.compile(r"(?m)^([A-Za-z0-9_-]+):[ \t]+(\S[^\r\n]*)")


def recognised(text: str) -> bool:
    code = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not code or not all(_LINE.match(line) for line in code):
        return False
    return any(_starts_etcd(match[2]) for match in map(_LINE.match, code) if match)


def _starts_etcd(command: str) -> bool:
    return "etcd" in command and find(split(View(command, ""), 0, len(command), SHELL)) is not None


def read(view: View, era: str = "") -> Reading:
    parts = [view.part(*found.span(2)) for found in _LINE.finditer(view.text)]
    return joined([shell.read(part, era) for part in parts])
