"""Dockerfiles: ``ENV``, ``ENTRYPOINT`` and ``CMD``, as lists or for a shell. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from migrate02.formats import shell
from migrate02.formats.format import Context
from migrate02.formats.placeholders import restore
from migrate02.formats.reading import NOTHING, Reading, Setup, joined
from migrate02.formats.starts import setups, variables
from migrate02.formats.starts.dialects import JSON_LIST, SHELL
from migrate02.formats.starts.follow import follow
from migrate02.formats.starts.variables import Assigned, commented
from migrate02.formats.starts.words import Word, inner, split
from migrate02.formats.view import Edit, View

_INSTRUCTION = re.compile(
    r"(?mi)^[ \t]*(ENV|ENTRYPOINT|CMD)[ \t]+((?:[^\r\n]*\\[ \t]*\r?\n(?:[ \t]*#[^\n]*\n)*)*[^\r\n]*)"
)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


class _Instruction(NamedTuple):
    name: str
    start: int
    at: int
    end: int


def read(view: View, context: Context) -> Reading:
    era = context.era
    found = [
        _Instruction(match[1].upper(), match.start(), match.start(2), match.end(2))
        for match in _INSTRUCTION.finditer(view.text)
    ]
    assigned = [item for one in found if one.name == "ENV" for item in _assigned(view, one)]
    entry = next((one for one in reversed(found) if one.name == "ENTRYPOINT"), None)
    command = next((one for one in reversed(found) if one.name == "CMD"), None)
    lists = [words for one in (entry, command) if one is not None and (words := _list(view, one)) is not None]
    if lists:
        start = follow([word for run in lists for word in run]).start
        if start is not None:
            return Reading([setups.of_start(start, assigned, era=era, host=setups.UNNAMED)], [], [])
    readings = [_for_a_shell(view, one, assigned, era) for one in (entry, command) if one is not None]
    if not any(reading.setups for reading in readings) and assigned and re.search(_ETCDS_IMAGE, view.text):
        return _only_variables(view, assigned)
    return joined(readings)


_ETCDS_IMAGE = r"(?mi)^[ \t]*FROM[ \t]+(?:\S*/)?etcd\b"


def _only_variables(view: View, assigned: list[Assigned]) -> Reading:
    read = variables.read(assigned)
    if not read.occurrences:
        return NOTHING
    line = view.line(read.occurrences[0].start)
    setup = Setup(line, [], read.occurrences, read.findings, read.insertion, unseen=True, only_variables=True)
    return Reading([setup], [], [])


def _for_a_shell(view: View, one: _Instruction, assigned: list[Assigned], era: str) -> Reading:
    words = _list(view, one)
    context = Context(era, assigned=assigned)
    if words is None:
        return shell.read_commands(view.part(one.at, one.end), context)
    return joined([shell.read_commands(inner(word), context) for word in follow(words).texts])


def _list(view: View, one: _Instruction) -> list[Word] | None:
    """The words of ``["a", "b"]``, None for anything else."""
    code = re.sub(r"\\[ \t]*\r?\n", lambda found: " " * len(found[0]), view.text[one.at : one.end])
    try:
        said = json.loads(code)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, list) or not all(isinstance(item, str) for item in said):
        return None
    spans = [found.span() for found in _STRING.finditer(view.text, one.at, one.end)]
    return [Word(view, *span, text, JSON_LIST) for span, text in zip(spans, said, strict=True)]


def _assigned(view: View, one: _Instruction) -> Iterator[Assigned]:
    words = split(view, one.at, one.end, SHELL)
    lead = view.text[one.start : one.at]
    if words and "=" not in words[0].raw:  # ENV NAME value
        name = words[0].text
        at = words[1].start if len(words) > 1 else one.end
        value = view.text[at : one.end].rstrip()

        def spaced(name: str, value: str) -> str:
            return f"{name} {restore(value, view.depth + 1)}"

        gone = commented(view, one.start, one.end)
        yield Assigned(view, words[0].start, at + len(value), name, value, spaced, view.newline + lead, gone)
        return
    for at, word in enumerate(words):
        name, equals, value = word.text.partition("=")
        if not equals:
            continue
        alone = len(words) == 1
        if alone:
            gone, joint = commented(view, one.start, one.end), view.newline + lead
        elif at:
            gone = Edit(words[at - 1].end, word.end, "")
            joint = view.text[words[at - 1].end : word.start]
        else:
            gone, joint = Edit(word.start, words[1].start, ""), view.text[word.end : words[1].start]
        raw = word.raw.partition("=")[2]

        def write(name: str, value: str, raw: str = raw, word: Word = word) -> str:
            return f"{name}={word.quoted(value, raw)}"

        yield Assigned(view, word.start, word.end, name, value, write, joint, gone)
