"""What of v2 is in a key space, and what etcd takes for custom content in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.store import FrozenStore, SnapshotFormatError, Store

CLUSTER, USERS, AUTH = "/0", "/1", "/2"


@dataclass(slots=True)
class Content:
    """``custom`` names what 3.6 takes for custom content, the first of each kind; empty where it takes the snapshot.

    ``keys`` counts visible keys, ``hidden`` those with a name in their path that begins with ``_``,
    ``empty_directories`` those with nothing in them. ``with_ttl`` names keys and directories. ``has_emptied_accounts``
    says that v2 authentication was used once, and 3.6.0 to 3.6.2 refuse what it left.
    """

    custom: list[str] = field(default_factory=list)
    keys: int = 0
    hidden: int = 0
    empty_directories: int = 0
    with_ttl: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    has_emptied_accounts: bool = False
    version: str = ""
    """The cluster's, as a start begins with."""


def content_of(document: bytes) -> Content:
    """Of the JSON in a .snap file. Raises SnapshotFormatError."""
    store = Store()
    store.recover(document)
    return content_in(store.freeze())


def content_in(frozen: FrozenStore) -> Content:
    version = frozen.files.get(f"{CLUSTER}/version")
    found = Content(version=(version.value or b"").decode("utf-8", "replace") if version else "")
    for top in frozen.directories["/"].children:
        if top in frozen.directories and top not in (CLUSTER, AUTH) and not _is_hidden(top):
            first = next((child for child in frozen.directories[top].children if not _is_hidden(child)), None)
            if first is not None:
                found.custom.append(first.removeprefix(USERS))
    _look_at_accounts(frozen, found)
    for path, file in frozen.files.items():
        if not path.startswith(USERS + "/"):
            continue
        if "/_" in path:
            found.hidden += 1
        else:
            found.keys += 1
        if file.expiration is not None:
            found.with_ttl.append(path.removeprefix(USERS))
    for path, directory in frozen.directories.items():
        if path.startswith(USERS + "/"):
            found.empty_directories += not directory.children
            if directory.expiration is not None:
                found.with_ttl.append(path.removeprefix(USERS))
    return found


def _look_at_accounts(frozen: FrozenStore, found: Content) -> None:
    """etcd counts what is in a directory below ``/2``, whatever its name; 3.6.0 to 3.6.2 any directory there."""
    accounts = frozen.directories.get(AUTH)
    if accounts is None:
        return
    for child in accounts.children:
        if _is_hidden(child):
            continue
        found.has_emptied_accounts = True
        names = [
            _name(path)
            for path in (frozen.directories[child].children if child in frozen.directories else ())
            if not _is_hidden(path)
        ]
        if names:
            found.custom.append(f"{_name(child)} of v2 authentication")
        if child == f"{AUTH}/users":
            found.users = names
        elif child == f"{AUTH}/roles":
            found.roles = names


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _is_hidden(path: str) -> bool:
    return _name(path).startswith("_")


__all__ = ["AUTH", "CLUSTER", "USERS", "Content", "SnapshotFormatError", "content_in", "content_of"]
