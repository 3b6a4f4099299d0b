"""One input read, whatever kind of file it is, and settings by themselves converted: text or words in. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migrate02 import formats
from migrate02.convert.conversion import (
    COMMAND_LINE,
    Conversion,
    Options,
    left_alone,
    nothing_to_convert,
    refused,
    unchanged,
)
from migrate02.convert.documents import convert_document
from migrate02.convert.rewriting import left_over
from migrate02.formats import NothingToConvert, NotRead, TemplateInput, UnusableInput, rooms, unread
from migrate02.formats.places import NOTHING, Reading
from migrate02.formats.rooms import Sourced
from migrate02.formats.templates import deciding
from migrate02.formats.view import TooMuch, View


def reading_of(text: str, name: str, options: Options, sourced: Sourced | None = None) -> Reading:
    """What a file that holds settings among other things has of etcd's; nothing for a file of any other kind.

    Raises UnusableInput when it is of such a kind and cannot be read, or not be written as was asked for.
    """
    _refuse_conflict(text)
    if options.kind in formats.WHOLE or "\0" in text:
        return NOTHING
    view = View(text, name)
    try:
        if options.kind:
            kind, reading = options.kind, rooms.read(view, options.kind, options.era, sourced)
        else:
            kind, reading = rooms.find(view, options.era, sourced)
    except TooMuch:
        raise
    except UnusableInput:
        if (statement := deciding(text)) is None:
            raise
        raise TemplateInput(statement.words, view.line(statement.at)) from None
    if not reading.is_empty and options.form:
        raise UnusableInput(f"{rooms.said(kind)}, which stays one: it is changed in place, without --to")
    return reading


def convert_settings(text: str, name: str, options: Options) -> Conversion:
    """Convert a text of settings and nothing else; one of another kind, in which nothing of etcd's was found, stays as
    it is."""
    if rooms.is_no_shell_script(text) and not options.kind:
        return unusable(name, text, formats.not_read(text) or NothingToConvert(""), options)
    others = not options.kind and _is_anothers(text)
    if others or (options.kind and options.kind not in formats.WHOLE):
        return unchanged(name, text, left_over(name, text, text, ()))
    try:
        document = formats.read(text, name, options.era, options.kind)
    except UnusableInput as error:
        return unusable(name, text, error, options)
    if document.form == formats.ONLY_COMMENTS:
        return nothing_to_convert(name, text, options)
    return convert_document(document, name, text, options)


def unusable(name: str, text: str, error: UnusableInput, options: Options) -> Conversion:
    """What comes of a file that is not read as a whole: it stays, or is refused."""
    if isinstance(error, TemplateInput):
        return left_alone(name, text, str(error), error.line)
    if isinstance(error, NotRead):
        return left_alone(name, text, str(error), error.line, unread.remedy(text))
    if isinstance(error, NothingToConvert):
        return nothing_to_convert(name, text, options)
    return refused(name, str(error), error.line, before=text)


def without_mark(text: str) -> tuple[str, str]:
    """A text and its byte-order mark, which would hide its first line."""
    plain = text.removeprefix(_MARK)
    return plain, text[: len(text) - len(plain)]


def with_mark(conversion: Conversion, mark: str) -> Conversion:
    """The file as it was, and its result, with the mark again."""
    if not mark:
        return conversion
    text = None if conversion.text is None else mark + conversion.text
    return conversion._replace(before=mark + conversion.before, text=text)


_MARK = "\ufeff"
_CONFLICT = r"(?ms)^<{7}(?: [^\n]*)?$.*?^={7}\r?$.*?^>{7}(?: [^\n]*)?$"


def _refuse_conflict(text: str) -> None:
    if "<<<<<<<" in text and (found := re.search(_CONFLICT, text)):
        line = text.count("\n", 0, found.start()) + 1
        raise UnusableInput("a merge conflict that is not resolved: resolve it, and convert again", line)


def _is_anothers(text: str) -> bool:
    """Of a kind that is not read as settings alone, and no text of settings too."""
    names = rooms.candidates(text)
    return bool(names) and ("containers" in names or not formats.looks_like_etcd(text))


def convert_words(words: Sequence[str], options: Options) -> Conversion:
    """Convert a command line, in words or all of it in one."""
    import shlex

    from migrate02.formats.command import read_line, read_words

    in_one = len(words) == 1 and len(words[0].split()) > 1
    try:
        document = read_line(words[0], options.era) if in_one else read_words(words, options.era)
    except UnusableInput as error:
        return refused(COMMAND_LINE, str(error))
    return convert_document(
        document, COMMAND_LINE, (words[0] if in_one else shlex.join(words)) + "\n", options
    )
