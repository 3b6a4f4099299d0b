"""What keys there are, whatever they were read from: one row each, to be counted, digested, compared and carried.

Keys are as clients name them, without 2.x's ``/1``; hidden ones are among them, 0.4's registry of members is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from server.store import FrozenStore, Store
from server.store.gojson import format_time
from server.store.node import Directory, StoreNode

USERS = "/1"
_MACHINERY = tuple(f"{USERS}/_etcd/{name}" for name in ("machines", "config"))
_SHELL = f"{USERS}/_etcd"


class Key(NamedTuple):
    """``value`` is None for a directory. ``expiration`` in Unix nanoseconds, None for no TTL."""

    path: str
    value: bytes | None
    created_index: int
    modified_index: int
    expiration: int | None


class Counted:
    """The same keys, once, counted as they go by."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = keys
        self.count = 0

    def __iter__(self) -> Iterator[Key]:
        for key in self._keys:
            self.count += 1
            yield key


def user_keys(store: Store) -> Iterator[Key]:
    """All keys of the users in a member's key space, sorted by their parts, directories before what is in them."""
    return keys_of(without_machinery(store.freeze()))


def keys_of(frozen: FrozenStore) -> Iterator[Key]:
    """The same of a frozen key space in which no key is 0.4's own."""
    files, directories = frozen.files, frozen.directories
    todo = sorted(directories[USERS].children, reverse=True)
    while todo:
        path = todo.pop()
        file = files.get(path)
        if file is not None:
            node: StoreNode | Directory = file
            value: bytes | None = file.value or b""
        else:
            node, value = directories[path], None
            todo += sorted(directories[path].children, reverse=True)
        yield Key(path[len(USERS) :], value, node.created_index, node.modified_index, node.expiration)


def without_machinery(frozen: FrozenStore) -> FrozenStore:
    """Without 0.4's registry of members and cluster configuration, which 2.x keeps elsewhere.

    Other keys below ``/_etcd`` are users'; the directory itself goes when nothing else is in it. Indexes and history
    are as they were: nobody deleted anything. The copy that is given is changed, and returned.
    """
    directories = frozen.directories
    for nodes in (frozen.files, directories):
        for path in [path for path in nodes if _is_machinery(path)]:
            del nodes[path]
    shell = directories.get(_SHELL)
    if shell is not None:
        _replace_children(directories, shell, [path for path in shell.children if not _is_machinery(path)])
        if not directories[_SHELL].children and len(shell.children) > 0:
            del directories[_SHELL]
            users = directories[USERS]
            _replace_children(directories, users, [path for path in users.children if path != _SHELL])
    return frozen


def _is_machinery(path: str) -> bool:
    return path.startswith(_SHELL) and any(path == own or path.startswith(own + "/") for own in _MACHINERY)


def _replace_children(
    directories: dict[str, Directory], directory: Directory, children: Iterable[str]
) -> None:
    copy = directory.copy(directory.age)
    copy.children = dict.fromkeys(children)
    directories[directory.key] = copy


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def digest(keys: Iterable[Key], index: int) -> str:
    """A SHA-256 over all keys with their indexes and expirations, and the index of the whole: equal for members that
    hold the same."""
    total = hashlib.sha256(f"{index}\n".encode())
    for key in keys:
        total.update(row(key).encode("utf-8", "surrogateescape"))
        total.update(b"\n")
    return total.hexdigest()


def row(key: Key) -> str:
    """A key as one line of JSON. A value that is not UTF-8 is given in hex, as ``valueHex``."""
    shown: dict[str, object] = {"key": key.path}
    if key.value is None:
        shown["dir"] = True
    else:
        try:
            shown["value"] = key.value.decode()
        except UnicodeDecodeError:
            shown["valueHex"] = key.value.hex()
    shown |= {"createdIndex": key.created_index, "modifiedIndex": key.modified_index}
    if key.expiration is not None:
        shown["expiration"] = format_time(key.expiration)
    return _JSON.encode(shown)
