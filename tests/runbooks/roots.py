"""Absolute paths of machines, as paths below the folders that stand for their roots."""

from __future__ import annotations

import re
from pathlib import Path

_ABSOLUTE = re.compile(r"""((?:\A|[\s=(])['"]?)/(?!dev/null)(?=[\w.])""")
"""At the start of a word: behind a closing quote a URL goes on."""


def rooted(text: str, root: Path) -> str:
    """Every absolute path in it below the root; URLs, and what is below it already, stay."""
    return _ABSOLUTE.sub(rf"\g<1>{root}/", text.replace(f"{root}/", "/"))
