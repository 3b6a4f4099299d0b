"""What systemd reads in its units: quotes, escapes, ``%`` specifiers and variables. Pure."""

from __future__ import annotations

import re
from functools import cache

from migrate02.formats.layers.escapes import of_c
from migrate02.formats.layers.layer import Layer, token

_OF_SYSTEMD = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
SYSTEMD_ESCAPE = r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[^\r\n])"
SYSTEMD_PLACEHOLDER = r"%[A-Za-z]|\$\{\w+\}"


def unescaped_by_systemd(said: str) -> str:
    """One escape, by systemd.service(5) and systemd.syntax(7); what it does not know it keeps."""
    if said in ("%%", "$$"):
        return said[0]
    if "\n" in said:
        return " "
    return of_c(said, _OF_SYSTEMD, lambda found: found[1] if found[1] in "\\'\"" else found)


def _in_systemd(quote: str, text: str, *, doubled: bool) -> str:
    said = text.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n").replace("\r", "\\r")
    return re.sub(r"\$" if doubled else r"\$(?=[{$]|\Z)", "$$", said).replace("%", "%%")


@cache
def systemd(quote: str, *, doubled: bool = False) -> Layer:
    """``doubled``: every ``$`` is written as ``$$``, also where it need not be."""
    folded = r"[ \t]*\\\r?\n(?:[ \t]*[#;][^\n]*\n)*"
    return Layer(
        f"systemd's quotes ({quote})",
        token(rf"(?P<escape>%%|\$\$|{folded}|{SYSTEMD_ESCAPE})|(?P<placeholder>{SYSTEMD_PLACEHOLDER})"),
        unescaped_by_systemd,
        lambda text: _in_systemd(quote, text, doubled=doubled),
        refused=(r"\0"),
    )
