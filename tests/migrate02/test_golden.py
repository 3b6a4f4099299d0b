"""Every conversion in ``fixtures/convert``: what goes in, what comes out, what is said about it.

A case is a folder with ``input.*`` (none when a command line stands in the options), and

    options    words of the command line besides the file, if any, as a shell would read them
    expected   standard output, to the byte
    findings   standard error, to the byte
    status     the exit status, when it is not 0

MIGRATE02_REWRITE=1 writes the last three anew; read the difference before keeping it: they are the specification.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from migrate02.cli.exits import WOULD_CHANGE
from tests.migrate02.running import Run, convert

ROOT = Path(__file__).parents[2] / "fixtures" / "convert"
CASES = sorted(path.name for path in ROOT.iterdir() if path.is_dir())
REWRITE = bool(os.environ.get("MIGRATE02_REWRITE"))


def _run(case: Path) -> Run:
    options = case / "options"
    words = shlex.split(options.read_text()) if options.exists() else []
    inputs = sorted(path.name for path in case.glob("input*"))
    return convert(*inputs, *words, cwd=case)


def _record(case: Path, run: Run) -> None:
    (case / "expected").write_bytes(run.out.encode("utf-8", "surrogateescape"))
    (case / "findings").write_text(run.err, newline="")
    status = case / "status"
    if run.status:
        status.write_text(f"{run.status}\n")
    else:
        status.unlink(missing_ok=True)


@pytest.mark.parametrize("name", CASES)
def test_conversion_is_as_recorded(name: str) -> None:
    case = ROOT / name
    run = _run(case)
    if REWRITE:
        _record(case, run)
    assert (case / "expected").exists(), "a case without expectations: see the top of this file"
    status = case / "status"
    assert run.err == (case / "findings").read_bytes().decode()
    assert run.out == (case / "expected").read_bytes().decode("utf-8", "surrogateescape")
    assert run.status == (int(status.read_text()) if status.exists() else 0)


@pytest.mark.parametrize("name", CASES)
def test_result_converts_to_itself(name: str, tmp_path: Path) -> None:
    """Whatever the case came from, its result is a 2.x configuration already."""
    expected = ROOT / name / "expected"
    text = expected.read_bytes()
    if not text or text.startswith((b"{", b"---", b"# ==>")):
        pytest.skip("no configuration: refused, not changed, or a report")
    again = tmp_path / "again"
    again.write_bytes(text)
    options = ROOT / name / "options"
    words = shlex.split(options.read_text()) if options.exists() else []
    run = convert("--check", again, *(words if "--format" in words else []))
    if text in [path.read_bytes() for path in (ROOT / name).glob("input*")]:
        assert run.status != WOULD_CHANGE  # left as it was, for whatever reason
    else:
        assert (run.status in (0, 2), run.codes) == (True, [code for code in run.codes if code in _STAYING])


_STAYING = {
    "era-unclear",
    "flags-elsewhere",
    "unknown-variable",
    "old-release",
    "environment-elsewhere",
    "defaults-left-out",
    "two-sections",
    "not-converted",
    "incomplete-cluster",
}
"""What may still be said about a result: none of it changes anything."""


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 35


@pytest.mark.parametrize("name", CASES)
def test_nothing_but_the_named_files(name: str) -> None:
    """A misspelt ``option`` or ``finding`` would be passed over without a word."""
    names = {path.name for path in (ROOT / name).iterdir()}
    assert {item for item in names if not item.startswith("input")} <= {
        "options",
        "expected",
        "findings",
        "status",
    }
