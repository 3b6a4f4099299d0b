"""How the text of one setting becomes its value, with etcd's words when it cannot. Pure.

Facts: Go 1.19's flag package, which etcd 2.3.8 reads its command line with (seen with the binary).
"""

from server.config.settings import Setting
from server.config.urls import UrlError, check_url, parse_urls

Value = str | bool | int | tuple[str, ...]

_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_BASES = {"0x": 16, "0o": 8, "0b": 2}
_MAX_UINT = 2**64 - 1
"""Go's uint, on 64-bit machines."""

_INT_RANGE = (-(2**63), 2**63 - 1)
"""Go's int, on 64-bit machines."""


class BadValue(ValueError):
    """A text that is not a value of its setting; the message is etcd's reason, without the setting's name."""


def parse_value(setting: Setting, text: str) -> Value:
    """The value of a setting: URL lists and origins as tuples, numbers as int. Raises BadValue."""
    match setting.kind:
        case "bool":
            if text not in _BOOLEANS:
                raise BadValue("parse error")
            return _BOOLEANS[text]
        case "uint":
            return parse_uint(text)
        case "int":
            return _parse_int(text)
        case "url-list":
            try:
                return tuple(parse_urls(text))
            except UrlError as error:
                raise BadValue(str(error)) from None
        case "enum":
            if text not in setting.values:
                raise BadValue("invalid value")
            return text
        case "origins":
            origins = tuple(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))
            for origin in origins:
                if origin != "*":
                    _check_origin(origin)
            return origins
        case "string":
            return text


def _check_origin(origin: str) -> None:
    try:
        check_url(origin)
    except UrlError as error:
        raise BadValue(f"Invalid CORS origin: {error}") from None


def parse_uint(text: str) -> int:
    """An unsigned 64-bit number: decimal, 0x, 0o, 0b or octal with a leading 0; no sign, unit or fraction."""
    number = _digits(text)
    if number > _MAX_UINT:
        raise BadValue("value out of range")
    return number


def _parse_int(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    number = sign * _digits(text[1:] if text[:1] in ("+", "-") else text)
    if not _INT_RANGE[0] <= number <= _INT_RANGE[1]:
        raise BadValue("value out of range")
    return number


def _digits(text: str) -> int:
    base = _BASES.get(text[:2].lower(), 8 if text.startswith("0") and len(text) > 1 else 10)
    if not text.isascii() or not text[:1].isdigit() or not text[-1:].isalnum():
        raise BadValue("parse error")
    try:
        return int(text, base)
    except ValueError:
        raise BadValue("parse error") from None
