"""Writes to the standard streams. Nothing that is shown to a person has a password in it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping


def tell(lines: Iterable[str]) -> None:
    """Write lines to standard error, all at once: it is not buffered."""
    from server.printable import shown  # late: --help needs none of it

    sys.stderr.write("".join(f"{shown(line)}\n" for line in lines))


def tell_findings(lines: Iterable[str]) -> None:
    """The same, on a terminal as wide as that and in colour."""
    if not sys.stderr.isatty():
        tell(lines)
        return
    from migrate02.cli import terminal
    from server.printable import shown

    width, colour = terminal.columns(sys.stderr), terminal.has_colour()
    said = (terminal.folded(shown(line), width) for line in lines)
    sys.stderr.write("".join(f"{terminal.coloured(text) if colour else text}\n" for text in said))


def warn(lines: Iterable[str]) -> None:
    """The same, as warnings."""
    tell(f"warning: {line}" for line in lines)


def remark(lines: Iterable[str]) -> None:
    """The same, as notes, which change no exit status."""
    tell(f"note: {line}" for line in lines)


def emit(text: str) -> None:
    """Write to standard output. Bytes that were no UTF-8 go out as they came in."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def camel_case(fields: Mapping[str, object]) -> dict[str, object]:
    """With names as all JSON of the tool has them: ``clusterId``, not ``cluster_id``."""
    return {name[:1] + name.title().replace("_", "")[1:]: value for name, value in fields.items()}
