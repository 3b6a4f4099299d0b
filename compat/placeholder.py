"""What stands in --initial-cluster until a person has listed the other members. Text only.

2.0.13 to 3.7 all refuse it: ``URL scheme must be http or https: run-migrate02-plan``. An empty or missing
--initial-cluster would not do: 3.4 and later then start a cluster of one. It needs no quoting in any kind of file.
"""

from __future__ import annotations

PLACEHOLDER = "run-migrate02-plan"
OTHERS = f"OTHERS={PLACEHOLDER}"


def with_others(own: str) -> str:
    """An initial cluster with the member's own entries, which may be none, and the placeholder for the others."""
    return f"{own},{OTHERS}" if own else OTHERS


def is_incomplete(text: str) -> bool:
    return PLACEHOLDER in text
