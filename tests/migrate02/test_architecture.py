"""The way of a file through ``convert`` is the one that ``docs/architecture.md`` describes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from migrate02.cli import main as cli

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
UNIT = (
    "[Service]\nExecStart=/usr/bin/etcd -name a -addr 10.0.0.1:4001 -peer-addr 10.0.0.1:7001 -data-dir /d\n"
)


def stops() -> list[tuple[str, str]]:
    """File and function, or class, of each stop of the walk."""
    walk = PAGE.read_text().split("### One file through `convert`")[1].split("\n\n")[2]
    return re.findall(r"^\d+\. `([\w/]+\.py)`, `([\w.]+)`", walk, re.MULTILINE)


def test_a_file_makes_at_most_eight_stops_and_they_are_those_of_the_page(tmp_path: Path, capsys: Any) -> None:
    expected = stops()
    assert 5 <= len(expected) <= 8
    unit = tmp_path / "etcd.service"
    unit.write_text(UNIT)
    seen: list[tuple[str, str]] = []
    files = {file for file, _ in expected}

    def note(frame: FrameType, event: str, _argument: object) -> None:
        name = frame.f_code.co_filename
        if event == "call" and "/migrate02/" in name:
            file = name.rpartition("/migrate02/")[2]
            if file in files:
                seen.append((file, frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        cli.main(["convert", str(unit)])
    finally:
        sys.setprofile(before)
    assert "--advertise-client-urls" in capsys.readouterr().out
    assert [stop for stop in dict.fromkeys(seen) if stop in expected] == expected
