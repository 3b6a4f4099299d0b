"""JSON bodies read as Go's encoding/json reads them, with its words for what is wrong. Pure.

For requests whose answers quote those words. The only limit to the depth of nesting is Go's own.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from server.goquote import quote_as_go
from server.jsonrules import as_utf8, folded

_MAX_DEPTH = 10_000
"""Nested brackets that Go's encoding/json takes, since Go 1.15."""

_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_HEX = re.compile(rb"[0-9a-fA-F]*")
_DIGITS = re.compile(rb"[0-9]*")


class JsonError(ValueError):
    """What is not JSON, or does not have the expected shape; the message is Go's."""


class Token(NamedTuple):
    """A part of a JSON text at some depth: ``kind`` is ``key``, ``end`` (of an object or array), or what a value is
    to Go: object, array, string, number, bool, null. ``text`` is that of keys and strings."""

    kind: str
    depth: int
    text: str = ""


def tokens(data: bytes) -> Iterator[Token]:
    """The tokens of one JSON value. Raises JsonError at the first byte that is wrong, and for what follows the value.

    Who asks for no more after the value does not hear of what follows it.
    """
    scanner = _Scanner(data)
    closers: list[bytes] = []
    while True:
        first, depth = scanner.next(), len(closers)
        if first in _CONTAINERS:
            kind, closer = _CONTAINERS[first]
            if depth == _MAX_DEPTH:
                raise scanner.wrong("exceeded max depth")
            scanner.at += 1
            closers.append(closer)
            yield Token(kind, depth)
            if scanner.next() != closer:
                if closer == b"}":
                    yield _key(scanner, depth + 1)
                continue
        else:
            yield _scalar(scanner, first, depth)
        while closers and scanner.next() == closers[-1]:
            scanner.at += 1
            closers.pop()
            yield Token("end", len(closers))
        if not closers:
            break
        if scanner.next() != b",":
            raise scanner.wrong(_AFTER[closers[-1]])
        scanner.at += 1
        if closers[-1] == b"}":
            yield _key(scanner, len(closers))
    if scanner.next():
        raise scanner.wrong("after top-level value")


def strings_of(name: str, data: bytes, go_type: str) -> list[str]:
    """A list of strings, that of the member ``name`` of the object that ``data`` are; its name in any case.

    A missing one, and null in place of it, is empty. ``go_type`` names the object's type, for the error for what is
    no object. Raises JsonError.
    """
    found: list[str] = []
    fault = ""
    here = False  # in the list, or right before it
    filled = 0
    for token in tokens(data):
        if token.depth == 0 and token.kind not in ("object", "end", "null"):
            fault = fault or f"json: cannot unmarshal {token.kind} into Go value of type {go_type}"
        elif token.depth == 1 and token.kind == "key":
            here = token.text == name or folded(token.text) == folded(name)
        elif here and token.depth == 1:
            if token.kind == "array":
                filled = 0
            elif token.kind == "end":
                del found[filled:]
            elif token.kind == "null":
                found = []
            else:
                fault = (
                    fault
                    or f"json: cannot unmarshal {token.kind} into Go struct field .{name} of type []string"
                )
                here = False
        elif here and token.depth == 2 and token.kind != "end":
            if filled == len(found):
                found.append("")
            if token.kind == "string":
                found[filled] = token.text
            elif token.kind != "null":  # which leaves what stood there
                fault = (
                    fault
                    or f"json: cannot unmarshal {token.kind} into Go struct field .{name} of type string"
                )
            filled += 1
    if fault:
        raise JsonError(fault)
    return found


def string_of(name: str, data: bytes) -> str:
    """A string, that of the member ``name`` of the object that ``data`` begin with; its name in any case.

    A missing one, and null in place of it, is empty. What follows the object does not matter. Raises JsonError.
    """
    found, here, fits = "", False, True
    for token in tokens(data):
        if token.depth == 1 and token.kind == "key":
            here = folded(token.text) == folded(name)
        elif here and token.depth == 1:
            fits = fits and token.kind in ("string", "null")
            found = token.text if token.kind == "string" else found
            here = False
        elif token.depth == 0 and token.kind != "object":
            fits = fits and token.kind in ("end", "null")
            break
    if not fits:
        raise JsonError(f"the object has another shape than {name} and a string")
    return found


