"""How ``migrate02 v2store check`` is asked about a member, for findings that name it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote


def to_check(settings: Mapping[str, str]) -> str:
    """The words that ``migrate02 v2store check`` takes for the member with these settings."""
    wal_dir, data_dir = settings.get("wal-dir"), settings.get("data-dir")
    own_wal = f"--wal-dir {quote(wal_dir)} " if wal_dir else ""
    return own_wal + quote(data_dir or "DIR")
