"""What ``echo -e`` and ``printf`` print. Pure."""

from __future__ import annotations

from migrate02.formats.layers.escapes import of_c
from migrate02.formats.layers.layer import Layer, as_it_is, token

_OF_PRINTF = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_PRINTF_ESCAPE = r"\\(?:[0-7]{1,3}|[abfnrtv\\])"


def _of_printf(said: str) -> str:
    return "%" if said == "%%" else of_c(said, _OF_PRINTF, as_it_is)


def _escaped_line_ends(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


PRINTF = Layer(
    "a format of printf",
    token(rf"(?P<escape>%%|{_PRINTF_ESCAPE})|(?P<placeholder>%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z])"),
    _of_printf,
    lambda text: _escaped_line_ends(text).replace("%", "%%"),
)
ECHO = Layer(
    "words of echo -e",
    token(r"(?P<escape>\\(?:0[0-7]{1,3}|[abfnrtv\\]))"),
    lambda said: chr(int(said[2:], 8) & 0xFF) if said[1] == "0" else _OF_PRINTF[said[1]],
    _escaped_line_ends,
)
