"""Directories of 0.4 that etcd 2.0's own converter took over open here as they do in etcd 2.3.

The one here was made by 2.0.13's ``etcd-migrate`` of the recorded ``s-snap``. What that loses (keys that were created and
not set, TTLs) is lost; see docs/data.md.
"""

import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.datadirs04 import Recorded
from tests.support.process import Member

ARCHIVE = Path(__file__).parents[2] / "fixtures" / "converted-by-2.0.13" / "s-snap.tar.gz"

pytestmark = pytest.mark.slow


def test_the_keys_that_it_carried_over_are_served_and_new_ones_are_taken(tmp_path: Path) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    known = {path: key.value for path, key in Recorded("s-snap", "snapper").keys().items()}
    member = Member(tmp_path / "snapper", "snapper")
    for _ in range(2):
        with member.start() as process:
            found = process.request("GET", "/v2/keys/?recursive=true").json()["node"]
            served = dict(files_of(found))
            assert len(served) - ("/after" in served) == 263  # as 2.3.8 serves of it
            assert {path: value for path, value in served.items() if known.get(path) != value} == {}
            assert process.put("/after", "x").status in (200, 201)
        known["/after"] = b"x"


def files_of(node: Any) -> list[tuple[str, bytes]]:
    if "nodes" in node:
        return [item for child in node["nodes"] for item in files_of(child)]
    return [] if node.get("dir") else [(node["key"], node["value"].encode())]
