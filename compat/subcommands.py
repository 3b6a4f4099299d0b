"""The command lines of what ``etcd02`` has beside the server: flags with values alone, in the grammar of etcd's."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from compat.goflag import VALUE, FlagError, HelpAsked, parse

REFUSED, BAD_FLAG = 1, 2
"""Exit statuses: for what cannot be done, as of most programs, and for a flag that is wrong, as of Go's."""


class Subcommand(NamedTuple):
    """``name`` is its words, such as ``gateway leave``. ``head`` begins its help, and a line for each of ``flags``
    follows: the flag with its value, and what it is for."""

    name: str
    head: str
    flags: Mapping[str, tuple[str, str]]

    def read(self, args: Sequence[str]) -> dict[str, str] | int:
        """The values of the flags in ``args``, by their names. An exit status instead when there is nothing to do: help
        was asked for, or the words make no sense; then the reason is on standard error."""
        try:
            parsed = parse(args, dict.fromkeys(self.flags, VALUE))
        except HelpAsked:
            lines = (
                f"  --{name} {value}".rstrip() + f"\n      {text}"
                for name, (value, text) in self.flags.items()
            )
            print(self.head + "\n".join(lines))
            return 0
        except FlagError as error:
            return self.stop(str(error), BAD_FLAG)
        if parsed.rest:
            return self.stop(
                f"'{parsed.rest[0]}' is not a valid flag; see etcd02 {self.name} --help", REFUSED
            )
        return {flag.name: flag.value or "" for flag in parsed.flags}

    def stop(self, message: str, status: int) -> int:
        """Prints why it ends; returns the exit status."""
        from server.printable import shown  # late: most starts of etcd02 have no use for it

        print(shown(f"etcd02 {self.name}: {message}"), file=sys.stderr)
        return status
