"""Instructions of a Dockerfile over several lines. Pure."""

from __future__ import annotations

from migrate02.formats.layers.layer import Layer, token

DOCKERFILE = Layer(
    "an instruction of a Dockerfile",
    token(r"(?P<gone>\\[ \t]*\r?\n(?:[ \t]*#[^\n]*\n)*)"),
    refused=(r"\n|\\[ \t]*\Z"),
)
