"""Three members lose their power at any moment: they come back with all that was acknowledged, and what they had said."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.server.node import powercuts

pytestmark = pytest.mark.slow

STATES = 24
SEEDS = range(1, 11)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cluster_without_power_comes_back_with_all_it_has_answered(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    figures = powercuts.check(seed, STATES, tmp_path)
    assert figures["states"] == STATES
    assert figures["clusters started"] + figures["states with a majority refused"] == STATES
    assert figures["acknowledged writes checked"] > 100
    assert figures["directories with a tail cut off"]
    assert figures["directories refused"] <= STATES * 3 // 10


def test_one_seed_gives_the_same_play(tmp_path: Path) -> None:
    def play(root: Path) -> list[object]:
        recorded = powercuts.Recording(1, root).run()
        calls = [
            op._replace(disk=Path(op.disk.name), path=Path(op.path.name), target=Path(op.target.name))
            for op in recorded.ops
        ]
        return [*calls, *recorded.promises, *recorded.writes, *recorded.restarts]

    assert play(tmp_path / "one") == play(tmp_path / "other")
