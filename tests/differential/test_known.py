"""The known differences are those that the docs tell."""

from pathlib import Path

import pytest

from tests.differential.known import KNOWN, Known

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.what)
def test_a_known_difference_is_a_line_of_the_docs(known: Known) -> None:
    ours, later = PAGE.read_text().split("## Where 2.3.8 and later etcd differ")
    assert f"\n| {known.what}" in (later if known.since > (0, 0) else ours)
