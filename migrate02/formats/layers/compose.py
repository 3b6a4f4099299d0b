"""What docker-compose fills in in the values of its file. Pure."""

from __future__ import annotations

from migrate02.formats.layers.escapes import without_backslash
from migrate02.formats.layers.layer import Layer, token
from migrate02.formats.layers.shells import BRACES

COMPOSE = Layer(
    "a value in a compose file",
    token(rf"(?P<escape>\$\$)|(?P<placeholder>{BRACES}|\$[A-Za-z_]\w*)"),
    without_backslash,
    lambda text: text.replace("$", "$$"),
)
