"""Which known name a misspelt one may stand for. Pure."""

from __future__ import annotations

from collections.abc import Iterable

CUTOFF = 0.7
"""How like two names have to be, from 0 to 1: ``addres`` and ``addr`` are, ``address`` and ``name`` are not."""
LONGEST = 60
"""Letters of a name that is compared; the time that it takes grows with their square."""


def likely(word: str, known: Iterable[str]) -> str:
    """The known name that is most like it; empty for none. Case, and dashes before it, do not matter."""
    bare = _bare(word)
    if not 1 < len(bare) <= LONGEST or " " in bare:
        return ""
    from difflib import get_close_matches  # late: it is large, and mostly nothing is misspelt

    names: dict[str, str] = {}
    for name in known:
        names.setdefault(_bare(name), name)
    found = get_close_matches(bare, names, 1, CUTOFF)
    return names[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """As the end of a message; empty where nothing is like it."""
    found = likely(word, known)
    return f"; did you mean {found}?" if found else ""


def _bare(name: str) -> str:
    return name.lstrip("-").lower()
