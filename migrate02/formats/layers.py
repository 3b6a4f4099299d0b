"""Text inside text: how a here-document, a quoted word, a YAML scalar or a JSON string says another text. Pure.

A layer decodes what stands in the outer text into the inner one, with a source map, and encodes an inner text. What
the outer language fills in becomes a marker (see ``masks``), which the inner language takes for one variable; what the
outer language escapes is plain text inside. Layers stack: an edit of the innermost text is encoded by each layer on its
way out, and touches nothing but its own run. What a layer cannot hold is refused, never written differently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from migrate02.formats.document import UnusableInput
from migrate02.formats.masks import HOLE, LITERAL, MARKER, SUBSTITUTION, hole, segments, unmask
from migrate02.formats.view import View


class CannotHold(UnusableInput):
    """A layer has no way to say a text."""


class Decoded(NamedTuple):
    """``offsets`` has, for each character of ``text`` and for its end, where it stands in the outer text."""

    text: str
    offsets: Sequence[int]


def _as_it_is(text: str) -> str:
    return text


class Layer(NamedTuple):
    """``token`` matches, in the outer text, what does not stand for itself: a group ``hole`` for what is filled in,
    ``gone`` for what is dropped, ``escape`` for what ``unescape`` reads. ``escape`` writes a run of the inner text;
    ``fill`` what is filled in. ``refused`` matches what cannot be held, ``refused_first`` what cannot begin a line."""

    name: str
    token: str
    unescape: Callable[[str], str] = _as_it_is
    escape: Callable[[str], str] = _as_it_is
    fill: Callable[[str], str] = _as_it_is
    refused: str = ""
    refused_first: str = ""

    def decode(self, text: str, level: int = 1, *, start: int = 0, end: int | None = None) -> Decoded:
        """A run of the outer text, its offsets counted from the beginning of ``text``. Markers in it are handed on."""
        end = len(text) if end is None else end
        parts: list[str] = []
        offsets: list[int] = []
        at = start
        for found in _compiled(self.token).finditer(text, start, end):
            first, after = found.span()
            if first > at:
                parts.append(text[at:first])
                offsets += range(at, first)
            at = after
            kind = found.lastgroup
            if kind == "marker":
                parts.append(found[0])
                offsets += range(first, after)
                continue
            if kind == "gone":
                continue
            said = hole(found[0], level) if kind == "hole" else self.unescape(found[0])
            parts.append(said)
            offsets += [first] * len(said)
        parts.append(text[at:end])
        offsets += range(at, end + 1)
        return Decoded("".join(parts), offsets)

    def encode(self, text: str, level: int = 1, *, first: bool = True) -> str:
        """``first``: the text begins a line of the inner one. Raises CannotHold."""
        if self.refused and (odd := _compiled(self.refused).search(text)):
            raise CannotHold(f"{self.name} cannot hold {unmask(odd[0])!r}")
        if first and self.refused_first and (odd := _compiled(self.refused_first).match(text)):
            raise CannotHold(f"{self.name} cannot begin with {unmask(odd[0])!r}")
        if "${_m" not in text:
            return self.escape(text)
        return "".join(
            self.escape(said) if kind == LITERAL else self.fill(said) if kind == HOLE else said
            for kind, said in segments(text, level)
        )

    def inside(self, view: View, start: int, end: int) -> View:
        """What a run of a text says, as a text of its own."""
        level = view.depth + 1
        said = self.decode(view.text, level, start=start, end=end)

        def encode(text: str, first: bool) -> str:
            return self.encode(text, level, first=first)

        return view.inside(said.text, said.offsets, encode)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when it is first needed: most files need few layers."""
    return re.compile(pattern, re.DOTALL)


def _token(pattern: str) -> str:
    return f"(?P<marker>{MARKER})|{pattern}"


# --- shells ----------------------------------------------------------------------------------------------------------

_BRACES = r"\$\{(?:[^{}]|\{[^{}]*+\})*+\}"
SHELL_HOLE = rf"{SUBSTITUTION}|{_BRACES}|\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])"
"""What a shell fills in."""


def _unescaped(found: str) -> str:
    return found[1:]


def _before(characters: str) -> str:
    """Backslashes that a shell would drop, or that could come to stand before something."""
    return rf"\\(?=[{characters}\\]|\r?\n|\Z)|[{characters}]"


def _backslashed(found: re.Match[str]) -> str:
    return "\\" + found[0]


