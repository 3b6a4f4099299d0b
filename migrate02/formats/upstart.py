"""Upstart jobs: ``env``, ``exec`` and ``script`` ... ``end script``. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from migrate02.formats import shell
from migrate02.formats.format import Context
from migrate02.formats.placeholders import restore
from migrate02.formats.reading import Reading, joined
from migrate02.formats.starts.dialects import SHELL
from migrate02.formats.starts.variables import Assigned, commented
from migrate02.formats.view import View

_ENV = re.compile(r"(?m)^([ \t]*env[ \t]+)([A-Za-z_]\w*)=([^\r\n]*?)[ \t]*(?=\r?$)")
_EXEC = re.compile(r"(?m)^[ \t]*exec[ \t](?:[^\r\n]*\\\r?\n)*[^\r\n]*")
_HEAD = re.compile(r"(?m)^[ \t]*((?:pre|post)-(?:start|stop)[ \t]+)?script[ \t]*\r?\n")
_END = re.compile(r"(?m)^[ \t]*end script")


def read(view: View, context: Context) -> Reading:
    context = context._replace(assigned=list(_assigned(view)))
    scripts = list(_scripts(view.text))
    starts = [script.start for script in scripts]
    spans = [(script.at, script.end) for script in scripts if script.is_main]
    for found in _EXEC.finditer(view.text):
        before = bisect_right(starts, found.start())
        if not before or scripts[before - 1].end <= found.start():
            spans.append(found.span())
    parts = [view.part(start, end) for start, end in sorted(spans)]
    return joined([shell.read_commands(part, context) for part in parts])


class _Script(NamedTuple):
    """``start`` is where its head is, ``at`` where its lines begin; ``is_main`` that it is no pre- or post-script."""

    start: int
    at: int
    end: int
    is_main: bool


def _scripts(text: str) -> Iterator[_Script]:
    """Those with an end."""
    at = 0
    while head := _HEAD.search(text, at):
        end = _END.search(text, head.end())
        if end is None:
            return
        yield _Script(head.start(), head.end(), end.start(), head[1] is None)
        at = end.end()


def _assigned(view: View) -> Iterator[Assigned]:
    for found in _ENV.finditer(view.text):
        raw = found[3]
        value = raw[1:-1] if raw[:1] in ("'", '"') and raw[-1:] == raw[:1] else raw

        def write(name: str, value: str, raw: str = raw) -> str:
            return f"{name}={_quoted(value, raw, view.depth + 1)}"

        gone = commented(view, found.start(), found.end())
        yield Assigned(
            view, found.start(2), found.end(3), found[2], value, write, view.newline + found[1], gone
        )


def _quoted(value: str, raw: str, level: int) -> str:
    return SHELL.quote(value, raw, level) if raw[:1] in ("'", '"') else restore(value, level)
