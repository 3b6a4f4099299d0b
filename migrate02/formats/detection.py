"""Which format a text is of, found out from its content once, with what its reader finds in it. Pure.

A person may say it better (``--format``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import tee
from typing import NamedTuple

from migrate02.formats import otherlanguages, settings
from migrate02.formats.document import Document, NothingToConvert, UnusableInput
from migrate02.formats.format import Context, Format, Sourced, Text, no_files
from migrate02.formats.reading import NOTHING, EmbeddedFile, Reading
from migrate02.formats.registry import (
    AMONG_OTHER_THINGS,
    CONTAINERS,
    OPENRC,
    SETTINGS_ALONE,
    SHELL,
    Recognised,
    recognised,
)
from migrate02.formats.scripts.firstline import is_of_another_language
from migrate02.formats.view import TooMuch, View

_DEEPEST = 12
"""Texts in texts."""


class Detected(NamedTuple):
    """What a text is. ``format`` is one of files with other things in them: the one that found ``reading``, or the one
    that the text is of though nothing was found. Without one, the text has its ``document``, or there is a ``refusal``
    that says why not; ``has_settings``: it looks like settings of etcd's."""

    format: Format | None
    reading: Reading = NOTHING
    document: Document | None = None
    refusal: UnusableInput | None = None
    has_settings: bool = False


def may_be_etcds(text: str) -> bool:
    """A quick guess, for walking a tree: worth reading at all?"""
    if "\0" in text:
        return False
    parts = Text(text)
    return next(_candidates(parts), None) is not None or settings.looks_like_etcds(parts)


def detect(view: View, era: str = "", sourced: Sourced = no_files) -> Detected:
    """Raises UnusableInput when the text is surely of a format whose reader cannot read it."""
    text = Text(view.text)
    # One to go through until a reader finds something, the other for where none does; no sign is looked for twice.
    candidates, all_candidates = tee(_candidates(text))
    found, reading = (None, NOTHING) if "\0" in view.text else _find(view, candidates, era, sourced)
    if not reading.is_empty:
        return Detected(found, reading)
    has_settings = settings.looks_like_etcds(text)
    formats = [candidate.format for candidate in all_candidates]
    if is_of_another_language(view.text):
        refusal = otherlanguages.not_read(view.text) or NothingToConvert("")
        return Detected(None, refusal=refusal, has_settings=has_settings)
    if formats and (CONTAINERS in formats or not has_settings):
        return Detected(formats[0], has_settings=has_settings)
    return _settings_alone(view, era)._replace(has_settings=has_settings)


def read_as(format: Format, view: View, era: str = "", sourced: Sourced = no_files) -> Detected:
    """What a text holds whose format a person has named. Raises UnusableInput when it is not of that format."""
    if format in SETTINGS_ALONE:
        return _settings_alone(view, era, format)
    reading = NOTHING if "\0" in view.text else _read(format, view, era, sourced)
    return Detected(format, reading)


def _settings_alone(view: View, era: str, format: Format | None = None) -> Detected:
    try:
        return Detected(None, document=settings.read(view.text, view.name, era, format))
    except UnusableInput as error:
        return Detected(None, refusal=error)


def _candidates(text: Text) -> Iterator[Recognised]:
    """The formats that a text with other things in it may be of, the surest first."""
    if "etcd" not in text.whole and "ETCD_" not in text.whole:
        return
    if text.whole.startswith("\ufeff"):
        text = Text(text.whole[1:])
    if text.whole.startswith("#!"):
        yield Recognised(OPENRC if OPENRC.is_sure_of(text) else SHELL, True)
    else:
        yield from recognised(text, AMONG_OTHER_THINGS)


def _find(
    view: View, candidates: Iterable[Recognised], era: str, sourced: Sourced
) -> tuple[Format | None, Reading]:
    """The format whose reader finds anything in the text, and what; else the one it is surely of, and nothing."""
    refusal: UnusableInput | None = None
    for format, is_sure in candidates:
        try:
            reading = _read(format, view, era, sourced)
        except TooMuch:
            raise
        except UnusableInput as error:
            refusal = refusal or (error if is_sure else None)
            continue
        if not reading.is_empty:
            return format, reading
        if is_sure:
            if refusal is not None:
                raise refusal
            return format, NOTHING
    if refusal is not None:
        raise refusal
    return None, NOTHING


def _read(format: Format, view: View, era: str, sourced: Sourced) -> Reading:
    if view.text.startswith("\ufeff"):
        view = view.part(1, len(view.text))
    return format.read(view, Context(era, sourced, partial(embedded, era=era)))


def embedded(view: View, path: str, era: str = "") -> Reading:
    """A text inside another one, of whatever format."""
    text = Text(view.text)
    if "etcd" not in text.whole and "ETCD_" not in text.whole and "etcd" not in path:
        return NOTHING
    if view.depth > _DEEPEST:
        return NOTHING
    view.spend(1 + len(text.whole) // 100)
    try:
        format, reading = _find(view, _candidates(text), era, no_files)
    except TooMuch:
        raise
    except UnusableInput:
        return NOTHING
    if format is not None or not settings.looks_like_etcds(text):
        return reading
    try:
        document = settings.read(text.whole, view.name, era)
    except UnusableInput:
        return NOTHING
    if document.form == "flags":  # lines of a script that are nothing but a start of etcd
        return _read(SHELL, view, era, no_files)
    if document.form not in ("env", "toml") or not document.given:
        return NOTHING
    return NOTHING._replace(embedded=(EmbeddedFile(view, path, document),))
