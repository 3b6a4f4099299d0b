"""Files that hold etcd's settings among other things, rewritten in place: readings in, texts and findings out. Pure.

Every etcd that a file sets up is settled by itself, together with the files that it takes in, and they all change
together or not at all. Only what changes is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from compat.findings import ERROR, Finding, worst
from compat.settings import FILE, Origin
from migrate02.convert.clusters import Cluster, Groups, standbys_unknown
from migrate02.convert.conversion import Conversion, Options, convert_document, for_a_person
from migrate02.convert.setup import Layer, Settled, named_files, settle
from migrate02.formats.placeholders import unmask
from migrate02.formats.reading import EmbeddedFile, Reading, Setup
from migrate02.formats.releases import era_of, named_in, too_old
from migrate02.formats.settings04 import lines_of_04
from migrate02.formats.view import Edit, Overlap, View, apply

Layers = Callable[[str, Setup], Sequence[Layer]]
"""(file, setup) -> the files that it takes in, the strongest first."""
ClusterOf = Callable[[str, Setup], Cluster | None]
"""(file, setup) -> its cluster, when that is known from other files."""


def no_layers(_name: str, _setup: Setup) -> Sequence[Layer]:
    return ()


def no_cluster(_name: str, _setup: Setup) -> Cluster | None:
    return None


class _File(NamedTuple):
    """What comes of one file by itself. ``touches`` are the files that change with it."""

    name: str
    settled: list[Settled]
    findings: list[Finding]
    edits: list[tuple[str, Edit]]
    texts: dict[str, str]

    @property
    def refused(self) -> bool:
        return any(item.refused for item in self.settled) or worst(self.findings) == ERROR

    @property
    def touches(self) -> set[str]:
        return {self.name, *(name for name, _ in self.edits), *self.texts}


def rewrite_all(
    readings: Mapping[str, Reading],
    texts: Mapping[str, str],
    options: Options,
    layers: Layers = no_layers,
    cluster: ClusterOf = no_cluster,
) -> dict[str, Conversion]:
    """What comes of every file that is read or changed, by name; ``texts`` has them all."""
    files = [
        _file(name, reading, texts[name], options, layers, cluster) for name, reading in readings.items()
    ]
    conversions: dict[str, Conversion] = {}
    for group in _groups(files):
        conversions |= _rewrite_group(group, texts)
    return {name: conversions[name] for name in texts if name in conversions}


def _file(
    name: str, reading: Reading, text: str, options: Options, layers: Layers, cluster: ClusterOf
) -> _File:
    inner = {item.path or str(at): item for at, item in enumerate(reading.embedded)}
    own = {path: Layer(path, item.document, path) for path, item in inner.items()}
    used: set[str] = set()
    settled = []
    told_of: list[Finding] = []
    releases = named_in(text) if reading.setups else []
    for setup in reading.setups:
        setup = setup if setup.era else setup._replace(era=era_of(releases))
        named = [path for path in named_files(setup) if path in own]
        used.update(named)
        known = cluster(name, setup)
        told = options
        if known is not None:
            told = options._replace(initial_cluster=known.initial_cluster)
            told_of += members_from_files(known, name, setup.line)
        settled.append(settle(setup, name, told, [*(own[path] for path in named), *layers(name, setup)]))
    findings = [*told_of, *reading.findings, *too_old(releases, name, options.target)]
    findings += [finding for item in settled for finding in item.findings]
    written = {path: text for item in settled for path, text in item.texts.items()}
    for path, item in inner.items():
        if path not in used:
            alone = _convert_embedded(item, options)
            findings += alone.findings
            if alone.text is not None:
                written[path] = alone.text
    edits = [edit for item in settled for edit in item.edits]
    for path in own.keys() & written.keys():
        edits += [(name, edit) for edit in line_edits(inner[path].view, written.pop(path))]
    if edits or written:
        edits += [(name, edit) for edit in reading.edits]
    else:
        findings = _without_changes(findings)
    return _File(name, settled, _once(findings), edits, written)


def _without_changes(findings: Iterable[Finding]) -> list[Finding]:
    """Of a file that stays: without what is said of a change that goes with others."""
    return [finding for finding in findings if finding.code != "unit-renamed"]


def members_from_files(cluster: Cluster, name: str, line: int) -> list[Finding]:
    """What is to be known of an initial cluster that was put together from files."""
    origin = Origin(FILE, name, name, line)
    members = unmask(cluster.initial_cluster)
    message = f"the members of the cluster are those of the files at hand: {members}"
    told = [Finding("members-from-files", "initial-cluster", origin, message, "check that it is whole")]
    if cluster.surplus:
        message = standbys_unknown(cluster.nodes, cluster.active_size)
        told.append(Finding("standby-unknown", "cluster-active-size", origin, message, _ASK_THE_PLAN))
    return told


_ASK_THE_PLAN = (
    "all are listed as members here; let migrate02 plan --live URL, or --standby NAME, tell who is to be a proxy, and "
    "convert with its --initial-cluster"
)


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
    told: dict[str, set[int]] = {}
    for file in group:
        for name, text in file.texts.items():
            whole.setdefault(name, set()).add(text)
        for name, edit in file.edits:
            edits.setdefault(name, []).append(edit)
        for finding in file.findings:
            if finding.origin is not None:
                told.setdefault(finding.origin.file, set()).add(finding.origin.line)
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
                [*_said(name, by_name), *left_over(name, texts[name], after[name], told.get(name, ()))], name
            ),
            names[0],
        )
        for name in names
    }


def left_over(name: str, before: str, after: str, told: Container[int]) -> list[Finding]:
    """Lines that still set something of 0.4's alone and that are not ``told`` of: nothing goes unsaid."""
    lines = lines_of_04(after)
    if not lines:
        return []
    new = after.split("\n")
    old: dict[str, int] = {}
    for number, line in enumerate(before.split("\n"), 1):
        old.setdefault(line, number)
    left = [old[new[number - 1]] for number in lines if new[number - 1] in old]
    message = "left as it is: a setting of 0.4, in a place that is not understood"
    remedy = "convert it by itself, migrate02 convert -- etcd FLAGS, and put the result in"
    return [
        Finding("not-converted", "", Origin(FILE, name, name, line), message, remedy)
        for line in dict.fromkeys(left)
        if line not in told
    ]


