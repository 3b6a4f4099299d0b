"""Reads 0.4's TOML configuration file. Pure: text in, settings with their lines and findings out.

As 0.4.9 read it: keys without regard to case, unknown keys ignored without a word (told here), a value of the
wrong type refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from compat.codes import BAD_VALUE, KEY_ELSEWHERE, KEY_IGNORED, KEY_MISSPELT, KEY_OF_A_FLAG, WRONG_TYPE
from compat.findings import Finding
from compat.flags04 import BOOL, BY_TOML, COPY, FLOAT, INT, LIST, NEVER_READ, STRING, Flag04
from compat.likely import likely
from compat.settings import FILE, Given, Origin
from compat.values import refusal

TABLES = frozenset(name.partition(".")[0] for name in BY_TOML if "." in name)

_HEADER = r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?\Z"
_KEY = r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_.-]+)\s*="""
_TEXT_OR_COMMENT = r"""\"(?:\\.|[^"\\])*\"|'[^']*'|#[^\n]*"""
_DOTTED = r"(?m)^[ \t]*([A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+)[ \t]*="
"""``peer.addr = ...``: one key with a point in its name to the TOML of 0.4's time."""
_TYPES: dict[str, tuple[type, str]] = {
    BOOL: (bool, "true or false, without quotes"),
    INT: (int, "a whole number, without quotes"),
    FLOAT: (float, "a number with a decimal point, such as 10.0"),
    LIST: (list, 'a list of texts, such as ["a", "b"]'),
}
_TEXT = (str, 'a text in quotes, such as "m1"')


class Span(NamedTuple):
    """First and last line, counted from 1."""

    first: int
    last: int


class TomlFile(NamedTuple):
    """``spans`` maps each key (``peer.addr``, in lower case) to its lines."""

    given: list[Given]
    findings: list[Finding]
    spans: dict[str, Span]


class TomlError(ValueError):
    """The text is no TOML; the message has the parser's words and the line."""


MOST_GUESSES = 20
"""Keys of a file for which one is looked for that may have been meant; that takes longer than to read them."""
MOST_PARTS = 100
"""Of a key with dots in it. The time that the parser takes grows with their square."""
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_MANY_DOTS = rf"""(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MOST_PARTS}}}"""


def read_toml(text: str, file: str) -> TomlFile:
    """Raises TomlError."""
    import tomllib

    if many := re.search(_MANY_DOTS, text):
        line = text.count("\n", 0, many.start()) + 1
        raise TomlError(f"a key of more than {MOST_PARTS} parts (at line {line}, column 1)")
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        raise TomlError(str(error)) from None
    except RecursionError:
        raise TomlError("nested too deeply") from None
    spans = locate_keys(text)
    dotted = frozenset(match[1].lower() for match in re.finditer(_DOTTED, text))
    given: list[Given] = []
    findings: list[Finding] = []
    for key, value in _flattened(document):
        origin = Origin(FILE, key, file, line_of(spans, key.lower()))
        flag = BY_TOML.get(key.lower())
        if key.lower() in TABLES:
            findings.append(_no_table(key, value, origin))
        elif flag is None or key.lower() in dotted:
            findings.append(_never_read(key, value, origin, guess=len(findings) < MOST_GUESSES))
        elif not _has_type(flag, value):
            findings.append(_wrong_type(flag, key, value, origin))
        elif reason := _refusal(flag, value):
            findings.append(_refused(flag, key, value, reason, origin))
        elif value not in ("", []):
            given.append(Given(flag.name, _as_flag_value(value), origin))
    return TomlFile(given, findings, spans)


def locate_keys(text: str) -> dict[str, Span]:
    """The lines of each key, keys in lower case with their table. The text is known to be TOML."""
    spans: dict[str, Span] = {}
    table = ""
    name = ""
    open_ = _CLOSED  # a text or a list over several lines
    for number, line in enumerate(
        text.split("\n"), 1
    ):  # TOML's lines: other separators may stand in a comment
        if open_.quotes or open_.depth:
            open_ = _after(open_, line)
            spans[name] = Span(spans[name].first, number)
            continue
        header = re.match(_HEADER, line)
        if header:
            table = header[1].strip("\"' ").lower()
            continue
        key = re.match(_KEY, line)
        if key:
            name = key[1].strip("\"'").lower()
            name = f"{table}.{name}" if table else name
            spans[name] = Span(number, number)
            open_ = _opened(line[key.end() :].strip())
    return spans


