"""Texts of etcd's settings and nothing else: which format they are in, and their document. Pure.

A file named etcd.conf may be 0.4's TOML, 2.x's environment file or 3.x's YAML: names prove nothing.
"""

from __future__ import annotations

import re

from migrate02.formats import otherlanguages
from migrate02.formats.advice import advice, find_start
from migrate02.formats.document import Document, NothingToConvert, TemplateInput, UnusableInput
from migrate02.formats.format import Context, Format, Text
from migrate02.formats.placeholders import mask
from migrate02.formats.registry import (
    AMONG_OTHER_THINGS,
    ARGS_JSON,
    COMMAND,
    ENV,
    SETTINGS_ALONE,
    TOML,
    YAML,
    recognised,
)
from migrate02.formats.templates import Blocks, Statement, deciding
from migrate02.formats.view import View

ONLY_COMMENTS = "comments"
"""The form of a text with nothing else in it: of any format, and nothing to do."""

_BEGIN_AS_NO_OTHER = tuple(format for format in AMONG_OTHER_THINGS if format.begins)
_CERTAIN = tuple(format for format in AMONG_OTHER_THINGS if format.certain)

# Patterns are texts, compiled when first needed.
_TABLES_OF_04 = (
    r"(?m)^[ \t]*(?:\[(?:peer|cluster)\]|(?:addr|bind_addr|data_dir|peers|peers_file|discovery|snapshot_count"
    r"|max_result_buffer|max_retry_attempts|peer\.addr)[ \t]*=)"
)
_CONTINUED = r"\\\r?\n"
_NAMES_ETCD = r"(?m)^(?:(?!\betcd\b).)*+etcd\b.*[ \t\"'-]-{1,2}[a-zA-Z]|^(?:listen|advertise)-client-urls:"

_TOMLS_NAME = r"(?:\A|/)etcd\.conf\Z|\.toml\Z"
_A_SETTING_OF_TOML = (
    r"(?m)^[ \t]*(?:\[(?:peer|cluster)\]|[\"']?(?:name|addr|bind_addr|data_dir|peers|peers_file|discovery|cors|verbose"
    r"|very_verbose|snapshot|snapshot_count|cert_file|key_file|ca_file|max_result_buffer|max_retry_attempts|peer\.\w+"
    r"|cluster\.\w+)[\"']?[ \t]*=)"
)
_LINE_OF_TOML = r"""[ \t]*(?:\[[\w."' -]+\]|[\w."'-]+[ \t]*=(?![>=~])|["'\d\]])"""

_CONTROL = "[\0-\b\v\x0e-\x1f\x7f]"
_OLD_BYTES = "(?m)^[^#\n]*[\udc80-\udcff]"
"""Bytes that are no UTF-8, outside of a comment."""
_SETTING = r"(?m)^[ \t]*[A-Za-z_\"'][\w.\-\"']*[ \t]*[=:]"


def looks_like_etcds(text: Text) -> bool:
    """Whether a text of settings and nothing else is etcd's."""
    if re.search(_CONTROL, text.whole) or _format_of_more(text) is not None:
        return False
    if ENV.is_sure_of(text) or re.search(_TABLES_OF_04, text.whole):
        return True
    if ARGS_JSON.is_sure_of(text):
        return "etcd" in text.whole
    if COMMAND.may_be(text) or YAML.may_be(text):
        return bool(re.search(_NAMES_ETCD, re.sub(_CONTINUED, " ", text.whole)))
    return False


def read(text: str, name: str, era: str = "", format: Format | None = None) -> Document:
    """The settings of a text; ``name`` is what messages call it. Raises UnusableInput, TemplateInput.

    What somebody fills in later stands in the document as a variable: ``placeholders.unmask`` makes it what it was.
    ``era`` and ``format`` are given when they are known; else the text's own settings tell.
    """
    statement = deciding(text)
    try:
        document = _read(Text(mask(text)), name, Context(era), format)
    except UnusableInput:
        if statement is not None and ("etcd" in text or looks_like_etcds(Text(text))):
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


def _read(text: Text, name: str, context: Context, format: Format | None) -> Document:
    if re.search(_CONTROL, text.whole):
        raise UnusableInput("a binary file, not an etcd configuration")
    if not text.whole.strip():
        raise NothingToConvert("empty")
    if not text.code:
        return Document(ONLY_COMMENTS, ONLY_COMMENTS, [], [], [])
    view = View(text.whole, name)
    if format is not None:
        document = format.read(view, context).document
        if document is None:
            raise UnusableInput("not a JSON list of texts")
        return document
    if (other := _format_of_more(text)) is not None:
        raise _not_as_a_whole(text.whole, other)
    for one in recognised(text, SETTINGS_ALONE):
        document = _read_as(one.format, view, context)
        if document is not None:
            return document
    return _read_as_toml(view, context)


def _format_of_more(text: Text) -> Format | None:
    """The format of a file that surely holds other things too."""
    for beginning in (text.whole, text.code):
        for format in _BEGIN_AS_NO_OTHER:
            if beginning.startswith(format.begins):
                return format
    return next((format for format in _CERTAIN if _is_in(format, text)), None)


def _is_in(format: Format, text: Text) -> bool:
    """Anywhere, in here-documents too."""
    hinted = any(hint in text.whole for hint in format.hints)
    return hinted and re.search(format.sign, text.whole) is not None


def _not_as_a_whole(text: str, format: Format) -> UnusableInput:
    if "etcd" not in text.lower():
        return NothingToConvert(format.title)
    start = find_start(text, format.name)
    return UnusableInput(advice(format.title, start), start.line if start else 0)


def _read_as(format: Format, view: View, context: Context) -> Document | None:
    """None for a text that only looked like it."""
    if format is TOML:
        return _read_as_toml(view, context)
    try:
        return format.read(view, context).document
    except UnusableInput:
        if format is YAML:
            otherlanguages.refuse(view.text)
        raise


def _read_as_toml(view: View, context: Context) -> Document:
    """Any text that is of no other format: what is wrong with it may be something else than its TOML."""
    try:
        document = TOML.read(view, context).document
    except UnusableInput:
        _name_what_it_is(view.text, view.name)
        raise
    assert document is not None
    return document


def _name_what_it_is(text: str, name: str) -> None:
    """A better word than 'broken TOML' for what was never meant to be; raises UnusableInput with it."""
    if odd := re.search(_OLD_BYTES, text):
        line = text.count("\n", 0, odd.end()) + 1
        raise UnusableInput("a binary file, or a text that is not UTF-8", line)
    if re.search(_TOMLS_NAME, name) and re.search(_SETTING, text):
        return
    if _has_lines_of_toml(text):
        return
    otherlanguages.refuse(text)
    raise NothingToConvert("no setting of etcd")


def _has_lines_of_toml(text: str) -> bool:
    """A setting of 0.4's file is in it, and most lines are of that language."""
    if not re.search(_A_SETTING_OF_TOML, text):
        return False
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return 2 * sum(re.match(_LINE_OF_TOML, line) is not None for line in lines) > len(lines)
