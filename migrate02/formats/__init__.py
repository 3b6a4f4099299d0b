"""One room per kind of file: text in, pieces and settings out. Which kind a text is, is found out from its content.

A file named etcd.conf may be 0.4's TOML, 2.x's environment file or 3.x's YAML: names prove nothing.
"""

from __future__ import annotations

import re

from migrate02.formats.document import Document, Piece, UnusableInput

__all__ = ["Document", "Piece", "UnusableInput", "looks_like_etcd", "read"]

_VARIABLE = re.compile(r"^[ \t]*(?:export[ \t]+)?ETCD_[A-Z0-9_]+=", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=", re.MULTILINE)
_COMMAND = re.compile(
    r"\A(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*(?:exec[ \t]+)?[^\s#=\[\]{}\"':]+[ \t]+(?:\\\r?\n[ \t]*)?-"
)
_TOML = re.compile(r"^[ \t]*(?:\[[A-Za-z_.]+\]|[A-Za-z_\"'][\w.\-\"']*[ \t]*=)", re.MULTILINE)
_YAML = re.compile(r"^[a-z][a-z0-9-]*:(?:[ \t]|\r?$)", re.MULTILINE)
_COMMENTS = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z))*\Z")


def read(text: str, name: str) -> Document:
    """Read a text of any kind; ``name`` is what messages call it. Raises UnusableInput."""
    if "\0" in text:
        raise UnusableInput("a binary file, not an etcd configuration")
    if not text.strip():
        raise UnusableInput("empty")
    if (
        text.lstrip()[0] in '["'
        and text.lstrip().startswith("[")
        and '"' in text.partition("\n")[0] + text[:200]
    ):
        from migrate02.formats import argsjson

        found = argsjson.read(text, name)
        if found is not None:
            return found
    if _VARIABLE.search(text):
        from migrate02.formats import envfile

        return envfile.read(text, name)
    if _COMMAND.match(text):
        from migrate02.formats import command

        return command.read(text, name)
    if _YAML.search(text) and not _TOML.search(text):
        from migrate02.formats import yaml3

        return yaml3.read(text, name)
    if _COMMENTS.match(text):
        return Document("comments", "comments", [], [], [])
    from migrate02.formats import toml

    return toml.read(text, name)


def looks_like_etcd(text: str) -> bool:
    """A quick guess, for walking a tree: worth reading at all?"""
    if _VARIABLE.search(text):
        return True
    if _COMMAND.match(text):
        return "etcd" in text
    return bool(_TOML.search(text)) and ("addr" in text or "etcd" in text)
