"""YAML's scalars, of all five styles. Pure."""

from __future__ import annotations

import json
import re
from functools import cache

from migrate02.formats.layers.escapes import of_c
from migrate02.formats.layers.layer import Layer, token

NOT_PRINTABLE = "[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What YAML takes in no text, but as an escape in double quotes."""
_OTHER_LINE_ENDS = "\x85\u2028\u2029"
_FOLD = r"[ \t]*\r?\n(?:[ \t]*\r?\n)*[ \t]*"
_OF_YAML = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}


def _of_yaml(said: str) -> str:
    """An escape, the end of a line, or a doubled quote."""
    if said[:1] == "\\" and "\n" in said:
        return "\n" * (said.count("\n") - 1)
    if said[:1] == "\\":
        return of_c(said, _OF_YAML, lambda found: found[1]) if said[1] not in "1234567" else said[1]
    if said == "''":
        return "'"
    return "\n" * (said.count("\n") - 1) or " "


def _escaped_in_yaml(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _in_yaml_double(text: str) -> str:
    said = json.dumps(text, ensure_ascii=False)[1:-1].replace("\\u000", "\\x0").replace("\\u001", "\\x1")
    return re.sub(f"{NOT_PRINTABLE}|[{_OTHER_LINE_ENDS}\ufeff]", _escaped_in_yaml, said)


YAML_DOUBLE = Layer(
    "a YAML text in double quotes",
    token(
        rf"(?P<escape>\\\r?\n(?:[ \t]*\r?\n)*[ \t]*|"
        rf"\\(?:x[0-9a-fA-F]{{2}}|u[0-9a-fA-F]{{4}}|U[0-9a-fA-F]{{8}}|.)|{_FOLD})"
    ),
    _of_yaml,
    _in_yaml_double,
    refused=("[\ud800-\udfff]"),
)
_ONE_LINE = f"{NOT_PRINTABLE}|[\r\n{_OTHER_LINE_ENDS}]"
YAML_SINGLE = Layer(
    "a YAML text in single quotes",
    token(rf"(?P<escape>''|{_FOLD})"),
    _of_yaml,
    lambda text: text.replace("'", "''"),
    refused=(_ONE_LINE),
)
_INDICATORS = "[ \t,\\[\\]{}#&*!|>'\"%@`]|[-?:](?=\\s|\\Z)|---|\\.\\.\\.|\ufeff"
YAML_PLAIN = Layer(
    "a YAML text without quotes",
    token(rf"(?P<escape>{_FOLD})"),
    _of_yaml,
    refused=(_ONE_LINE + r"|\t|:(?=[ \t]|\Z)|[ \t]\#|[ \t]\Z"),
    refused_first=(_INDICATORS),
)


@cache
def yaml_single(indent: str) -> Layer:
    """Single quotes over several lines, with this before each."""
    return YAML_SINGLE._replace(
        escape=lambda text: text.replace("'", "''").replace("\n", "\n\n" + indent),
        refused=rf"{NOT_PRINTABLE}|[\r{_OTHER_LINE_ENDS}]|[ \t]\n|\n[ \t\n]|\n\Z",
    )


@cache
def literal_block(indent: int, newline: str = "\n") -> Layer:
    """YAML's ``|``, Terraform's and Ruby's indented here-documents: lines behind so many blanks."""
    return Layer(
        "a YAML block",
        token(rf"(?P<gone>(?:(?<=\n)|(?<![\s\S])) {{1,{indent}}}+)|(?P<escape>\r\n)")
        if indent
        else token(r"(?P<escape>\r\n)"),
        lambda _found: "\n",
        lambda text: re.sub(
            r"\r?\n(?=([^\r\n])?)", lambda found: newline + (" " * indent if found[1] else ""), text
        ),
        refused=(rf"{NOT_PRINTABLE}|[{_OTHER_LINE_ENDS}]|\r(?!\n)"),
    )


@cache
def folded_block(indent: int) -> Layer:
    """YAML's ``>``, none of its lines behind more blanks than the first."""
    return Layer(
        "a folded YAML block",
        token(
            rf"(?P<gone>(?:(?<=\n)|(?<![\s\S])) {{1,{indent}}}+)|(?P<escape>\r?\n(?: *\r?\n)* {{0,{indent}}}(?=\S))"
        ),
        _of_yaml,
        lambda text: text.replace("\n", "\n\n" + " " * indent),
        refused=(rf"{NOT_PRINTABLE}|[\r{_OTHER_LINE_ENDS}]|\n[ \t\n]|\n\Z"),
        refused_first=r"[ \t\n]",
    )
