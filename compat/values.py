"""What 0.4 and 2.3.8 say to the value of a flag, and how 0.4 read its variables. Text to text."""

from __future__ import annotations

import re

from compat.addresses import AddressError, parse_advertised, parse_bound
from compat.flags04 import ADVERTISED, ALIAS, BOOL, BOUND, FLOAT, INT, LIST, SAME, TIMING, Flag04
from compat.flags04 import BY_NAME as BY_NAME_04
from compat.goflag import FALSE, TRUE
from server.config import BY_NAME as BY_NAME_2X
from server.config.values import BadValue, parse_value

_INT = re.compile(r"[+-]?\d+\Z")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")


def refusal(name: str, value: str) -> str:
    """Why etcd refuses the value for the flag, in its words, or ``""``. ``name`` is a long name of 0.4 or 2.x.

    Where 2.3.8 ignores a flag with any value, so does this: 0.4's own type is asked only where the number is
    carried over.
    """
    old = BY_NAME_04.get(name)
    if old is not None and old.in_238 != SAME:
        return _refusal_04(old, value)
    new = BY_NAME_2X.get(name)
    if new is None:
        return ""
    try:
        parse_value(new, value)
    except BadValue as error:
        return str(error)
    return ""


def _refusal_04(flag: Flag04, value: str) -> str:
    if flag.in_238 == ALIAS:
        return address_refusal(flag, value)
    if flag.fate == TIMING and value and not _INT.match(value):
        return f'strconv.ParseInt: parsing "{value}": invalid syntax'
    if flag.name == "vvv" and value not in TRUE | FALSE:
        return f'strconv.ParseBool: parsing "{value}": invalid syntax'
    return ""


def address_refusal(flag: Flag04, value: str) -> str:
    try:
        if flag.kind == ADVERTISED:
            parse_advertised(value)
        elif flag.kind == BOUND:
            parse_bound(value)
    except AddressError as error:
        return str(error)
    return ""


def variable_04(flag: Flag04, text: str) -> tuple[str, str]:
    """(value, refusal) of a 0.4 variable: trimmed, any word but ``0`` and ``false`` is true, numbers must parse.

    0.4.9's refusal is ``Parse error: NAME: reason``.
    """
    text = text.strip()
    if flag.kind == BOOL:
        return ("false" if text in ("0", "false") else "true"), ""
    if flag.kind == LIST:
        return ",".join(item.strip() for item in text.split(",")), ""
    if flag.kind == INT and not _INT.match(text):
        return text, f'Parse error: {flag.variable}: strconv.ParseInt: parsing "{text}": invalid syntax'
    if flag.kind == FLOAT and not _FLOAT.match(text):
        return text, f'Parse error: {flag.variable}: strconv.ParseFloat: parsing "{text}": invalid syntax'
    return text, ""
