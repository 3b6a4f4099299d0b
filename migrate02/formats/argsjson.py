"""Arguments as a JSON list, as container images and unit generators take them."""

from __future__ import annotations

import json

from migrate02.formats.command import in_file, read_words
from migrate02.formats.document import Document, newline_of


def read(text: str, name: str, era: str = "") -> Document | None:
    """None when the text is no JSON list of texts. Raises UnusableInput when they are of some other program."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words) or not words:
        return None
    found = in_file(read_words(words, era), name, 0)
    program = found.program if not words[0].startswith("-") else ()
    return found._replace(
        form="args-json", default_form="args-json", newline=newline_of(text), program=program
    )
