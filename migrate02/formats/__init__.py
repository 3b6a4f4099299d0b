"""One room per kind of file: text in, pieces and settings out. Which kind a text is, is found out from its content.

A file named etcd.conf may be 0.4's TOML, 2.x's environment file or 3.x's YAML: names prove nothing.
"""

from __future__ import annotations

import re

from migrate02.formats import unread
from migrate02.formats.document import (
    Document,
    NothingToConvert,
    NotRead,
    Piece,
    TemplateInput,
    UnusableInput,
)
from migrate02.formats.kinds import advice, find_start, kind_of
from migrate02.formats.masks import mask
from migrate02.formats.templates import Blocks, Statement, deciding

__all__ = [
    "ONLY_COMMENTS",
    "WHOLE",
    "Document",
    "NotRead",
    "NothingToConvert",
    "Piece",
    "TemplateInput",
    "UnusableInput",
    "looks_like_etcd",
    "may_be_etcds",
    "not_read",
    "read",
]

ONLY_COMMENTS = "comments"
"""The form of a text with nothing else in it: of any kind, and nothing to do."""

WHOLE = ("toml", "env", "command", "args-json", "yaml")
"""Kinds of files that hold etcd's settings and nothing else, by the names a person may give."""

# Patterns are texts, compiled when first needed.
_ASSIGNMENT = r"""(?m)^[ \t]*(?:export[ \t]+)?(?:ETCD_[A-Z0-9_]+=|[A-Z][A-Z0-9_]*=["']?-{1,2}[a-zA-Z])"""
"""An etcd variable, or one that holds flags."""
_COMMAND = r"""(?x)[ \t]*
    (?: -{1,2}[A-Za-z]                            # flags alone
      | (?: exec[ \t]+ )?
        (?: (?: [^\s#=\[\]{}"':]*/ )? etcd \s*\Z  # etcd alone
          | [^\s#=\[\]{}"':]+ [ \t]+ (?: \\\r?\n[ \t]* | \$\S+[ \t]+ )* ["']?- ) )"""
_COMMAND_BEHIND_VARIABLES = r"""(?x)[ \t]*
    (?: (?:\S*/)?env[ \t]+ )?
    (?: [A-Za-z_]\w*= (?: "(?:\\.|[^"\\])*" | '[^']*' | [^\s"';&|\#\\] )* (?: [ \t] | \\\r?\n )+ )+
    (?: exec[ \t]+ )? (?: [^\s=]*/ )? etcd (?: \s*\Z | (?: [ \t] | \\\r?\n )+ ["']?[-$] )"""
_TOML = r"(?m)^[ \t]*(?:\[[A-Za-z_.]+\]|[A-Za-z_\"'][\w.\-\"']*[ \t]*=)"
_YAML = r"(?m)^[a-z][a-z0-9-]*:(?:[ \t]|\r?$)"

_OUR_TOML = (
    r"(?m)^[ \t]*(?:\[(?:peer|cluster)\]|(?:addr|bind_addr|data_dir|peers|peers_file|discovery|snapshot_count"
    r"|max_result_buffer|max_retry_attempts|peer\.addr)[ \t]*=)"
)
_NAMES_ETCD = r"(?m)^(?:(?!\betcd\b).)*+etcd\b.*[ \t\"'-]-{1,2}[a-zA-Z]|^(?:listen|advertise)-client-urls:"

_TOMLS_NAME = r"(?:\A|/)etcd\.conf\Z|\.toml\Z"
_A_SETTING_OF_TOML = (
    r"(?m)^[ \t]*(?:\[(?:peer|cluster)\]|[\"']?(?:name|addr|bind_addr|data_dir|peers|peers_file|discovery|cors|verbose"
    r"|very_verbose|snapshot|snapshot_count|cert_file|key_file|ca_file|max_result_buffer|max_retry_attempts|peer\.\w+"
    r"|cluster\.\w+)[\"']?[ \t]*=)"
)
_LINE_OF_TOML = r"""[ \t]*(?:\[[\w."' -]+\]|[\w."'-]+[ \t]*=(?![>=~])|["'\d\]])"""

_CONTROL = "[\0-\b\v\x0e-\x1f\x7f]"
_LEADING_COMMENTS = r"\s*+(?:#[^\n]*+(?:\n\s*+|\Z))*+"
_OLD_BYTES = "(?m)^[^#\n]*[\udc80-\udcff]"
"""Bytes that are no UTF-8, outside of a comment."""
_SETTING = r"(?m)^[ \t]*[A-Za-z_\"'][\w.\-\"']*[ \t]*[=:]"


def read(text: str, name: str, era: str = "", kind: str = "") -> Document:
    """Read a text of settings and nothing else; ``name`` is what messages call it. Raises UnusableInput, TemplateInput.

    What somebody fills in later stands in the document as a variable: ``masks.unmask`` makes it what it was.
    ``era`` and ``kind`` are given when they are known; else the text's own settings tell.
    """
    statement = deciding(text)
    try:
        document = _read(mask(text), name, era, kind)
    except UnusableInput:
        if statement is not None and ("etcd" in text or looks_like_etcd(text)):
            raise _template(text, statement) from None
        raise
    if statement is not None and not _is_all_in_one_block(text, document):
        raise _template(text, statement)
    return document


