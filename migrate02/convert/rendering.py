"""Writes a translation out: as flags, an environment file, YAML, or JSON arguments. Text only.

Where the input has lines and the new text has lines too, comments, blank lines and order stay: every setting stands
where the one it came from stood, and what is left out stays as a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from compat.settings import Given
from migrate02.formats.document import Document, Piece
from migrate02.formats.placeholders import LITERAL_DOLLAR

FORMS = ("flags", "env", "yaml", "args-json")

_WIDTH = 100


class Marks(NamedTuple):
    """``left_out`` goes before a line that has no place in the new text, ``added`` above settings that had no line."""

    left_out: str
    added: str


MARKS_04 = Marks("# 0.4: ", "# Not set before; what etcd 0.4 did by default:")
MARKS_2X = Marks("# left out: ", "# Added:")


class NewSettings(NamedTuple):
    """``config`` is what to write; ``sources`` the given setting behind each; ``dead`` the lines of settings that have
    no effect: 0.4 never read them, or a later line says it again."""

    config: Mapping[str, str]
    sources: Mapping[str, str]
    given: Mapping[str, Given]
    dead: frozenset[int]
    marks: Marks


def render(document: Document, new: NewSettings, form: str) -> str:
    """The whole text in the given form, with the input's line ends."""
    lines = _RENDERERS[form](document, new)
    return document.newline.join([*lines, ""])


def _env(document: Document, new: NewSettings) -> list[str]:
    usual_lead = _usual_lead(document, new)

    def write(name: str, piece: Piece | None) -> list[str]:
        if piece is None or document.form != "env":
            return [assignment(_variable(name), new.config[name], lead=usual_lead)]
        value = new.config[name]
        filled_in = "$" in value and not any(
            "$" in text for text in piece.lines
        )  # by the name in initial-cluster
        return [assignment(_variable(name), value, lead=piece.lead, quote='"' if filled_in else piece.quote)]

    return _line_by_line(document, new, write, "env")


def _variable(name: str) -> str:
    return "ETCD_" + name.upper().replace("-", "_")


def assignment(variable: str, value: str, *, lead: str = "", quote: str = '"') -> str:
    """One line. A value that a shell would tear apart gets quotes whatever the line had before."""
    if not quote and (LITERAL_DOLLAR in value or re.search(r"[\s;&|<>()\"'`\\*?#~]", value)):
        quote = '"'
    if quote == '"':
        value = re.sub(r'(["\\`])', r"\\\1", value)
    value = value.replace(LITERAL_DOLLAR, "\\$" if quote == '"' else "$")
    if quote == "'" and "'" in value:
        value = value.replace("'", "'\\''")
    return f"{lead}{variable}={quote}{value}{quote}"


def _usual_lead(document: Document, new: NewSettings) -> str:
    """``export`` for what is added, when the file's own lines have it, or other lines export what they set."""
    if document.form != "env":
        return ""
    exported = {name for piece in document.pieces for name in piece.exports}
    if any(given.origin.name in exported for given in new.given.values()):
        return "export "
    return next((piece.lead for piece in document.pieces if piece.keys), "")


def _exports(piece: Piece, new: NewSettings) -> list[str]:
    """A line of exports under the new names; what was set elsewhere keeps its name."""
    names = [name for old in piece.exports for name in _new_variables(old, new)]
    if names == list(piece.exports):
        return list(piece.lines)
    if not names:
        return [_as_comment(line, new) for line in piece.lines]
    comment = "".join(f"  {text}" for text in piece.comments)
    return [f"{piece.lead}{' '.join(dict.fromkeys(names))}{comment}"]


def _new_variables(old: str, new: NewSettings) -> list[str]:
    sources = [given.name for given in new.given.values() if given.origin.name == old]
    if not sources:
        return [old]
    return [_variable(name) for name in new.config if new.sources.get(name) in sources]


def _yaml(document: Document, new: NewSettings) -> list[str]:
    """YAML takes a section (TLS) only once, so all of it stands where its first key stood."""
    from compat.flags2x import BY_NAME

    def section_of(name: str) -> str:
        return BY_NAME[name].yaml_key.rpartition(".")[0]

    written: set[str] = set()

    def write(name: str, piece: Piece | None) -> list[str]:
        del piece
        section = section_of(name)
        if not section:
            return [_yaml_line(name, new.config[name])]
        if section in written:
            return []
        written.add(section)
        inside = [item for item in new.config if section_of(item) == section]
        return [f"{section}:", *(f"  {_yaml_line(item, new.config[item])}" for item in inside)]

    return _line_by_line(document, new, write, "yaml")


