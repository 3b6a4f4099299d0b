"""What every format makes of a text: pieces in order, and the settings found in them."""

from __future__ import annotations

from typing import NamedTuple

from compat.findings import Finding
from compat.settings import Given


class Piece(NamedTuple):
    """A run of lines, without their line ends.

    ``keys`` are the names of the settings it sets, as ``render`` finds them again (an origin's name, in an environment
    file with ``@`` and the line); none for lines that stay as they are, comments first of all. ``comments`` are what
    followed a setting on its lines, with their ``#``. ``lead`` and ``quote`` are how an assignment was written
    (``export ``, ``"``).
    """

    lines: tuple[str, ...]
    keys: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    lead: str = ""
    quote: str = '"'
    structural: bool = False
    """Means something only in this format (a table header) and goes with it."""
    exports: tuple[str, ...] = ()
    """The variables named by a line that exports them and sets none; ``lead`` is what stands before the names."""


class Document(NamedTuple):
    """``form`` is what the text is written in, ``default_form`` what it becomes when nothing else is asked for.

    ``program`` is what stands before the flags of a command line, ``tail`` what stands after them, both as they were
    written (for JSON: one word each). ``whole`` is a text that belongs to 0.4 whatever is set in it, such as its own
    TOML file.
    """

    form: str
    default_form: str
    pieces: list[Piece]
    given: list[Given]
    findings: list[Finding]
    newline: str = "\n"
    program: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    whole: bool = False
    unseen: bool = False
    """Settings may come from elsewhere: 0.4's defaults would win over them."""


class UnusableInput(Exception):
    """The text is no etcd configuration; the message says why, in one line, ``line`` where (0: nowhere)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class NothingToConvert(UnusableInput):
    """The text holds no setting of etcd, which is no fault of it."""


class NotRead(UnusableInput):
    """The text sets up etcd 0.4 in a language that is not read; the message says in which lines."""


class TemplateInput(UnusableInput):
    """Which of its settings count is decided when the text is filled in."""


def newline_of(text: str) -> str:
    """The line end a text uses, by its first line."""
    return "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"


def lines_of(text: str) -> list[str]:
    """The lines without their ends. Only ``\\n`` and ``\\r\\n`` end a line: others may stand in a comment."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if newline_of(text) == "\r\n" else lines
