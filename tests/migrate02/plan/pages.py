"""What holds for every page of a plan."""

from __future__ import annotations

import re
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
_FROM_ELSEWHERE = {"script", "link", "img", "iframe", "image", "object", "use"}


def parsed(page: str) -> ElementTree.Element:
    """As XML: every element is closed, every letter that needs it escaped."""
    return ElementTree.fromstring(page.replace("<!DOCTYPE html>", ""))


def assert_needs_nothing_else(page: str) -> None:
    for element in parsed(page).iter():
        assert element.tag.removeprefix(SVG) not in _FROM_ELSEWHERE
        for name, value in element.attrib.items():
            assert name not in {"src", "srcset", "data"}
            assert not name.startswith("on")
            assert name != "href" or value.startswith("#")
    assert not re.search(r"url\(|@import", page)
