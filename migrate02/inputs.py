"""One input converted, whatever kind of file it is: text or words in, text and findings out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from migrate02 import formats
from migrate02.conversion import (
    COMMAND_LINE,
    Conversion,
    Options,
    convert_document,
    left_alone,
    refused,
)
from migrate02.formats import TemplateInput, UnusableInput, rooms
from migrate02.formats.places import NOTHING, Reading
from migrate02.formats.rooms import Sourced
from migrate02.formats.view import View
from migrate02.incomplete import with_incomplete_lists
from migrate02.rewriting import left_over, rewrite


def convert_text(text: str, name: str, options: Options) -> Conversion:
    """Convert a file's text; ``name`` is what messages call it."""
    return with_incomplete_lists([_convert_text(text, name, options)])[0]


def _convert_text(text: str, name: str, options: Options) -> Conversion:
    try:
        reading = reading_of(text, name, options)
    except UnusableInput as error:
        return refused(name, str(error), error.line, before=text)
    if reading.is_empty:
        return convert_settings(text, name, options)
    return rewrite(reading, name, text, options)


def reading_of(text: str, name: str, options: Options, sourced: Sourced | None = None) -> Reading:
    """What a file that holds settings among other things has of etcd's; nothing for a file of any other kind.

    Raises UnusableInput when it is of such a kind and cannot be read, or not be written as was asked for.
    """
    if options.kind in formats.WHOLE or "\0" in text:
        return NOTHING
    view = View(text, name)
    if options.kind:
        room, reading = options.kind, rooms.read(view, options.kind, options.era, sourced)
    else:
        room, reading = rooms.find(view, options.era, sourced)
    if not reading.is_empty and options.form:
        raise UnusableInput(f"{rooms.said(room)}, which stays one: it is changed in place, without --to")
    return reading


def convert_settings(text: str, name: str, options: Options) -> Conversion:
    """Convert a text of settings and nothing else; one that belongs in another room, which found nothing in it, stays
    as it is."""
    if rooms.is_no_shell_script(text) and not options.kind:
        reason, line = formats.not_converted(text)
        return left_alone(name, text, reason, line) if reason else Conversion(name, text, text, {}, [])
    others = not options.kind and _is_anothers(text)
    if others or (options.kind and options.kind not in formats.WHOLE):
        return Conversion(name, text, text, {}, left_over(name, text, text, ()))
    try:
        document = formats.read(text, name, options.era, options.kind)
    except TemplateInput as error:
        return left_alone(name, text, str(error), error.line)
    except UnusableInput as error:
        return refused(name, str(error), error.line, before=text)
    if document.form == formats.ONLY_COMMENTS:
        return Conversion(name, text, text, {}, [])
    return convert_document(document, name, text, options)


def _is_anothers(text: str) -> bool:
    """Of a kind that another room reads, and no text of settings too."""
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
