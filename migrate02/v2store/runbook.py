"""The way of one cluster to the next release, in order: from 3.5 to 3.6 or from there to 3.7. Pure.

Facts behind it: a member of 3.6 dies of any request of v2 that comes to its log, and of a snapshot with v2 keys that a
leader sends. So what writes such requests is turned off first, then each member is cleaned while it is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from migrate02.plan.step import Step
from migrate02.v2store.after_steps import before_37, look
from migrate02.v2store.before_steps import begin, export_keys, turn_flag_off
from migrate02.v2store.member_steps import members
from migrate02.v2store.planned import PlannedCluster

HOW_TO_READ = (
    "Go from top to bottom, and to the next step only when the check says what it should. Directories are named as "
    "they were given: where a member is on a machine of its own, run its lines there, with its own data directory. "
    "Do what is written behind a # by hand."
)

_STEPS: Sequence[Callable[[PlannedCluster], Iterable[Step]]] = (
    begin,
    turn_flag_off,
    export_keys,
    members,
    look,
    before_37,
)
"""In order; each makes its steps, or none where a cluster needs none."""


def runbook(cluster: PlannedCluster) -> list[Step]:
    return [step.in_lines for make in _STEPS for step in make(cluster)]
