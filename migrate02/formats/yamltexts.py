"""Scalars of YAML as texts of their own, edited and written anew in the style that they have. Pure."""

from __future__ import annotations

import re

from migrate02.formats.layers.yamlscalars import (
    YAML_DOUBLE,
    YAML_PLAIN,
    YAML_SINGLE,
    folded_block,
    literal_block,
    yaml_single,
)
from migrate02.formats.placeholders import INNERMOST, MARKER, restore
from migrate02.formats.starts.words import Dialect, Word
from migrate02.formats.view import Edit, View
from migrate02.formats.yamlnodes import Node, ScalarNode, end_of, items, lines_of, start_of

_PLAIN = re.compile(r"[A-Za-z0-9_./$-](?:[^\s:#]|:(?=[^\s])|(?<=\S)#|[ ](?=[^\s#]))*\Z")
_NO_TEXT = re.compile(
    r"(?i)(?:true|false|yes|no|on|off|y|n|null|~|[-+]?[\d._]+(?:e[-+]?\d+)?|0[xo]\w+|[-+]?\d[\d:.]*|\d{4}-\d\d?-\d\d?.*|-|---|\.\.\.)\Z"
)


def said(view: View, node: ScalarNode) -> str:
    """The text of a scalar as the file has it, templates and all."""
    return inside(view, node).text


def inside(view: View, node: ScalarNode) -> View:
    """What a scalar says, as a text of its own."""
    properties = _PROPERTIES.match(view.text, start_of(node))
    start = properties.end() if properties else start_of(node)
    return inside_scalar(view, start, int(node.end_mark.index))


_PROPERTIES = re.compile(r"(?:[!&]\S*[ \t]+)+")
"""A tag and an anchor before a scalar, ``!Sub |``."""


def inside_scalar(view: View, start: int, end: int) -> View:
    """The same for one that stands between two offsets."""
    style = view.text[start : start + 1]
    if style in ("|", ">"):
        return _block(view, start, end, folds=style == ">")
    if style == '"':
        return YAML_DOUBLE.inside(view, start + 1, end - 1)
    if style == "'":
        later = _LATER_LINE.search(view.text, start, end)
        layer = yaml_single(later[1]) if later else YAML_SINGLE
        return layer.inside(view, start + 1, end - 1)
    return YAML_PLAIN.inside(view, start, end)


_LATER_LINE = re.compile(r"\n([ \t]+)\S")


def _block(view: View, start: int, end: int, *, folds: bool) -> View:
    at = view.text.find("\n", start) + 1
    if not at or at > end:
        return view.part(end, end)
    indent, newline, last = _lines_of_block(view, at, end)
    if folds and not re.search(rf"(?m)^ {{{indent}}}[ \t]+\S", view.text[at:last]):
        return folded_block(indent).inside(view, at, last)
    return literal_block(indent, newline).inside(view, at, last)


def indented(view: View, at: int, end: int) -> View:
    """Lines with the indentation of their first taken away."""
    indent, newline, end = _lines_of_block(view, at, end)
    return literal_block(indent, newline).inside(view, at, end)


def _lines_of_block(view: View, at: int, end: int) -> tuple[int, str, int]:
    """The indentation of its first line, its line end, and where it ends: before a line that is indented less."""
    raw = view.text[at:end]
    first = next((line for line in raw.split("\n") if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    if indent:
        for line in re.finditer(r"(?m)^[^\S\n]*[^\s#][^\n]*", raw):
            if len(line[0]) - len(line[0].lstrip(" ")) < indent:
                end = at + line.start()
                break
    return indent, "\r\n" if "\r\n" in raw else "\n", end


def scalar(text: str, raw: str = "", *, flow: bool = False, level: int = INNERMOST) -> str:
    """A text as a scalar, quoted as ``raw`` is, or bare where it stays what it is."""
    text = restore(text, level)
    if raw[:1] == "'":
        return f"'{YAML_SINGLE.encode(text, level)}'"
    plain = re.sub(MARKER, "t", text)  # what a text around fills in
    if (
        raw[:1] != '"'
        and _PLAIN.match(plain)
        and not _NO_TEXT.match(plain)
        and not (flow and set("[]{},") & set(plain))
    ):
        return text
    return f'"{YAML_DOUBLE.encode(text, level)}"'


def value(text: str, raw: str = "", *, flow: bool = False, level: int = INNERMOST) -> str:
    """A setting's value: numbers and booleans stay bare."""
    if raw[:1] not in ("'", '"') and re.fullmatch(r"true|false|\d+", text):
        return text
    return scalar(text, raw, flow=flow, level=level)


def words_of(view: View, node: Node) -> list[Word]:
    """The items of a list of texts, as words."""
    found = []
    inside_flow = bool(getattr(node, "flow_style", False))
    for item in items(node):
        if not isinstance(item, ScalarNode):
            continue
        start, end = start_of(item), end_of(view, item)
        lines = None if inside_flow else lines_of(view, start, end)
        joint = view.text[lines[0] : start] if lines else ", "
        dialect = Dialect(
            "", "", str, _quote_flow if inside_flow else _quote_block, joint, inside=inside_scalar
        )
        found.append(Word(view, start, end, said(view, item), dialect, lines))
    return found


def _quote_block(text: str, raw: str, level: int) -> str:
    return scalar(text, raw, level=level)


def _quote_flow(text: str, raw: str, level: int) -> str:
    return scalar(text, raw, flow=True, level=level)


def gone_from_flow(view: View, start: int, end: int) -> Edit:
    """The edit that leaves nothing of an item of a list or a map in brackets, nor the comma behind it."""
    after = re.compile(r"\s*,\s*").match(view.text, end)
    return Edit(start, after.end() if after else end, "")