_IN_HERE = _before("$`")
_IN_DOUBLE = _before('$`"')

HERE = Layer(
    "an unquoted here-document",
    _token(rf"(?P<gone>\\\n)|(?P<escape>\\[$`\\])|(?P<hole>{SHELL_HOLE})"),
    _unescaped,
    lambda text: re.sub(_IN_HERE, _backslashed, text),
)
AS_IT_IS = Layer("a text that stands for itself", _token(r"(?!)(?P<gone>)"))
QUOTED_HERE = AS_IT_IS._replace(name="a here-document")


@cache
def here(*, quoted: bool, tabs: str | None = None) -> Layer:
    """A here-document; ``tabs`` before each of its lines where ``<<-`` takes them away."""
    plain = QUOTED_HERE if quoted else HERE
    if tabs is None:
        return plain
    beginning = r"(?:(?<=\n)|(?<![\s\S]))\t+"
    pattern = (
        rf"(?P<gone>{beginning})"
        if quoted
        else rf"(?P<escape>\\\n\t*|\\[$`\\])|(?P<gone>{beginning})|(?P<hole>{SHELL_HOLE})"
    )
    return plain._replace(
        name="a here-document behind <<-",
        token=_token(pattern),
        unescape=lambda said: said[1:].removeprefix("\n"),
        escape=lambda text: re.sub(r"\n(?=[^\r\n])", "\n" + tabs, plain.escape(text)),
        refused=(r"\n\t"),
        refused_first=(r"\t"),
    )


DOUBLE = Layer(
    "double quotes",
    _token(
        rf"(?P<gone>\\\n)|(?P<escape>\\[$`\"\\])|(?P<hole>{SHELL_HOLE}|\"(?:'[^']*'|\\.|{_BRACES}|[^\"'\\])*+\")"
    ),
    _unescaped,
    lambda text: re.sub(_IN_DOUBLE, _backslashed, text),
)
"""A second pair in the same word, ``"a"'b'"c"``, is handed on as something filled in."""

VALUE = DOUBLE._replace(
    name="a variable's value",
    token=_token(rf"(?P<gone>\\\n)|(?P<as_it_is>{SHELL_HOLE}|\\[$`])|(?P<escape>\\[\"\\])"),
    unescape=lambda found: found if found[0] in "$`" or found[1] in "$`" else found[1:],
    escape=lambda text: re.sub(r'(")', r"\\\1", text),
)
"""In double quotes too, and looked at by whoever knows the variables: they stand in the inner text as they are."""

_BROKEN_OFF = r"'(?:\"(?:\\.|[^\"\\])*+\"|\\.|[^'\"\\\s])*+'"


SINGLE = Layer(
    "single quotes",
    _token(rf"(?P<escape>'\\''|'\"'\"')|(?P<hole>{_BROKEN_OFF})"),
    lambda _found: "'",
    lambda text: text.replace("'", "'\\''"),
    lambda raw: raw if raw[:1] == "'" else f"'\"{raw}\"'",
)
"""They hold what is filled in where they are broken off: ``'-name '"$NAME"' -v'``."""

SHLEX_DOUBLE = Layer(
    "double quotes, split by Python",
    _token(r"(?P<escape>\\[\"\\])"),
    _unescaped,
    lambda text: re.sub(r"[\"\\]", _backslashed, text),
)
"""As supervisord and docker-compose split a command: nothing is filled in there."""

COMPOSE = Layer(
    "a value in a compose file",
    _token(rf"(?P<escape>\$\$)|(?P<hole>{_BRACES}|\$[A-Za-z_]\w*)"),
    _unescaped,
    lambda text: text.replace("$", "$$"),
)

_ANSI = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}


def _of_c(said: str, letters: dict[str, str], unknown: Callable[[str], str]) -> str:
    """One escape of C: a letter, or the number of a character."""
    letter, digits = said[1], said[2:]
    if letter in letters:
        return letters[letter]
    if letter in "xuU" and digits:
        return _character(int(digits, 16))
    if letter in "01234567":
        return _character(int(said[1:], 8) & 0xFF)
    return unknown(said)


def _character(number: int) -> str:
    try:
        return chr(number)
    except (ValueError, OverflowError):
        return "\ufffd"


_C_ESCAPE = r"\\(?:x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|.)"


def _of_dollar_quotes(said: str) -> str:
    return _of_c(said, _ANSI, lambda found: found[1] if found[1] in "\\'\"?" else found)


