"""JSON of any depth. The standard decoder gives up some 500 directories down, where a key may well lie."""

from __future__ import annotations

import json
import re
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_SCALARS = json.JSONDecoder()


def loads(text: str, scalars: json.JSONDecoder = _SCALARS) -> Any:
    """The value of a JSON document; ``scalars`` reads what is neither an object nor an array. Raises ValueError."""
    try:
        return scalars.decode(text)
    except RecursionError:
        return _DeepDecoder(text, scalars).document()


class _DeepDecoder:
    """A decoder that keeps the open objects and arrays in a list rather than on the call stack."""

    def __init__(self, text: str, scalars: json.JSONDecoder = _SCALARS) -> None:
        self._text = text
        self._scalars = scalars
        self._at = 0

    def document(self) -> Any:
        value = self._whole_value()
        if self._peek():
            raise self._error("nothing more")
        return value

    def _whole_value(self) -> Any:
        open_containers: list[dict[str, Any] | list[Any]] = []
        name: str | None = None
        names: list[str | None] = []
        while True:
            value = self._opening_or_scalar()
            if isinstance(value, dict | list):
                if self._peek() != ("}" if isinstance(value, dict) else "]"):
                    open_containers.append(value)
                    names.append(name)
                    name = self._name() if isinstance(value, dict) else None
                    continue
                self._at += 1
            # A value is complete: put it where it belongs, and close what ends with it.
            while open_containers:
                container = open_containers[-1]
                if isinstance(container, dict):
                    assert name is not None, "a member of an object has a name"
                    container[name] = value
                else:
                    container.append(value)
                following = self._peek()
                if following == ",":
                    self._at += 1
                    name = self._name() if isinstance(container, dict) else None
                    break
                if following != ("}" if isinstance(container, dict) else "]"):
                    raise self._error("a comma or the end of the object or array")
                self._at += 1
                value, name = open_containers.pop(), names.pop()
            else:
                return value

    def _opening_or_scalar(self) -> Any:
        """A scalar's value, or an empty container of which only the first bracket is read."""
        char = self._peek()
        if char == "{":
            self._at += 1
            return {}
        if char == "[":
            self._at += 1
            return []
        return self._scalar()

    def _name(self) -> str:
        if self._peek() != '"':
            raise self._error("a name in quotes")
        name = str(self._scalar())
        if self._peek() != ":":
            raise self._error("a colon")
        self._at += 1
        return name

    def _scalar(self) -> Any:
        value, self._at = self._scalars.raw_decode(self._text, self._at)
        return value

    def _peek(self) -> str:
        """The next character that is not space, "" at the end."""
        space = _SPACE.match(self._text, self._at)
        assert space is not None, "matches the empty text too"
        self._at = space.end()
        return self._text[self._at : self._at + 1]

    def _error(self, wanted: str) -> json.JSONDecodeError:
        return json.JSONDecodeError(f"Expecting {wanted}", self._text, self._at)
