"""What holds for every test of real processes."""

import os

import pytest


@pytest.fixture(autouse=True)
def nothing_of_etcd_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have settings of an etcd of their own."""
    for name in [name for name in os.environ if name.startswith("ETCD")]:
        monkeypatch.delenv(name)
