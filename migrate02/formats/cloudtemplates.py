"""Templates of clouds and of the tools that drive them, which hold whole files as texts: user data of machines. Pure.

YAML and JSON are read as what they are; in anything else, Terraform's language first of all, a file is found in a
string with ``\\n`` in it or in a here-document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate02.formats import yamlnodes, yamlparsing, yamltexts
from migrate02.formats.document import UnusableInput
from migrate02.formats.format import Context
from migrate02.formats.heredocs import bodies
from migrate02.formats.layers.cloudtemplates import FN_SUB, TERRAFORM_HERE, TERRAFORM_QUOTED
from migrate02.formats.reading import Reading, joined
from migrate02.formats.view import View
from migrate02.formats.yamlnodes import Node, ScalarNode

_FILE = re.compile(r"\s*#(?:cloud-config|!)")
_STRING = re.compile(r'"(\s*#(?:cloud-config|!)(?:[^"\\]|\\.)*)"', re.DOTALL)


def read(view: View, context: Context) -> Reading:
    try:
        roots = yamlparsing.documents(view.text)
    except UnusableInput:
        roots = []
    if all(isinstance(root, ScalarNode) for root in roots):  # words to a YAML parser, if anything
        texts = list(_literals(view))
    else:
        nodes = [node for root in roots for node in yamlnodes.scalars(root) if _FILE.match(node.value)]
        filled_in = {id(node) for root in roots for node in _for_fn_sub(root)} if nodes else set()
        texts = [_inside(view, node, fn_sub=id(node) in filled_in) for node in nodes]
    return joined([context.embedded(text, "") for text in texts])


def _inside(view: View, node: ScalarNode, *, fn_sub: bool) -> View:
    said = yamltexts.inside(view, node)
    return FN_SUB.inside(said, 0, len(said.text)) if fn_sub else said


def _for_fn_sub(root: Node) -> Iterator[Node]:
    """The texts that CloudFormation fills in: ``Fn::Sub``'s and ``!Sub``'s, by themselves or with variables."""
    for node in yamlnodes.nodes(root):
        found = (
            [node]
            if node.tag == "!Sub"
            else [value for key, _, value in yamlnodes.entries(node) if key == "Fn::Sub"]
        )
        for one in found:
            yield from yamlnodes.items(one)[:1] or [one]


def _literals(view: View) -> Iterator[View]:
    for found in _STRING.finditer(view.text):
        yield TERRAFORM_QUOTED.inside(view, *found.span(1))
    for start, end in bodies(view.text):
        if _FILE.match(view.text, start, end):
            yield _here(view, start, end)


def _here(view: View, start: int, end: int) -> View:
    """The text of a here-document: indented, and with what Terraform fills in."""
    lines = yamltexts.indented(view, start, end)
    if "${" not in lines.text and "%{" not in lines.text:
        return lines
    return TERRAFORM_HERE.inside(lines, 0, len(lines.text))