def _yaml_line(name: str, value: str) -> str:
    """Texts are always quoted: ``name: on`` would be a boolean, and etcd refuses that."""
    import json

    from compat.flags2x import BY_NAME

    flag = BY_NAME[name]
    text = value if flag.kind in ("bool", "uint", "int") else json.dumps(value, ensure_ascii=False)
    return f"{flag.yaml_key.rpartition('.')[2]}: {text}"


def _flags(document: Document, new: NewSettings) -> list[str]:
    words = [
        " ".join(_for_a_shell(word) for word in _flag_words(name, value))
        for name, value in new.config.items()
    ]
    head, tail = " ".join(document.program) or "etcd", " ".join(document.tail)
    parts = [part for part in (head, *words, tail) if part]
    one_line = " ".join(parts)
    if len(one_line) <= _WIDTH:
        return [*_comments(document, new), one_line]
    lines = [parts[0], *(f"  {part}" for part in parts[1:])]
    return [*_comments(document, new), *(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _for_a_shell(word: str) -> str:
    """What is to be filled in must not stand in single quotes."""
    plain = word.replace(LITERAL_DOLLAR, "")
    if "$" in plain or "`" in plain:
        escaped = re.sub(r'(["\\])', r"\\\1", word).replace(LITERAL_DOLLAR, "\\$")
        return f'"{escaped}"'
    from shlex import quote  # late: most texts are no command lines

    return quote(word.replace(LITERAL_DOLLAR, "$"))


def _args_json(document: Document, new: NewSettings) -> list[str]:
    import json
    import shlex

    words = [word for word in shlex.split(" ".join(document.program)) if word != "exec"]
    if words and "=" in words[0]:
        words.insert(0, "env")  # there is no shell to read a variable
    for name, value in new.config.items():
        words += _flag_words(name, value)
    return [json.dumps(words, ensure_ascii=False)]


def _flag_words(name: str, value: str) -> list[str]:
    """A boolean takes its value after ``=``; so must a value that starts like a flag, to be read by a person."""
    if value in ("true", "false") or value.startswith("-") or not value:
        return [f"--{name}={value}"]
    return [f"--{name}", value]


def _comments(document: Document, new: NewSettings) -> list[str]:
    """Everything in the input that is no setting."""
    found: list[str] = []
    for piece in document.pieces:
        found += piece.comments
        if not piece.keys and not piece.structural:
            found += [_as_comment(line, new) for line in piece.lines if line.strip()]
    return found


_Write = Callable[[str, Piece | None], list[str]]
"""(setting, the piece it came from) -> its lines."""


def _line_by_line(document: Document, new: NewSettings, write: _Write, form: str) -> list[str]:
    by_key = {_key(given): given for given in new.given.values()}
    of_source: dict[str, list[str]] = {}
    for name in new.config:
        of_source.setdefault(new.sources.get(name, ""), []).append(name)
    written: set[str] = set()
    lines: list[str] = []
    for piece in document.pieces:
        if piece.exports and document.form == form:
            lines += _exports(piece, new)
            continue
        given = [by_key[key] for key in piece.keys if key in by_key]
        names = [name for item in given for name in of_source.get(item.name, []) if name not in written]
        written.update(names)
        if document.form == form and _stays(new, piece, given, names):
            lines += piece.lines
            continue
        lines += piece.comments if names or piece.structural else ()
        if names:
            lines += [line for name in names for line in write(name, piece)]
        elif not piece.structural:
            lines += [_as_comment(line, new) for line in piece.lines]
    added = [line for name in new.config if name not in written for line in write(name, None)]
    return [*lines, *([new.marks.added] if added and document.pieces else []), *added]


def _stays(new: NewSettings, piece: Piece, given: list[Given], names: list[str]) -> bool:
    """Whether a piece of a file that keeps its form stays as it is: nothing in it changes, or it is not ours."""
    if piece.structural:
        return False
    if not given:
        return not any(_line_of(key) in new.dead for key in piece.keys)
    if len(given) != 1 or names != [given[0].name]:
        return False
    written_as = given[0].origin.name in (_variable(names[0]), names[0])
    return written_as and given[0].value == new.config[names[0]]


def _as_comment(line: str, new: NewSettings) -> str:
    text = line.lstrip()
    if not text or text.startswith("#"):
        return text if "\t" in line[: len(line) - len(text)] else line  # YAML takes no tab there
    return new.marks.left_out + line


def _key(given: Given) -> str:
    """As the formats name their pieces: a variable may come twice in a file, a TOML key only once."""
    origin = given.origin
    return f"{origin.name}@{origin.line}" if origin.kind == "variable" else origin.name


def _line_of(key: str) -> int:
    return int(key.rpartition("@")[2]) if "@" in key else 0


_RENDERERS: dict[str, Callable[[Document, NewSettings], list[str]]] = {
    "env": _env,
    "yaml": _yaml,
    "flags": _flags,
    "args-json": _args_json,
}
