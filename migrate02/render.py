"""Writes a translation out: as flags, an environment file, YAML, or JSON arguments. Text only.

Where the input has lines and the result has lines too, comments, blank lines and order stay: every setting stands
where the one it came from stood, and what is left out stays as a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from compat.settings import Given
from migrate02.formats.document import Document, Piece

FORMS = ("flags", "env", "yaml", "args-json")

LEFT_OUT = "# 0.4: "
"""Before a line that has no place in the result."""
ADDED = "# Not set before; what etcd 0.4 did by default:"

_WIDTH = 100


class Result(NamedTuple):
    """``config`` is what to write; ``sources`` the given setting behind each; ``told`` the lines of settings that
    0.4 never read."""

    config: Mapping[str, str]
    sources: Mapping[str, str]
    given: Mapping[str, Given]
    told: frozenset[int]


def render(document: Document, result: Result, form: str) -> str:
    """The whole text in the given form, with the input's line ends."""
    lines = _RENDERERS[form](document, result)
    return document.newline.join([*lines, ""])


def _env(document: Document, result: Result) -> list[str]:
    def line(name: str, piece: Piece | None) -> str:
        variable = "ETCD_" + name.upper().replace("-", "_")
        if piece is None or document.form != "env":
            return assignment(variable, result.config[name], lead=_usual_lead(document))
        return assignment(variable, result.config[name], lead=piece.lead, quote=piece.quote)

    return _in_place(document, result, line, keep_other_lines=document.form == "env")


def assignment(variable: str, value: str, *, lead: str = "", quote: str = '"') -> str:
    """One line. A value that a shell would tear apart gets quotes whatever the line had before."""
    if not quote and re.search(r"[\s;&|<>()\"'`\\*?#~]", value):
        quote = '"'
    if quote == '"':
        value = re.sub(r'(["\\`])', r"\\\1", value)
    if quote == "'" and "'" in value:
        value = value.replace("'", "'\\''")
    return f"{lead}{variable}={quote}{value}{quote}"


def _usual_lead(document: Document) -> str:
    """``export`` for what is added, when the file's own lines have it."""
    leads = [piece.lead for piece in document.pieces if piece.keys]
    return leads[0] if leads and document.form == "env" else ""


def _yaml(document: Document, result: Result) -> list[str]:
    """Keys inside a section (TLS) are gathered at the end: YAML takes a section only once."""
    from compat.flags2x import BY_NAME

    sections: dict[str, list[str]] = {}
    flat: dict[str, str] = {}
    for name, value in result.config.items():
        section, _, key = BY_NAME[name].yaml_key.rpartition(".")
        if section:
            sections.setdefault(section, []).append(f"  {key}: {_yaml_value(name, value)}")
        else:
            flat[name] = value

    def line(name: str, piece: Piece | None) -> str:
        del piece
        return f"{BY_NAME[name].yaml_key}: {_yaml_value(name, flat[name])}"

    lines = _in_place(document, result._replace(config=flat), line, keep_other_lines=False)
    for section, keys in sections.items():
        lines += [f"{section}:", *keys]
    return lines


def _yaml_value(name: str, value: str) -> str:
    """Texts are always quoted: ``name: on`` would be a boolean, and etcd refuses that."""
    import json

    from compat.flags2x import BY_NAME

    if BY_NAME[name].kind in ("bool", "uint", "int"):
        return value
    return json.dumps(value, ensure_ascii=False)


def _flags(document: Document, result: Result) -> list[str]:
    import shlex

    words = [
        " ".join(shlex.quote(word) for word in _flag_words(name, value))
        for name, value in result.config.items()
    ]
    program = " ".join(shlex.quote(word) for word in document.program) or "etcd"
    one_line = " ".join([program, *words])
    comments = _comments(document)
    if len(one_line) <= _WIDTH:
        return [*comments, one_line]
    return [*comments, f"{program} \\", *(f"  {word} \\" for word in words[:-1]), f"  {words[-1]}"]


def _args_json(document: Document, result: Result) -> list[str]:
    import json

    words = list(document.program)
    for name, value in result.config.items():
        words += _flag_words(name, value)
    return [json.dumps(words, ensure_ascii=False)]


def _flag_words(name: str, value: str) -> list[str]:
    """A boolean takes its value after ``=``; so must a value that starts like a flag, to be read by a person."""
    if value in ("true", "false") or value.startswith("-") or not value:
        return [f"--{name}={value}"]
    return [f"--{name}", value]


def _comments(document: Document) -> list[str]:
    found = []
    for piece in document.pieces:
        if piece.comment:
            found.append(piece.comment)
        elif not piece.keys and not piece.structural:
            found += [line for line in piece.lines if line.lstrip().startswith("#")]
    return found


_Line = Callable[[str, Piece | None], str]


def _in_place(document: Document, result: Result, line: _Line, *, keep_other_lines: bool) -> list[str]:
    by_key = {_key(given): given for given in result.given.values()}
    of_source: dict[str, list[str]] = {}
    for name in result.config:
        of_source.setdefault(result.sources.get(name, ""), []).append(name)
    placed: set[str] = set()
    lines: list[str] = []
    for piece in document.pieces:
        if piece.structural:
            lines += [piece.comment] if piece.comment else []
            continue
        if not piece.keys:
            lines += [
                text if keep_other_lines or _is_comment(text) else LEFT_OUT + text for text in piece.lines
            ]
            continue
        given = [by_key[key] for key in piece.keys if key in by_key]
        names = [name for item in given for name in of_source.get(item.name, []) if name not in placed]
        placed.update(names)
        lines += _piece_lines(document, result, piece, given, names, line)
    added = [name for name in result.config if name not in placed]
    if added:
        lines += [*([ADDED] if document.pieces else []), *(line(name, None) for name in added)]
    return lines


def _piece_lines(
    document: Document, result: Result, piece: Piece, given: list[Given], names: list[str], line: _Line
) -> list[str]:
    if document.form == "env" and (
        _unchanged(result, given, names) or (not given and not _told(result, piece))
    ):
        return list(piece.lines)
    if not names:
        return [LEFT_OUT + text for text in piece.lines]
    return [*([piece.comment] if piece.comment else []), *(line(name, piece) for name in names)]


def _unchanged(result: Result, given: list[Given], names: list[str]) -> bool:
    if len(given) != 1 or names != [given[0].name]:
        return False
    same_variable = given[0].origin.name == "ETCD_" + names[0].upper().replace("-", "_")
    return same_variable and given[0].value == result.config[names[0]]


def _told(result: Result, piece: Piece) -> bool:
    return any(int(key.rpartition("@")[2]) in result.told for key in piece.keys)


def _key(given: Given) -> str:
    """As the formats name their pieces: a variable may come twice in a file, a TOML key only once."""
    return (
        f"{given.origin.name}@{given.origin.line}" if given.origin.kind == "variable" else given.origin.name
    )


def _is_comment(text: str) -> bool:
    return not text.strip() or text.lstrip().startswith("#")


_RENDERERS: dict[str, Callable[[Document, Result], list[str]]] = {
    "env": _env,
    "yaml": _yaml,
    "flags": _flags,
    "args-json": _args_json,
}
