"""Arguments as a JSON list, as container images and unit generators take them."""

from __future__ import annotations

import json

from migrate02.formats.command import in_file, read_words
from migrate02.formats.document import newline_of
from migrate02.formats.format import Context
from migrate02.formats.reading import NOTHING, Reading, settings_alone
from migrate02.formats.view import View


def read(view: View, context: Context) -> Reading:
    """Nothing when the text is no JSON list of texts. Raises UnusableInput when they are of some other program."""
    try:
        words = json.loads(view.text)
    except (ValueError, RecursionError):
        return NOTHING
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words) or not words:
        return NOTHING
    found = in_file(read_words(words, context.era), view.name, 0)
    program = found.program if not words[0].startswith("-") else ()
    return settings_alone(
        found._replace(
            form="args-json", default_form="args-json", newline=newline_of(view.text), program=program
        )
    )
