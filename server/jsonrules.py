"""JSON by the rules of Go's encoding/json: what it does to names and texts that Python's json does not. Pure."""

import re

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def folded(name: str) -> str:
    """The same for all names that Go takes for one: names of members are found in any case."""
    return name.replace("\u017f", "s").lower()  # Go folds this letter; lower() alone does not


def as_utf8(text: str) -> str:
    """What was not UTF-8 becomes U+FFFD: one for each byte kept by ``surrogateescape``, or escaped half of a pair."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
