"""``migrate02 import``: what it refuses. What it carries is tested in tests/e2e/test_data.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate02.cli.exits import REFUSED
from tests.migrate02.running import migrate02


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "http://y"), "one of the arguments --snapshot --live is required"),
        (("--snapshot", "x", "--live", "http://y"), "--live: not allowed with argument --snapshot"),
        (("--snapshot", "x"), "the following arguments are required: --to"),
        (("--snapshot", "x", "--to", "http://y", "--connections", "0"), "0 is not a number of 1 or more"),
        (("--snapshot", "nowhere", "--to", "http://y"), "nowhere: cannot be read: No such file or directory"),
    ],
)
def test_import_without_what_it_needs_is_one_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    found = migrate02("import", *words, cwd=tmp_path)
    assert (found.status, found.err.count("\n")) == (REFUSED, 1)
    assert says in found.err