def _after(name: str, text: str, whole: Collection[str], edits: Sequence[Edit]) -> str:
    """Raises Overlap when two setups want different things of it."""
    if len(whole) > 1:
        raise Overlap(name)
    if whole and not edits:
        return next(iter(whole))
    return apply(text, [*edits, *(edit for new in whole for edit in line_edits(View(text, name), new))])


def _said(name: str, group: Mapping[str, _File]) -> list[Finding]:
    return list(group[name].findings) if name in group else []


def _config(name: str, group: Mapping[str, _File]) -> dict[str, str]:
    settled = group[name].settled if name in group else []
    return {key: unmask(value) for key, value in settled[0].config.items()} if len(settled) == 1 else {}


def _left(name: str, group: Mapping[str, _File], text: str, refusals: Sequence[str]) -> Conversion:
    """A file of a group in which one is refused: that one is, and the others stay as they are."""
    findings = _without_changes(_said(name, group))
    if name in refusals:
        return Conversion(name, text, None, {}, for_a_person(findings, name))
    message = f"left as it is: it belongs to {', '.join(refusals)}, which is refused"
    findings.append(Finding("not-converted", "", Origin(FILE, name, name), message, "see there"))
    return Conversion(name, text, text, {}, for_a_person(findings, name))


def _shared(name: str, group: Mapping[str, _File], text: str) -> Conversion:
    message = "left as it is: what one start of etcd needs here is not what another one needs"
    shared = Finding(
        "shared-settings", "", Origin(FILE, name, name), message, "give each its own, and convert again"
    )
    return Conversion(name, text, text, {}, for_a_person([shared, *_said(name, group)], name))


def _convert_embedded(item: EmbeddedFile, options: Options) -> Conversion:
    return convert_document(
        item.document, item.view.name, item.view.text, options._replace(form="", initial_cluster="")
    )


def line_edits(view: View, after: str) -> list[Edit]:
    """The edits of whole lines that make a text another one; a line end is never the last of what is written."""
    from migrate02.convert.differences import opcodes

    old, new = _lines(view.text), _lines(after)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    edits = []
    for tag, i1, i2, j1, j2 in opcodes(old, new):
        said = "".join(new[j1:j2]).removesuffix("\n")
        if tag == "insert" and i1:
            edits.append(view.edit(starts[i1] - 1, starts[i1] - 1, "\n" + said))
        elif tag == "insert":
            edits.append(view.edit(0, 1, f"{said}\n{view.text[:1]}"))
        elif tag == "replace":
            end = starts[i2] - 1 if old[i2 - 1].endswith("\n") else starts[i2]
            edits.append(view.edit(starts[i1], end, said))
        elif tag == "delete":
            edits.append(view.edit(starts[i1], starts[i2], ""))
    return edits


def _lines(text: str) -> list[str]:
    """With their ends. Only ``\\n`` ends a line: others may stand in a comment."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _once(findings: Iterable[Finding]) -> list[Finding]:
    return list(dict.fromkeys(findings))
