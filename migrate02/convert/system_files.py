"""Files that a start of etcd reads besides those with its settings: 0.4's own, and the environment of others. Pure."""

from __future__ import annotations

import posixpath

from compat.translate import is_of_2x_alone
from migrate02.formats import settings
from migrate02.formats.document import Document, NothingToConvert, UnusableInput
from migrate02.formats.reading import Setup
from migrate02.formats.registry import ENV as ENV_FORMAT

SYSTEM_FILE = "/etc/etcd/etcd.conf"
"""0.4 read it whenever it was there."""


def is_called_as_the_system_file(name: str) -> bool:
    return posixpath.basename(name) == posixpath.basename(SYSTEM_FILE)


def would_read_system_file(setup: Setup) -> bool:
    """0.4 would, unless it was given another one; a container has none of the host's."""
    is_new = any(flag.given.name and is_of_2x_alone(flag.given) for flag in setup.flags)
    return setup.config is None and not setup.only_variables and not setup.host and not is_new


def without_settings(text: str, name: str) -> Document | None:
    """An environment file for others, or an empty one; None where it cannot be read."""
    try:
        document = settings.read(text, name)
    except NothingToConvert:
        return (
            settings.read(text, name, format=ENV_FORMAT)
            if text.strip()
            else Document("env", "env", [], [], [])
        )
    except UnusableInput:
        return None
    return Document("env", "env", [], [], []) if document.form == settings.ONLY_COMMENTS else None
