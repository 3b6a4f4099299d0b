"""Some files of a tree, converted as parts of it: their nodes are read whole, only what is about them is told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from compat.findings import ERROR, Finding
from migrate02.convert.conversion import Conversion, Options, unchanged
from migrate02.files.tree import Files, Progress, convert_files, nothing, read_paths
from migrate02.files.walking import Choice, is_chosen


def convert_within(
    folder: str, given: Sequence[str], options: Options, choice: Choice, progress: Progress = nothing
) -> Iterator[Conversion]:
    """What comes of the files and directories ``given``. One without etcd in it has nothing to say."""
    files = _without_dots(read_paths([folder], choice, progress))
    by_place = {os.path.abspath(name): name for name in files.order}
    wanted: dict[str, None] = {}
    others = []
    for path in given:
        place = os.path.abspath(path)
        if place in by_place:
            wanted[by_place[place]] = None
        elif os.path.isdir(path):
            wanted |= {name: None for at, name in by_place.items() if at.startswith(os.path.join(place, ""))}
        elif is_chosen(path, folder, choice) and not os.path.islink(path):
            others.append(path)
    files = _with_others(files, read_paths(others))
    wanted |= dict.fromkeys(others)
    yield from about(convert_files(files, options, progress), list(wanted), files.texts)


def about(
    conversions: Mapping[str, Conversion], wanted: Sequence[str], texts: Mapping[str, str]
) -> Iterator[Conversion]:
    """Those of the files ``wanted``, with what is said of them beside other files, and nothing that is said of others;
    but what refuses one stays, wherever that is."""
    elsewhere: dict[str, list[Finding]] = {}
    for conversion in (item for name, item in conversions.items() if name not in wanted):
        for finding in conversion.findings:
            if finding.origin is not None:
                elsewhere.setdefault(finding.origin.file, []).append(finding)
    for name in wanted:
        conversion = conversions.get(name) or unchanged(name, texts.get(name, ""), [])
        kept = [item for item in conversion.findings if item.severity == ERROR or _is_in(item, name, wanted)]
        kept += [item for item in elsewhere.get(name, ()) if item.severity != ERROR and item not in kept]
        conversion = conversion._replace(findings=kept)
        if conversion.says_something:
            yield conversion


def _is_in(finding: Finding, name: str, wanted: Sequence[str]) -> bool:
    file = finding.origin.file if finding.origin is not None and finding.origin.file else name
    return file == name or file in wanted


def _without_dots(files: Files) -> Files:
    """As paths are in a repository: no ``./`` before them."""

    def plain(name: str) -> str:
        return name.removeprefix("./")

    unusable = {plain(name): _renamed(item, plain(name)) for name, item in files.unusable.items()}
    texts = {plain(name): text for name, text in files.texts.items()}
    return Files(texts, list(map(plain, files.order)), files.named, unusable)


def _renamed(conversion: Conversion, name: str) -> Conversion:
    findings = [
        finding._replace(origin=finding.origin._replace(file=name)) if finding.origin else finding
        for finding in conversion.findings
    ]
    return conversion._replace(name=name, findings=findings)


def _with_others(files: Files, others: Files) -> Files:
    return Files(
        files.texts | others.texts,
        [*files.order, *others.order],
        files.named | others.named,
        files.unusable | others.unusable,
    )
