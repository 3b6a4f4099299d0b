"""Finds the section of migrate02 in a project's own configuration, and reads its text. Changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from migrate02.files.reading import Unreadable, read_text

OWN_FILE = ".migrate02.toml"
SHARED_FILE = "pyproject.toml"
MARK = "tool.migrate02"
"""In the text of every shared file that has the section."""


class Section(NamedTuple):
    """``path`` is a file's, ``text`` all of it; in a ``shared`` one other sections are others'."""

    path: str
    text: str
    shared: bool


def read_section(path: str) -> Section:
    """Of a file that somebody named. Raises Unreadable."""
    return Section(path, read_text(path), os.path.basename(path) == SHARED_FILE)


def find_section(start: str) -> Section | None:
    """The nearest, from a folder up to the root of its repository; without a repository, in that folder alone.

    Raises Unreadable; a shared file that cannot be read is somebody else's.
    """
    for folder in _up(os.path.abspath(start)):
        path = os.path.join(folder, OWN_FILE)
        if os.path.isfile(path):
            return Section(os.path.relpath(path, start), read_text(path), shared=False)
        path = os.path.join(folder, SHARED_FILE)
        if os.path.isfile(path):
            with suppress(Unreadable):
                text = read_text(path)
                if MARK in text:
                    return Section(os.path.relpath(path, start), text, shared=True)
    return None


def _up(start: str) -> Iterator[str]:
    folders = [start]
    while not os.path.exists(os.path.join(folders[-1], ".git")):
        above = os.path.dirname(folders[-1])
        if above == folders[-1]:
            return iter([start])
        folders.append(above)
    return iter(folders)
