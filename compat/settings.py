"""A setting somebody gave, and where it came from. Values only."""

from __future__ import annotations

from typing import NamedTuple

FLAG = "flag"
VARIABLE = "variable"
FILE = "file"


class Origin(NamedTuple):
    """Where a setting was written.

    ``name`` is the setting as it was spelled there (``-addr``, ``ETCD_ADDR``, ``peer.addr``); ``place`` is the file
    it stood in, with the line, or empty for the command line and the process environment.
    """

    kind: str
    name: str
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """``old.conf:3``, or ``flag -addr``, or ``variable ETCD_ADDR``."""
        if self.file:
            return f"{self.file}:{self.line}" if self.line else self.file
        return f"{self.kind} {self.name}"

    def __str__(self) -> str:
        return f"{self.name} ({self.file}:{self.line})" if self.file and self.line else self.place


class Given(NamedTuple):
    """``name`` is the long flag name, 0.4's or 2.x's; ``value`` is text as a flag would take it, lists with commas."""

    name: str
    value: str
    origin: Origin


def named_by_etcd(given: Given) -> str:
    """The setting as etcd's messages name it: ``flag -addr``, ``ETCD_ADDR``, or a file's key."""
    return f"flag -{given.name}" if given.origin.kind == FLAG else given.origin.name


def first_wins(*layers: list[Given]) -> dict[str, Given]:
    """Put layers on top of each other, the strongest first. Inside a layer the last word counts.

    0.4.9 and 2.x agree on the order: flag, then environment, then (0.4 only) file.
    """
    merged: dict[str, Given] = {}
    for layer in reversed(layers):
        merged.update((setting.name, setting) for setting in layer)
    return merged