def line_of(spans: dict[str, Span], key: str) -> int:
    """The line of a key, or of the inline table it stands in; 0 when it cannot be told."""
    span = spans.get(key) or spans.get(key.partition(".")[0])
    return span.first if span else 0


class _Open(NamedTuple):
    """What a value leaves open at the end of a line: the ``quotes`` of a text, or so many brackets of a list."""

    quotes: str = ""
    depth: int = 0


_CLOSED = _Open()


def _opened(value: str) -> _Open:
    for quotes in ('"""', "'''"):
        if value.startswith(quotes):
            return _CLOSED if quotes in value[3:] else _Open(quotes)
    return _Open(depth=max(_depth(value), 0)) if value.startswith("[") else _CLOSED


def _after(open_: _Open, line: str) -> _Open:
    """After one more line."""
    if open_.quotes:
        return _CLOSED if open_.quotes in line else open_
    return _Open(depth=max(open_.depth + _depth(line), 0))


def _depth(line: str) -> int:
    """How many more brackets a line opens than it closes."""
    bare = re.sub(_TEXT_OR_COMMENT, "", line)
    return bare.count("[") - bare.count("]")


def _flattened(document: dict[str, object]) -> list[tuple[str, object]]:
    """Keys with their table, ``peer.addr``; a table that 0.4 did not know stands for all its keys."""
    pairs: list[tuple[str, object]] = []
    for key, value in document.items():
        if isinstance(value, dict):
            pairs += [(f"{key}.{inner}", inner_value) for inner, inner_value in value.items()]
        else:
            pairs.append((key, value))
    return pairs


def _has_type(flag: Flag04, value: object) -> bool:
    kind = _TYPES.get(flag.kind, _TEXT)[0]
    if kind is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return type(value) is kind


def _as_flag_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(item).strip() for item in value)
    return str(value)


def _shown(value: object) -> str:
    """The value as TOML would write it, near enough for a message."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _refusal(flag: Flag04, value: object) -> str:
    """Why 2.x refuses a value that goes to it as it is, unlike 0.4 which took any text."""
    plain = flag.kind == STRING or (isinstance(value, int) and value >= 0)
    if flag.fate != COPY or plain:
        return ""
    return refusal(flag.name, _as_flag_value(value), template=True) if value else ""


def _refused(flag: Flag04, key: str, value: object, reason: str, origin: Origin) -> Finding:
    remedy = f"Give {key} a value that etcd takes."
    fields = {"value": _as_flag_value(value), "given": key, "reason": reason, "remedy": remedy}
    return BAD_VALUE.finding(flag.name, origin, **fields)


def _wrong_type(flag: Flag04, key: str, value: object, origin: Origin) -> Finding:
    wanted = _TYPES.get(flag.kind, _TEXT)[1]
    return WRONG_TYPE.finding(flag.name, origin, key=key, value=_shown(value), wanted=wanted)


def _no_table(key: str, value: object, origin: Origin) -> Finding:
    wanted = f"a table: [{key.lower()}]"
    return WRONG_TYPE.finding(key, origin, key=key, value=_shown(value), wanted=wanted)


def _never_read(key: str, value: object, origin: Origin, *, guess: bool) -> Finding:
    known = _meant(key.lower())
    shown = _shown(value)
    if known is None:
        if like := likely(key, BY_TOML) if guess else "":
            return KEY_MISSPELT.finding(key, origin, key=key, value=shown, like=like)
        return KEY_IGNORED.finding(key, origin, key=key, value=shown)
    if not known.toml:
        return KEY_OF_A_FLAG.finding(known.name, origin, key=key, value=shown, flag=known.name)
    table, _, inner = known.toml.rpartition(".")
    right = f"{inner} in the table [{table}]" if table else f"{inner} at the top of the file"
    return KEY_ELSEWHERE.finding(known.name, origin, key=key, value=shown, right=right)


def _meant(key: str) -> Flag04 | None:
    """The setting somebody may have meant: the right words with other joints, or in the wrong table."""
    documented = NEVER_READ.get(key)
    if documented is not None:
        return documented
    plain = key.replace("-", "_").replace(".", "_")
    for flag in BY_TOML.values():
        spelled = flag.toml.replace(".", "_")
        if plain in (spelled, spelled.partition("_")[2] if "." in flag.toml else spelled):
            return flag
    bare = key.rpartition(".")[2].replace("-", "_")
    return next((flag for flag in BY_TOML.values() if flag.toml.rpartition(".")[2] == bare), None)
