"""systemd units and their drop-ins: ``ExecStart=`` over several lines, ``Environment=``, ``EnvironmentFile=``. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from migrate02.formats import shell
from migrate02.formats.format import Context, Sourced
from migrate02.formats.placeholders import placeholder
from migrate02.formats.reading import ENVIRONMENT, FileNamed, Reading, Setup, joined
from migrate02.formats.scripts.scan import scan
from migrate02.formats.starts import setups, variables
from migrate02.formats.starts.dialects import PLAIN, SYSTEMD, value_of
from migrate02.formats.starts.follow import Start, follow
from migrate02.formats.starts.variables import Assigned, commented
from migrate02.formats.starts.words import Word, inner, split
from migrate02.formats.view import Edit, View

_LINE = re.compile(r"[ \t]*([A-Za-z]+)[ \t]*=[ \t]*")
_PREFIX = re.compile(r"[-@+!:]*")
_OTHERS_DROP_IN = re.compile(r"(?:^|/)(?!etcd)[^/]*\.(?:service|socket|timer)\.d/[^/]*\Z")

_VARIABLE = re.compile(r"\$(\w+)\Z")

HOST_NAME = "%H"


class Directive(NamedTuple):
    """``start`` is where its line begins, ``at`` where its value does, ``end`` where its last line ends."""

    name: str
    start: int
    at: int
    end: int


def read(view: View, context: Context) -> Reading:
    """What an environment file sets that is one of this run may stand for flags."""
    directives = list(_directives(view.text))
    assigned = [item for one in directives if one.name == "Environment" for item in _assigned(view, one)]
    files = tuple(
        _file(view, one) for one in directives if one.name == "EnvironmentFile" and one.at < one.end
    )
    first = next((one for one in directives if one.name == "ExecStart"), None)
    found: list[Setup] = []
    readings: list[Reading] = []
    for one in directives:
        if one.name != "ExecStart":
            continue
        at = _PREFIX.match(view.text, one.at)
        words = split(view, at.end() if at else one.at, one.end, SYSTEMD)
        if at and "@" in at[0] and len(words) > 1:
            words = [words[0], *words[2:]]
        followed = follow(words)
        if followed.start is not None:
            start = followed.start
            start = start._replace(args=_seen_through(start.args, files, context.sourced))
            found.append(_setup(view, start, assigned, files, one, context.era))
            continue
        hostname = placeholder(HOST_NAME, view.depth + 1)
        around = Context(context.era, hostname=hostname, assigned=assigned, files=files)
        readings += [shell.read_commands(inner(word), around) for word in followed.texts]
    if not found and not readings and first is None and not _OTHERS_DROP_IN.search(view.name):
        found += _only_variables(view, assigned, files)
    return joined([Reading(found, [], []), *readings])


def _seen_through(
    args: Sequence[Word],
    files: Sequence[FileNamed],
    sourced: Sourced,
) -> list[Word]:
    """The words with those of a variable in the place of ``$NAME``, when it is set once, to flags."""
    if not any(_VARIABLE.match(word.raw) for word in args):
        return list(args)
    values: dict[str, View] = {}
    for file in files:
        other = sourced(file.path)
        for item in scan(other).assignments if other is not None else ():
            values[item.name] = value_of(item.value.words[0])
    found: list[Word] = []
    for word in args:
        match = _VARIABLE.match(word.raw)
        value = values.get(match[1]) if match else None
        inside = split(value, 0, len(value.text), PLAIN) if value is not None else []
        found += inside if inside and inside[0].text.startswith("-") else [word]
    return found


def _setup(
    view: View,
    start: Start,
    assigned: list[Assigned],
    files: tuple[FileNamed, ...],
    directive: Directive,
    era: str,
) -> Setup:
    if start.image:  # what is set for docker is not set in the container
        named = tuple(FileNamed(path, ENVIRONMENT, view.line(directive.start)) for path in start.env_files)
        return setups.of_start(start, era=era, files=named, hostname="")
    setup = setups.of_start(start, assigned, hostname=HOST_NAME, files=files, era=era)

    def add_environment_file(path: str) -> Edit:
        lead = view.text[directive.start : directive.at].partition("ExecStart")[0]
        start, first = directive.start, view.text[directive.start]
        return view.edit(start, start + 1, f"{lead}EnvironmentFile={path}{view.newline}{first}")

    return setup._replace(add_environment_file=add_environment_file)


def _only_variables(view: View, assigned: list[Assigned], files: tuple[FileNamed, ...]) -> list[Setup]:
    """A drop-in that adds variables to a unit which is not seen here."""
    read = variables.read(assigned)
    if not read.occurrences:
        return []
    line = view.line(read.occurrences[0].start)
    return [
        Setup(
            line,
            [],
            read.occurrences,
            read.findings,
            read.insertion,
            HOST_NAME,
            files,
            unseen=True,
            only_variables=True,
        )
    ]


def _directives(text: str) -> Iterator[Directive]:
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        match = _LINE.match(text, at, end)
        start = at
        while match and text[at:end].rstrip("\r").endswith("\\"):
            at = end + 1
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            while text[at:end].lstrip()[:1] in ("#", ";") and text[at:end].strip() and end < len(text):
                at, end = end + 1, text.find("\n", end + 1)
                end = len(text) if end < 0 else end
            if at >= len(text):
                break
        if match is not None:
            last = end - 1 if text[end - 1 : end] == "\r" else end
            yield Directive(match[1], start, match.end(), max(last, match.end()))
        at = end + 1


def _assigned(view: View, directive: Directive) -> Iterator[Assigned]:
    words = split(view, directive.at, directive.end, SYSTEMD)
    lead = view.text[directive.start : directive.at]
    alone = len(words) == 1
    for at, word in enumerate(words):
        name, equals, value = word.text.partition("=")
        if not equals:
            continue
        yield Assigned(
            view,
            word.start,
            word.end,
            name,
            value,
            _writer(word),
            view.newline + lead if alone else " ",
            commented(view, directive.start, directive.end)
            if alone
            else Edit(words[at - 1].end, word.end, "")
            if at
            else Edit(word.start, words[at + 1].start, ""),
            SYSTEMD.mask,
        )


def _writer(word: Word) -> Callable[[str, str], str]:
    def write(name: str, value: str) -> str:
        return word.quoted(f"{name}={value}", word.raw)

    return write


def _file(view: View, directive: Directive) -> FileNamed:
    path = view.text[directive.at : directive.end].strip()
    return FileNamed(path.lstrip("-"), ENVIRONMENT, view.line(directive.start), path.startswith("-"))
