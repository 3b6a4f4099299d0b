"""Store paths: absolute, cleaned as Go's path.Clean does."""

from __future__ import annotations


def clean(path: str) -> str:
    """The shortest equal absolute path: no empty, ``.`` or ``..`` components, no trailing slash."""
    kept: list[str] = []
    for component in path.split("/"):
        if component == "..":
            if kept:
                kept.pop()
        elif component not in ("", "."):
            kept.append(component)
    return "/" + "/".join(kept)


def parent_of(path: str) -> str:
    """The directory a clean path is in; that of the root is the root."""
    return path.rpartition("/")[0] or "/"


def byte_order(paths: list[str]) -> list[str]:
    """Sorted by the bytes of the paths, which is how etcd sorts."""
    if all(map(str.isascii, paths)):
        return sorted(paths)
    return sorted(paths, key=lambda path: path.encode("utf-8", "surrogateescape"))
