"""What etcd is given at a start, and what it makes of it: by the code behind ``etcd02 --print-config``, 0.4's words read
as 0.4 read them and 2.x's as 2.x does. Two starts are the same when they come to the same configuration.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from compat import flags04
from compat.commandline import read_command_line
from compat.findings import ERROR
from compat.gather import gather
from compat.placeholder import is_incomplete
from compat.settings import Given
from compat.translate import ERA_04, ERA_2X, Surroundings, era_of, is_of_04_alone, is_of_2x_alone, translate
from server.config import BY_NAME, Config, ConfigError, load
from tests.migrate02.running import HOST

_PEERS = frozenset(("peers", "peers-file"))
_LEFT_OUT = re.compile(r"--([a-z-]+)=")


@dataclass(frozen=True, slots=True)
class Start:
    """``words`` are those behind the program's name; ``variables`` are etcd's own. ``files`` are what the same script
    wrote, in which a ``-config`` is looked up. ``of_2x``: what stands around it says so, an image's tag. ``host`` is the
    name of the machine it starts on; ``partial``: what is not set here, is set elsewhere (a drop-in)."""

    words: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    of_2x: bool = False
    host: str = HOST
    partial: bool = False
    files: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)


class Meaning(NamedTuple):
    """``config`` is all of 2.3's and what later releases know besides; ``by_default`` are names that nobody gave.
    ``trouble`` is why etcd does not start so."""

    config: dict[str, object]
    by_default: frozenset[str]
    given: Mapping[str, Given]
    trouble: str


def gathered(start: Start) -> tuple[dict[str, Given], str]:
    """What was given, merged by precedence, and why it cannot be read."""
    line = read_command_line(start.words)
    refused = [finding.message for finding in line.findings if finding.severity == ERROR]
    if line.config_file is None:
        sources = gather(line, start.variables, "")
    else:
        text = start.files.get(line.config_file.value, b"")
        with tempfile.NamedTemporaryFile(suffix=".conf") as file:
            Path(file.name).write_bytes(text)
            named = line.config_file._replace(value=file.name)
            sources = gather(line._replace(config_file=named), start.variables, "")
    refused += [finding.message for finding in sources.findings if finding.severity == ERROR]
    return {name: one for name, one in sources.given.items() if name != "config"}, " ".join(refused)


def is_of_04(start: Start) -> bool:
    """Whether something in it is 0.4's alone, and nothing 2.x's alone."""
    return not start.of_2x and era_of(gathered(start)[0]) == ERA_04


def read_as_04(start: Start) -> Meaning:
    """In 2.x's words. -peers is taken out: what becomes of it is for whoever compares. What both releases have alone
    counts as 0.4's here; a start of 2.x with old names is 2.x's, as it is for etcd itself."""
    given, trouble = gathered(start)
    era = ERA_2X if start.of_2x or any(map(is_of_2x_alone, given.values())) else ERA_04
    used = {
        name: one
        for name, one in given.items()
        if name not in _PEERS and not (start.of_2x and _is_ignored(name))
    }
    return _meaning(used, given, start.host, era, trouble)


def read_as_2x(start: Start) -> Meaning:
    given, trouble = gathered(start)
    old = [one.origin.name for one in given.values() if is_of_04_alone(one)]
    trouble = trouble or (f"2.x does not read {', '.join(old)}" if old else "")
    return _meaning(given, given, start.host, ERA_2X, trouble)


def _is_ignored(name: str) -> bool:
    """Whether 2.x takes this old setting and does nothing with it."""
    return name in flags04.BY_NAME and flags04.BY_NAME[name].in_238 == flags04.IGNORED


def _meaning(
    used: dict[str, Given], given: Mapping[str, Given], host: str, era: str, trouble: str
) -> Meaning:
    around = Surroundings(host, hostname_given=True)
    translation = translate(used, around, era)
    refused = [finding.message for finding in translation.findings if finding.severity == ERROR]
    trouble = trouble or " ".join(refused)
    config: dict[str, object] = {}
    if not trouble:
        try:
            config = _loaded(translation.config, given).effective()
        except ConfigError as error:
            trouble = str(error)
    config |= {name: value for name, value in translation.config.items() if name not in BY_NAME}
    return Meaning(config, frozenset(config) - frozenset(translation.sources), given, trouble)


def _loaded(settings: Mapping[str, str], given: Mapping[str, Given]) -> Config:
    known = {name: value for name, value in settings.items() if name in BY_NAME}
    return load(known, listen_client_from_bind_addr="listen-client-urls" not in given)


def differences(before: Start, after: Start, said: str, options: Sequence[str] = ()) -> list[str]:
    """What 2.x makes of ``after`` beside what 0.4 made of ``before``; ``said`` are the findings.

    Listed, and no difference: the cluster of a start that had -peers, where its members are there by their addresses;
    what 0.4 did by default, where it is said that it is not written; flags that come from where they are not seen, which
    2.x refuses.
    """
    if before == after:
        return _unchanged(before, said)
    old, new = read_as_04(before), read_as_2x(after)
    if old.trouble and not new.trouble:
        return [f"0.4 did not take it ({old.trouble}), and 2.x takes what became of it: {after}"]
    if old.trouble or (new.trouble and "[flags-elsewhere]" in said):
        return []
    if new.trouble:
        return [f"2.x does not take it: {new.trouble}: {after}"]
    excused = set(
        _LEFT_OUT.findall(" ".join(line for line in said.splitlines() if "[defaults-left-out]" in line))
    )
    if before.partial:
        excused |= {*old.by_default, "initial-cluster"} - new.given.keys()
    if "--initial-cluster" in options:
        excused.add("initial-cluster")
    if "[members-from-files]" in said and _is_among(old, new):
        excused.add("initial-cluster")
    if _PEERS & old.given.keys():
        excused |= {"initial-cluster", "initial-cluster-state"}
        if missing := _members_missing(old, new):
            return [f"members that -peers names are not in --initial-cluster: {missing}"]
    return [
        f"{name}: {old.config.get(name)!r} became {new.config.get(name)!r}"
        for name in sorted(old.config.keys() | new.config.keys())
        if old.config.get(name) != new.config.get(name) and name not in excused
    ]


def _unchanged(start: Start, said: str) -> list[str]:
    """A start of 0.4's that stays as it is has to be reported."""
    if is_of_04(start) and not any(f"[{code}]" in said for code in REPORTED):
        return [f"a start of 0.4's is not changed, and nothing is said: {start}"]
    return []


REPORTED = (
    *("not-converted", "value-elsewhere", "era-unclear", "peers", "unusable-input", "shared-settings"),
    *("settings-clash", "invalid-value", "unknown-setting", "old-beside-new", "several-bootstraps"),
)
"""What may be said of a start that is not changed."""


def _is_among(old: Meaning, new: Meaning) -> bool:
    """Whether the cluster has this member, by its name and address, or by those that -peers gave it."""
    cluster = str(new.config["initial-cluster"]).split(",")
    return set(str(old.config["initial-cluster"]).split(",")) <= set(cluster) or bool(
        _PEERS & old.given.keys()
    )


def _members_missing(old: Meaning, new: Meaning) -> list[str]:
    """None where a person has yet to complete the list, which 2.x refuses until then."""
    peers = old.given["peers"].value.split(",") if "peers" in old.given else []
    cluster = str(new.config.get("initial-cluster", ""))
    if is_incomplete(cluster):
        return []
    return [peer for peer in peers if peer.strip() and f"//{peer.strip()}" not in cluster]
