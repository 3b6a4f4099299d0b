"""Data directories of etcd 3.4 to 3.6 with leftovers of v2, recorded: see ``fixtures/datadirs35``."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import IO, Any, NamedTuple

FIXTURES = Path(__file__).parents[2] / "fixtures" / "datadirs35"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
_BLOCK = 1 << 16
_ZEROS = bytes(_BLOCK)


def facts(name: str) -> dict[str, Any]:
    """How it was made, what is in it, and what real etcd said."""
    return json.loads((FIXTURES / f"{name}.json").read_text())  # type: ignore[no-any-return]


class _Packed(NamedTuple):
    """A file of an archive, of ``size`` bytes; ``blocks`` are those that are not all zeros, by offset."""

    name: str
    mode: int
    size: int
    blocks: dict[int, bytes]


@lru_cache(maxsize=6)
def _packed(name: str) -> list[_Packed]:
    """Kept, for it takes a quarter of a second to read the zeros of a log, and many tests have the same."""
    with tarfile.open(FIXTURES / f"{name}.tar.gz") as archive:
        return [
            _Packed(entry.name, entry.mode, entry.size, dict(_blocks(archive.extractfile(entry))))
            for entry in archive
            if entry.isfile()
        ]


def _blocks(content: IO[bytes] | None) -> Iterator[tuple[int, bytes]]:
    assert content is not None
    for at in count(0, _BLOCK):
        block = content.read(_BLOCK)
        if not block:
            return
        if block != _ZEROS[: len(block)]:
            yield at, block


def unpack(name: str, target: Path, *, cut: bool = False) -> list[Path]:
    """The data directories of the members, in the order of ``nodes``. Files are sparse: most of a log is zeros.

    With ``cut`` a log has no more zeros at its end than a block: as good to every etcd, and quicker to read.
    """
    for packed in _packed(name):
        path = target / packed.name
        path.parent.mkdir(parents=True, exist_ok=True)
        ends = 0
        with path.open("wb") as file:
            for at, block in packed.blocks.items():
                file.seek(at)
                file.write(block)
                ends = file.tell()
            cuts = cut and path.suffix == ".wal"
            file.truncate(min(ends + _BLOCK, packed.size) if cuts else packed.size)
        path.chmod(packed.mode)
    return [target / node["dir"] for node in facts(name)["nodes"]]
