"""One input converted, whatever kind of file it is: text or words in, text and findings out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from migrate02 import formats
from migrate02.conversion import COMMAND_LINE, Conversion, Options, convert_document, left_alone, refused
from migrate02.formats import UnusableInput


def convert_text(text: str, name: str, options: Options) -> Conversion:
    """Convert a file's text; ``name`` is what messages call it."""
    try:
        conversion = _rewritten(text, name, options)
        if conversion is not None:
            return conversion
        document = formats.read(text, name, options.era, options.kind)
    except UnusableInput as error:
        return refused(name, str(error), error.line, before=text)
    if document.form == formats.ONLY_COMMENTS:
        return Conversion(name, text, text, {}, [])
    return convert_document(document, name, text, options)


def _rewritten(text: str, name: str, options: Options) -> Conversion | None:
    """A file that holds settings among other things; None when it is of another kind. Raises UnusableInput."""
    from migrate02.formats import rooms

    if options.kind in formats.WHOLE or "\0" in text:
        return None
    from migrate02.formats.view import View

    view = View(text, name)
    if options.kind:
        room, reading = options.kind, rooms.read(view, options.kind, options.era)
    else:
        room, reading = rooms.find(view, options.era)
    if not room:
        nothing = rooms.candidates(text) and not options.kind and not formats.looks_like_etcd(text)
        return Conversion(name, text, text, {}, []) if nothing else None
    if options.form:
        raise UnusableInput(f"{rooms.said(room)}, which stays one: it is changed in place, without --to")
    if reading.is_empty:
        reason, line = formats.not_converted(text) if rooms.is_no_shell_script(text) else ("", 0)
        return left_alone(name, text, reason, line) if reason else Conversion(name, text, text, {}, [])
    from migrate02.rewriting import rewrite

    return rewrite(reading, name, text, options)[0]


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
