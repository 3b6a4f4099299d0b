"""What tests leave out for a gateway is a row of its page."""

from pathlib import Path

import pytest

from tests.server.api.conftest import OTHERWISE

PAGE = Path(__file__).parents[3] / "docs" / "gateway.md"


@pytest.mark.parametrize("what", OTHERWISE)
def test_what_a_gateway_does_otherwise_is_in_the_table(what: str) -> None:
    _, _, table = PAGE.read_text().partition("## What is different from a member\n")
    rows = table.partition("\n## ")[0].splitlines()
    assert any(row.startswith(f"| {what}") for row in rows)
