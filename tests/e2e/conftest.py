"""What holds for every test of real processes."""

import pytest

from tests.support.process import without_settings


@pytest.fixture(autouse=True)
def nothing_of_etcd_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch)
