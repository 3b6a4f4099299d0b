"""A directory with what is visible in it, made in one go unless there is too much of it."""

from __future__ import annotations

from server.store.node import Directory, StoreNode, directory_view, file_view
from server.store.paths import byte_order
from server.store.tree import KeyTree

LISTED_AT_ONCE = 1_000
"""Nodes of a listing that is made in one go: a millisecond or two with what it takes to write it."""
BYTES_AT_ONCE = 64 << 10
"""Of the values in it."""


def listing(
    tree: KeyTree, top: Directory, recursive: bool, in_order: bool, now: int, whole: bool
) -> StoreNode | None:
    """``top`` as it is shown at ``now`` (Unix nanoseconds), with its visible children, or all below it if
    ``recursive``; None when that is too much, unless it must be ``whole``. A tree may have any depth."""
    if not whole and _is_long(tree, top, recursive):
        return None
    shown = directory_view(top, now, [])
    todo = [(top, shown)]
    size = 0
    while todo:
        directory, view = todo.pop()
        if size > BYTES_AT_ONCE and not whole:
            return None
        nodes: list[StoreNode] = []
        name_at = len(directory.key) + (directory.key != "/")
        children = byte_order(list(directory.children)) if in_order else directory.children
        for path in children:
            if path[name_at] == "_":
                continue
            file = tree.files.get(path)
            if file is not None:
                size += len(file.value or b"")
                nodes.append(file if file.expiration is None else file_view(file, now))
                continue
            inner = tree.directories[path]
            inner_view = directory_view(inner, now)
            nodes.append(inner_view)
            if recursive:
                todo.append((inner, inner_view))
        view.nodes = nodes
    return shown if whole or size <= BYTES_AT_ONCE else None


def _is_long(tree: KeyTree, top: Directory, recursive: bool) -> bool:
    """Whether a listing has more nodes than are listed at once; looks at no more than these."""
    count = 0
    todo = [top]
    for directory in todo:
        count += len(directory.children)
        if count > LISTED_AT_ONCE:
            return True
        if recursive:
            for path in directory.children:
                inner = tree.directories.get(path)
                if inner is not None:
                    todo.append(inner)
    return False
