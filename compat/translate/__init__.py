"""0.4 settings in, 2.x settings and findings out. Pure: the host's name and what is on disk are passed in.

``translate`` first refuses what etcd refuses, then carries each setting over by its row in ``compat.flags04``. A
configuration is of one of two eras: 0.4's when something in it is 0.4's alone and nothing is 2.x's alone. The era
decides whose defaults hold for what was not given. 2.x settings pass through as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from compat.findings import ERROR, INFO, worst
from compat.flags04 import BY_NAME, ONLY_04, ONLY_04_SPELLINGS
from compat.settings import Given
from compat.translate.bootstrap import refuse_peers, translate_bootstrap
from compat.translate.conflicts import refuse_old_beside_new, refuse_several_bootstraps
from compat.translate.draft import ERA_04, ERA_2X, Draft, Surroundings, Translation
from compat.translate.plain import (
    copy_settings,
    drop_what_has_no_counterpart,
    translate_client_auth,
    translate_data_dir,
    translate_name,
    translate_verbosity,
)
from compat.translate.timing import translate_timing
from compat.translate.urls import translate_addresses
from server.config import OURS, SETTINGS

__all__ = [
    "ERA_04",
    "ERA_2X",
    "ORDER",
    "Surroundings",
    "Translation",
    "era_of",
    "is_of_04_alone",
    "is_of_2x_alone",
    "translate",
]

_OURS = frozenset(setting.name for setting in SETTINGS if setting.since == OURS)

ORDER = (
    "name",
    "data-dir",
    "listen-peer-urls",
    "listen-client-urls",
    "initial-advertise-peer-urls",
    "advertise-client-urls",
    "initial-cluster",
    "initial-cluster-state",
    "initial-cluster-token",
    "discovery",
)
"""The order of the settings in a result; the rest follow by name."""
_RANK = {name: place for place, name in enumerate(ORDER)}


def era_of(given: Mapping[str, Given]) -> str:
    """0.4 when something is 0.4's alone and nothing 2.x's alone."""
    has_old = any(map(is_of_04_alone, given.values()))
    return ERA_04 if has_old and not any(map(is_of_2x_alone, given.values())) else ERA_2X


def is_of_2x_alone(given: Given) -> bool:
    """Whether 0.4 does not have the setting. What only the bundled server has speaks for neither."""
    return given.name not in BY_NAME and given.name not in _OURS


def is_of_04_alone(given: Given) -> bool:
    """Whether 2.x does not have the setting, or not under the name it was given by (``-n``)."""
    return given.name in ONLY_04 or given.origin.name.lstrip("-") in ONLY_04_SPELLINGS


def translate(given: Mapping[str, Given], around: Surroundings, era: str = "") -> Translation:
    """Translate settings that are already merged by precedence.

    ``era`` overrides what the settings themselves say. Findings come in the order in which etcd 2.3.8 would stop:
    the first error among them is the one it exits with.
    """
    draft = Draft(given, around, era or era_of(given))
    translate_name(draft)
    translate_data_dir(draft)
    copy_settings(draft)
    translate_addresses(draft)
    translate_client_auth(draft)
    translate_timing(draft)
    translate_verbosity(draft)
    drop_what_has_no_counterpart(draft)
    translate_bootstrap(draft)

    told, draft.findings = draft.findings, []
    refuse_peers(draft)
    refuse_several_bootstraps(draft)
    refuse_old_beside_new(draft)
    findings = draft.findings + told
    if worst(findings) == ERROR:
        findings = [finding for finding in findings if finding.severity != INFO]  # moot: nothing comes of it
    return Translation(_in_order(draft.config), draft.sources, findings, draft.era)


def _in_order(config: dict[str, str]) -> dict[str, str]:
    names = sorted(config, key=lambda name: (_RANK.get(name, len(ORDER)), name))
    return {name: config[name] for name in names}
