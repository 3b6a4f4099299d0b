"""YAML as nodes that know where they stand, so that a file can be edited without being written anew. Pure."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from migrate02.formats.document import UnusableInput
from migrate02.formats.layers import yamlscalars as layers
from migrate02.formats.placeholders import IN_BRACES, INNERMOST, MARKER, restore
from migrate02.formats.templates import comments_for_lines
from migrate02.formats.view import View
from migrate02.formats.words import Dialect, Word

__all__ = [
    "MappingNode",
    "Node",
    "ScalarNode",
    "SequenceNode",
    "documents",
    "entries",
    "get",
    "items",
    "text_of",
]

Entry: TypeAlias = tuple[str, ScalarNode, Node]
"""A key, its node and its value's."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = re.compile(r"[A-Za-z0-9_./$-](?:[^\s:#]|:(?=[^\s])|(?<=\S)#|[ ](?=[^\s#]))*\Z")
_NO_TEXT = re.compile(
    r"(?i)(?:true|false|yes|no|on|off|y|n|null|~|[-+]?[\d._]+(?:e[-+]?\d+)?|0[xo]\w+|[-+]?\d[\d:.]*|\d{4}-\d\d?-\d\d?.*|-|---|\.\.\.)\Z"
)


_TEMPLATE = re.compile(MARKER + "|" + IN_BRACES + r"|\{%(?:(?!\{%|%\}).)*+%\}")
_LINE_PUT_IN = re.compile(r"(?m)^[ \t]*\$\{[^\n]*\}(?=[ \t]*\r?$)")
"""A line of Terraform's that becomes lines of YAML."""


def documents(text: str) -> list[Node]:
    """Raises UnusableInput for what is no YAML."""
    legible = re.sub("[\ud800-\udfff]", _ILLEGIBLE, text)  # as long as before: the nodes' places hold
    try:
        found = _composed(legible)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise UnusableInput(f"not YAML: {problem}", mark.line + 1 if mark else 0) from None
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"not YAML: {error}") from None
    if legible != text and any(_ILLEGIBLE in one.value for node in found for one in scalars(node, keys=True)):
        raise UnusableInput("not YAML: bytes that are not UTF-8")
    return found


def _composed(text: str) -> list[Node]:
    """With templates in it that are no YAML: lines of statements as if they were comments, all else as if it were plain
    words, see ``said``."""
    text = comments_for_lines(text)
    try:
        found = _nodes(text)
    except yaml.YAMLError:
        plain = _LINE_PUT_IN.sub(_filler("#"), _TEMPLATE.sub(_filler("t"), text))
        if plain == text:
            raise
        return _nodes(plain)
    if "{{" in text and any(_has_placeholder(node, text) for node in found):
        return _nodes(_TEMPLATE.sub(_filler("t"), text))
    return found


MOST_DEPTH = 200
"""Of maps and lists in each other. The parser's time grows with it, and its stack."""

SURELY_FLAT = 200
"""So few brackets cannot nest too deep."""
_BEGINNING = re.compile(r"(?m)^[ \t?:-]{50,}")


def check_depth(text: str) -> None:
    """Raises UnusableInput for YAML that nests deeper than anybody writes it, before a parser makes nodes of it."""
    if text.count("[") + text.count("{") < SURELY_FLAT and _BEGINNING.search(text) is None:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise UnusableInput(f"not YAML that anybody writes: more than {MOST_DEPTH} levels", line)
        elif isinstance(event, CollectionEndEvent):
            depth -= 1


MOST_BY_ALIASES = 100_000


def check_aliases(text: str) -> None:
    """Raises UnusableInput for YAML whose aliases, written out, are more than anybody has memory for.

    Nodes are shared between aliases; what is made of them may not be.
    """
    if "*" not in text or "&" not in text:
        return
    for root in yaml.compose_all(text, Loader=_Loader):
        if root is not None and _size(root, {}) > MOST_BY_ALIASES + len(text):
            raise UnusableInput(
                f"not YAML that anybody writes: its aliases stand for more than {MOST_BY_ALIASES} values"
            )


def _size(node: Node, known: dict[int, int]) -> int:
    """How many nodes it is with its aliases written out. One that holds itself is as many as that is refused."""
    if id(node) not in known:
        known[id(node)] = sys.maxsize
        inside: list[Node] = []
        if isinstance(node, MappingNode):
            inside = [item for pair in node.value for item in pair]
        elif isinstance(node, SequenceNode):
            inside = node.value
        known[id(node)] = 1 + sum(_size(item, known) for item in inside)
    return known[id(node)]


def _nodes(text: str) -> list[Node]:
    check_depth(text)
    return [node for node in yaml.compose_all(text, Loader=_Loader) if node is not None]


