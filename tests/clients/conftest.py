"""Servers for the tests with real clients: started once for a module, and once for a test that changes too much."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.side_by_side import Pair, pair
from tests.support.real_etcd import HOW_34, etcd34, required


@pytest.fixture(scope="module")
def shared_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The bundled server and Debian's etcd 3.4, for all tests of a module."""
    with pair(tmp_path_factory.mktemp("pair"), required(etcd34(), HOW_34)) as both:
        yield both


@pytest.fixture
def both(shared_pair: Pair) -> Pair:
    """The module's servers, emptied."""
    shared_pair.ours.start_over()
    shared_pair.real.start_over()
    return shared_pair


@pytest.fixture
def own_pair(tmp_path: Path) -> Iterator[Pair]:
    """Servers of the test's own, which it may leave in any state."""
    with pair(tmp_path, required(etcd34(), HOW_34)) as both:
        yield both