_CONTAINERS = {b"{": ("object", b"}"), b"[": ("array", b"]")}
_AFTER = {b"}": "after object key:value pair", b"]": "after array element"}


class _Scanner:
    """The bytes of a text, and how many of them are taken."""

    def __init__(self, data: bytes) -> None:
        self.data = (
            data + b" "
        )  # Go too tries a blank at the end, to see whether a number or literal is whole
        self.at = 0

    def next(self) -> bytes:
        """The next byte that is not a blank, left in place; empty at the end."""
        self.take(_SPACE)
        return self.data[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[bytes]) -> int:
        """Takes what is there of a kind; how many bytes that were."""
        match = pattern.match(self.data, self.at)
        assert match is not None
        self.at = match.end()
        return len(match[0])

    def take_one_of(self, choice: bytes) -> bool:
        found = self.data[self.at : self.at + 1]
        if not found or found not in choice:
            return False
        self.at += 1
        return True

    def wrong(self, where: str) -> JsonError:
        byte = self.data[self.at : self.at + 1]
        if not byte:
            return JsonError("unexpected end of JSON input")
        shown = _QUOTES.get(byte) or quote_as_go(byte.decode("latin-1").encode())[1:-1]
        return JsonError(f"invalid character '{shown}' {where}")


_QUOTES = {b"'": "\\'", b'"': '"'}


def _key(scanner: _Scanner, depth: int) -> Token:
    if scanner.next() != b'"':
        raise scanner.wrong("looking for beginning of object key string")
    key = Token("key", depth, _string(scanner))
    if scanner.next() != b":":
        raise scanner.wrong("after object key")
    scanner.at += 1
    return key


def _scalar(scanner: _Scanner, first: bytes, depth: int) -> Token:
    if first == b'"':
        return Token("string", depth, _string(scanner))
    if first in _LITERALS:
        kind, rest = _LITERALS[first]
        scanner.at += 1
        for position, expected in enumerate(rest):
            if not scanner.take_one_of(expected.encode()):
                literal = first.decode() + rest
                raise scanner.wrong(f"in literal {literal} (expecting '{rest[position]}')")
        return Token(kind, depth)
    if first == b"-" or first.isdigit():
        _number(scanner)
        return Token("number", depth)
    raise scanner.wrong("looking for beginning of value")


_LITERALS = {b"t": ("bool", "rue"), b"f": ("bool", "alse"), b"n": ("null", "ull")}


def _string(scanner: _Scanner) -> str:
    """The text of a string, all of it UTF-8."""
    begin = scanner.at
    scanner.take(_STRING)
    if not scanner.take_one_of(b'"'):
        if not scanner.take_one_of(b"\\"):
            raise scanner.wrong("in string literal")
        if not scanner.take_one_of(b"u"):
            raise scanner.wrong("in string escape code")
        scanner.take(_HEX)
        raise scanner.wrong("in \\u hexadecimal character escape")
    text: str = json.loads(scanner.data[begin : scanner.at].decode("utf-8", "surrogateescape"))
    return as_utf8(text)


def _number(scanner: _Scanner) -> None:
    if scanner.take_one_of(b"-") and not scanner.data[scanner.at : scanner.at + 1].isdigit():
        raise scanner.wrong("in numeric literal")
    if not scanner.take_one_of(b"0"):
        scanner.take(_DIGITS)
    if scanner.take_one_of(b".") and not scanner.take(_DIGITS):
        raise scanner.wrong("after decimal point in numeric literal")
    if scanner.take_one_of(b"eE"):
        scanner.take_one_of(b"+-")
        if not scanner.take(_DIGITS):
            raise scanner.wrong("in exponent of numeric literal")
