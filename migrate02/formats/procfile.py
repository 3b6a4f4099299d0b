"""Procfiles: ``name: command``, one a line, run by a shell. Pure."""

from __future__ import annotations

import re

from migrate02.formats import shell
from migrate02.formats.format import Context
from migrate02.formats.reading import Reading, joined
from migrate02.formats.view import View

_LINE = re.compile(r"(?m)^([A-Za-z0-9_-]+):[ \t]+(\S[^\r\n]*)")


def read(view: View, context: Context) -> Reading:
    parts = [view.part(*found.span(2)) for found in _LINE.finditer(view.text)]
    return joined([shell.read_commands(part, Context(context.era)) for part in parts])
