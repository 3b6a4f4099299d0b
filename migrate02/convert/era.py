"""Which etcd settings were written for, 0.4 or 2.x, and what to say where that cannot be known. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from compat.findings import Finding
from compat.flags04 import BY_NAME
from compat.settings import FILE, Given, Origin
from compat.translate import ERA_04, is_of_04_alone
from compat.translate import era_of as era_by_names
from migrate02.convert.conversion import Options
from migrate02.convert.findings import UNCLEAR_FILE, UNCLEAR_START
from migrate02.formats.document import Document
from migrate02.formats.reading import Setup


def era_of_document(document: Document, given: Mapping[str, Given], options: Options) -> str:
    if options.era:
        return options.era
    return ERA_04 if document.whole else era_by_names(given)


def era_of_setup(setup: Setup, given: Mapping[str, Given], options: Options, *, has_04_file: bool) -> str:
    """The era that was asked for, else the one that stands around the settings, else that of their names.

    0.4 knows none of 2.x's names, so settings with some are not for it, nor is their file with ``has_04_file``.
    """
    knows_all = all(name in BY_NAME for name in given)
    around = "" if setup.era == ERA_04 and not knows_all else setup.era
    of_file = ERA_04 if has_04_file and knows_all else ""
    return options.era or around or of_file or era_by_names(given)


def is_unclear(given: Mapping[str, Given]) -> bool:
    """Nothing in it is of one era alone."""
    return all(item.name in BY_NAME and not is_of_04_alone(item) for item in given.values())


def document_is_unclear(document: Document, given: Mapping[str, Given], options: Options) -> bool:
    """Only settings that both eras have, in a kind of file that both eras have."""
    if options.era or document.whole or document.form == "yaml":
        return False
    if not given and document.form not in ("flags", "args-json"):
        return False  # no setting of etcd's in it, unless it starts etcd
    return is_unclear(given)


def unclear_document(name: str) -> Finding:
    return UNCLEAR_FILE.finding("", Origin(FILE, name, name))


def unclear_setup(name: str, line: int) -> Finding:
    return UNCLEAR_START.finding("", Origin(FILE, name, name, line))
