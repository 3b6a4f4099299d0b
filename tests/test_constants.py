"""A number that the server goes by says what it counts and why it is that one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "server"

GENERATED = ("proto",)
"""Packages that are generated."""

_NUMBERS = (ast.BinOp, ast.UnaryOp, ast.Tuple, ast.Constant, ast.operator, ast.unaryop, ast.expr_context)


def _is_number(value: ast.expr) -> bool:
    """Whether it is written with numbers alone: ``64 << 10``, ``1.0``, ``0.1, 1.0``."""
    parts = list(ast.walk(value))
    constants = [part.value for part in parts if isinstance(part, ast.Constant)]
    return (
        bool(constants)
        and all(isinstance(part, _NUMBERS) for part in parts)
        and all(type(constant) in (int, float) for constant in constants)
    )


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def without_reason(source: str) -> Iterator[str]:
    """The constants of a module that have neither a text behind them nor a comment, in their line or above. One text
    may serve several constants in a row."""
    lines = source.splitlines()
    body = ast.parse(source).body
    waiting: list[str] = []
    for statement in body:
        if _is_text(statement):
            waiting = []
            continue
        above = lines[statement.lineno - 2].strip() if statement.lineno > 1 else ""
        if not above:
            yield from waiting
            waiting = []
        if isinstance(statement, ast.Assign):
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, value = statement.target, statement.value
        else:
            continue
        names = [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]
        has_comment = above.startswith("#") or above.endswith('"""') or "#" in lines[statement.lineno - 1]
        if _is_number(value) and not has_comment and all(name.isupper() for name in names):
            waiting.append(", ".join(names))
    yield from waiting


def test_every_constant_of_the_server_has_its_reason() -> None:
    modules = [
        path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in GENERATED
    ]
    assert modules
    found = {str(path.relative_to(ROOT)): list(without_reason(path.read_text("utf-8"))) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("A = 1\n", ["A"]),
        ("_A, B = 0.1, -1 << 2\n", ["_A, B"]),
        ('A = 1\n"""Seconds."""\n', []),
        ('A = 1\nB = 2\n"""Both."""\n', []),
        ('"""This one."""\n\nA = 1\n', ["A"]),
        ('A = 1\n\nB = 2\n"""This one."""\n', ["A"]),
        ("# Why.\nA = 1\n", []),
        ("A = 1  # why\n", []),
        ("a = 1\nA = 'x'\nB = f(1)\n", []),
    ],
)
def test_a_reason_stands_behind_above_or_beside_a_constant(source: str, found: list[str]) -> None:
    assert list(without_reason(source)) == found