def _filler(letter: str) -> Callable[[re.Match[str]], str]:
    """As much of a letter as what it takes the place of."""
    return lambda found: letter * len(found[0])


def _has_placeholder(node: Node, text: str) -> bool:
    """Whether a ``{{ name }}``, which is a map in a map to YAML, stands for it or for something in it."""
    return any(
        isinstance(one, MappingNode) and text.startswith("{{", one.start_mark.index) for one in nodes(node)
    )


def nodes(node: Node, *, keys: bool = True) -> Iterator[Node]:
    """A node and all that is in it, in order; each once, however many aliases it has."""
    seen: set[int] = set()
    todo = [node]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, MappingNode):
            todo += reversed([item for pair in one.value for item in (pair if keys else pair[1:])])
        elif isinstance(one, SequenceNode):
            todo += reversed(one.value)


def scalars(node: Node, *, keys: bool = False) -> Iterator[ScalarNode]:
    """The scalars in a node, with those that are keys or without."""
    return (one for one in nodes(node, keys=keys) if isinstance(one, ScalarNode))


def said(view: View, node: ScalarNode) -> str:
    """The text of a scalar as the file has it, templates and all."""
    return inside(view, node).text


_ILLEGIBLE = "\ue000"
"""In the place of a byte that is no UTF-8, which may stand in a comment."""


def entries(node: Node | None) -> Iterator[Entry]:
    """The entries of a mapping with a text for a key; none of anything else."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield key.value, key, value


def get(node: Node | None, *path: str) -> Node | None:
    for name in path:
        node = next((value for key, _, value in entries(node) if key == name), None)
    return node


def items(node: Node | None) -> list[Node]:
    return list(node.value) if isinstance(node, SequenceNode) else []


def text_of(node: Node | None) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""


def start_of(node: Node) -> int:
    return int(node.start_mark.index)


def end_of(view: View, node: Node) -> int:
    """Without the blanks and comments that a parser counts to a block."""
    end = int(node.end_mark.index)
    if isinstance(node, ScalarNode) and node.style in (None, "'", '"'):
        return end
    start = start_of(node)
    return start + len(view.text[start:end].rstrip())


def inside(view: View, node: ScalarNode) -> View:
    """What a scalar says, as a text of its own."""
    return inside_scalar(view, start_of(node), int(node.end_mark.index))


def inside_scalar(view: View, start: int, end: int) -> View:
    """The same for one that stands between two offsets."""
    style = view.text[start : start + 1]
    if style in ("|", ">"):
        return _block(view, start, end, folds=style == ">")
    if style == '"':
        return layers.YAML_DOUBLE.inside(view, start + 1, end - 1)
    if style == "'":
        later = _LATER_LINE.search(view.text, start, end)
        layer = layers.yaml_single(later[1]) if later else layers.YAML_SINGLE
        return layer.inside(view, start + 1, end - 1)
    return layers.YAML_PLAIN.inside(view, start, end)


_LATER_LINE = re.compile(r"\n([ \t]+)\S")


def _block(view: View, start: int, end: int, *, folds: bool) -> View:
    at = view.text.find("\n", start) + 1
    if not at or at > end:
        return view.part(end, end)
    indent, newline, last = _lines_of_block(view, at, end)
    if folds and not re.search(rf"(?m)^ {{{indent}}}[ \t]+\S", view.text[at:last]):
        return layers.folded_block(indent).inside(view, at, last)
    return layers.literal_block(indent, newline).inside(view, at, last)


def indented(view: View, at: int, end: int) -> View:
    """Lines with the indentation of their first taken away."""
    indent, newline, end = _lines_of_block(view, at, end)
    return layers.literal_block(indent, newline).inside(view, at, end)


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
        return f"'{layers.YAML_SINGLE.encode(text, level)}'"
    plain = re.sub(MARKER, "t", text)  # what a text around fills in
    if (
        raw[:1] != '"'
        and _PLAIN.match(plain)
        and not _NO_TEXT.match(plain)
        and not (flow and set("[]{},") & set(plain))
    ):
        return text
    return f'"{layers.YAML_DOUBLE.encode(text, level)}"'


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


_WIDEST = 1000
"""Columns of an indentation."""


def lines_of(view: View, start: int, end: int) -> tuple[int, int] | None:
    """From the line end before ``- item`` to the one behind it, None when something else stands there too."""
    first, after = view.line_around(start, end)
    before = first - 1
    if before < 0 or start - first > _WIDEST or view.text[before:start].strip() not in ("-", ""):
        return None
    before -= view.text[before - 1 : before] == "\r"
    return before, after - 1 if view.text[after - 1] == "\r" else after
