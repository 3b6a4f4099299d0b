"""Shell scripts that start etcd: init scripts, run scripts of runit, wrappers, provisioning with here-documents. Pure.

Variables that are set once and plainly are seen through; what depends on anything else is not changed, and reported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from compat.findings import Finding
from compat.settings import FILE, Origin
from migrate02.formats.findings import (
    ADDED_AT_TIMES,
    BESIDE_A_VARIABLE,
    FLAGS_AT_TIMES,
    NAME_USED,
    PROGRAM_UNKNOWN,
    QUOTE_LEFT_OPEN,
)
from migrate02.formats.format import Context
from migrate02.formats.layers.shells import here as here_document
from migrate02.formats.reading import ENVIRONMENT, NOTHING, SCRIPT, FileNamed, Reading, joined
from migrate02.formats.scripts.exports import Reaching, used_elsewhere
from migrate02.formats.scripts.firstline import is_of_another_language
from migrate02.formats.scripts.outputs import written_by
from migrate02.formats.scripts.scan import Command, Here, Script, scan
from migrate02.formats.scripts.variables import KnownVariables, comparable, filled_in, seen_through, together
from migrate02.formats.settings04 import holds_settings_of_04
from migrate02.formats.starts import setups
from migrate02.formats.starts.follow import Start, follow
from migrate02.formats.starts.variables import Assigned
from migrate02.formats.starts.words import Word, inner
from migrate02.formats.view import View

_SETTLING_MORE = re.compile(
    r"-{1,2}(?:peer-)?(?:cert-file|key-file|ca-file|addr|bind-addr|peers|peers-file|discovery)\b"
)

_NAMES = re.compile(r"-{1,2}(?:n|name|d|data-dir|f|config)\b")

HOST_NAME = "$(hostname)"


_DEEPEST_TEXT = 12
"""Texts of commands in texts of commands."""


def read(view: View, context: Context) -> Reading:
    """What a script has of etcd's; nothing for one that no shell reads."""
    return NOTHING if is_of_another_language(view.text) else read_commands(view, context)


def read_commands(view: View, context: Context) -> Reading:
    """The same for commands in a file of another format."""
    script = scan(view)
    if script.broken >= 0:
        origin = Origin(FILE, "", view.name, view.line(script.broken))
        about = holds_settings_of_04(view.text)
        return Reading([], [], [QUOTE_LEFT_OPEN.finding("", origin)] if about else [])
    named = _sourced_files(script, view)
    unseen = []
    others: list[Script] = []
    for path in named:
        other = context.sourced(path.path)
        if other is None:
            unseen.append(path)
        else:
            others.append(scan(other))
    if others:
        script = together(script, others)
    context = context._replace(files=(*context.files, *unseen))
    return _read_script(view, script, KnownVariables(script), context)


def _read_script(view: View, script: Script, known: KnownVariables, context: Context) -> Reading:
    readings = [_read_command(view, command, known, context) for command in script.commands]
    for text, path in _files_written(view, script):
        readings.append(_not_beside(known.reaching, context.embedded(text, path), view))
    return joined(readings)


def _files_written(view: View, script: Script) -> Iterator[tuple[View, str]]:
    """The texts that the script puts into files, and where. What is a part of a file alone is none of them."""
    for here in script.heres:
        yield _here(view, here), here.path
    times = Counter([command.target for command in script.commands] + [here.path for here in script.heres])
    for command in script.commands:
        text = written_by(command) if times[command.target] == 1 and not command.appends else None
        if text is not None:
            yield text, command.target


def _here(view: View, here: Here) -> View:
    """The text of a here-document."""
    return here_document(quoted=not here.filled_in, tabs=here.tabs).inside(view, here.start, here.end)


def _sourced_files(script: Script, view: View) -> tuple[FileNamed, ...]:
    known = KnownVariables(script)
    return tuple(
        FileNamed(
            filled_in(command.words[1].text, known),
            SCRIPT,
            view.line(command.words[1].start),
            command.conditional,
        )
        for command in script.commands
        if command.words[0].text in (".", "source") and len(command.words) > 1
    )


def _read_command(view: View, command: Command, known: KnownVariables, context: Context) -> Reading:
    followed = follow(command.words, lambda word: filled_in(word.text, known))
    if followed.start is not None:
        return _of_start(view, followed.start, known, context)
    if hidden := _behind_a_variable(command):
        return Reading([], [], [_hidden(hidden)])
    inside = [_read_text(word, known, context) for word in followed.texts]
    return joined([reading for reading in inside if not reading.is_empty])


