"""The data directories recorded from real etcd, in ``fixtures/datadirs``: unpacked for a test, with what was recorded.

``NAME/MEMBER.tar.gz`` is a data directory, ``NAME/MEMBER.records.json`` every record of its log decoded by other means,
``NAME/expected.json`` what the API showed.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2] / "fixtures" / "datadirs"


@dataclass(slots=True, frozen=True)
class Recorded:
    """One member's recorded directory; ``str()`` of it names the test it is a parameter of."""

    name: str
    member: str

    def __str__(self) -> str:
        return f"{self.name}/{self.member}"

    def unpack(self, into: Path) -> Path:
        """Puts the data directory under ``into`` and returns its path."""
        with tarfile.open(_ROOT / self.name / f"{self.member}.tar.gz") as archive:
            archive.extractall(into, filter="data")
        return into / self.member

    def records(self) -> dict[str, Any]:
        """``{"wal": [{"file", "size", "records": [{"off", "type", "crc", ...}]}], "snap": [...]}``."""
        return self._json(f"{self.member}.records.json")

    def expected(self) -> dict[str, Any]:
        return self._json("expected.json")

    def _json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((_ROOT / self.name / name).read_bytes())
        return content


def recorded() -> list[Recorded]:
    """All of them, found by walking the folder."""
    return [
        Recorded(archive.parent.name, archive.name.removesuffix(".tar.gz"))
        for archive in sorted(_ROOT.glob("*/*.tar.gz"))
    ]
