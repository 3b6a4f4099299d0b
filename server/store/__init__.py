"""The v2 key space of an etcd 2.x member: files, directories, TTLs, compare-and-swap, events, watchers.

The contract of this room:

- Pure. It opens no socket and no file, starts no thread and reads no clock: the caller passes in the time (``now``,
  Unix nanoseconds). So the same requests at the same times give the same tree on every member.
- Paths are *store paths*: ``/1/foo`` for the key ``/foo`` (``/0`` is the cluster's own data, ``/2`` that of
  auth). They are ``str`` with bytes that are not UTF-8 kept by ``surrogateescape``; values are ``bytes``.
- A refusal is an :class:`~server.store.errors.EtcdError` and leaves the tree and its index as they were.
- Not thread-safe: one loop owns a Store. What :meth:`Store.freeze` returns may go to another thread.

Facts come from etcd 2.3.8 as it runs and from its ``Documentation/api.md``.
"""

from server.store.apply import apply_request
from server.store.errors import ErrorCode, EtcdError, SnapshotFormatError
from server.store.event import Action, Event
from server.store.node import StoreNode
from server.store.snapshot import FrozenStore
from server.store.stats import Stats
from server.store.store import Store
from server.store.watcher import Watcher

__all__ = [
    "Action",
    "ErrorCode",
    "EtcdError",
    "Event",
    "FrozenStore",
    "SnapshotFormatError",
    "Stats",
    "Store",
    "StoreNode",
    "Watcher",
    "apply_request",
]
