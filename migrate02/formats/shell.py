"""Shell scripts that start etcd: init scripts, run scripts of runit, wrappers, provisioning with here-documents. Pure.

Variables that are set once and plainly are seen through; what depends on anything else is left as it is and told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from compat.findings import Finding
from compat.flags04 import BY_VARIABLE, SAME
from compat.settings import FILE, Origin
from migrate02.formats import setups
from migrate02.formats.format import Context
from migrate02.formats.layers.shells import here as here_document
from migrate02.formats.outputs import written_by
from migrate02.formats.placeholders import unmask
from migrate02.formats.reading import ENVIRONMENT, NOTHING, SCRIPT, FileNamed, Reading, joined
from migrate02.formats.scripts import is_of_another_language
from migrate02.formats.settings04 import holds_settings_of_04
from migrate02.formats.shellwords import Assignment, Command, Export, Here, Script, scan
from migrate02.formats.starts import Start, follow
from migrate02.formats.variables import Assigned, Named, commented
from migrate02.formats.view import Edit, View
from migrate02.formats.words import PLAIN, SHELL, Word, inner, split, value_of

_NAMED = re.compile(r"""("?)\$(?:\{(\w+)(?:\[[@*]\])?\}|(\w+))\1\Z""")
_ANY = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_SETTLING_MORE = re.compile(
    r"-{1,2}(?:peer-)?(?:cert-file|key-file|ca-file|addr|bind-addr|peers|peers-file|discovery)\b"
)

_NAMES = re.compile(r"-{1,2}(?:n|name|d|data-dir|f|config)\b")

HOST_NAME = "$(hostname)"


_DEEPEST = 50
"""Variables that hold each other, one in the other."""

_DEEPEST_TEXT = 12
"""Texts of commands in texts of commands."""

_LONGEST = 10_000
"""Characters of a word with its variables filled in."""

_Pieces = list[tuple[Assignment, list[Word]]]
"""What a variable holds, by the assignments that add it."""


class _Known:
    """A script with what its sourced files set, and what is found out about that. ``assignments`` are by name."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.assignments: Mapping[str, list[Assignment]] = _by_name(script)
        self.pieces: dict[str, _Pieces | None] = {}
        self.values: dict[str, str | None] = {}

    @cached_property
    def exported(self) -> list[Assigned]:
        """Variables of etcd's that reach every program that the script starts."""
        return _exported(self.script)

    @cached_property
    def reaching(self) -> list[_Reaching]:
        """All that reach them, those whose values cannot be told too."""
        return _reaching(self.script)

    @cached_property
    def unknown(self) -> list[_Reaching]:
        told = {item.name for item in self.exported}
        return [item for item in self.reaching if item.name not in told]


class _Reaching(NamedTuple):
    """A variable of etcd 0.4's that a script exports, and the line where it first does something with it."""

    name: str
    line: int

    @property
    def changes(self) -> bool:
        """2.x knows it by another name, or not at all."""
        return BY_VARIABLE[self.name].in_238 != SAME


def read(view: View, context: Context) -> Reading:
    return NOTHING if is_of_another_language(view.text) else read_commands(view, context)


def read_commands(view: View, context: Context) -> Reading:
    """The same for commands in a file of another format."""
    script = scan(view)
    if script.broken >= 0:
        message = "left as it is: a quote is left open here, or something that is not understood"
        origin = Origin(FILE, "", view.name, view.line(script.broken))
        about = holds_settings_of_04(view.text)
        return Reading([], [], [Finding("not-converted", "", origin, message, "mend it")] if about else [])
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
        script = _with(script, others)
    context = context._replace(files=(*context.files, *unseen))
    return _read_script(view, script, _Known(script), context)


def _read_script(view: View, script: Script, known: _Known, context: Context) -> Reading:
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


def _with(script: Script, others: Sequence[Script]) -> Script:
    """A script with what the files that it takes in set and export, the last one first."""
    return script._replace(
        assignments=[item for one in (*reversed(others), script) for item in one.assignments],
        exports=[item for one in (*others, script) for item in one.exports],
        exports_all=any(one.exports_all for one in (script, *others)),
    )


def _by_name(script: Script) -> dict[str, list[Assignment]]:
    found: dict[str, list[Assignment]] = {}
    for item in script.assignments:
        found.setdefault(item.name, []).append(item)
    return found


def _sourced_files(script: Script, view: View) -> tuple[FileNamed, ...]:
    known = _Known(script)
    return tuple(
        FileNamed(
            _resolved(command.words[1], known), SCRIPT, view.line(command.words[1].start), command.conditional
        )
        for command in script.commands
        if command.words[0].text in (".", "source") and len(command.words) > 1
    )


def _read_command(view: View, command: Command, known: _Known, context: Context) -> Reading:
    followed = follow(command.words, lambda word: _resolved(word, known))
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
    message = f"left as it is: {word.raw} may be etcd, with flags of 0.4 behind it"
    origin = Origin(FILE, "etcd", word.view.name, word.view.line(word.start))
    return Finding("not-converted", "", origin, message, "write the program's name there, and convert again")


