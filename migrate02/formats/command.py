"""A bare command line: ``etcd -name m1 -addr ...``, over several lines with ``\\`` or not."""

from __future__ import annotations

from collections.abc import Sequence

from compat.commandline import read_command_line
from compat.findings import Finding
from compat.settings import FILE, Given, Origin
from migrate02.formats.document import Document, Piece, UnusableInput, newline_of


def read(text: str, name: str) -> Document:
    """Raises UnusableInput when the words cannot be told apart."""
    import shlex

    lines = text.splitlines()
    comments = [line for line in lines if not line.strip() or line.lstrip().startswith("#")]
    first = next(number for number, line in enumerate(lines, 1) if line not in comments)
    code = "\n".join(line for line in lines if line not in comments)
    try:
        words = shlex.split(code.replace("\\\n", " "), comments=True)
    except ValueError as error:
        raise UnusableInput(f"not a command line: {error}", first) from None
    found = read_words(words)
    given = [item._replace(origin=_in_file(item.origin, name, first)) for item in found.given]
    findings = [
        finding._replace(origin=_in_file(finding.origin, name, first)) if finding.origin else finding
        for finding in found.findings
    ]
    pieces = [Piece((line,)) for line in comments if line.strip()]
    return Document("flags", "flags", pieces, given, findings, newline_of(text), found.program)


def read_words(words: Sequence[str]) -> Document:
    """The words of a command line, the program's name before the first flag or not."""
    start = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    line = read_command_line(words[start:])
    given = list(line.given)
    findings = list(line.findings)
    if line.config_file is not None:
        findings.append(_config_elsewhere(line.config_file))
    return Document("flags", "flags", [], given, findings, program=tuple(words[:start]) or ("etcd",))


def _config_elsewhere(config_file: Given) -> Finding:
    message = f"{config_file.value} is left out: etcd 2.x reads no file, and its settings are not in this command line"
    remedy = f"convert {config_file.value} too, and start etcd with both results"
    return Finding("config-elsewhere", "config", config_file.origin, message, remedy)


def _in_file(origin: Origin, name: str, line: int) -> Origin:
    return Origin(FILE, origin.name, name, line)
