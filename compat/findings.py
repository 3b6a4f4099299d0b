"""What there is to say of a configuration: codes, the texts of each, and findings, which are a text and its fields.

Codes are stable; the words may get better. A code, its story and its texts stand together: those of the translation
in ``compat.codes``, those that only the migration tool raises beside its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from compat.settings import Origin
from server.printable import shown

ERROR = "error"
"""Refused: nothing is written, nothing starts."""
REVIEW = "review"
"""Converted, but something is left for a person to decide or to do."""
INFO = "info"
"""Worth knowing; nothing to do."""


class Code(NamedTuple):
    """``title`` is one line, ``story`` is all that ``migrate02 explain CODE`` says."""

    name: str
    severity: str
    title: str
    story: str

    def text(self, message: str, remedy: str = "") -> Text:
        """One of the sentences of this code, and what to do; ``{name}`` stands for a field."""
        return Text(self, message, remedy)


class Text(NamedTuple):
    code: Code
    message: str
    remedy: str

    def finding(self, setting: str, origin: Origin | None, /, **fields: str) -> Finding:
        """``setting`` is the 0.4 or 2.x flag name without dashes, empty for a whole file."""
        return Finding(self, setting, origin, tuple(fields.items()))


class Finding(NamedTuple):
    """One thing to say. ``fields`` are the names in the text and what stands for them."""

    text: Text
    setting: str
    origin: Origin | None
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def code(self) -> str:
        return self.text.code.name

    @property
    def severity(self) -> str:
        return self.text.code.severity

    @property
    def message(self) -> str:
        return self.text.message.format_map(dict(self.fields))

    @property
    def remedy(self) -> str:
        return self.text.remedy.format_map(dict(self.fields))

    @property
    def place(self) -> str:
        return self.origin.place if self.origin else ""

    def with_fields(self, change: Callable[[str], str]) -> Finding:
        """The same with each field changed."""
        return self._replace(fields=tuple((name, change(value)) for name, value in self.fields))

    def __str__(self) -> str:
        """One line, whatever was in the values."""
        code, fields = self.text.code, dict(self.fields)
        place = f"{self.place}: " if self.origin else ""
        message = self.text.message.format_map(fields)
        remedy = f" -> {remedy}" if (remedy := self.text.remedy.format_map(fields)) else ""
        return shown(f"{code.severity}[{code.name}] {place}{message}{remedy}")


def worst(findings: Iterable[Finding]) -> str:
    """The highest severity among them, or ``""``."""
    found = {finding.severity for finding in findings}
    return next((severity for severity in (ERROR, REVIEW, INFO) if severity in found), "")


def catalogue(*names: dict[str, object]) -> dict[str, Code]:
    """The codes among the names of modules, by their own. Raises ValueError for one that is there twice."""
    found: dict[str, Code] = {}
    for code in (one for module in names for one in module.values() if isinstance(one, Code)):
        if found.setdefault(code.name, code) is not code:
            raise ValueError(f"two findings are called {code.name}")
    return found
