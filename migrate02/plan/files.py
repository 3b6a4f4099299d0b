"""Finds the nodes of a deployment in its files. Reads them; writes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from compat.findings import Finding
from compat.flags04 import BY_NAME
from compat.settings import FILE, Given, Origin, first_wins
from compat.translate import is_of_04_alone
from migrate02.files import TooLarge, Unreadable, read_text, walk
from migrate02.formats import UnusableInput, looks_like_etcd, read
from migrate02.plan.nodes import Found, node_of


def find_nodes(paths: Sequence[str]) -> Found:
    """The nodes of 0.4 that the files set up; of a directory, those of its files that are about etcd."""
    found = Found([], [])
    for path in _files(paths, found.findings):
        try:
            text = read_text(path)
            if path not in paths and not looks_like_etcd(text):
                continue
            document = read(text, path)
        except (Unreadable, UnusableInput) as error:
            if not isinstance(error, TooLarge) or path in paths:
                found.findings.append(_unusable(path, str(error)))
            continue
        given = first_wins(document.given)
        if is_of_2x(given):
            found.findings.append(_already(path))
        elif given:
            found.nodes.append(node_of(given, path, files=(path,)))
    return found


def _files(paths: Sequence[str], findings: list[Finding]) -> Iterator[str]:
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        unread: list[OSError] = []
        yield from walk(path, unread.append)
        findings += [_unusable(str(error.filename), error.strerror or str(error)) for error in unread]


def is_of_2x(given: Mapping[str, Given]) -> bool:
    """Something in it is 2.x's alone, and nothing 0.4's."""
    return any(name not in BY_NAME for name in given) and not any(map(is_of_04_alone, given.values()))


def _unusable(path: str, reason: str) -> Finding:
    return Finding("unusable-input", "", Origin(FILE, path, path), reason, "")


def _already(path: str) -> Finding:
    message = "set up for 2.x already, so it is in no plan"
    return Finding("already-2x", "", Origin(FILE, path, path), message, "")
