"""Command lines, environments and files in, translations out: what most tests of ``compat`` start from."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from compat.commandline import read_command_line
from compat.findings import Finding
from compat.gather import gather
from compat.settings import FLAG, Given, Origin
from compat.translate import Surroundings, Translation, translate

REFERENCE = Path(__file__).parents[2] / "fixtures" / "reference"
HOST = Surroundings("host1", is_this_machine=True)
NOWHERE = "/nonexistent/etcd.conf"


def reference(name: str) -> dict[str, Any]:
    """A recorded table of facts about real etcd."""
    content: dict[str, Any] = yaml.safe_load((REFERENCE / name).read_text())
    return content


def translated(
    line: str = "",
    environ: Mapping[str, str] | None = None,
    around: Surroundings = HOST,
    system_file: str = NOWHERE,
) -> Translation:
    """What becomes of a command line (without the program) and an environment; findings of every step together."""
    sources = gather(read_command_line(shlex.split(line)), environ or {}, system_file)
    made = translate(sources.given, around, sources.era)
    return made._replace(findings=sources.findings + made.findings)


def codes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def finding(made: Translation, code: str) -> Finding:
    """The one finding with that code."""
    (found,) = (item for item in made.findings if item.code == code)
    return found


def by_flag(**settings: str) -> dict[str, Given]:
    """Settings that came by flag, names with ``_`` for ``-``."""
    names = {name.replace("_", "-"): value for name, value in settings.items()}
    return {name: Given(name, value, Origin(FLAG, f"-{name}")) for name, value in names.items()}
