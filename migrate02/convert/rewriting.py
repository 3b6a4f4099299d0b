"""Files that hold etcd's settings among other things, rewritten in place: readings in, texts and findings out. Pure.

Every etcd that a file sets up is converted by itself, together with the files that it takes in, and they all change
together or not at all. Only what changes is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from compat.findings import ERROR, Finding, worst
from compat.settings import FILE, Origin
from migrate02.convert.clusters import KnownCluster, standbys_unknown
from migrate02.convert.conversion import Conversion, Options, for_a_person, unchanged
from migrate02.convert.documents import convert_document
from migrate02.convert.findings import (
    MEMBERS_FOUND,
    NOT_UNDERSTOOD,
    SHARED,
    STANDBYS_AMONG_FILES,
    WITH_A_REFUSED_ONE,
)
from migrate02.convert.groups import Groups
from migrate02.convert.line_edits import line_edits
from migrate02.convert.setup import ConvertedSetup, convert_setup
from migrate02.convert.setup_files import SettingsFile, named_files
from migrate02.formats.placeholders import unmask
from migrate02.formats.reading import Reading, Setup
from migrate02.formats.releases import era_of, named_in, too_old
from migrate02.formats.settings04 import lines_of_04
from migrate02.formats.view import Edit, Overlap, View, apply

FilesOf = Callable[[str, Setup], Sequence[SettingsFile]]
"""(file, setup) -> the files that it takes in, the strongest first."""
ClusterOf = Callable[[str, Setup], KnownCluster | None]
"""(file, setup) -> its cluster, when that is known from other files."""


class _File(NamedTuple):
    """What comes of one file by itself. ``touches`` are the files that change with it."""

    name: str
    converted: list[ConvertedSetup]
    findings: list[Finding]
    edits: list[tuple[str, Edit]]
    texts: dict[str, str]

    @property
    def refused(self) -> bool:
        return any(item.refused for item in self.converted) or worst(self.findings) == ERROR

    @property
    def touches(self) -> set[str]:
        return {self.name, *(name for name, _ in self.edits), *self.texts}


def rewrite_all(
    readings: Mapping[str, Reading],
    texts: Mapping[str, str],
    options: Options,
    files_of: FilesOf,
    cluster_of: ClusterOf,
) -> dict[str, Conversion]:
    """What comes of every file that is read or changed, by name; ``texts`` has them all."""
    files = [
        _file(name, reading, texts[name], options, files_of, cluster_of) for name, reading in readings.items()
    ]
    conversions: dict[str, Conversion] = {}
    for group in _groups(files):
        conversions |= _rewrite_group(group, texts)
    return {name: conversions[name] for name in texts if name in conversions}


def _file(
    name: str, reading: Reading, text: str, options: Options, files_of: FilesOf, cluster_of: ClusterOf
) -> _File:
    inner = {item.path or str(at): item for at, item in enumerate(reading.embedded)}
    own = {path: SettingsFile(path, item.document, path) for path, item in inner.items()}
    used: set[str] = set()
    converted = []
    of_clusters: list[Finding] = []
    releases = named_in(text) if reading.setups else []
    for setup in reading.setups:
        setup = setup if setup.era else setup._replace(era=era_of(releases))
        named = [path for path in named_files(setup) if path in own]
        used.update(named)
        known = cluster_of(name, setup)
        asked = options
        if known is not None:
            asked = options._replace(initial_cluster=known.initial_cluster)
            of_clusters += members_from_files(known, name, setup.line)
        files = [*(own[path] for path in named), *files_of(name, setup)]
        converted.append(convert_setup(setup, name, asked, files))
    findings = [*of_clusters, *reading.findings, *too_old(releases, name, options.target)]
    findings += [finding for item in converted for finding in item.findings]
    written = {path: text for item in converted for path, text in item.texts.items()}
    for path, item in inner.items():
        if path not in used:
            by_itself = options._replace(form="", initial_cluster="")
            alone = convert_document(item.document, item.view.name, item.view.text, by_itself)
            findings += alone.findings
            if alone.text is not None:
                written[path] = alone.text
    edits = [edit for item in converted for edit in item.edits]
    for path in own.keys() & written.keys():
        edits += [(name, edit) for edit in line_edits(inner[path].view, written.pop(path))]
    if edits or written:
        edits += [(name, edit) for edit in reading.edits]
    else:
        findings = _without_changes(findings)
    return _File(name, converted, _once(findings), edits, written)


def _without_changes(findings: Iterable[Finding]) -> list[Finding]:
    """Of a file that stays: without what is said of a change that goes with others."""
    return [finding for finding in findings if finding.code != "unit-renamed"]


def members_from_files(cluster: KnownCluster, name: str, line: int) -> list[Finding]:
    """What is to be known of an initial cluster that was put together from files."""
    origin = Origin(FILE, name, name, line)
    members = unmask(cluster.initial_cluster)
    findings = [MEMBERS_FOUND.finding("initial-cluster", origin, members=members)]
    if cluster.surplus:
        reason = standbys_unknown(cluster.nodes, cluster.active_size)
        findings.append(STANDBYS_AMONG_FILES.finding("cluster-active-size", origin, reason=reason))
    return findings


def _groups(files: Sequence[_File]) -> list[list[_File]]:
    """Files that change the same ones, together."""
    groups = Groups[str]()
    for file in files:
        groups.join([file.name, *file.touches])
    found: dict[str, list[_File]] = {}
    for file in files:
        found.setdefault(groups.leader(file.name), []).append(file)
    return list(found.values())


def _rewrite_group(group: Sequence[_File], texts: Mapping[str, str]) -> dict[str, Conversion]:
    names = sorted({name for file in group for name in file.touches})
    by_name = {file.name: file for file in group}
    refusals = [file.name for file in group if file.refused]
    if refusals:
        return {name: _left(name, by_name, texts[name], refusals) for name in names}
    whole: dict[str, set[str]] = {}
    edits: dict[str, list[Edit]] = {}
    reported: dict[str, set[int]] = {}
    for file in group:
        for name, text in file.texts.items():
            whole.setdefault(name, set()).add(text)
        for name, edit in file.edits:
            edits.setdefault(name, []).append(edit)
        for finding in file.findings:
            if finding.origin is not None:
                reported.setdefault(finding.origin.file, set()).add(finding.origin.line)
    try:
        after = {
            name: _after(name, texts[name], whole.get(name, set()), edits.get(name, [])) for name in names
        }
    except Overlap:
        return {name: _shared(name, by_name, texts[name]) for name in names}
    return {
        name: Conversion(
            name,
            texts[name],
            after[name],
            _config(name, by_name),
            for_a_person(
                [
                    *_findings(name, by_name),
                    *left_over(name, texts[name], after[name], reported.get(name, ())),
                ],
                name,
            ),
            names[0],
        )
        for name in names
    }


def left_over(name: str, before: str, after: str, reported: Container[int]) -> list[Finding]:
    """Lines that still set something of 0.4's alone and whose numbers are not ``reported``: nothing goes unsaid."""
    lines = lines_of_04(after)
    if not lines:
        return []
    new = after.split("\n")
    old: dict[str, int] = {}
    for number, line in enumerate(before.split("\n"), 1):
        old.setdefault(line, number)
    left = [old[new[number - 1]] for number in lines if new[number - 1] in old]
    return [
        NOT_UNDERSTOOD.finding("", Origin(FILE, name, name, line))
        for line in dict.fromkeys(left)
        if line not in reported
    ]


