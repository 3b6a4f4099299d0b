"""A data directory of 0.4 with one of everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.datadirs04 import FIRST, set_to, write_directory


@pytest.fixture
def old_data(tmp_path: Path) -> Path:
    forever = {"expireTime": "2100-01-01T00:00:00Z"}
    return write_directory(
        tmp_path / "old",
        [
            *FIRST,
            set_to("/a", "1"),
            set_to("/d/_hidden/b", 'é & "quoted"\n'),
            set_to("/ttl", "1", **forever),
            set_to("/gone", "1", expireTime="2015-01-01T00:00:00Z"),
            ("etcd:create", {"key": "/empty", "dir": True, **forever}),
        ],
    )
