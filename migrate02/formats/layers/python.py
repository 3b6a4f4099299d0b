"""What Python's ``shlex`` reads, as supervisord and docker-compose split a command. Pure."""

from __future__ import annotations

import re

from migrate02.formats.layers.escapes import with_backslash, without_backslash
from migrate02.formats.layers.layer import Layer, token

SHLEX_DOUBLE = Layer(
    "double quotes, split by Python",
    token(r"(?P<escape>\\[\"\\])"),
    without_backslash,
    lambda text: re.sub(r"[\"\\]", with_backslash, text),
)
"""Nothing is filled in there."""
