"""Reads ETCD_* variables, from the environment or from a file of NAME=value lines. Pure.

0.4's variables are read as 0.4 read them, 2.x's as 2.x does; an empty one counts as not set in both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from compat.findings import Finding
from compat.flags04 import BY_VARIABLE, NEVER_READ, SAME, TIMING
from compat.settings import Given, Origin
from compat.values import refusal, variable_04
from server.config import SETTINGS

PREFIX = "ETCD_"
BY_VARIABLE_2X: dict[str, str] = {
    PREFIX + setting.name.upper().replace("-", "_"): setting.name for setting in SETTINGS
}


class Variables(NamedTuple):
    given: list[Given]
    findings: list[Finding]


def read_variables(items: Iterable[tuple[str, Origin]]) -> Variables:
    """``items`` are (value, origin) pairs; the variable's name is the origin's."""
    given: list[Given] = []
    findings: list[Finding] = []
    for text, origin in items:
        if not origin.name.startswith(PREFIX) or not text.strip():
            continue
        name, value, reason = _read(origin.name, text)
        if not name:
            findings.append(_not_a_setting(origin, text))
        elif reason:
            findings.append(_refused(name, value, reason, origin))
        else:
            given.append(Given(name, value, origin))
    return Variables(given, findings)


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


def _read(variable: str, text: str) -> tuple[str, str, str]:
    """(flag name, value, refusal)."""
    old = BY_VARIABLE.get(variable)
    if old is not None and old.in_238 != SAME:
        value, reason = variable_04(old, text)
        if reason and old.fate != TIMING:
            reason = ""  # 2.3.8 never looks at the variable, so nothing stops it
        return old.name, value, reason or refusal(old.name, value)
    name = setting_of(variable) if variable not in NEVER_READ else ""
    return name, text if old is None else text.strip(), refusal(name, text.strip()) if name else ""


def _refused(name: str, value: str, reason: str, origin: Origin) -> Finding:
    message = (
        reason if reason.startswith("Parse error") else f'invalid value "{value}" for {origin.name}: {reason}'
    )
    if "address" in reason:
        remedy = "write it as host:port, without http://; if the variable belongs to another program, unset it here"
    else:
        remedy = f"give {origin.name} a value that etcd takes, or unset it"
    return Finding("invalid-value", name, origin, message, remedy)


def _not_a_setting(origin: Origin, text: str) -> Finding:
    flag = NEVER_READ.get(origin.name)
    if flag is not None:
        return Finding(
            "never-read",
            flag.name,
            origin,
            f"{origin.name}={text}: 0.4's documentation had this name, its code never read it",
            f"if you want it to take effect, set {_how_to_set(flag.name)}",
        )
    message = f"unrecognized environment variable {origin.name}={text}"
    return Finding("unknown-variable", "", origin, message, "nothing to do if another program reads it")


def _how_to_set(name: str) -> str:
    return f"--{name}" if name == "cors" else f"what 'migrate02 explain -{name}' names"
