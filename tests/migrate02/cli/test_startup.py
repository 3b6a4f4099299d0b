"""A start costs little more than the interpreter's: what it imports is held down here, how long it takes in bench/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NEVER = (
    "aiohttp",
    "asyncio",
    "yaml",
    "dataclasses",
    "subprocess",
    "packaging",
    "server.main",
    "uvloop",
)

REPORT = """
import sys
from migrate02.cli.main import main
status = main(sys.argv[1:])
print("imported", *sys.modules)
"""

TOML = 'name = "m1"\naddr = "10.0.0.9:4001"\n[peer]\naddr = "10.0.0.9:7001"\n'
ENV = "ETCD_NAME=m1\nETCD_ADDR=10.0.0.9:4001\n"
COMMAND = "etcd -name m1 -addr 10.0.0.9:4001\n"


def imported(*argv: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *argv], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_version_imports_next_to_nothing() -> None:
    modules = imported("--version")
    assert {name for name in modules if name.split(".")[0] in ("migrate02", "compat", "server")} == {
        "migrate02",
        "migrate02.cli",
        "migrate02.cli.exits",
        "migrate02.cli.main",
        "migrate02.cli.output",
        "migrate02.cli.parsing",
        "compat",
        "compat.standard",
    }
    assert modules.isdisjoint({*NEVER, "tomllib"})


@pytest.mark.parametrize("argv", [["--help"], ["convert", "--help"], ["convert", "--to", "x"]], ids=" ".join)
def test_what_converts_nothing_imports_nothing_that_converts(argv: list[str]) -> None:
    modules = imported(*argv)
    assert not [
        name
        for name in modules
        if name.startswith(("migrate02.convert", "migrate02.formats", "compat.findings"))
    ]


@pytest.mark.parametrize("text", [TOML, ENV, COMMAND], ids=["toml", "env", "command"])
def test_convert_imports_nothing_that_it_does_not_need(tmp_path: Path, text: str) -> None:
    path = tmp_path / "input"
    path.write_text(text)
    modules = imported("convert", str(path))
    assert "migrate02.convert.conversion" in modules
    assert modules.isdisjoint(NEVER)


@pytest.mark.parametrize("option", ["--check", "--diff", "--json", "--write"])
def test_no_option_imports_the_server_or_its_libraries(tmp_path: Path, option: str) -> None:
    path = tmp_path / "input"
    path.write_text(TOML)
    assert imported("convert", option, str(path)).isdisjoint(
        ("aiohttp", "asyncio", "server.main", "google.protobuf")
    )