ANSI_C = Layer(
    "$'...'",
    _token(f"(?P<escape>{_C_ESCAPE})"),
    _of_dollar_quotes,
    lambda text: re.sub(r"['\\]", _backslashed, text),
    refused=(rf"\0|{MARKER}"),
)

BARE = Layer(
    "a word without quotes",
    _token(
        rf"(?P<gone>\\\n)|(?P<escape>\\.)|(?P<hole>{SHELL_HOLE}|'[^']*'|\"(?:\\.|{SUBSTITUTION}|[^\"\\])*+\")"
    ),
    _unescaped,
    lambda text: re.sub(r"[^\w@%+=:,./-]", _backslashed, text),
    refused=(r"\n"),
)

# --- systemd ---------------------------------------------------------------------------------------------------------

_OF_SYSTEMD = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
SYSTEMD_ESCAPE = r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[^\r\n])"
SYSTEMD_HOLE = r"%[A-Za-z]|\$\{\w+\}"


def unescaped_by_systemd(said: str) -> str:
    """One escape, by systemd.service(5) and systemd.syntax(7); what it does not know it keeps."""
    if said in ("%%", "$$"):
        return said[0]
    if "\n" in said:
        return " "
    return _of_c(said, _OF_SYSTEMD, lambda found: found[1] if found[1] in "\\'\"" else found)


def _in_systemd(quote: str, text: str, *, doubled: bool) -> str:
    said = text.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n").replace("\r", "\\r")
    return re.sub(r"\$" if doubled else r"\$(?=[{$]|\Z)", "$$", said).replace("%", "%%")


@cache
def systemd(quote: str, *, doubled: bool = False) -> Layer:
    """``doubled``: every ``$`` is written as ``$$``, also where it need not be."""
    folded = r"[ \t]*\\\r?\n(?:[ \t]*[#;][^\n]*\n)*"
    return Layer(
        f"systemd's quotes ({quote})",
        _token(rf"(?P<escape>%%|\$\$|{folded}|{SYSTEMD_ESCAPE})|(?P<hole>{SYSTEMD_HOLE})"),
        unescaped_by_systemd,
        lambda text: _in_systemd(quote, text, doubled=doubled),
        refused=(r"\0"),
    )


# --- YAML ------------------------------------------------------------------------------------------------------------

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
        return _of_c(said, _OF_YAML, lambda found: found[1]) if said[1] not in "1234567" else said[1]
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
    _token(
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
    _token(rf"(?P<escape>''|{_FOLD})"),
    _of_yaml,
    lambda text: text.replace("'", "''"),
    refused=(_ONE_LINE),
)
_INDICATORS = "[ \t,\\[\\]{}#&*!|>'\"%@`]|[-?:](?=\\s|\\Z)|---|\\.\\.\\.|\ufeff"
YAML_PLAIN = Layer(
    "a YAML text without quotes",
    _token(rf"(?P<escape>{_FOLD})"),
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
        _token(rf"(?P<gone>(?:(?<=\n)|(?<![\s\S])) {{1,{indent}}}+)|(?P<escape>\r\n)")
        if indent
        else _token(r"(?P<escape>\r\n)"),
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
        _token(
            rf"(?P<gone>(?:(?<=\n)|(?<![\s\S])) {{1,{indent}}}+)|(?P<escape>\r?\n(?: *\r?\n)* {{0,{indent}}}(?=\S))"
        ),
        _of_yaml,
        lambda text: text.replace("\n", "\n\n" + " " * indent),
        refused=(rf"{NOT_PRINTABLE}|[\r{_OTHER_LINE_ENDS}]|\n[ \t\n]|\n\Z"),
        refused_first=r"[ \t\n]",
    )


# --- JSON ------------------------------------------------------------------------------------------------------------


def _of_json(said: str) -> str:
    try:
        return str(json.loads(f'"{said}"'))
    except ValueError:
        return said[1:]


JSON = Layer(
    "a JSON text",
    _token(r"(?P<escape>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.)"),
    _of_json,
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
)

# --- Dockerfiles -----------------------------------------------------------------------------------------------------

DOCKERFILE = Layer(
    "an instruction of a Dockerfile",
    _token(r"(?P<gone>\\[ \t]*\r?\n(?:[ \t]*#[^\n]*\n)*)"),
    refused=(r"\n|\\[ \t]*\Z"),
)

