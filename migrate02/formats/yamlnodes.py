"""Nodes of YAML: what is in them, and where it stands. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, cast

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from migrate02.formats.view import View

__all__ = ["MappingNode", "Node", "ScalarNode", "SequenceNode"]

Entry: TypeAlias = tuple[str, ScalarNode, Node]
"""A key, its node and its value's."""


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


def entries(node: Node | None) -> Iterator[Entry]:
    """The entries of a mapping with a text for a key; none of anything else."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield key.value, key, value


def get(node: Node | None, *path: str) -> Node | None:
    for name in path:
        node = _value(node, name)
    return node


def _value(node: Node | None, name: str) -> Node | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == name:
                return cast(Node, value)
    return None


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
