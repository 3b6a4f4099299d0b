from __future__ import annotations

from pathlib import Path

import pytest

from tests.migrate02.files.planted import OLD_TOML, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def old_toml(tmp_path: Path) -> Path:
    path = tmp_path / "etcd.conf"
    path.write_text(OLD_TOML)
    return path
