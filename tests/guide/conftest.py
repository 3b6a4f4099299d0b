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
from tests.support.process import without_settings
from tests.support.real_etcd import needed

KIND = "MIGRATE02_GUIDE"


@pytest.fixture
def guide(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guide]:
    """The guide in a world of its own: in network namespaces where the machine allows them, else on loopback addresses; a
    test may ask for one of them (``worlds.BOTH``), and so may a person with the variable ``MIGRATE02_GUIDE``.

    Of the examples that the test's mark names, those with a command have to be walked through by its end.
    """
    without_settings(monkeypatch)
    kind = getattr(request, "param", "") or os.environ.get(KIND) or _default_kind()
    if kind == "namespaces":
        needed(namespaces.trouble())
    failed_before = request.session.testsfailed
    world = InNamespaces() if kind == "namespaces" else OnLoopback()
    with world, Guide(world, tmp_path) as guide:
        yield guide
        failed = request.session.testsfailed > failed_before
        if failed:
            print(guide.logs())
    if not failed:
        mark = request.node.get_closest_marker("guide")
        assert set(guide.walked) == {id for id in mark.args if EXAMPLES[id].command}


def _default_kind() -> str:
    return "loopback" if namespaces.trouble() and not os.environ.get("CI") else "namespaces"
