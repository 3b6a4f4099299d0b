"""The guide's examples, read from ``fixtures/guide/examples.yaml``, which says what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml

FILE = Path(__file__).parents[2] / "fixtures" / "guide" / "examples.yaml"


class Example(NamedTuple):
    """A command of the guide and what comes of it; without a command, something that the guide says."""

    id: str
    under: str
    machine: str = ""
    command: str = ""
    says: str = ""
    prints: str = ""
    in_238: str = ""
    exit: int | None = None

    @property
    def words(self) -> list[str]:
        """What it prints, by the guide and by 2.3.8; the program's name, which the guide's lines begin with, left out."""
        of_guide = [
            line.removeprefix("etcd: ").removeprefix("etcdserver: ") for line in self.prints.splitlines()
        ]
        return of_guide + self.in_238.splitlines()


class Flag(NamedTuple):
    """A row of the guide's table: a flag of 0.4, and the one of 2.0 that it becomes, if any."""

    id: str
    old: str
    new: str = ""


def _read() -> tuple[dict[str, Example], dict[str, Flag]]:
    read = yaml.safe_load(FILE.read_text())
    examples = [
        Example(**{key.replace("-", "_"): value for key, value in fields.items()})
        for fields in read["examples"]
    ]
    return {one.id: one for one in examples}, {row["id"]: Flag(**row) for row in read["flags"]}


EXAMPLES, FLAGS = _read()
