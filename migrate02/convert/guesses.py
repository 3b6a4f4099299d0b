"""What 0.4 did by default, where a file that is not seen may say otherwise: not written, and reported. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from compat.findings import Finding
from compat.placeholder import OTHERS, is_incomplete
from compat.settings import Given, Origin
from migrate02.convert.findings import MAY_BE_SET
from migrate02.formats.placeholders import unmask

_HOW_IT_JOINED = ("peers", "peers-file", "discovery")
"""Where one of these stood there is more than the member itself, and the list was made for it."""


def without_guesses(
    config: dict[str, str],
    sources: Mapping[str, str],
    given: Mapping[str, Given],
    fixed: frozenset[str] = frozenset(),
    *,
    unseen: bool,
    asked: bool = False,
) -> tuple[dict[str, str], dict[str, str]]:
    """Without what nobody set, where others may set it, and without a cluster of one, where others may name more;
    and what that is, but for what others are known to set."""
    fixed = fixed - given.keys()
    guesses: set[str] = set()
    if unseen:
        guesses = {key for key in config if not sources.get(key)}
        if sources.get("initial-cluster") not in _HOW_IT_JOINED:
            guesses |= {"initial-cluster"} - given.keys()
    if asked:
        guesses -= {"initial-cluster"}
    if is_incomplete(config.get("initial-cluster", "")):
        own = {"name", "initial-advertise-peer-urls"} & guesses - fixed
        config = {**config, "initial-cluster": OTHERS} if own else config
        guesses -= {"initial-cluster"}
    left_out = {key: config[key] for key in config if key in guesses and key not in fixed}
    return {key: value for key, value in config.items() if key not in guesses | fixed}, left_out


def defaults_left_out(origin: Origin | None, config: Mapping[str, str]) -> Finding:
    flags = unmask(" ".join(f"--{key}={value}" for key, value in config.items()))
    return MAY_BE_SET.finding("", origin, flags=flags)


_ABOUT_A_SETTING = {
    "name-from-hostname": "name",
    "host-name-kept": "name",
    "single-member": "initial-cluster",
    "old-data-format": "data-dir",
}


def is_moot(finding: Finding, kept: set[str], config: Mapping[str, str]) -> bool:
    """Said of a setting that is not written after all."""
    setting = _ABOUT_A_SETTING.get(finding.code, "")
    if finding.code == "listens-everywhere" and finding.setting:
        setting = f"listen-{'peer' if finding.setting.startswith('peer') else 'client'}-urls"
    return bool(setting) and setting in config and setting not in kept