def _template(text: str, statement: Statement) -> TemplateInput:
    return TemplateInput(statement.words, text.count("\n", 0, statement.at) + 1)


def _is_all_in_one_block(text: str, document: Document) -> bool:
    """Then all its settings are there, or none."""
    if document.form not in ("env", "toml"):
        return False
    blocks = Blocks(text)
    return len({blocks.of_line(given.origin.line) for given in document.given}) < 2


def _read(text: str, name: str, era: str, kind: str) -> Document:
    code = _without_leading_comments(text)
    if re.search(_CONTROL, text):
        raise UnusableInput("a binary file, not an etcd configuration")
    if not text.strip():
        raise NothingToConvert("empty")
    if not code:
        return Document(ONLY_COMMENTS, ONLY_COMMENTS, [], [], [])
    if kind:
        return _read_as(kind, text, name, era)
    other = kind_of(text, code)
    if other and "etcd" not in text.lower():
        raise NothingToConvert(other)
    if other:
        start = find_start(text, other)
        raise UnusableInput(advice(other, start), start.line if start else 0)
    if code.startswith("["):
        from migrate02.formats import argsjson

        found = argsjson.read(text, name, era)
        if found is not None:
            return found
    if _is_command_behind_variables(code):
        from migrate02.formats import command

        return command.read(text, name, era)
    if _has_assignments(text):
        from migrate02.formats import envfile

        return envfile.read(text, name)
    if _is_command(code):
        from migrate02.formats import command

        return command.read(text, name, era)
    if re.search(_YAML, text) and not re.search(_TOML, text):
        from migrate02.formats import yaml3

        try:
            return yaml3.read(text, name)
        except UnusableInput:
            unread.refuse(text)
            raise
    from migrate02.formats import toml

    try:
        return toml.read(text, name)
    except UnusableInput:
        _name_what_it_is(text, name)
        raise


def _read_as(kind: str, text: str, name: str, era: str) -> Document:
    from migrate02.formats import argsjson, command, envfile, toml, yaml3

    if kind == "env":
        return envfile.read(text, name)
    if kind == "command":
        return command.read(text, name, era)
    if kind == "yaml":
        return yaml3.read(text, name)
    if kind == "toml":
        return toml.read(text, name)
    found = argsjson.read(text, name, era)
    if found is None:
        raise UnusableInput("not a JSON list of texts")
    return found


def _name_what_it_is(text: str, name: str) -> None:
    """A better word than 'broken TOML' for what was never meant to be; raises UnusableInput with it."""
    if odd := re.search(_OLD_BYTES, text):
        line = text.count("\n", 0, odd.end()) + 1
        raise UnusableInput("a binary file, or a text that is not UTF-8", line)
    if re.search(_TOMLS_NAME, name) and re.search(_SETTING, text):
        return
    if _has_lines_of_toml(text):
        return
    unread.refuse(text)
    raise NothingToConvert("no setting of etcd")


def _has_lines_of_toml(text: str) -> bool:
    """A setting of 0.4's file is in it, and most lines are of that language."""
    if not re.search(_A_SETTING_OF_TOML, text):
        return False
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return 2 * sum(re.match(_LINE_OF_TOML, line) is not None for line in lines) > len(lines)


def not_read(text: str) -> UnusableInput | None:
    """What there is to say of a script of a language that is not read; None where it sets up no etcd 0.4."""
    try:
        unread.refuse(text)
    except UnusableInput as error:
        return error
    return None


def _kind(text: str) -> str:
    return "" if "\0" in text else kind_of(text, _without_leading_comments(text))


def may_be_etcds(text: str) -> bool:
    """A quick guess, for walking a tree: worth reading at all?"""
    from migrate02.formats import rooms

    return "\0" not in text and (bool(rooms.candidates(text)) or looks_like_etcd(text))


def looks_like_etcd(text: str) -> bool:
    """Whether a text of settings and nothing else is etcd's."""
    if re.search(_CONTROL, text) or _kind(text):
        return False
    if _has_assignments(text) or re.search(_OUR_TOML, text):
        return True
    code = _without_leading_comments(text)
    if code.startswith("["):
        return "etcd" in text
    if _is_command(code) or re.search(_YAML, text):
        return bool(re.search(_NAMES_ETCD, text))
    return False


def _has_assignments(text: str) -> bool:
    """Asked of every text, so the cheap question comes first."""
    return ("ETCD_" in text or "-" in text) and bool(re.search(_ASSIGNMENT, text))


def _is_command_behind_variables(code: str) -> bool:
    return "etcd" in code and bool(re.match(_COMMAND_BEHIND_VARIABLES, code))


def _is_command(code: str) -> bool:
    return ("-" in code or "etcd" in code) and bool(re.match(_COMMAND, code))


def _without_leading_comments(text: str) -> str:
    """The text from its first line on that is neither blank nor a comment, without the blanks before it."""
    begin = re.match(_LEADING_COMMENTS, text)
    return text[begin.end() :] if begin else text
