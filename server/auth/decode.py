"""JSON into typed records by the rules of Go's encoding/json, which differ from Python's.

Names are found in any case; unknown ones are ignored; null leaves a text or a structure as it is and takes a
list or an optional structure away; a name that comes again adds to what the first one began. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from json import JSONDecoder
from typing import Any, TypeVar

from server.jsonrules import as_utf8, folded

T = TypeVar("T")
Decoder = Callable[[Any, T], T]
"""From a parsed value, and what the field holds so far, to what it holds then."""

_SPACE = " \t\r\n"


class DecodeError(ValueError):
    """Bytes that are not JSON, or JSON of another shape."""


class _Members(list[tuple[str, Any]]):
    """The members of an object, in order and with those that come again."""


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_PARSER = JSONDecoder(
    object_pairs_hook=_Members,
    parse_int=lambda _: 0,  # no record has numbers, and a long one is slow to read
    parse_float=lambda _: 0,
    parse_constant=_refuse_constant,
)


def decode(data: bytes, decoder: Decoder[T], blank: T) -> T:
    """The first JSON value in ``data``, filled into ``blank``. Raises DecodeError.

    What follows it does not matter, as Go's stream decoder has it. Nesting is limited to what Python's parser takes,
    hundreds of levels.
    """
    text = data.decode("utf-8", "surrogateescape")
    try:
        value, _ = _PARSER.raw_decode(text, len(text) - len(text.lstrip(_SPACE)))
    except (ValueError, RecursionError) as error:
        raise DecodeError(str(error)) from None
    return decoder(value, blank)


def text(value: Any, old: str) -> str:
    """A string, all of it UTF-8."""
    if value is None:
        return old
    if not isinstance(value, str):
        raise DecodeError("a string is wanted")
    return as_utf8(value)


def texts(value: Any, old: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """A list of strings; null counts as no list, which differs from an empty one."""
    if value is None:
        return None
    if type(value) is not list:
        raise DecodeError("a list is wanted")
    before = (old or ())[: len(value)]
    before += ("",) * (len(value) - len(before))
    return tuple(map(text, value, before))


def structure(**fields: Decoder[Any]) -> Decoder[T]:
    """A dataclass of which the named fields come from members of the same names, in any case."""

    def read(value: Any, old: T) -> T:
        if value is None:
            return old
        if not isinstance(value, _Members):
            raise DecodeError("an object is wanted")
        found: dict[str, Any] = {}
        for name, inner in value:
            field = folded(name)
            if field in fields:
                so_far = found[field] if field in found else getattr(old, field)
                found[field] = fields[field](inner, so_far)
        return replace(old, **found)  # type: ignore[type-var]

    return read


def optional(decoder: Decoder[T], blank: T) -> Decoder[T | None]:
    """A structure that may be absent."""
    return lambda value, old: None if value is None else decoder(value, blank if old is None else old)
