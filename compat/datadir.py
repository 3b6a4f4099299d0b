"""What lies in a data directory, as far as a start has to know. Looks at names only."""

from __future__ import annotations

import os

_FILES_04 = ("log", "conf", "standby_info")
_NAMES_2X = ("member", "proxy", "wal", "snap")


def has_member_data(data_dir: str, wal_dir: str = "") -> bool:
    """Whether a 2.x member has written here: its log directory holds at least one file, as etcd asks.

    2.0.0 kept ``wal`` beside ``snap`` without ``member`` around them.
    """
    places = [wal_dir] if wal_dir else [f"{data_dir}/member/wal", f"{data_dir}/wal"]
    return any(names_in(place) for place in places)


def is_of_etcd04(data_dir: str) -> bool:
    """Whether 0.4 has written here and nothing newer has."""
    if any(name in names_in(data_dir) for name in _NAMES_2X):
        return False
    snapshots = names_in(f"{data_dir}/snapshot")
    return any(map(os.path.isfile, (f"{data_dir}/{name}" for name in _FILES_04))) or any(
        name.endswith(".ss") for name in snapshots
    )


def names_in(directory: str) -> frozenset[str]:
    """The names in a directory; none when it is not there or cannot be read."""
    try:
        return frozenset(os.listdir(directory))
    except (OSError, ValueError):  # whatever it is, the start finds out and says so
        return frozenset()
