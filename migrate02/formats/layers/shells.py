"""What shells read: here-documents, quotes of all kinds, words without quotes. Pure."""

from __future__ import annotations

import re
from functools import cache

from migrate02.formats.layers.escapes import of_c, with_backslash, without_backslash
from migrate02.formats.layers.layer import AS_IT_IS, Layer, token
from migrate02.formats.placeholders import MARKER, SUBSTITUTION

BRACES = r"\$\{(?:[^{}]|\{[^{}]*+\})*+\}"
SHELL_PLACEHOLDER = rf"{SUBSTITUTION}|{BRACES}|\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])"
"""What a shell fills in."""


def _before(characters: str) -> str:
    """Backslashes that a shell would drop, or that could come to stand before something."""
    return rf"\\(?=[{characters}\\]|\r?\n|\Z)|[{characters}]"


_IN_HERE = _before("$`")
_IN_DOUBLE = _before('$`"')

HERE = Layer(
    "an unquoted here-document",
    token(rf"(?P<gone>\\\n)|(?P<escape>\\[$`\\])|(?P<placeholder>{SHELL_PLACEHOLDER})"),
    without_backslash,
    lambda text: re.sub(_IN_HERE, with_backslash, text),
)
QUOTED_HERE = AS_IT_IS._replace(name="a here-document")


@cache
def here(*, quoted: bool, tabs: str | None = None) -> Layer:
    """A here-document; ``tabs`` before each of its lines where ``<<-`` takes them away."""
    plain = QUOTED_HERE if quoted else HERE
    if tabs is None:
        return plain
    beginning = r"(?:(?<=\n)|(?<![\s\S]))\t+"
    pattern = (
        rf"(?P<gone>{beginning})"
        if quoted
        else rf"(?P<escape>\\\n\t*|\\[$`\\])|(?P<gone>{beginning})|(?P<placeholder>{SHELL_PLACEHOLDER})"
    )
    return plain._replace(
        name="a here-document behind <<-",
        token=token(pattern),
        unescape=lambda said: said[1:].removeprefix("\n"),
        escape=lambda text: re.sub(r"\n(?=[^\r\n])", "\n" + tabs, plain.escape(text)),
        refused=(r"\n\t"),
        refused_first=(r"\t"),
    )


DOUBLE = Layer(
    "double quotes",
    token(
        rf"(?P<gone>\\\n)|(?P<escape>\\[$`\"\\])|(?P<placeholder>{SHELL_PLACEHOLDER}|\"(?:'[^']*'|\\.|{BRACES}|[^\"'\\])*+\")"
    ),
    without_backslash,
    lambda text: re.sub(_IN_DOUBLE, with_backslash, text),
)
"""A second pair in the same word, ``"a"'b'"c"``, is handed on as something filled in."""

VALUE = DOUBLE._replace(
    name="a variable's value",
    token=token(rf"(?P<gone>\\\n)|(?P<as_it_is>{SHELL_PLACEHOLDER}|\\[$`])|(?P<escape>\\[\"\\])"),
    unescape=lambda found: found if found[0] in "$`" or found[1] in "$`" else found[1:],
    escape=lambda text: re.sub(r'(")', r"\\\1", text),
)
"""In double quotes too, and looked at by whoever knows the variables: they stand in the inner text as they are."""

_BROKEN_OFF = r"'(?:\"(?:\\.|[^\"\\])*+\"|\\.|[^'\"\\\s])*+'"


SINGLE = Layer(
    "single quotes",
    token(rf"(?P<escape>'\\''|'\"'\"')|(?P<placeholder>{_BROKEN_OFF})"),
    lambda _found: "'",
    lambda text: text.replace("'", "'\\''"),
    lambda raw: raw if raw[:1] == "'" else f"'\"{raw}\"'",
)
"""They hold what is filled in where they are broken off: ``'-name '"$NAME"' -v'``."""

_ANSI = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}

_C_ESCAPE = r"\\(?:x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|.)"


def _of_dollar_quotes(said: str) -> str:
    return of_c(said, _ANSI, lambda found: found[1] if found[1] in "\\'\"?" else found)


ANSI_C = Layer(
    "$'...'",
    token(f"(?P<escape>{_C_ESCAPE})"),
    _of_dollar_quotes,
    lambda text: re.sub(r"['\\]", with_backslash, text),
    refused=(rf"\0|{MARKER}"),
)

BARE = Layer(
    "a word without quotes",
    token(
        rf"(?P<gone>\\\n)|(?P<escape>\\.)|(?P<placeholder>{SHELL_PLACEHOLDER}|'[^']*'|\"(?:\\.|{SUBSTITUTION}|[^\"\\])*+\")"
    ),
    without_backslash,
    lambda text: re.sub(r"[^\w@%+=:,./-]", with_backslash, text),
    refused=(r"\n"),
)
