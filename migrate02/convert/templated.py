"""Setups in a template whose statements decide which settings there are. Pure."""

from __future__ import annotations

from compat.findings import Finding
from compat.settings import FILE, Origin
from migrate02.convert.findings import BY_A_TEMPLATE
from migrate02.formats.reading import Setup
from migrate02.formats.templates import Statement, blocks


def decided_by_a_template(setup: Setup, name: str) -> Finding | None:
    """Says so where a template's statements decide which settings there are."""
    statement = setup.decided_by or _between_settings(setup, name)
    if statement is None:
        return None
    return BY_A_TEMPLATE.finding("", Origin(FILE, name, name, setup.line), reason=statement.words)


def _between_settings(setup: Setup, name: str) -> Statement | None:
    """A statement that tells the settings apart: not all of them stand in one block, with the start."""
    settings = [*setup.flags, *setup.variables]
    blocks_of = {setting.view.name: setting.view.whole.once(blocks) for setting in settings}
    if all(of_file.is_empty for of_file in blocks_of.values()):
        return None
    deciding = {blocks_of[setting.view.name].of(setting.view.offset(setting.start)) for setting in settings}
    if name in blocks_of:
        deciding.add(blocks_of[name].of_line(setup.line))
    return next(filter(None, deciding), None) if len(deciding) > 1 else None
