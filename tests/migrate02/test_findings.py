"""The catalogue of findings: what every code has, and that all of it is used."""

import importlib
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import pytest

import compat
import migrate02
from compat import codes
from compat.findings import ERROR, INFO, REVIEW, Code, Text
from migrate02.convert import findings as of_conversions
from migrate02.findings import CODES
from migrate02.formats import findings as of_formats
from migrate02.plan import findings as of_plans
from migrate02.v2store import findings as of_v2store

ROOT = Path(__file__).parents[2]
TEXTS = {
    name: value
    for module in (codes, of_formats, of_conversions, of_plans, of_v2store)
    for name, value in vars(module).items()
    if isinstance(value, Text)
}
_SOURCES = "\n".join(
    path.read_text()
    for room in ("compat", "migrate02")
    for path in (ROOT / room).rglob("*.py")
    if path.name not in ("codes.py", "findings.py")
)
_WORDS = set(re.findall(r"\w+", _SOURCES))


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_severity_a_title_a_story_and_a_text(code: str) -> None:
    entry = CODES[code]
    assert entry.name == code
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    assert entry.severity in (ERROR, REVIEW, INFO)
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.story.endswith((".", ".)"))
    assert "  " not in entry.story
    assert [text for text in TEXTS.values() if text.code is entry]


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_of_a_code_in_the_catalogue_and_is_used(name: str) -> None:
    assert CODES[TEXTS[name].code.name] is TEXTS[name].code
    assert name in _WORDS


@pytest.mark.parametrize("package", [compat, migrate02], ids=lambda package: package.__name__)
def test_every_code_that_a_command_can_print_is_in_the_catalogue(package: ModuleType) -> None:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if found.name.endswith(".__main__"):
            continue
        for value in vars(importlib.import_module(found.name)).values():
            code = value.code if isinstance(value, Text) else value
            if isinstance(code, Code):
                assert CODES.get(code.name) is code, f"{code.name} in {found.name}"


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_has_only_fields_with_names(name: str) -> None:
    text = TEXTS[name]
    fields = set(re.findall(r"\{(\w*)\}", text.message + text.remedy))
    known = dict.fromkeys(fields, "")
    assert "" not in known
    assert isinstance(text.finding("", None, **known).message, str)
