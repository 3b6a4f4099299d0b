"""The steps of a cluster's way to 2.x, in order: what to run, what to see after it, how to go back. Pure.

0.4 and 2.x do not speak with each other, so all members stop before the first one starts again: the runbook keeps what
happens between as short as it can, and everything that can be looked at or undone stands before what cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from migrate02.plan.configuration_steps import (
    bring_configuration,
    convert_configuration,
    read_configuration,
    write_by_hand,
)
from migrate02.plan.data_steps import (
    convert_data,
    gather_data,
    go_on_to_3x,
    remove_old_files,
    swap_directories,
)
from migrate02.plan.planning import ClusterPlan
from migrate02.plan.program_steps import build_image, replace_programs
from migrate02.plan.running_steps import close_old_ports, look, move_clients, start, start_proxies, stop
from migrate02.plan.step import Step

HOW_TO_GO_BACK = (
    "To go back, undo the completed steps, the last one first, down to the step that starts 0.4 again. Run all "
    "lines in one folder, on a machine that can reach the others."
)


_STEPS: Sequence[Callable[[ClusterPlan], Step | None]] = (
    look,
    read_configuration,
    build_image,
    stop,
    gather_data,
    convert_data,
    swap_directories,
    convert_configuration,
    write_by_hand,
    bring_configuration,
    replace_programs,
    start,
    start_proxies,
    move_clients,
    close_old_ports,
    remove_old_files,
    go_on_to_3x,
)
"""In order; each makes its step, or None where a plan needs none."""


def runbook(plan: ClusterPlan) -> list[Step]:
    """Nothing for a plan that is refused."""
    if plan.is_refused:
        return []
    return [step.in_lines for make in _STEPS if (step := make(plan)) is not None]
