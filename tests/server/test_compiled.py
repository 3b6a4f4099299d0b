"""What setup.py compiles: that it can be, and in the environment of ``make compiled`` that it is."""

import ast
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from setuptools.errors import CompileError

from server.process import is_compiled

ROOT = Path(__file__).parents[2]


def _setup() -> Any:
    spec = importlib.util.spec_from_file_location("setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compiled() -> list[str]:
    return [f"{package}/{name}.py" for package, names in _setup().COMPILED.items() for name in names.split()]


@pytest.mark.parametrize("path", _compiled())
def test_a_module_is_compiled_where_it_should_be(path: str) -> None:
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    assert module.__file__ is not None
    installed = bool(os.environ.get("MIGRATE02_INSTALLED"))
    assert is_compiled() is installed
    assert module.__file__.endswith(".so" if installed else ".py")


def test_a_wheel_is_pure_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["setup.py", "bdist_wheel"])
    monkeypatch.delenv("MIGRATE02_COMPILE", raising=False)
    assert _setup().extensions() == []
    assert "pure Python. MIGRATE02_COMPILE=always compiles" in capsys.readouterr().err
    monkeypatch.setenv("MIGRATE02_COMPILE", "never")
    assert _setup().extensions() == []


def test_compiling_fails_at_once_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["setup.py", "bdist_wheel"])
    monkeypatch.setenv("CC", "/nowhere/cc")
    monkeypatch.setenv("MIGRATE02_COMPILE", "always")
    with pytest.raises(CompileError):
        _setup().extensions()


def test_another_word_than_always_and_never_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATE02_COMPILE", "yes")
    with pytest.raises(SystemExit, match="set it to always or never"):
        _setup().extensions()


def test_an_editable_install_is_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["setup.py", "editable_wheel"])
    monkeypatch.setenv("MIGRATE02_COMPILE", "always")
    assert _setup().extensions() == []


def _held_across(tree: ast.AST, *, handling: bool = False) -> Iterator[int]:
    """Lines where a coroutine or a generator steps aside while it handles an exception."""
    for node in ast.iter_child_nodes(tree):
        if (
            isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.AsyncFor | ast.AsyncWith)
            and handling
        ):
            yield node.lineno
        if isinstance(node, ast.Try):
            parts = [(part, handling) for part in (*node.body, *node.orelse)]
            parts += [
                (part, True)
                for part in (*[each for one in node.handlers for each in one.body], *node.finalbody)
            ]
            for part, inside in parts:
                yield from _held_across(ast.Module([part], []), handling=inside)
            continue
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _held_across(node, handling=handling and not inner)


@pytest.mark.parametrize("path", _compiled())
def test_no_exception_is_held_across_an_await(path: str) -> None:
    """mypyc would leave it with the thread, for others to find; seen with 2.4."""
    assert list(_held_across(ast.parse((ROOT / path).read_text()))) == []


def test_such_an_await_would_be_seen() -> None:
    code = "async def f():\n try:\n  await g()\n except E:\n  async def h(): await g()\n  x = await g()\n finally:\n  yield 1\n"
    assert list(_held_across(ast.parse(code))) == [6, 8]