def _behind_a_variable(command: Command) -> Word | None:
    """The program of a command with flags of 0.4 alone, when it is not known which program it is."""
    from compat.flags04 import ONLY_04

    for word, after in zip(command.words, command.words[1:], strict=False):
        if word.is_expansion and re.match(r"-{1,2}[a-z]", after.text):
            names = {
                one.text.lstrip("-").partition("=")[0] for one in command.words if one.text.startswith("-")
            }
            return word if names & (ONLY_04 - {"v", "config", "trace", "force", "snapshot"}) else None
    return None


def _hidden(word: Word) -> Finding:
    origin = Origin(FILE, "etcd", word.view.name, word.view.line(word.start))
    return PROGRAM_UNKNOWN.finding("", origin, word=word.raw)


def _read_text(word: Word, known: KnownVariables, context: Context) -> Reading:
    """A command for another shell. Where this one fills in variables, all of them are known there, else those that are
    exported."""
    view = inner(word)
    script = scan(view)
    if script.broken >= 0 or view.depth > _DEEPEST_TEXT:
        return NOTHING
    outside = known.script
    if word.raw[:1] == "'":
        names = {item.name for item in known.reaching}
        outside = outside._replace(assignments=[item for item in outside.assignments if item.name in names])
    return _read_script(view, script, KnownVariables(together(script, [outside])), context)


def _of_start(view: View, start: Start, known: KnownVariables, context: Context) -> Reading:
    args, at_times = seen_through(start.args, known)
    line = view.line(start.program.start)
    if start.image:
        named = tuple(FileNamed(path, ENVIRONMENT, line) for path in start.env_files)
        setup = setups.of_start(start, args=args, era=context.era, files=named)
    else:
        exported = known.exported
        used = used_elsewhere(view, exported)
        if used:
            return Reading([], [], [_used(used[0], view)])
        given = {item.name for item in context.assigned}
        unknown = [item for item in known.unknown if item.name not in given]
        if changing := next((item for item in unknown if item.changes), None):
            return Reading([], [], [_beside(changing, view, line)])
        setup = setups.of_start(
            start,
            [*context.assigned, *exported],
            args=args,
            hostname=context.hostname or HOST_NAME,
            files=context.files,
            era=context.era,
            resolve=lambda word: filled_in(word.text, known),
        )
        if start.closed and not setup.variables:
            return NOTHING
        setup = setup._replace(
            resolve=lambda text: comparable(text, known), inherits=True, unseen=setup.unseen or bool(unknown)
        )
    if any(_SETTLING_MORE.search(text) for text, _ in at_times):
        text, at = next(item for item in at_times if _SETTLING_MORE.search(item[0]))
        return Reading([], [], [_left(view, at, text)])
    findings = [_conditional(view, text, at) for text, at in at_times]
    setup = setup._replace(
        findings=[*setup.findings, *findings],
        unseen=setup.unseen or any(_NAMES.search(text) for text, _ in at_times),
    )
    return Reading([setup], [], [])


def _not_beside(reaching: Sequence[Reaching], reading: Reading, view: View) -> Reading:
    """What a here-document holds, without the starts that may see variables of the script around it."""
    changing = next((item for item in reaching if item.changes), None)
    if not reaching or not any(setup.inherits for setup in reading.setups):
        return reading
    if changing is None:
        return reading._replace(
            setups=[setup._replace(unseen=setup.unseen or setup.inherits) for setup in reading.setups]
        )
    return reading._replace(
        setups=[setup for setup in reading.setups if not setup.inherits],
        findings=[
            *reading.findings,
            *(_beside(changing, view, setup.line) for setup in reading.setups if setup.inherits),
        ],
    )


def _beside(item: Reaching, view: View, line: int) -> Finding:
    origin = Origin(FILE, "etcd", view.name, line)
    return BESIDE_A_VARIABLE.finding("", origin, variable=item.name, line=str(item.line))


def _used(item: Assigned, view: View) -> Finding:
    origin = Origin(FILE, item.name, view.name, view.line(item.start))
    return NAME_USED.finding("", origin, variable=item.name)


def _left(view: View, at: int, text: str) -> Finding:
    return ADDED_AT_TIMES.finding("", Origin(FILE, "etcd", view.name, view.line(at)), flags=text)


def _conditional(view: View, text: str, at: int) -> Finding:
    return FLAGS_AT_TIMES.finding("", Origin(FILE, "etcd", view.name, view.line(at)), flags=text)
