"""What holds for every page of a plan."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
_FROM_ELSEWHERE = {"link", "img", "iframe", "image", "object", "use"}


def parsed(page: str) -> ElementTree.Element:
    """As XML: every element is closed, every letter that needs it escaped."""
    return ElementTree.fromstring(page.replace("<!DOCTYPE html>", ""))


def assert_needs_nothing_else(page: str) -> None:
    root = parsed(page)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) not in _FROM_ELSEWHERE
        for name, value in element.attrib.items():
            assert name not in {"src", "srcset", "data"}
            assert not name.startswith("on")
            assert name != "href" or value.startswith("#")
    assert not re.search(r"url\(|@import", page)
    _assert_only_its_own_script_runs(root)


def _assert_only_its_own_script_runs(root: ElementTree.Element) -> None:
    (script,) = root.iter("script")
    assert script.text
    own = b64encode(sha256(script.text.encode()).digest()).decode()
    (policy,) = (each.attrib["content"] for each in root.iter("meta") if "http-equiv" in each.attrib)
    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == f"'sha256-{own}'"
