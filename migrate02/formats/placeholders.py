"""What somebody fills in before etcd sees it: ``%H``, ``{{ ip }}``, ``$(hostname)``. Text to text.

Each stands in the text as a marker, ``${_m1_2449_}``, which every parser takes for one variable. A marker says what was
written (here ``$I``) and its level: which of the texts around it fills it in. Level 1 is the file's own language, level
2 that of a text inside it, and so on. Whoever writes a value into a text of some level writes the markers of that level
as they were, and hands those of the texts around on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# All of these take time in proportion to the text: what is begun again is not looked through a second time.
IN_BRACES = r"\{\{(?:(?!\{\{|\}\}).)*+\}\}|<%(?:(?!<%|%>).)*+%>"
TEMPLATE = rf"%\([A-Za-z_]+\)s|{IN_BRACES}|#\{{[^{{}}]*\}}|@[A-Za-z_]+@|\$\$(?:\w+|\{{[^{{}}]*\}}|\([^()]*\))"
"""Of Python and supervisord, Jinja and Go, ERB, Ruby, autoconf; and compose's ``$$``."""
SPECIFIER = r"%[A-Za-z]"
"""systemd's."""
_INSIDE = r"(?:[^()]++|\([^()]*+\)){0,100}+"
SUBSTITUTION = rf"\$\(\({_INSIDE}\)\)|\$\({_INSIDE}\)|`[^`]*+`"
"""A shell's, with no more than so many parentheses in it."""
MARKER = r"\$\{_m\d*_(?:[0-9a-f]{2})+_\}"
VARIABLE = r"\$(?:[A-Za-z_]\w*|\{[^{}]*\})"
"""A shell's, systemd's, Terraform's."""

INNERMOST = 99
"""The level of what the text that is being read fills in itself."""

HIDDEN_PORT = ":$_port_that_is_not_seen_"
"""Put behind an address that is one variable as a whole, for the port in it."""

_ONE_VARIABLE = re.compile(r"\s*\$(?:\w+|\{[^{}]*\})\s*\Z")


def with_port(address: str) -> str:
    """An advertised address, its port shown as hidden when it is one variable as a whole."""
    return address.strip() + HIDDEN_PORT if _ONE_VARIABLE.match(address) else address


_BACK = re.compile(r"\$\{_m(\d*)_((?:[0-9a-f]{2})+)_\}")


def placeholder(raw: str, level: int = INNERMOST) -> str:
    """The marker for what is filled in."""
    return f"${{_m{level}_{_hex(raw)}_}}"


def literal(raw: str) -> str:
    """The marker for what looks like something to be filled in, and is not: a ``$`` in single quotes."""
    return f"${{_m_{_hex(raw)}_}}"


def _hex(raw: str) -> str:
    return raw.encode("utf-8", "surrogatepass").hex()


def _raw(found: re.Match[str]) -> str:
    try:
        return bytes.fromhex(found[2]).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return found[0]  # no marker of ours


LITERAL_DOLLAR = literal("$")

_SIGN = re.compile(r"[%{<#@$`]")
"""Whatever is filled in begins with one of these; most words have none."""


def mask(text: str, pattern: str = TEMPLATE, level: int = INNERMOST) -> str:
    """The text with a marker in the place of all that the pattern matches; markers in it stay."""
    if not _SIGN.search(text) or not re.search(pattern, text):
        return text
    return re.sub(
        f"{MARKER}|{pattern}",
        lambda found: found[0] if _BACK.fullmatch(found[0]) else placeholder(found[0], level),
        text,
    )


def unmask(text: str) -> str:
    """The text with what every marker stands for, for a person or for the file as a whole."""
    text = text.replace(HIDDEN_PORT, "")
    while "${_m" in text:
        before, text = text, _BACK.sub(_raw, text)
        if text == before:
            break
    return text


def restore(text: str, level: int) -> str:
    """What a value says in a text of this level: only the markers of the texts around it are left."""
    return "".join(said for _, said in segments(text, level)) if "${_m" in text else text


def filled_back(text: str, level: int) -> str:
    """As ``restore``, but what only looks like something to be filled in is a marker still."""
    if "${_m" not in text:
        return text
    return _BACK.sub(lambda found: _raw(found) if found[1] and int(found[1]) >= level else found[0], text)


LITERAL, PLACEHOLDER, OUTER = "literal", "placeholder", "outer"
"""Kinds of segments: plain text; what is filled in at this level, as it is written; a marker of a text around."""


def segments(text: str, level: int) -> Iterator[tuple[str, str]]:
    """A value in pieces, as it is to be written into a text of this level."""
    if "${_m" not in text:
        if text:
            yield LITERAL, text
        return
    at = 0
    said = ""
    for found in _BACK.finditer(text):
        said += text[at : found.start()]
        at = found.end()
        if not found[1]:
            said += _raw(found)
            continue
        if said:
            yield LITERAL, said
            said = ""
        yield (PLACEHOLDER, _raw(found)) if int(found[1]) >= level else (OUTER, found[0])
    said += text[at:]
    if said:
        yield LITERAL, said


def resolved(text: str, resolve: Callable[[str], str]) -> str:
    """The text with each marker as ``resolve`` says that what it stands for is."""
    return _BACK.sub(lambda found: resolve(_raw(found)), text) if "${_m" in text else text
