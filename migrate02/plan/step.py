"""One step of a runbook, and what several steps name alike. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from migrate02.plan.commands import word
from migrate02.plan.planning import ClusterPlan, Planned
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


def old_folder(plan: ClusterPlan, node: Planned | None = None) -> str:
    """The folder beside the runbook with the directories of 0.4 as they were, or a member's in it."""
    return f"old-{plan.name}" + (f"/{node.name}" if node is not None else "")


def new_folder(plan: ClusterPlan, node: Planned | None = None) -> str:
    """The same for what becomes of them."""
    return f"new-{plan.name}" + (f"/{node.name}" if node is not None else "")


def cluster_option(plan: ClusterPlan) -> str:
    return f"--initial-cluster {word(plan.initial_cluster)}"


def files_of(nodes: Iterable[Planned]) -> str:
    names = dict.fromkeys(name for node in nodes for name in node.node.files)
    return " ".join(map(word, names))


def data_dir(node: Planned) -> str:
    """``""`` for a standby's that nobody knows."""
    return node.settings.get("data-dir", "").rstrip("/")


def old_directory(node: Planned) -> str:
    return node.node.old_directory or data_dir(node)
