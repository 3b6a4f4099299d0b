"""Strings of JSON. Pure."""

from __future__ import annotations

import json

from migrate02.formats.layers.layer import Layer, token


def _of_json(said: str) -> str:
    try:
        return str(json.loads(f'"{said}"'))
    except ValueError:
        return said[1:]


JSON = Layer(
    "a JSON text",
    token(r"(?P<escape>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.)"),
    _of_json,
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
)
