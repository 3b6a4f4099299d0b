"""What a format finds in a text: every etcd that is set up there, and where each of its settings stands.

An Occurrence is one setting where it stands: it knows how to be written anew, as one setting or several, and what goes
when nothing comes of it. Nothing here knows what becomes of a setting. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from compat.findings import Finding
from compat.settings import Given
from migrate02.formats.document import Document
from migrate02.formats.templates import Statement
from migrate02.formats.view import Edit, View

Settings = Sequence[tuple[str, str]]
"""(2.x setting, value), in the order in which they are to stand."""


class Occurrence(NamedTuple):
    """``start`` and ``end`` are offsets in ``view``; ``gone`` is the edit of it that leaves nothing behind."""

    given: Given
    view: View
    start: int
    end: int
    write: Callable[[Settings], str]
    gone: Edit

    def becomes(self, settings: Settings) -> Edit:
        if not settings:
            return self.view.edit(*self.gone)
        return self.view.edit(self.start, self.end, self.write(settings))


class InsertionPoint(NamedTuple):
    """Where settings are put that stood nowhere: an offset, and how they are written there."""

    view: View
    at: int
    write: Callable[[Settings], str]

    def insert(self, settings: Settings) -> Edit:
        return self.view.edit(self.at, self.at, self.write(settings))


ENVIRONMENT, SCRIPT = "environment file", "script"


class FileNamed(NamedTuple):
    """A file that settings come from, by the path on the machine it is for."""

    path: str
    kind: str
    line: int
    optional: bool = False


class Runs(NamedTuple):
    """What a start runs: the ``program`` by its path or name, in a container one of its ``image``. ``volumes`` are the
    folders of the host that the container has: there, and in it."""

    program: str = ""
    image: str = ""
    volumes: tuple[tuple[str, str], ...] = ()


class Setup(NamedTuple):
    """One etcd as it is set up in a text: flags over variables over files, as it would run.

    ``hostname`` is the name of its host as this kind of file can say it (``%H``), ``""`` when it cannot. ``unseen``
    says that settings may come from elsewhere, so what is not here is no sign of anything. ``fixed`` are settings that
    are given a default by others when they are not set here. ``add_environment_file`` makes the line for
    the environment file at a path, which takes the place of ``-config``.
    """

    line: int
    flags: list[Occurrence]
    variables: list[Occurrence]
    findings: list[Finding]
    insertion: InsertionPoint | None = None
    hostname: str = ""
    files: tuple[FileNamed, ...] = ()
    config: Given | None = None
    unseen: bool = False
    fixed: frozenset[str] = frozenset()
    add_environment_file: Callable[[str], Edit] | None = None
    only_variables: bool = False
    """No start of etcd stands here, only variables for one: a drop-in, an environment section."""
    host: str = ""
    """The host's name itself, a container's. 0.4 took it for the member's."""
    host_is_given: bool = False
    """The file says it; else it is the best there is, and a person may know better."""
    filled: tuple[tuple[str, str], ...] = ()
    """Addresses that a plain variable stands for, and the variable: it stays in what comes of them."""
    decided_by: Statement | None = None
    """The statement of a template that decides which of the flags are there."""
    era: str = ""
    """Of which etcd it is, where more than its settings tells."""
    resolve: Callable[[str], str] = str
    """A value with the variables filled in that the file sets once and plainly. Where that is a substitution, a name in
    ``<>`` stands for it: the same for the same variable, and for no other."""
    inherits: bool = False
    """It sees the variables that its file's surroundings export."""
    runs: Runs = Runs()


class EmbeddedFile(NamedTuple):
    """A file inside another one that holds settings and nothing else; ``path`` is where it is to be put, empty where
    nothing tells."""

    view: View
    path: str
    document: Document


class Reading(NamedTuple):
    """Everything that a format finds in a text. ``edits`` are of the whole file and go with any change of it.
    ``document`` is the text where it holds settings and nothing else."""

    setups: list[Setup]
    edits: list[Edit]
    findings: list[Finding]
    embedded: tuple[EmbeddedFile, ...] = ()
    document: Document | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.setups or self.edits or self.findings or self.embedded or self.document)


NOTHING = Reading([], [], [])


def settings_alone(document: Document) -> Reading:
    return NOTHING._replace(document=document)


def joined(readings: Sequence[Reading]) -> Reading:
    return Reading(
        [setup for reading in readings for setup in reading.setups],
        [edit for reading in readings for edit in reading.edits],
        [finding for reading in readings for finding in reading.findings],
        tuple(file for reading in readings for file in reading.embedded),
    )
