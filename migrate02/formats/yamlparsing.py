"""YAML parsed to nodes that know where they stand, templates in it and all, within what anybody writes. Pure."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, SequenceNode

from migrate02.formats.document import UnusableInput
from migrate02.formats.placeholders import IN_BRACES, MARKER
from migrate02.formats.templates import comments_for_lines
from migrate02.formats.yamlnodes import nodes, scalars

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEMPLATE = re.compile(MARKER + "|" + IN_BRACES + r"|\{%(?:(?!\{%|%\}).)*+%\}")
_LINE_PUT_IN = re.compile(r"(?m)^[ \t]*\$\{[^\n]*\}(?=[ \t]*\r?$)")
"""A line of Terraform's that becomes lines of YAML."""
_ILLEGIBLE = "\ue000"
"""In the place of a byte that is no UTF-8, which may stand in a comment."""


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