def _read_text(word: Word, known: _Known, context: Context) -> Reading:
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
    return _read_script(view, script, _Known(_with(script, [outside])), context)


def _of_start(view: View, start: Start, known: _Known, context: Context) -> Reading:
    args, trouble = _seen_through(start.args, known)
    line = view.line(start.program.start)
    if start.image:
        named = tuple(FileNamed(path, ENVIRONMENT, line) for path in start.env_files)
        setup = setups.of_start(start, args=args, era=context.era, files=named)
    else:
        exported = known.exported
        used = _used_elsewhere(view, exported)
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
            resolve=lambda word: _resolved(word, known),
        )
        if start.closed and not setup.variables:
            return NOTHING
        setup = setup._replace(
            resolve=lambda text: _told_apart(text, known), inherits=True, unseen=setup.unseen or bool(unknown)
        )
    if any(_SETTLING_MORE.search(text) for text, _ in trouble):
        text, at = next(item for item in trouble if _SETTLING_MORE.search(item[0]))
        return Reading([], [], [_left(view, at, text)])
    findings = [_conditional(view, text, at) for text, at in trouble]
    setup = setup._replace(
        findings=[*setup.findings, *findings],
        unseen=setup.unseen or any(_NAMES.search(text) for text, _ in trouble),
    )
    return Reading([setup], [], [])


def _seen_through(words: Sequence[Word], known: _Known) -> tuple[list[Word], list[tuple[str, int]]]:
    """The words with plain variables in place of their names, and the pieces that are added only at times."""
    found: list[Word] = []
    trouble: list[tuple[str, int]] = []
    for word in words:
        match = _NAMED.match(unmask(word.raw))
        pieces = _pieces(match[2] or match[3], known) if match else None
        if pieces is None:
            found.append(word)
            continue
        word.view.spend(len(pieces) + sum(len(inside) for _, inside in pieces))
        for assignment, inside in pieces:
            if assignment.conditional:
                said = " ".join(one.text for one in inside)
                if said:
                    trouble.append((said, assignment.start))
            else:
                found += inside
    return found, trouble


def _pieces(name: str, known: _Known, depth: int = 0) -> _Pieces | None:
    """What a variable holds, piece by piece; None when that cannot be told or is no list of flags. It is ``depth``
    variables deep in the one that is asked for; what it holds itself, in whatever way, cannot be told."""
    if name not in known.pieces:
        known.pieces[name] = None
        if depth < _DEEPEST:
            known.pieces[name] = _pieces_of(name, known, depth)
    return known.pieces[name]


def _pieces_of(name: str, known: _Known, depth: int) -> _Pieces | None:
    items = known.assignments.get(name, [])
    if not items or sum(not _adds(item) for item in items) > 1:
        return None
    pieces = [(item, _words_of(item, known, depth + 1)) for item in items]
    first = next((word for _, inside in pieces for word in inside), None)
    return pieces if first is None or first.text.startswith("-") else None


def _words_of(item: Assignment, known: _Known, depth: int) -> list[Word]:
    """The words that an assignment adds, those of other variables in the place of their names."""
    if item.value.is_array:
        return [word for word in item.value.words if not _refers_to(word, item.name)]
    view = value_of(item.value.words[0])
    found: list[Word] = []
    for word in split(view, 0, len(view.text), PLAIN):
        if _refers_to(word, item.name):
            continue
        match = _NAMED.match(word.raw)
        deeper = _pieces(match[2] or match[3], known, depth) if match else None
        if deeper is not None and not any(assignment.conditional for assignment, _ in deeper):
            view.spend(sum(len(run) for _, run in deeper))
            found += [inside for _, run in deeper for inside in run]
        else:
            found.append(word)
    return found


def _adds(item: Assignment) -> bool:
    """``A="$A more"`` and ``A+=" more"``."""
    return item.adds or any(
        _refers_to(word, item.name) or f"${item.name}" in word.raw.replace("{", "")
        for word in item.value.words
    )


def _refers_to(word: Word, name: str) -> bool:
    match = _NAMED.match(word.raw)
    return match is not None and name in (match[2], match[3])


def _resolved(word: Word, known: _Known) -> str:
    """A word with its plain variables filled in."""
    return _filled_in(word.text, known)


def _filled_in(text: str, known: _Known, depth: int = 0) -> str:
    left = _LONGEST

    def value(match: re.Match[str]) -> str:
        nonlocal left
        said = _value(match[1] or match[2], known, depth)
        if said is None or len(said) > left:
            return match[0]
        left -= len(said)
        return said

    return _ANY.sub(value, unmask(text)) if "$" in text else text


