"""Reads ETCD_* variables, from the environment or from a file of NAME=value lines. Pure.

0.4's variables are read as 0.4 read them, 2.x's as 2.x does; an empty one counts as not set in both.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from compat.codes import (
    BAD_VALUE,
    MISSPELT_VARIABLE,
    NEW_VARIABLE_GIVEN,
    NO_NUMBER,
    NO_SETTING,
    VARIABLE_IGNORED,
)
from compat.findings import Finding
from compat.flags04 import BY_NAME, BY_VARIABLE, COMMAND, NEVER_READ, ONLY_04_SPELLINGS, Flag04
from compat.likely import likely
from compat.settings import Given, Origin
from compat.values import refusal, variable_04
from server.config import SETTINGS

PREFIX = "ETCD_"
HINTS = 20
"""Unknown variables of one environment for which a likely name is looked up; a hostile file has thousands."""
_INSTEAD = {
    "cors": "Remove it, or set ETCD_CORS if it should take effect.",
    "config": "Remove it, and convert the file that it names.",
}
BY_VARIABLE_2X: dict[str, str] = {
    PREFIX + setting.name.upper().replace("-", "_"): setting.name for setting in SETTINGS
}


class Variables(NamedTuple):
    given: list[Given]
    findings: list[Finding]


def read_variables(items: Iterable[tuple[str, Origin]], *, template: bool = False) -> Variables:
    """``items`` are (value, origin) pairs; the variable's name is the origin's. ``template``: see ``refusal``."""
    given: list[Given] = []
    findings: list[Finding] = []
    for text, origin in items:
        if not origin.name.startswith(PREFIX) or not _counts(origin.name, text):
            continue
        read = _read(text, origin, template)
        if isinstance(read, Given):
            given.append(read)
        else:
            findings.append(read)
    return _without_old_beside_new(Variables(given, _with_likely_names(findings)))


def setting_of(variable: str) -> str:
    """The flag name of a variable, 0.4's or 2.x's or a later one's; ``""`` when it is no setting's."""
    old = BY_VARIABLE.get(variable)
    if old is not None:
        return old.name
    new = BY_VARIABLE_2X.get(variable)
    if new is not None:
        return new
    from compat.flags2x import FLAGS

    return next((flag.name for flag in FLAGS if flag.kind != "ignored" and flag.variable == variable), "")


def _counts(variable: str, text: str) -> bool:
    """0.4 trimmed what it read before it looked whether anything was there."""
    return bool(text.strip() if variable in BY_VARIABLE else text)


def _read(text: str, origin: Origin, template: bool) -> Given | Finding:
    old = BY_VARIABLE.get(origin.name)
    if old is not None:
        return _read_04(old, text, origin, template)
    name = setting_of(origin.name) if origin.name not in NEVER_READ else ""
    if not name or _is_of_a_command(name):
        return _not_a_setting(origin, text)
    reason = refusal(name, text, template=template)
    return _refused(name, text, reason, origin) if reason else Given(name, text, origin)


def _read_04(flag: Flag04, text: str, origin: Origin, template: bool) -> Given | Finding:
    """What 2.3.8 never looks at does not stop it, whatever its value."""
    value, refused_by_04 = variable_04(flag, text)
    reason = refusal(flag.name, value, template=template)
    if origin.name in ONLY_04_SPELLINGS and (reason or refused_by_04):
        return NO_NUMBER.finding(flag.name, origin, value=value, variable=origin.name, flag=flag.name)
    return _refused(flag.name, value, reason, origin) if reason else Given(flag.name, value, origin)


def _is_of_a_command(name: str) -> bool:
    """As ``-version`` is, which no variable sets."""
    return name in BY_NAME and BY_NAME[name].fate == COMMAND


def _without_old_beside_new(read: Variables) -> Variables:
    """ETCD_SNAPSHOT_COUNT beside 0.4's ETCD_SNAPSHOTCOUNT: the new one counts."""
    new = {given.name for given in read.given if given.origin.name in BY_VARIABLE_2X}
    # An order, and none of them twice, which is quick to look something up in.
    shadowed = dict.fromkeys(
        given for given in read.given if given.origin.name in ONLY_04_SPELLINGS and given.name in new
    )
    told = [
        NEW_VARIABLE_GIVEN.finding(given.name, given.origin, given=given.origin.name) for given in shadowed
    ]
    return Variables([given for given in read.given if given not in shadowed], read.findings + told)


def _refused(name: str, value: str, reason: str, origin: Origin) -> Finding:
    if "address" in reason:
        remedy = "Write it as host:port, without http://. If the variable belongs to another program, unset it here."
    else:
        remedy = f"Give {origin.name} a value that etcd takes, or unset it."
    return BAD_VALUE.finding(name, origin, value=value, given=origin.name, reason=reason, remedy=remedy)


def _with_likely_names(findings: list[Finding]) -> list[Finding]:
    """Where an unknown variable may be a misspelt one, the finding says so."""
    unknown = [place for place, finding in enumerate(findings) if finding.text is NO_SETTING]
    told = list(findings)
    for place in unknown[:HINTS]:
        origin, fields = findings[place].origin, dict(findings[place].fields)
        like = likely(fields["variable"].removeprefix(PREFIX), _known())
        if like:
            told[place] = MISSPELT_VARIABLE.finding("", origin, **fields, like=PREFIX + like)
    return told


@cache
def _known() -> tuple[str, ...]:
    """All variables that an etcd reads, without ``PREFIX``, 0.4's first."""
    from compat.flags2x import FLAGS

    later = (flag.variable for flag in FLAGS if flag.kind != "ignored" and flag.variable)
    names = dict.fromkeys((*BY_VARIABLE, *BY_VARIABLE_2X, *later))
    return tuple(name.removeprefix(PREFIX) for name in names if not _is_of_a_command(setting_of(name)))


def _not_a_setting(origin: Origin, text: str) -> Finding:
    flag = NEVER_READ.get(origin.name)
    if flag is not None:
        remedy = _INSTEAD.get(flag.name, "Remove it. etcd 2.x has nothing like it either.")
        return VARIABLE_IGNORED.finding(flag.name, origin, variable=origin.name, value=text, remedy=remedy)
    return NO_SETTING.finding("", origin, variable=origin.name, value=text)
