"""The translation while it is being made: what was given, what came out so far, what there is to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from compat.codes import CARRIED
from compat.findings import ERROR, Finding, Text, worst
from compat.settings import Given

ERA_04 = "0.4"
ERA_2X = "2.x"


class Surroundings(NamedTuple):
    """What a translation must know of the machine. Gathered by the caller: nothing here looks."""

    hostname: str = ""
    hostname_given: bool = False
    """The host's name was told, not looked up on the machine that translates."""
    member_has_data: bool = False
    """The member's data directory already holds a 2.x member."""
    is_this_machine: bool = False
    """The configuration is for the machine the names above were taken from, and starts there now."""
    may_be_completed: bool = False
    """A person completes the result before anything starts with it."""


class Translation(NamedTuple):
    """``config`` holds 2.x settings as their flags take them, URL lists with commas.

    ``sources`` says from which given setting each came; one that was added has none. ``era`` is 0.4 or 2.x: whose
    defaults fill what was not given.
    """

    config: dict[str, str]
    sources: dict[str, str]
    findings: list[Finding]
    era: str

    @property
    def refused(self) -> bool:
        return worst(self.findings) == ERROR


class Draft:
    """Collects the result. ``given`` is never changed."""

    def __init__(self, given: Mapping[str, Given], around: Surroundings, era: str) -> None:
        self.given = given
        self.around = around
        self.era = era
        self.config: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self.findings: list[Finding] = []

    def put(self, name: str, value: str, source: Given | None = None) -> None:
        """Set a 2.x setting; ``source`` is the given setting it stands for."""
        self.config[name] = value
        if source is not None:
            self.sources[name] = source.name

    def say(self, text: Text, about: Given | None, *, setting: str = "", **fields: str) -> None:
        """The text's ``given`` and ``value`` are those of the setting that it is about."""
        if about is None:
            self.findings.append(text.finding(setting, None, **fields))
            return
        fields = {"given": about.origin.name, "value": about.value, **fields}
        self.findings.append(text.finding(setting or about.name, about.origin, **fields))

    def say_carried(self, about: Given, name: str, value: str) -> None:
        self.say(CARRIED, about, new=name, carried=value)

    def value(self, name: str) -> str:
        """The value that was given, or ``""``."""
        given = self.given.get(name)
        return given.value if given is not None else ""

    def scheme(self, prefix: str) -> str:
        """0.4 wanted certificate and key for https; 2.x takes either for a sign of it, and then refuses half a pair."""
        either = self.value(f"{prefix}cert-file") or self.value(f"{prefix}key-file")
        return "https" if self.has_pair(prefix) or (either and self.era != ERA_04) else "http"

    def has_pair(self, prefix: str) -> bool:
        """Whether certificate and key are both given; ``prefix`` is ``""`` or ``"peer-"``."""
        return bool(self.value(f"{prefix}cert-file") and self.value(f"{prefix}key-file"))
