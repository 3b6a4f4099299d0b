"""A name stands for one thing: no two classes of the server have the same one, whether the others see them or not."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "server"

SHARED: dict[str, tuple[str, ...]] = {}
"""Names that more than one module must define, with these modules; the reason stands beside each."""


def definitions() -> dict[str, list[str]]:
    """The modules that define a class, by its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(str(path.relative_to(ROOT)))
    return found


def test_no_two_classes_of_the_server_have_the_same_name() -> None:
    names = definitions()
    assert len(names) > 100, "the server has classes"
    several = {name: tuple(modules) for name, modules in names.items() if len(modules) > 1}
    assert several == SHARED