# --- Terraform and CloudFormation ------------------------------------------------------------------------------------

_HCL_STRING = r'"(?:\\.|\$\{[^{}"]*\}|[^"\\])*+"'
_HCL_INSIDE = rf"(?:[^{{}}\"]|{_HCL_STRING}|\{{(?:[^{{}}\"]|{_HCL_STRING}|\{{[^{{}}]*+\}})*+\}})*+"
TERRAFORM_HOLE = rf"[$%]\{{{_HCL_INSIDE}\}}"


def _doubled(found: re.Match[str]) -> str:
    return found[0][0] + found[0]


def _in_template(text: str) -> str:
    """``${`` and ``%{`` as they stand for themselves."""
    return re.sub(r"[$%](?=\{)", _doubled, text)


TERRAFORM_HERE = Layer(
    "a here-document of Terraform",
    _token(rf"(?P<escape>\$\$(?=\{{)|%%(?=\{{))|(?P<hole>{TERRAFORM_HOLE})"),
    _unescaped,
    _in_template,
    refused=(r"[$%]{2}(?=\{)|[$%]\Z"),
)
TERRAFORM_QUOTED = Layer(
    "a text of Terraform in quotes",
    _token(
        rf"(?P<escape>\$\$(?=\{{)|%%(?=\{{)|\\(?:u[0-9a-fA-F]{{4}}|U[0-9a-fA-F]{{8}}|.))|(?P<hole>{TERRAFORM_HOLE})"
    ),
    lambda said: said[1:] if said[0] != "\\" else _of_c(said, {"n": "\n", "r": "\r", "t": "\t"}, _unescaped),
    lambda text: _in_template(
        text.replace("\\", "\\\\")
        .replace('"', '\\"')
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\t", "\\t")
    ),
    refused=(r"[$%]{2}(?=\{)|[$%]\Z"),
)
FN_SUB = Layer(
    "CloudFormation's Fn::Sub",
    _token(r"(?P<escape>\$\{!)|(?P<hole>\$\{[^!{}][^{}]*\})"),
    lambda _found: "${",
    lambda text: re.sub(r"\$\{", "${!", text),
    refused=(r"\$\Z"),
)

# --- echo and printf -------------------------------------------------------------------------------------------------

_OF_PRINTF = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_PRINTF_ESCAPE = r"\\(?:[0-7]{1,3}|[abfnrtv\\])"


def _of_printf(said: str) -> str:
    return "%" if said == "%%" else _of_c(said, _OF_PRINTF, _as_it_is)


def _escaped_line_ends(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


PRINTF = Layer(
    "a format of printf",
    _token(rf"(?P<escape>%%|{_PRINTF_ESCAPE})|(?P<hole>%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z])"),
    _of_printf,
    lambda text: _escaped_line_ends(text).replace("%", "%%"),
)
ECHO = Layer(
    "words of echo -e",
    _token(r"(?P<escape>\\(?:0[0-7]{1,3}|[abfnrtv\\]))"),
    lambda said: chr(int(said[2:], 8) & 0xFF) if said[1] == "0" else _OF_PRINTF[said[1]],
    _escaped_line_ends,
)

LAYERS: dict[str, Layer] = {
    "here-document": HERE,
    "quoted here-document": QUOTED_HERE,
    "here-document behind tabs": here(quoted=False, tabs="\t"),
    "quoted here-document behind tabs": here(quoted=True, tabs="\t"),
    "double quotes": DOUBLE,
    "single quotes": SINGLE,
    "double quotes of Python": SHLEX_DOUBLE,
    "compose": COMPOSE,
    "$'...'": ANSI_C,
    "bare word": BARE,
    "systemd, double quotes": systemd('"'),
    "systemd, single quotes": systemd("'"),
    "systemd, $$": systemd('"', doubled=True),
    "YAML, double quotes": YAML_DOUBLE,
    "YAML, single quotes": YAML_SINGLE,
    "YAML, plain": YAML_PLAIN,
    "YAML, literal": literal_block(2),
    "JSON": JSON,
    "Dockerfile": DOCKERFILE,
    "Terraform here-document": TERRAFORM_HERE,
    "Terraform quotes": TERRAFORM_QUOTED,
    "Fn::Sub": FN_SUB,
    "printf": PRINTF,
    "echo -e": ECHO,
}
"""All of them, those that depend on an indentation with one."""
