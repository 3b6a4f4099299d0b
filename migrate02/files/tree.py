"""Files and directories read from disk as one deployment, and converted. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from compat.settings import FILE, Origin
from migrate02.convert import inputs
from migrate02.convert.conversion import Conversion, Options, refused, unchanged
from migrate02.convert.findings import KEPT_BACK, NO_FILE, UNUSABLE
from migrate02.convert.incomplete import incomplete_lists
from migrate02.files.reading import NotAFile, NotGiven, TooLarge, Unreadable, read_text, unreadable
from migrate02.files.walking import ALL, Choice, walk
from migrate02.formats import otherlanguages
from migrate02.formats.detection import may_be_etcds

NO_CONFIGURATION = (".md", ".rst", ".adoc", ".html", ".txt", ".log")
"""Names of files in a tree that only talk about etcd: not reported, unless they are named."""
REPORTS = (".sarif", "junit.xml", "gl-code-quality-report.json")
"""Names of reports, which a run before this one may have left in a tree: they quote configuration. Never read there."""
PROGRAMS = (".go", ".py", ".c", ".rs", ".java", ".js")
"""Names of sources in a tree, which may drive etcd by themselves: reported only where they start it."""


Report = Callable[[list[str]], None]
"""Takes lines for a person."""
Progress = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is, and of how much."""


def nothing(_what: str, _done: int, _total: int) -> None:
    """For what is no terminal."""


class Files(NamedTuple):
    """What was read: ``texts`` by name, in ``order`` all names, ``named`` those that somebody named, and in
    ``unusable`` what is to be said of those that cannot be used."""

    texts: dict[str, str]
    order: list[str]
    named: frozenset[str]
    unusable: dict[str, Conversion]


def read_paths(paths: Sequence[str], choice: Choice = ALL, progress: Progress = nothing) -> Files:
    """The files, in the order of ``paths``; of a directory those chosen that are about etcd."""
    files = Files({}, [], frozenset(path for path in paths if not os.path.isdir(path)), {})
    for path in paths:
        files.order.extend([path] if path in files.named else _found(path, choice, files.unusable))
    for done, name in enumerate(files.order, 1):
        text = None if name in files.unusable else _text(name, files.unusable, named=name in files.named)
        if text is not None:
            files.texts[name] = text
        progress("reading", done, len(files.order))
    return files


def convert_paths(
    paths: Sequence[str], options: Options, choice: Choice, report: Report, progress: Progress = nothing
) -> Iterator[Conversion]:
    """What comes of all files, in the order of ``paths``; of a directory those chosen that are about etcd."""
    files = read_paths(paths, choice, progress)
    order, named = files.order, files.named
    conversions = convert_files(files, options, progress)
    for path in paths:
        if path not in named and not any(name in conversions for name in order if _is_below(name, path)):
            report([f"no etcd configuration found in {path}"])
    for name in dict.fromkeys(order):
        conversion = conversions.get(name)
        if conversion is not None and (name in named or conversion.says_something):
            yield conversion


def convert_files(files: Files, options: Options, progress: Progress = nothing) -> dict[str, Conversion]:
    """What comes of files that were read, as one deployment; by their names."""
    from migrate02.convert.deployment import Deployment

    unread = [name for name, item in files.unusable.items() if item.refused]
    deployment = Deployment(files.texts, files.named, options, unread)
    deployment.read(lambda done: progress("converting", done, len(files.texts)))
    return files.unusable | {item.name: item for item in deployment.convert()}


def _found(folder: str, choice: Choice, unusable: dict[str, Conversion]) -> Iterator[str]:
    """The files of a directory, and a word about every part of it that cannot be read."""
    unread: list[OSError] = []
    yield from walk(folder, unread.append, choice)
    for error in unread:
        name = str(error.filename)
        unusable[name] = refused_reading(name, unreadable(error))
        yield name


def _text(name: str, unusable: dict[str, Conversion], *, named: bool) -> str | None:
    """A file's text when it is worth a closer look, or was named."""
    if not named and name.endswith(REPORTS):
        return None
    try:
        text = read_text(name, named=named)
    except Unreadable as error:
        told = _unreadable(name, error, named=named)
        if told is not None:
            unusable[name] = told
        return None
    if named or _has_etcds_name(name) or may_be_etcds(inputs.without_mark(text)[0]):
        return text
    if "\0" in text or name.endswith(NO_CONFIGURATION):
        return None
    if incomplete := incomplete_lists(name, text):
        unusable[name] = unchanged(name, text, incomplete)
    elif not name.endswith(PROGRAMS) or otherlanguages.is_a_program_that_starts_04(text):
        found = otherlanguages.not_read(text)
        if found is not None:
            unusable[name] = inputs.unusable(name, text, found, Options())
    return None


def _unreadable(name: str, error: Unreadable, *, named: bool) -> Conversion | None:
    """What to say of something that cannot be read. In a folder only what is called etcd's has to be readable."""
    if not named and isinstance(error, TooLarge):
        wanted = error.is_text and _has_etcds_name(name) and not name.endswith(NO_CONFIGURATION + PROGRAMS)
        return refused_reading(name, error) if wanted else None
    if isinstance(error, NotAFile) and not _has_etcds_name(name):
        fields = {"reason": str(error), "remedy": error.remedy}
        return unchanged(name, "", [NO_FILE.finding("", Origin(FILE, name, name), **fields)])
    return refused_reading(name, error)


def refused_reading(name: str, error: Unreadable) -> Conversion:
    text = KEPT_BACK if isinstance(error, NotGiven) else UNUSABLE
    return refused(name, str(error), remedy=error.remedy, text=text)


def _has_etcds_name(name: str) -> bool:
    return "etcd" in os.path.basename(name).lower()


def _is_below(name: str, folder: str) -> bool:
    return name.startswith(os.path.join(folder, ""))
