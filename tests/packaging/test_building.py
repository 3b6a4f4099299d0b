"""Building and the first success take seconds: nothing is compiled, and nothing installed to compile, unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pip import QUICKLY

ROOT = Path(__file__).parents[2]
ASKED = "import backend; print(*backend.get_requires_for_build_wheel())"


def said(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **QUICKLY, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("wanted", "needs_mypy"), [("", False), ("never", False), ("always", True)])
def test_a_build_needs_mypy_only_to_compile(wanted: str, needs_mypy: bool) -> None:
    needed = said(sys.executable, "-c", ASKED, PYTHONPATH="packaging", MIGRATE02_COMPILE=wanted)
    assert ("mypy" in needed) is needs_mypy


def test_the_demo_builds_nothing() -> None:
    steps = said("make", "--dry-run", "--always-make", "demo")
    assert "packaging/from_source.py .venv" in steps
    assert "pip install" not in steps
    assert "The commands are in" in steps


@pytest.mark.slow
def test_commands_run_from_the_sources_in_a_new_environment(tmp_path: Path) -> None:
    said(sys.executable, "packaging/from_source.py", str(tmp_path / "env"))
    for name in ("migrate02", "etcd02", "etcdctl02"):
        assert said(str(tmp_path / "env" / "bin" / name), "--version")
    where = "import migrate02.cli.main as found; print(found.__file__)"
    assert not (tmp_path / "env" / "lib").joinpath("python3.11", "site-packages", "migrate02").exists()
    assert said(str(tmp_path / "env" / "bin" / "python"), "-c", where).startswith(str(ROOT))
