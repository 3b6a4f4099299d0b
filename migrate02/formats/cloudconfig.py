"""cloud-configs of CoreOS: the section ``etcd:``, units and their drop-ins, files to be written. Pure.

``etcd:`` becomes ``etcd2:``, whose keys are 2.x's; either may be spelled with dashes or underscores. The unit of 2.x
has a name of its own, and defaults of its own for the member's name and its data directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from compat.findings import Finding
from compat.flags04 import FLAGS
from compat.settings import FILE, Origin
from compat.translate import ERA_04, ERA_2X
from migrate02.formats import yamlnodes, yamlparsing, yamltexts
from migrate02.formats.findings import BOTH_SECTIONS, NO_SUCH_KEY, RENAMED, SECTION_FOR_A_UNIT
from migrate02.formats.format import Context, Embedded
from migrate02.formats.reading import Occurrence, Reading, Setup, joined
from migrate02.formats.starts import variables
from migrate02.formats.starts.variables import Assigned, commented
from migrate02.formats.view import Edit, View
from migrate02.formats.yamlnodes import Entry, Node, ScalarNode
from server.config import SETTINGS

_KEYS_04 = {flag.variable.removeprefix("ETCD_").lower(): flag.variable for flag in FLAGS if flag.variable} | {
    "snapshot_count": "ETCD_SNAPSHOTCOUNT"
}
_KEYS_2X = {setting.name.replace("-", "_"): variables.variable_of(setting.name) for setting in SETTINGS}
_MACHINE = "%m"
"""What CoreOS' own units name a member: the machine's id."""

_RENAMED = ("etcd.service", "etcd2.service")


def read(view: View, context: Context) -> Reading:
    return joined([_read(view, root, context.embedded) for root in yamlparsing.documents(view.text)])


def _read(view: View, root: Node, embedded: Embedded) -> Reading:
    coreos = yamlnodes.get(root, "coreos")
    sections = {
        name: (key, value) for name, key, value in yamlnodes.entries(coreos) if name in ("etcd", "etcd2")
    }
    found: list[Setup] = []
    edits: list[Edit] = []
    findings: list[Finding] = []
    renames = False
    own = _own_unit(coreos) if "etcd" in sections else None
    if own is not None:
        findings.append(_is_for_own_unit(view, sections["etcd"][0]))
    elif "etcd" in sections and "etcd2" in sections:
        findings.append(_two_sections(view, sections["etcd"][0]))
    elif "etcd" in sections:
        key, section = sections["etcd"]
        setup, about = _section(view, section, _KEYS_04, ERA_04)
        findings += about
        if setup is not None:
            found.append(setup)
            edits.append(view.edit(yamlnodes.start_of(key), yamlnodes.end_of(view, key), "etcd2"))
            renames = True
    if "etcd2" in sections:
        setup, about = _section(view, sections["etcd2"][1], _KEYS_2X, ERA_2X)
        findings += about
        found += [setup] if setup is not None else []
    inside = [embedded(text, path) for text, path in _texts(view, root, own)]
    renames = renames or any(embedded(text, "").setups for text in _drop_ins(view, coreos))
    if renames:
        renaming = list(_renamed_units(view, coreos))
        edits += renaming
        if renaming:
            first = sections["etcd"][0] if "etcd" in sections else coreos
            findings.append(_renaming(view, yamlnodes.start_of(first) if first is not None else 0))
    return joined([Reading(found, edits, findings), *inside])


def _section(view: View, section: Node, keys: dict[str, str], era: str) -> tuple[Setup | None, list[Finding]]:
    """The settings of a section, whose name tells the era. Keys that the tool does not know are dropped by it without
    a word."""
    assigned: list[Assigned] = []
    findings: list[Finding] = []
    lost: list[Occurrence] = []
    dash = "-" if _dashed(section) else "_"
    for name, key, value in yamlnodes.entries(section):
        if not isinstance(value, ScalarNode):
            continue
        variable = keys.get(name.replace("-", "_"))
        item = _assigned(view, section, (name, key, value), variable or "", dash)
        if variable is None:
            findings.append(_never_read(view, name, key))
            lost.append(variables.without_effect(item))
        else:
            assigned.append(item)
    read = variables.read(assigned)
    if not read.occurrences:
        return None, [*findings, *read.findings]
    setup = Setup(
        view.line(yamlnodes.start_of(section)),
        [],
        [*read.occurrences, *lost],
        read.findings,
        read.insertion,
        _MACHINE,
        fixed=frozenset(("name", "data-dir")),
        only_variables=True,
        era=era,
    )
    return setup, findings


def _assigned(view: View, section: Node, entry: Entry, variable: str, dash: str) -> Assigned:
    """``dash`` joins the words of a key whose own spelling does not tell."""
    name, key, value = entry
    assert isinstance(value, ScalarNode)
    start, end = yamlnodes.start_of(key), yamlnodes.end_of(view, value)
    flow = bool(getattr(section, "flow_style", False))
    dash = "-" if "-" in name else "_" if "_" in name else dash
    raw = view.text[yamlnodes.start_of(value) : end]
    first, after = view.line_around(start, end)

    def write(variable: str, text: str) -> str:
        key = variable.removeprefix("ETCD_").lower().replace("_", dash)
        return f"{key}: {yamltexts.value(text, raw, flow=flow, level=view.depth + 1)}"

    if flow or view.text[first:start].strip():
        gone, joint = yamltexts.gone_from_flow(view, start, end), ", "
    else:
        gone, joint = commented(view, first, after), view.newline + view.text[first:start]
    return Assigned(view, start, end, variable, yamltexts.said(view, value), write, joint, gone)


def _dashed(section: Node) -> bool:
    names = [name for name, _, _ in yamlnodes.entries(section)]
    return any("-" in name for name in names) or not any("_" in name for name in names)


def _drop_ins(view: View, coreos: Node | None) -> Iterator[View]:
    """Those of the unit of 0.4."""
    for unit in yamlnodes.items(yamlnodes.get(coreos, "units")):
        if yamlnodes.text_of(yamlnodes.get(unit, "name")) == _RENAMED[0]:
            for name in ("drop-ins", "drop_ins"):
                for node in yamlnodes.items(yamlnodes.get(unit, name)):
                    content = yamlnodes.get(node, "content")
                    if isinstance(content, ScalarNode):
                        yield yamltexts.inside(view, content)


def _own_unit(coreos: Node | None) -> ScalarNode | None:
    """A unit of 0.4's name that the file brings along, for which the section's variables are."""
    for unit in yamlnodes.items(yamlnodes.get(coreos, "units")):
        content = yamlnodes.get(unit, "content")
        if yamlnodes.text_of(yamlnodes.get(unit, "name")) == _RENAMED[0] and _starts_etcd(content):
            return content if isinstance(content, ScalarNode) else None
    return None


def _texts(view: View, root: Node, left: Node | None) -> Iterator[tuple[View, str]]:
    """Everything in it that is a file, but for ``left``: contents of units and drop-ins, files to be written."""
    for unit in yamlnodes.items(yamlnodes.get(root, "coreos", "units")):
        for node in (
            unit,
            *yamlnodes.items(yamlnodes.get(unit, "drop-ins")),
            *yamlnodes.items(yamlnodes.get(unit, "drop_ins")),
        ):
            content = yamlnodes.get(node, "content")
            if isinstance(content, ScalarNode) and content is not left:
                yield yamltexts.inside(view, content), ""
    for item in yamlnodes.items(yamlnodes.get(root, "write_files")):
        content = yamlnodes.get(item, "content")
        if isinstance(content, ScalarNode) and not yamlnodes.text_of(yamlnodes.get(item, "encoding")):
            yield yamltexts.inside(view, content), yamlnodes.text_of(yamlnodes.get(item, "path"))


def _renamed_units(view: View, coreos: Node | None) -> Iterator[Edit]:
    old, new = _RENAMED
    for unit in yamlnodes.items(yamlnodes.get(coreos, "units")):
        name, content = yamlnodes.get(unit, "name"), yamlnodes.get(unit, "content")
        if isinstance(name, ScalarNode) and name.value == old and not _starts_etcd(content):
            start = yamlnodes.start_of(name)
            at = view.text.index(old, start)
            yield view.edit(at, at + len(old), new)
        if isinstance(content, ScalarNode):
            text = yamltexts.inside(view, content)
            for line in re.finditer(
                r"(?m)^(?:After|Before|Requires|Wants|BindsTo|PartOf|Requisite)=.*$", text.text
            ):
                for found in re.finditer(r"(?<![\w.-])etcd\.service\b", line[0]):
                    at = line.start() + found.start()
                    yield text.edit(at, at + len(old), new)


def _starts_etcd(content: Node | None) -> bool:
    return isinstance(content, ScalarNode) and "ExecStart=" in content.value


def _renaming(view: View, at: int) -> Finding:
    return RENAMED.finding("", Origin(FILE, "etcd", view.name, view.line(at)))


def _two_sections(view: View, key: ScalarNode) -> Finding:
    return BOTH_SECTIONS.finding("", Origin(FILE, "etcd", view.name, view.line(yamlnodes.start_of(key))))


def _is_for_own_unit(view: View, key: ScalarNode) -> Finding:
    return SECTION_FOR_A_UNIT.finding("", Origin(FILE, "etcd", view.name, view.line(yamlnodes.start_of(key))))


def _never_read(view: View, name: str, key: ScalarNode) -> Finding:
    origin = Origin(FILE, name, view.name, view.line(yamlnodes.start_of(key)))
    return NO_SUCH_KEY.finding("", origin, key=name)
