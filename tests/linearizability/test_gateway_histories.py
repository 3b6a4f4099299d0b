"""What clients of several gateways see is linearizable, whatever befalls the gateways and the etcd behind them."""

from pathlib import Path

import pytest

from tests.linearizability.gateways import FAULTS, play
from tests.support.real_etcd import HOW_35, etcd35, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]


@pytest.mark.parametrize("gateways", [2, 3])
def test_histories_through_gateways_are_linearizable(tmp_path: Path, gateways: int) -> None:
    rounds = len(FAULTS) + 4
    figures = play(tmp_path, required(etcd35(), HOW_35), seed=gateways, rounds=rounds, gateways=gateways)
    assert figures["operations answered"] > 10 * rounds
    assert figures["creations acknowledged"] > rounds
    for what, count in sorted(figures.items()):
        print(f"{what:40}{count:8}")
