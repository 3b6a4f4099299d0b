"""One room per kind of file: text in, pieces and settings out. Which kind a text is, is found out from its content.

A file named etcd.conf may be 0.4's TOML, 2.x's environment file or 3.x's YAML: names prove nothing.
"""

from __future__ import annotations

import re

from migrate02.formats.document import Document, Piece, UnusableInput

__all__ = ["ONLY_COMMENTS", "Document", "Piece", "UnusableInput", "looks_like_etcd", "read"]

ONLY_COMMENTS = "comments"
"""The form of a text with nothing else in it: of any kind, and nothing to do."""

# Patterns are texts, compiled when first needed.
_ASSIGNMENT = r"""(?m)^[ \t]*(?:export[ \t]+)?(?:ETCD_[A-Z0-9_]+=|[A-Z][A-Z0-9_]*=["']?-{1,2}[a-zA-Z])"""
"""An etcd variable, or one that holds flags."""
_COMMAND = r"""(?x)[ \t]*
    (?: -{1,2}[A-Za-z]                            # flags alone
      | (?: exec[ \t]+ )?
        (?: (?: [^\s#=\[\]{}"':]*/ )? etcd \s*\Z  # etcd alone
          | [^\s#=\[\]{}"':]+ [ \t]+ (?: \\\r?\n[ \t]* | \$\S+[ \t]+ )* ["']?- ) )"""
_TOML = r"(?m)^[ \t]*(?:\[[A-Za-z_.]+\]|[A-Za-z_\"'][\w.\-\"']*[ \t]*=)"
_YAML = r"(?m)^[a-z][a-z0-9-]*:(?:[ \t]|\r?$)"

_OUR_TOML = (
    r"(?m)^[ \t]*(?:\[(?:peer|cluster)\]|(?:addr|bind_addr|data_dir|peers|peers_file|discovery|snapshot_count"
    r"|max_result_buffer|max_retry_attempts|peer\.addr)[ \t]*=)"
)
_NAMES_ETCD = r"(?m)\betcd\b.*[ \t\"'-]-{1,2}[a-zA-Z]|^(?:listen|advertise)-client-urls:"

_NOT_CONVERTED = (
    ("a script", "#!"),
    ("a cloud-config", "#cloud-config"),
    ("a systemd unit", "[Unit]"),
    ("a systemd unit", "[Service]"),
)
"""Kinds of files that hold etcd's settings among other things, and how their first line begins: said so, and not read
as what they are not."""


def read(text: str, name: str) -> Document:
    """Read a text of any kind; ``name`` is what messages call it. Raises UnusableInput."""
    if "\0" in text:
        raise UnusableInput("a binary file, not an etcd configuration")
    if not text.strip():
        raise UnusableInput("empty")
    code = _without_leading_comments(text)
    for kind, beginning in _NOT_CONVERTED:
        if text.startswith(beginning) or code.startswith(beginning):
            raise UnusableInput(
                f"{kind}, which is not converted as a whole: give the words of etcd's command line after --, and its "
                "variables as a file"
            )
    if not code:
        return Document(ONLY_COMMENTS, ONLY_COMMENTS, [], [], [])
    if code.startswith("["):
        from migrate02.formats import argsjson

        found = argsjson.read(text, name)
        if found is not None:
            return found
    if _has_assignments(text):
        from migrate02.formats import envfile

        return envfile.read(text, name)
    if _is_command(code):
        from migrate02.formats import command

        return command.read(text, name)
    if re.search(_YAML, text) and not re.search(_TOML, text):
        from migrate02.formats import yaml3

        return yaml3.read(text, name)
    from migrate02.formats import toml

    return toml.read(text, name)


def looks_like_etcd(text: str) -> bool:
    """A quick guess, for walking a tree: worth reading at all?"""
    if "\0" in text:
        return False
    if _has_assignments(text) or re.search(_OUR_TOML, text):
        return True
    code = _without_leading_comments(text)
    if code.startswith("["):
        return "etcd" in text
    if text.startswith("#!") or _is_command(code) or re.search(_YAML, text):
        return bool(re.search(_NAMES_ETCD, text))
    return False


def _has_assignments(text: str) -> bool:
    """Asked of every text, so the cheap question comes first."""
    return ("ETCD_" in text or "-" in text) and bool(re.search(_ASSIGNMENT, text))


def _is_command(code: str) -> bool:
    return ("-" in code or "etcd" in code) and bool(re.match(_COMMAND, code))


def _without_leading_comments(text: str) -> str:
    """The text from its first line on that is neither blank nor a comment, without the blanks before it."""
    rest = text.lstrip()
    while rest.startswith("#"):
        rest = rest.partition("\n")[2].lstrip()
    return rest
