"""What 0.4 and 2.3.8 say to the value of a flag, and how 0.4 read its variables. Text to text."""

from __future__ import annotations

import re

from compat.addresses import AddressError, parse_advertised, parse_bound
from compat.flags04 import ADVERTISED, ALIAS, BOOL, BOUND, COMMAND, FLOAT, INT, LIST, Flag04
from compat.flags04 import BY_NAME as BY_NAME_04
from compat.goflag import FALSE, TRUE
from compat.placeholder import is_incomplete

_DECIMAL = r"(?a:[+-]?\d+)"
_FLOAT = r"(?a:[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)"


def refusal(name: str, value: str, *, template: bool = False) -> str:
    """Why etcd 2.3.8 refuses the value for the flag, in its words, or ``""``. ``name`` is a long name of 0.4 or 2.x.

    What 2.3.8 ignores it ignores with any value. Addresses are asked of 0.4, which took more. In a ``template``, text
    that a shell, a tool or a person fills in before etcd sees it, such a 2.x value cannot be judged.
    """
    old = BY_NAME_04.get(name)
    if old is not None and old.in_238 == ALIAS:
        return address_refusal(old, value)
    if old is not None and old.fate == COMMAND:
        return refusal_04(old, value)
    from server.config import BY_NAME as BY_NAME_2X  # late: a file of numbers and addresses has no use for it
    from server.config.values import BadValue, parse_value

    new = BY_NAME_2X.get(name)
    if new is None or (template and is_to_fill_in(value)):
        return ""
    try:
        parse_value(new, value)
    except BadValue as error:
        return str(error)
    return ""


def is_to_fill_in(value: str) -> bool:
    """Whether it is another text by the time etcd sees it."""
    return "$" in value or is_incomplete(value)


def refusal_04(flag: Flag04, value: str) -> str:
    """Why 0.4 refuses the value on its command line, or ``""``."""
    if flag.kind == BOOL:
        good = value in TRUE | FALSE
    elif flag.kind == INT:
        good = go_int(value) is not None
    else:
        good = flag.kind != FLOAT or bool(re.fullmatch(_FLOAT, value))
    return "" if good else "parse error"


def go_int(text: str) -> int | None:
    """A whole number as Go's flag package reads it: decimal, 0x hexadecimal, octal with a leading 0."""
    if text.isascii() and text.isdigit() and (text == "0" or not text.startswith("0")) and len(text) < 19:
        return int(text)
    from server.config import Setting
    from server.config.values import BadValue, parse_value

    try:
        number = parse_value(Setting("", "int", "", ""), text)
    except BadValue:
        return None
    return number if isinstance(number, int) else None


def address_refusal(flag: Flag04, value: str) -> str:
    """As ``refusal``, for the four addresses. An empty bound one is 0.4's default."""
    try:
        if flag.kind == ADVERTISED:
            parse_advertised(value)
        elif flag.kind == BOUND and value.strip():
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
    if flag.kind == INT:
        if len(text) < 20 and re.fullmatch(_DECIMAL, text):
            return str(int(text)), ""  # decimal even with a leading 0, unlike a flag
        return text, f'Parse error: {flag.variable}: strconv.ParseInt: parsing "{text}": invalid syntax'
    if flag.kind == FLOAT and not re.fullmatch(_FLOAT, text):
        return text, f'Parse error: {flag.variable}: strconv.ParseFloat: parsing "{text}": invalid syntax'
    return text, ""
