"""One step of a runbook, whatever it is for. Pure."""

from __future__ import annotations

from typing import NamedTuple

from server.printable import printable


class Step(NamedTuple):
    """``run`` are a shell's lines, ``check`` too; ``see`` is what they show when all is well, ``back`` the lines that
    undo the step and ``loses`` what is lost by them. ``sets`` are settings to write into a configuration by hand."""

    title: str
    why: str
    run: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    see: str = ""
    back: tuple[str, ...] = ()
    loses: str = "nothing"
    sets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    back_in_words: str = ""
    """Where no shell's lines go back."""

    @property
    def in_lines(self) -> Step:
        """With lines that are one each, whatever was in the values: what stands behind a comment is not to be run."""
        return self._replace(
            run=tuple(map(printable, self.run)),
            check=tuple(map(printable, self.check)),
            back=tuple(map(printable, self.back)),
            sets=tuple((name, tuple(map(printable, lines))) for name, lines in self.sets),
        )
