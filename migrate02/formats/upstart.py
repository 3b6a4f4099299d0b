"""Upstart jobs: ``env``, ``exec`` and ``script`` ... ``end script``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate02.formats import shell
from migrate02.formats.places import Reading, joined
from migrate02.formats.variables import Assigned, commented
from migrate02.formats.view import View
from migrate02.formats.words import SHELL

_ENV = re.compile(r"(?m)^([ \t]*env[ \t]+)([A-Za-z_]\w*)=([^\r\n]*?)[ \t]*(?=\r?$)")
_SCRIPT = re.compile(r"(?ms)^[ \t]*script[ \t]*\r?\n(.*?)^[ \t]*end script")
_EXEC = re.compile(r"(?m)^[ \t]*exec[ \t](?:[^\r\n]*\\\r?\n)*[^\r\n]*")
_OUTSIDE = re.compile(
    r"(?ms)^[ \t]*(?:(?:pre|post)-(?:start|stop)[ \t]+)?script[ \t]*\r?\n.*?^[ \t]*end script"
)


def read(view: View, era: str = "", **more: object) -> Reading:
    assigned = list(_assigned(view))
    scripts = [(found.start(), found.end()) for found in _OUTSIDE.finditer(view.text)]
    spans = [found.span(1) for found in _SCRIPT.finditer(view.text)]
    spans += [
        found.span()
        for found in _EXEC.finditer(view.text)
        if not any(start <= found.start() < end for start, end in scripts)
    ]
    parts = [view.part(start, end) for start, end in sorted(spans)]
    return joined([shell.read(part, era, assigned=assigned, **more) for part in parts])  # type: ignore[arg-type]


def _assigned(view: View) -> Iterator[Assigned]:
    newline = "\r\n" if "\r\n" in view.text else "\n"
    for found in _ENV.finditer(view.text):
        raw = found[3]
        value = raw[1:-1] if raw[:1] in ("'", '"') and raw[-1:] == raw[:1] else raw

        def write(name: str, value: str, raw: str = raw) -> str:
            return f"{name}={_quoted(value, raw)}"

        gone = commented(view, found.start(), found.end())
        yield Assigned(view, found.start(2), found.end(3), found[2], value, write, newline + found[1], gone)


def _quoted(value: str, raw: str) -> str:
    return SHELL.quote(value, raw) if raw[:1] in ("'", '"') else value
