"""The guide, for its tests: in network namespaces, and on loopback addresses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guide.examples import EXAMPLES
from tests.guide.walking import Guide
from tests.guide.worlds import InNamespaces, OnLoopback
from tests.support import namespaces
from tests.support.real_etcd import needed


@pytest.fixture(params=["namespaces", "loopback"])
def guide(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guide]:
    """The guide in a world of its own. Of the examples that the test's mark names, those with a command have to be walked
    through by its end, in this order."""
    for name in [name for name in os.environ if name.startswith("ETCD")]:
        monkeypatch.delenv(name)
    if request.param == "namespaces":
        needed(namespaces.trouble())
    failed_before = request.session.testsfailed
    world = InNamespaces() if request.param == "namespaces" else OnLoopback()
    with world, Guide(world, tmp_path) as guide:
        yield guide
        failed = request.session.testsfailed > failed_before
        if failed:
            print(guide.logs())
    if not failed:
        mark = request.node.get_closest_marker("guide")
        marked = [id for id in mark.args if EXAMPLES[id].command]
        assert list(dict.fromkeys(guide.walked)) == marked
