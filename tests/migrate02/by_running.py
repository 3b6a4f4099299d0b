"""The comparison of a file before and after its conversion, by what it gives etcd."""

from __future__ import annotations

from collections.abc import Sequence

from tests.migrate02.independent import starts_of
from tests.migrate02.starts import Start, differences


def compare(
    path: str, before: bytes, after: bytes, findings: str, options: Sequence[str] = ()
) -> tuple[list[str], list[Start]]:
    """What is different, and what was started before."""
    old, new = starts_of(path, before), starts_of(path, after)
    if len(old) != len(new):
        return [f"{len(old)} starts became {len(new)}:\n{old}\n{new}"], old
    return [
        text
        for one, other in zip(old, new, strict=True)
        for text in differences(one, other, findings, options)
    ], old
