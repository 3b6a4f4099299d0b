"""Templates of clouds and of the tools that drive them, which hold whole files as texts: user data of machines. Pure.

YAML and JSON are read as what they are; in anything else, Terraform's language first of all, a file is found in a
string with ``\\n`` in it or in a here-document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from migrate02.formats import yamlnodes
from migrate02.formats.document import UnusableInput
from migrate02.formats.places import Reading, joined
from migrate02.formats.view import View
from migrate02.formats.yamlnodes import MappingNode, Node, ScalarNode

_FILE = re.compile(r"\s*#(?:cloud-config|!)")
_STRING = re.compile(r'"(\s*#(?:cloud-config|!)(?:[^"\\]|\\.)*)"', re.DOTALL)
_HERE = re.compile(
    r"<<[-~]?[\"']?(\w+)[\"']?[^\n]*\n(\s*#(?:cloud-config|!).*?)^[ \t]*\1\b", re.DOTALL | re.MULTILINE
)


def read(view: View, embedded: Callable[[View, str], Reading]) -> Reading:
    try:
        roots = yamlnodes.documents(view.text)
    except UnusableInput:
        texts = list(_literals(view))
    else:
        nodes = (node for root in roots for node in _scalars(root) if _FILE.match(node.value))
        texts = [yamlnodes.inside(view, node) for node in nodes]
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


def _literals(view: View) -> Iterator[View]:
    for found in _STRING.finditer(view.text):
        yield yamlnodes.in_quotes(view, *found.span(1), '"')
    for found in _HERE.finditer(view.text):
        yield yamlnodes.indented(view, *found.span(2))
