"""The steps of a cluster's way to 2.x or into an etcd 3, in order: what to run and to see, and how to go back. Pure.

0.4 speaks with neither, so all members stop before the first one starts again: the runbook keeps what
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
from migrate02.plan.gateway_steps import (
    bring_what_was_written,
    import_data,
    leave_v2,
    let_clients_write,
    look_at_etcd3,
    move_directories,
    put_gateways_in_place,
    start_gateways,
)
from migrate02.plan.gateway_steps import remove_old_files as remove_files_of_04
from migrate02.plan.gateway_steps import write_by_hand as write_what_starts_gateways
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

_STEPS_OF_GATEWAYS: Sequence[Callable[[ClusterPlan], Step | None]] = (
    look,
    look_at_etcd3,
    build_image,
    stop,
    gather_data,
    import_data,
    move_directories,
    write_what_starts_gateways,
    bring_what_was_written,
    put_gateways_in_place,
    start_gateways,
    let_clients_write,
    remove_files_of_04,
    leave_v2,
)
"""The same for what becomes gateways to an etcd 3."""


def runbook(plan: ClusterPlan) -> list[Step]:
    """Nothing for a plan that is refused."""
    if plan.is_refused:
        return []
    order = _STEPS if plan.gateway is None else _STEPS_OF_GATEWAYS
    return [step.in_lines for make in order if (step := make(plan)) is not None]