def _told_apart(text: str, known: _Known) -> str:
    """As ``Setup.resolve`` has it."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        said = _value(name, known, 0)
        if said is None or len(said) > _LONGEST:
            return match[0]
        return f"<{name}>" if "$" in said or "`" in said else said

    return _ANY.sub(value, unmask(text)) if "$" in text else text


def _value(name: str, known: _Known, depth: int) -> str | None:
    """A variable that is set once and plainly. As in ``_pieces``, none holds itself."""
    if name not in known.values:
        known.values[name] = None
        items = known.assignments.get(name, [])
        plain = len(items) == 1 and not items[0].value.is_array and not items[0].conditional
        if plain and depth < _DEEPEST:
            known.values[name] = _filled_in(items[0].value.words[0].text, known, depth + 1)
    return known.values[name]


def _exported(script: Script) -> list[Assigned]:
    exported: dict[str, list[Named]] = {}
    for export in script.exports:
        exported.setdefault(export.name, []).append(_named(export))
    at_times = {
        item.name for item in script.assignments if item.conditional or item.adds or item.value.is_array
    }
    return [
        _assigned(item.value.words[0].view, item)._replace(named=tuple(exported.get(item.name, ())))
        for item in script.assignments
        if item.name.startswith("ETCD_")
        and item.name not in at_times
        and (item.exported or item.name in exported or script.exports_all)
    ]


def _reaching(script: Script) -> list[_Reaching]:
    named = {item.name for item in script.exports}
    found: dict[str, _Reaching] = {}
    for item in script.assignments:
        if item.exported or item.name in named or script.exports_all:
            found.setdefault(item.name, _Reaching(item.name, item.line))
    for export in script.exports:
        found.setdefault(export.name, _Reaching(export.name, export.word.view.line(export.start)))
    return [item for item in found.values() if item.name in BY_VARIABLE]


def _not_beside(reaching: Sequence[_Reaching], reading: Reading, view: View) -> Reading:
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


def _beside(item: _Reaching, view: View, line: int) -> Finding:
    message = f"not changed: {item.name} of line {item.line} may reach this etcd too, and its value is not known here"
    remedy = f"convert both by hand: migrate02 convert -- {item.name}=VALUE etcd FLAGS"
    return Finding("not-converted", "", Origin(FILE, "etcd", view.name, line), message, remedy)


def _named(export: Export) -> Named:
    view, word = export.word.view, export.word
    line, end = view.line_around(export.start, export.end)
    if not export.only:
        before = len(view.text[: word.start].rstrip(" \t"))
        gone = Edit(before, word.end, "")
    elif view.text[line : export.start].strip() or not _NOTHING_BEHIND.match(view.text, export.end):
        gone = Edit(export.start, export.end, ":")
    else:
        gone = commented(view, line, end)
    return Named(view, word.start, word.end, gone)


def _assigned(view: View, item: Assignment) -> Assigned:
    word = item.value.words[0]
    text = view.text
    line, end = view.line_around(item.start, item.end)
    lead = text[line : item.start] if item.start - line < _WIDEST else "..."
    alone = (
        not re.sub(r"export|declare|-x|\s", "", lead) and _NOTHING_BEHIND.match(text, item.end) is not None
    )

    def write(name: str, value: str) -> str:
        return f"{name}={word.quoted(value, word.raw)}"

    gone = commented(view, line, end) if alone else Edit(item.start, item.end, "")
    return Assigned(
        view,
        item.start,
        item.end,
        item.name,
        word.text,
        write,
        view.newline + lead if alone else " ",
        gone,
        SHELL.mask,
    )


_NOTHING_BEHIND = re.compile(r"[^\S\n]*+(?:#|$)", re.MULTILINE)
_WIDEST = 1000
"""Columns of an indentation."""


def _used_elsewhere(view: View, exported: Sequence[Assigned]) -> list[Assigned]:
    """Variables of etcd's that the script itself looks at too: under a new name they would be missed."""
    return [
        item
        for item in exported
        if item.name in view.once(_names_used) or item.name in item.view.once(_names_used)
    ]


def _names_used(view: View) -> frozenset[str]:
    return frozenset(re.findall(r"\$\{?(\w+)", view.text))


def _used(item: Assigned, view: View) -> Finding:
    message = f"left as it is: the script itself uses {item.name}, which would get another name"
    origin = Origin(FILE, item.name, view.name, view.line(item.start))
    return Finding(
        "not-converted", "", origin, message, "give the script a variable of its own, and convert again"
    )


def _left(view: View, at: int, text: str) -> Finding:
    message = f"left as it is: {text} is added only at times, and the rest depends on it"
    remedy = "make one command for each case, and convert again"
    return Finding("not-converted", "", Origin(FILE, "etcd", view.name, view.line(at)), message, remedy)


def _conditional(view: View, text: str, at: int) -> Finding:
    message = f"{text} is added only at times; kept as it is"
    return Finding(
        "flags-elsewhere",
        "",
        Origin(FILE, "etcd", view.name, view.line(at)),
        message,
        f"run: migrate02 convert -- etcd {text}",
    )
