"""The YAML file of etcd 3.0 and later. Only 2.x and 3.x settings can stand in it: there is nothing of 0.4 to find."""

from __future__ import annotations

import re

from compat.codes import BAD_VALUE
from compat.findings import Finding
from compat.flags2x import FLAGS
from compat.settings import FILE, Given, Origin
from compat.values import refusal
from migrate02.formats.document import Document, NothingToConvert, Piece, UnusableInput, lines_of, newline_of
from migrate02.formats.format import Context
from migrate02.formats.reading import Reading, settings_alone
from migrate02.formats.view import View

_KEY = re.compile(r"(\s*)([A-Za-z0-9-]+)\s*:(?:\s|\Z)")
NOT_IN_YAML = re.compile("[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\r(?!\n)")
"""Also the line ends that only YAML knows, a carriage return by itself among them."""

_COMMENT = re.compile(r"\s(#.*)\Z")


def read(view: View, _context: Context) -> Reading:
    """Raises UnusableInput when it is no YAML mapping, or none of etcd's."""
    import yaml

    from migrate02.formats.yamlparsing import check_aliases, check_depth

    text, name = view.text, view.name
    try:
        check_depth(text)
        check_aliases(text)
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise UnusableInput(f"broken YAML: {problem}", mark.line + 1 if mark else 0) from None
    if not isinstance(document, dict):
        raise NothingToConvert("no setting of etcd")
    by_key = {flag.yaml_key: flag for flag in FLAGS if flag.yaml_key}
    pieces, lines = _pieces(lines_of(text))
    given: list[Given] = []
    findings: list[Finding] = []
    for key, value in _flattened(document):
        flag = by_key.get(key)
        if flag is None or value is None:
            continue
        item = Given(flag.name, _text(value), Origin(FILE, key, name, lines.get(key, 0)))
        reason = refusal(flag.name, item.value, template=True)
        if reason:
            fields = {"value": item.value, "given": key, "reason": reason}
            remedy = "Give it a value that etcd takes."
            findings.append(BAD_VALUE.finding(flag.name, item.origin, remedy=remedy, **fields))
        given.append(item)
    if not given:
        raise NothingToConvert("no setting of etcd")
    return settings_alone(Document("yaml", "yaml", pieces, given, findings, newline_of(text)))


def _pieces(lines: list[str]) -> tuple[list[Piece], dict[str, int]]:
    """Block style, as every etcd.yml is written; also the line of each key, counted from 1."""
    pieces: list[Piece] = []
    places: dict[str, int] = {}
    section = ""
    more: list[str] = []  # lines of the last piece

    def complete() -> None:
        if more:
            pieces[-1] = pieces[-1]._replace(lines=(*pieces[-1].lines, *more))
            more.clear()

    for number, line in enumerate(lines, 1):
        key = _KEY.match(line)
        if key is None or (key[1] and not section):
            if _goes_on(line) and pieces and pieces[-1].keys:
                more.append(line)
            else:
                complete()
                pieces.append(Piece((line,), structural=line.strip() in ("---", "...")))
            continue
        complete()
        comment = _COMMENT.search(line)
        piece = Piece((line,), comments=(comment[1],) if comment else ())
        if not key[1]:
            section = "" if line[key.end() :].partition("#")[0].strip() else f"{key[2]}."
        if section and not key[1]:
            pieces.append(piece._replace(structural=True))
            continue
        name = section + key[2]
        places[name] = number
        pieces.append(piece._replace(keys=(name,)))
    complete()
    return pieces, places


def _goes_on(line: str) -> bool:
    """A line of a value over several lines."""
    return line[:1].isspace() and bool(line.strip()) and not line.lstrip().startswith("#")


def _flattened(document: dict[object, object]) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for key, value in document.items():
        if isinstance(value, dict):
            pairs += [(f"{key}.{inner}", inner_value) for inner, inner_value in value.items()]
        else:
            pairs.append((str(key), value))
    return pairs


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
