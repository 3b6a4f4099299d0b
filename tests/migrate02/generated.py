"""Scripts of ``tests.migrate02.grammar``, converted and run: what came of one."""

from __future__ import annotations

from typing import NamedTuple

from migrate02.cli.report import finding_lines
from migrate02.convert.conversion import Conversion, Options
from migrate02.convert.deployment import convert_text
from tests.migrate02.by_running import compare
from tests.migrate02.grammar import Script
from tests.migrate02.running import HOST

NAME = "script.sh"


class Tried(NamedTuple):
    """``wrong`` is what 2.x is given that 0.4 was not; a start that is not changed has to be reported."""

    converted: bool
    wrong: list[str]
    text: str


def converted(text: str) -> Conversion:
    return convert_text(text, NAME, Options(hostname=HOST, hostname_given=True))


def tried(script: Script) -> Tried:
    conversion = converted(script.text)
    said = "\n".join(finding_lines(conversion.findings))
    if conversion.text is None:
        return Tried(False, [f"refused: {said}"], "")
    wrong, starts = compare(NAME, script.text.encode(), conversion.text.encode(), said)
    if not starts:
        wrong = ["it starts no etcd at all, so there is nothing to compare"]
    return Tried(conversion.changed and not conversion.left_alone, wrong, conversion.text)
