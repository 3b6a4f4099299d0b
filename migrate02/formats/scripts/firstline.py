"""The first line of a script, which names its language. Pure."""

from __future__ import annotations

import re

_SHELLS = (
    r"#![ \t]*\S*(?:/env[ \t]+)?\b(?:ba|da|a|k|z)?sh\b|#!.*\b(?:runscript|openrc-run|runlevel)\b|\A(?!#!)"
)


def is_of_another_language(text: str) -> bool:
    """Whether no shell reads it."""
    return text.startswith("#!") and not re.match(_SHELLS, text)
