"""Templates of clouds, as YAML or JSON, that hold whole files as texts: user data of machines. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from migrate02.formats import yamlnodes
from migrate02.formats.places import Reading, joined
from migrate02.formats.view import View
from migrate02.formats.yamlnodes import MappingNode, Node, ScalarNode

_FILE = re.compile(r"\s*#(?:cloud-config|!)")


def read(view: View, embedded: Callable[[View, str], Reading]) -> Reading:
    texts = [
        yamlnodes.inside(view, node)
        for root in yamlnodes.documents(view.text)
        for node in _scalars(root)
        if _FILE.match(node.value)
    ]
    return joined([embedded(text, "") for text in texts])


def _scalars(node: Node) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, MappingNode):
        for _, value in node.value:
            yield from _scalars(value)
    else:
        for item in yamlnodes.items(node):
            yield from _scalars(item)
