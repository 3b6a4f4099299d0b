"""Files stay short enough to be read in one go."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = {"migrate02": 300}
"""Lines that a file of a package has fewer of."""


@pytest.mark.parametrize(("package", "lines"), LONGEST.items())
def test_no_file_is_longer(package: str, lines: int) -> None:
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in (ROOT / package).rglob("*.py")}
    assert sizes, "a package has files"
    assert {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size >= lines} == {}
