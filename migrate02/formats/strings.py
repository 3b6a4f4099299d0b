"""Templates of clouds and of the tools that drive them, which hold whole files as texts: user data of machines. Pure.

YAML and JSON are read as what they are; in anything else, Terraform's language first of all, a file is found in a
string with ``\\n`` in it or in a here-document.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator

from migrate02.formats import yamlnodes
from migrate02.formats.document import UnusableInput
from migrate02.formats.places import Reading, joined
from migrate02.formats.view import View

_FILE = re.compile(r"\s*#(?:cloud-config|!)")
_STRING = re.compile(r'"(\s*#(?:cloud-config|!)(?:[^"\\]|\\.)*)"', re.DOTALL)
_HERE = re.compile(r"<<[-~]?[\"']?(\w++)[\"']?(?:(?!<<)[^\n])*+\n(?=\s*+#(?:cloud-config|!))")
_FIRST_WORD = re.compile(r"(?m)^[ \t]*+(\w++)")


def read(view: View, embedded: Callable[[View, str], Reading]) -> Reading:
    try:
        roots = yamlnodes.documents(view.text)
    except UnusableInput:
        texts = list(_literals(view))
    else:
        nodes = (node for root in roots for node in yamlnodes.scalars(root) if _FILE.match(node.value))
        texts = [yamlnodes.inside(view, node) for node in nodes]
    return joined([embedded(text, "") for text in texts])


def _literals(view: View) -> Iterator[View]:
    for found in _STRING.finditer(view.text):
        yield yamlnodes.in_quotes(view, *found.span(1), '"')
    at = 0
    ends = _first_words(view.text)
    while here := _HERE.search(view.text, at):
        at = here.end()
        places = ends.get(here[1], [])
        after = bisect_left(places, at)
        if after < len(places):
            yield yamlnodes.indented(view, at, places[after])
            at = places[after]


def _first_words(text: str) -> dict[str, list[int]]:
    """Where the lines are that begin with each word."""
    found: dict[str, list[int]] = {}
    if "<<" in text:
        for word in _FIRST_WORD.finditer(text):
            found.setdefault(word[1], []).append(word.start())
    return found
