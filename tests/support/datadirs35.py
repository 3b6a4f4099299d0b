"""Data directories of etcd 3.4 to 3.6 with leftovers of v2, recorded: see ``fixtures/datadirs35``."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[2] / "fixtures" / "datadirs35"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
_BLOCK = 1 << 16


def facts(name: str) -> dict[str, Any]:
    """How it was made, what is in it, and what real etcd said."""
    return json.loads((FIXTURES / f"{name}.json").read_text())  # type: ignore[no-any-return]


def unpack(name: str, target: Path) -> list[Path]:
    """The data directories of the members, in the order of ``nodes``. Files are sparse: most of a log is zeros."""
    with tarfile.open(FIXTURES / f"{name}.tar.gz") as archive:
        for entry in archive:
            path = target / entry.name
            if entry.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(entry)
            assert content is not None
            with path.open("wb") as file:
                while block := content.read(_BLOCK):
                    if block.count(0) < len(block):
                        file.write(block)
                    else:
                        file.seek(len(block), 1)
                file.truncate(entry.size)
            path.chmod(entry.mode)
    return [target / node["dir"] for node in facts(name)["nodes"]]
