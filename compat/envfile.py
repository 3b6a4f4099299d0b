"""Reads a file of NAME=value lines as settings, where 0.4's TOML was expected. Pure.

A configuration that was converted in place is one, under the name that an untouched init script still gives to
``-config``; 2.x's packages keep one under 0.4's default name.
"""

from __future__ import annotations

import re

from compat.settings import VARIABLE, Origin
from compat.variables import Variables, read_variables

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z")


def holds_variables(text: str) -> bool:
    """Whether every line that is no comment sets a variable, and one of them is etcd's."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    matches = [_ASSIGNMENT.match(line) for line in lines]
    return all(matches) and any(match[1].startswith("ETCD_") for match in matches if match)


def read_env_file(text: str, path: str) -> Variables:
    """The settings of such a file, each with its line."""
    items = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _ASSIGNMENT.match(line)
        if match and not line.lstrip().startswith("#"):
            items.append((_unquoted(match[2]), Origin(VARIABLE, match[1], path, number)))
    return read_variables(items)


def _unquoted(value: str) -> str:
    """As a shell would read it, without filling anything in."""
    import shlex

    try:
        return " ".join(shlex.split(value, comments=True))
    except ValueError:
        return value
