"""supervisord's programs: ``command``, over several lines or not, and ``environment``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate02.formats import shell
from migrate02.formats.format import Context
from migrate02.formats.placeholders import restore
from migrate02.formats.reading import NOTHING, Reading, joined
from migrate02.formats.starts import setups
from migrate02.formats.starts.dialects import SHLEX
from migrate02.formats.starts.follow import follow
from migrate02.formats.starts.variables import Assigned
from migrate02.formats.starts.words import inner, split
from migrate02.formats.view import Edit, View

_PROGRAM = re.compile(r"(?m)^\[(?:program|eventlistener|fcgi-program):[^\]]+\][^\n]*\n")
_KEY = re.compile(r"(?m)^(command|environment)[ \t]*[=:][ \t]*((?:[^\r\n]*)(?:\r?\n[ \t]+\S[^\r\n]*)*)")
_VARIABLE = re.compile(r"""([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|'[^']*'|[^,\s]*)[ \t]*(,?)\s*""")

HOST_NAME = "%(host_node_name)s"


def read(view: View, context: Context) -> Reading:
    heads = list(_PROGRAM.finditer(view.text))
    readings = []
    for at, head in enumerate(heads):
        end = heads[at + 1].start() if at + 1 < len(heads) else len(view.text)
        other = re.compile(r"(?m)^\[").search(view.text, head.end())
        end = min(end, other.start()) if other else end
        readings.append(_program(view, head.end(), end, context.era))
    return joined(readings)


def _program(view: View, start: int, end: int, era: str) -> Reading:
    keys = {found[1]: found for found in _KEY.finditer(view.text, start, end)}
    command = keys.get("command")
    if command is None:
        return NOTHING
    assigned = list(_assigned(view, keys["environment"])) if "environment" in keys else []
    text = view.text
    comment = re.compile(r"[ \t];").search(text, command.start(2), command.end(2))
    words = split(view, command.start(2), comment.start() if comment else command.end(2), SHLEX)
    followed = follow(words)
    if followed.start is not None:
        setup = setups.of_start(followed.start, assigned, hostname=HOST_NAME, era=era)
        return Reading([setup._replace(inherits=True)], [], [])
    around = Context(era, assigned=assigned)
    return joined([shell.read_commands(inner(word), around) for word in followed.texts])


def _assigned(view: View, key: re.Match[str]) -> Iterator[Assigned]:
    at, before = key.start(2), key.start(2)
    while found := _VARIABLE.match(view.text, at, key.end(2)):
        raw = found[2]
        value = raw[1:-1] if raw[:1] in ("'", '"') else raw

        def write(name: str, value: str, raw: str = raw) -> str:
            quote = raw[0] if raw[:1] in ("'", '"') else '"'
            return f"{name}={quote}{restore(value, view.depth + 1)}{quote}"

        last = found.end(2)
        gone = Edit(found.start(), found.end(), "") if found[3] else Edit(before, last, "")
        yield Assigned(view, found.start(), last, found[1], value, write, ",", gone, SHLEX.mask)
        at, before = found.end(), last
        if not found[3]:
            return
