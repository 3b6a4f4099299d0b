"""What somebody fills in before etcd sees it: ``%H``, ``{{ ip }}``, ``<%= ip %>``. Text to text.

Taken out of the way of the translation, which knows only ``$`` for such things, and put back into what comes of it.
"""

from __future__ import annotations

import re

# All of these take time in proportion to the text: what is begun again is not looked through a second time.
IN_BRACES = r"\{\{(?:(?!\{\{|\}\}).)*+\}\}|<%(?:(?!<%|%>).)*+%>"
TEMPLATE = rf"%\([A-Za-z_]+\)s|{IN_BRACES}|#\{{[^{{}}]*\}}|@[A-Za-z_]+@|\$\$(?:\w+|\{{[^{{}}]*\}}|\([^()]*\))"
"""Of Python and supervisord, Jinja and Go, ERB, Ruby, autoconf; and compose's ``$$``."""
SPECIFIER = r"%[A-Za-z]"
"""systemd's."""
_INSIDE = r"(?:[^()]++|\([^()]*+\)){0,100}+"
SUBSTITUTION = rf"\$\(\({_INSIDE}\)\)|\$\({_INSIDE}\)|`[^`]*+`"
"""A shell's, with no more than so many parentheses in it."""

HIDDEN_PORT = ":$_port_that_is_not_seen_"
"""Put behind an address that is one variable as a whole, for the port in it."""

_ONE_VARIABLE = re.compile(r"\s*\$(?:\w+|\{[^{}]*\})\s*\Z")


def with_port(address: str) -> str:
    """An advertised address, its port shown as hidden when it is one variable as a whole."""
    return address.strip() + HIDDEN_PORT if _ONE_VARIABLE.match(address) else address


_BACK = re.compile(r"\$\{_m([0-9a-f]+)_\}")


def mask(text: str, pattern: str = TEMPLATE) -> str:
    """The text with every such thing as a variable; ``unmask`` needs nothing else to undo it."""
    if not re.search(pattern, text):
        return text
    return re.sub(
        pattern, lambda found: "${_m" + found[0].encode("utf-8", "surrogateescape").hex() + "_}", text
    )


def unmask(text: str) -> str:
    text = text.replace(HIDDEN_PORT, "")
    if "${_m" not in text:
        return text
    return _BACK.sub(lambda found: bytes.fromhex(found[1]).decode("utf-8", "surrogateescape"), text)
