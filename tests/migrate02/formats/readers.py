"""A format's reader by itself: what it finds in a text, as plain values."""

from __future__ import annotations

from migrate02.convert.conversion import Options
from migrate02.convert.deployment import convert_text
from migrate02.formats.detection import embedded
from migrate02.formats.document import Document
from migrate02.formats.format import Context
from migrate02.formats.placeholders import unmask
from migrate02.formats.reading import Reading, Setup
from migrate02.formats.registry import named
from migrate02.formats.view import View

Settings = dict[str, str]


def read(format: str, text: str, name: str = "file", files: dict[str, str] | None = None) -> Reading:
    """``files`` are those beside it, by their paths."""

    def sourced(path: str) -> View | None:
        return View(files[path], path) if files and path in files else None

    return named(format).read(View(text, name), Context(sourced=sourced, embedded=embedded))


def settings_of(setup: Setup) -> tuple[Settings, Settings]:
    """Those of its flags, and those of its variables."""
    flags, variables = (
        {one.given.name: unmask(one.given.value) for one in occurrences if one.given.name}
        for occurrences in (setup.flags, setup.variables)
    )
    return flags, variables


def starts(format: str, text: str, name: str = "file") -> list[tuple[Settings, Settings]]:
    return [settings_of(setup) for setup in read(format, text, name).setups]


def document(format: str, text: str) -> Document:
    """Of a text of settings and nothing else."""
    found = read(format, text).document
    assert found is not None
    return found


def given(format: str, text: str) -> list[tuple[str, str, int]]:
    """(setting, value, line) of such a text."""
    return [(item.name, item.value, item.origin.line) for item in document(format, text).given]


def converted(text: str, name: str = "file") -> str:
    """As 0.4's, on a machine called host."""
    found = convert_text(text, name, Options(hostname="host", hostname_given=True, era="0.4"))
    assert found.text is not None, found.findings
    return found.text
