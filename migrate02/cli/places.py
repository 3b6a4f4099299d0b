"""Where findings are, for a person: files and lines, those with much in common shortened. Text to text."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 3
"""Places that are named; the others are counted."""

_ODD = frozenset("{}, ")
"""What a shell would not take as it is between braces."""


def places(found: Sequence[tuple[str, int]]) -> str:
    """Files and lines, 0 for none: ``fleet/{node1,node2}/etcd.service:5``, as a shell would expand it, where the paths
    differ in one stretch; else ``a.env:1,4 b.env:2 and 7 more files``."""
    lines: dict[str, list[int]] = {}
    for file, line in found:
        of_file = lines.setdefault(file, [])
        if line and line not in of_file:
            of_file.append(line)
    files = list(lines)
    if len(files) > 1 and len({tuple(one) for one in lines.values()}) == 1:
        together = _braced(files)
        if together:
            return together + _lines(lines[files[0]])
    shown = ", ".join(f"{file}{_lines(lines[file])}" for file in files[:MOST])
    left = len(files) - MOST
    return shown + (f" and {left} more {'file' if left == 1 else 'files'}" if left > 0 else "")


def _lines(lines: Sequence[int]) -> str:
    if not lines:
        return ""
    return ":" + ",".join(map(str, lines[:MOST])) + (",..." if len(lines) > MOST else "")


def _braced(files: Sequence[str]) -> str:
    """Empty where that says no more than a list would."""
    paths = [file.split("/") for file in files]
    before = _alike(paths)
    after = _alike([path[before:][::-1] for path in paths])
    middles = ["/".join(path[before : len(path) - after]) for path in paths]
    if not before + after or any(not middle or _ODD & set(middle) for middle in middles):
        return ""
    choice = ",".join([*middles[:MOST], *(["..."] if len(middles) > MOST else [])])
    return "/".join([*paths[0][:before], f"{{{choice}}}", *paths[0][len(paths[0]) - after :]])


def _alike(paths: Sequence[Sequence[str]]) -> int:
    """How many parts all begin with."""
    return next(
        (number for number, parts in enumerate(zip(*paths, strict=False)) if len(set(parts)) > 1),
        min(map(len, paths)),
    )
