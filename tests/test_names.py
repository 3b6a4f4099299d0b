"""A name means one thing: no two classes of a package have the same one, private ones included."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("compat", "migrate02", "server")

SHARED: dict[str, tuple[str, ...]] = {}
"""Names that more than one module must define, with these modules, and a comment that says why. There are none."""


def definitions(package: str) -> dict[str, list[str]]:
    """The modules that define a class, by its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_classes_of_a_package_have_the_same_name(package: str) -> None:
    names = definitions(package)
    assert len(names) > 50, "a package has classes"
    several = {name: tuple(modules) for name, modules in names.items() if len(modules) > 1}
    assert several == {name: where for name, where in SHARED.items() if where[0].startswith(f"{package}/")}