def _after(name: str, text: str, whole: Collection[str], edits: Sequence[Edit]) -> str:
    """Raises Overlap when two setups want different things of it."""
    if len(whole) > 1:
        raise Overlap(name)
    if whole and not edits:
        return next(iter(whole))
    return apply(text, [*edits, *(edit for new in whole for edit in line_edits(View(text, name), new))])


def _findings(name: str, group: Mapping[str, _File]) -> list[Finding]:
    return list(group[name].findings) if name in group else []


def _config(name: str, group: Mapping[str, _File]) -> dict[str, str]:
    converted = group[name].converted if name in group else []
    return {key: unmask(value) for key, value in converted[0].config.items()} if len(converted) == 1 else {}


def _left(name: str, group: Mapping[str, _File], text: str, refusals: Sequence[str]) -> Conversion:
    """A file of a group in which one is refused: that one is, and the others stay as they are."""
    findings = _without_changes(_findings(name, group))
    if name in refusals:
        return Conversion(name, text, None, {}, for_a_person(findings, name))
    findings.append(WITH_A_REFUSED_ONE.finding("", Origin(FILE, name, name), files=", ".join(refusals)))
    return unchanged(name, text, for_a_person(findings, name))


def _shared(name: str, group: Mapping[str, _File], text: str) -> Conversion:
    shared = SHARED.finding("", Origin(FILE, name, name))
    return unchanged(name, text, for_a_person([shared, *_findings(name, group)], name))


def _once(findings: Iterable[Finding]) -> list[Finding]:
    return list(dict.fromkeys(findings))
