"""Every scenario in ``transcripts``: commands, and below each what happens, to the word.

The commands are explained in ``play.py``. Lines that begin with ``>`` are commands, indented lines what came of them;
all else is for the reader. MIGRATE02_REWRITE=1 writes the indented lines anew; read the difference before keeping it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.server.raft.play import Player

ROOT = Path(__file__).parent / "transcripts"
SCENARIOS = sorted(path.stem for path in ROOT.glob("*.txt"))
REWRITE = bool(os.environ.get("MIGRATE02_REWRITE"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_scenario_goes_as_recorded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / f"{name}.txt"
    player = Player(lambda name, size: monkeypatch.setattr(f"server.raft.{name}", size))
    played = []
    for line in path.read_text().splitlines():
        if line.startswith("  "):
            continue
        played.append(line)
        if line.startswith("> "):
            played += [f"    {said}" for said in player.play(line[2:])]
    text = "\n".join(played) + "\n"
    if REWRITE:
        path.write_text(text)
    assert text.splitlines() == path.read_text().splitlines()


def test_there_are_scenarios_and_all_of_them_say_what_came_of_it() -> None:
    assert len(SCENARIOS) >= 15
    for name in SCENARIOS:
        text = (ROOT / f"{name}.txt").read_text()
        assert text.startswith("# ")
        assert text.count("\n    ") >= 8
