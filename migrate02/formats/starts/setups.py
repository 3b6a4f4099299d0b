"""From the start of an etcd, in whatever format, to its setup. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from compat.findings import Finding
from compat.settings import FILE, Origin
from migrate02.formats import templates
from migrate02.formats.findings import MORE_FLAGS
from migrate02.formats.reading import FileNamed, Runs, Setup
from migrate02.formats.releases import era_of_image
from migrate02.formats.starts import flags, variables
from migrate02.formats.starts.follow import Start
from migrate02.formats.starts.variables import Assigned
from migrate02.formats.starts.words import Word

UNNAMED = "default"
"""2.x's own name for a member without one: where the host's name is made up anew at each start."""


def of_start(
    start: Start,
    assigned: Sequence[Assigned] = (),
    *,
    args: Sequence[Word] | None = None,
    hostname: str = "",
    files: tuple[FileNamed, ...] = (),
    era: str = "",
    unseen: bool = False,
    alone: bool = False,
    host: str = "",
    resolve: flags.Resolve = flags.as_it_is,
) -> Setup:
    """``assigned`` are the variables that the start is given from elsewhere in its file, weaker than its own. ``args``
    are its words where some stand for others that are known. ``alone``: its program is not among the words."""
    program = start.program
    era = era or era_of_image(start.image)
    words = list(start.args if args is None else args)
    program.view.spend(len(words) + len(assigned))
    read = flags.read(words, None if alone or start.closed else program, era, resolve)
    known = variables.read([*assigned, *start.assigned])
    line = program.view.line(program.start)
    findings = [*known.findings, *read.findings]
    if read.elsewhere:
        findings.append(_elsewhere([word.raw for word in read.elsewhere], program))
    return Setup(
        line,
        read.occurrences,
        known.occurrences,
        findings,
        known.insertion if known.insertion is not None and not read.occurrences else read.insertion,
        "" if start.image else hostname,
        files,
        read.config,
        unseen or bool(read.elsewhere),
        host=(start.hostname or UNNAMED) if start.image else host,
        host_is_given=bool(start.hostname),
        filled=read.filled,
        era=era,
        decided_by=_decided_by(start, words),
        runs=Runs(start.path, start.image, start.volumes),
    )


def _decided_by(start: Start, words: Sequence[Word]) -> templates.Statement | None:
    """The statement of a template in the command, as far as its line goes."""
    program = start.program
    last = max((word.end for word in words if word.view is program.view), default=program.end)
    found = program.view.once(templates.blocks).first(program.start, program.view.line_around(last)[1])
    inside = (word.raw for word in words if word.view is not program.view)
    return found or next(filter(None, map(templates.deciding, inside)), None)


def _elsewhere(words: Sequence[str], program: Word) -> Finding:
    origin = Origin(FILE, "etcd", program.view.name, program.view.line(program.start))
    return MORE_FLAGS.finding("", origin, words=" ".join(words))
