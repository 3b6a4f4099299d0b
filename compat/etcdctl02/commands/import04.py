"""``import``: the keys of a snapshot of etcd 0.4, written into a cluster by several clients at once.

Ends when the last key is written: etcdctl 2.3.8 did not wait, and lost the last ones. Empty directories come along too.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from compat.etcdctl02.call import Call
from compat.etcdctl02.client import Client, form
from compat.etcdctl02.errors import BAD_ARGUMENTS, SERVER_ERROR, ClientError, EtcdError, Stop, failed
from compat.etcdctl02.logline import fatal, line
from compat.etcdctl02.responses import read_response
from compat.etcdctl02.snapshot04 import Copied, SnapshotError, Store, read_snapshot

_SHORTEST_TTL = 300
"""A key that would go sooner, or has gone since, gets as many seconds, so that it is there when the move is over."""
_EXISTS = 105


def import_snapshot(call: Call) -> int:
    path = call.options.text("snap")
    try:
        raw = Path(path).read_bytes() if path else b""
    except OSError:
        call.console.out(f"cannot read snapshot file {path}\n")
        return BAD_ARGUMENTS
    if not path:
        call.console.out("no snapshot file provided (use --snap)\n")
        return BAD_ARGUMENTS
    try:
        store = read_snapshot(raw)
    except SnapshotError as error:
        call.console.out(f"cannot read snapshot file {path}: {error}\n")
        return BAD_ARGUMENTS
    count = max(call.options.number("c"), 1)
    call.console.out(f"starting to import snapshot {path} with {count} clients\n")
    clients = [call.client() for _ in range(count)]
    everything = _everything(store, call.options.texts("hidden"))
    _Import(call).run(clients, everything)
    keys = sum(not each.directory for each in everything)
    call.console.out(f"finished importing {keys} keys\n")
    return 0


def _everything(store: Store, hidden: Sequence[str]) -> list[Copied]:
    now = datetime.now(UTC)
    found: list[Copied] = []
    for path in ("/", *hidden):
        try:
            found += store.below(path, now)
        except KeyError as error:
            raise failed(SERVER_ERROR, f"100: Key not found ({path}) [{store.index}]") from error
    return found


class _Import:
    """Clients at work side by side; the first that fails stops them all."""

    def __init__(self, call: Call) -> None:
        self._console = call.console
        self._stopped = threading.Event()

    def run(self, clients: Sequence[Client], everything: Sequence[Copied]) -> None:
        with ThreadPoolExecutor(len(clients)) as pool:
            work = [
                pool.submit(self._write_all, client, everything[number :: len(clients)])
                for number, client in enumerate(clients)
            ]
            try:
                for each in work:
                    each.result()
            finally:
                self._stopped.set()

    def _write_all(self, client: Client, share: Sequence[Copied]) -> None:
        for each in share:
            if self._stopped.is_set():
                return
            try:
                self._write(client, each)
            except Stop:
                self._stopped.set()
                raise

    def _write(self, client: Client, copied: Copied) -> None:
        ttl = copied.ttl
        self._console.err(line(f"copying key: {copied.key}"))
        if ttl and ttl < _SHORTEST_TTL:
            ttl = _SHORTEST_TTL
            self._console.err(line(f"extending key {copied.key}'s ttl to {ttl} seconds"))
        fields = {"ttl": str(ttl)} if ttl else {}
        path = f"/v2/keys{copied.key}"
        if copied.directory:
            action = form("PUT", path, {"dir": "true", "prevExist": "false"}, fields)
        else:
            action = form("PUT", path, {}, {"value": copied.value, **fields})
        try:
            read_response(client.do(action, None))
        except ClientError as error:
            if not (copied.directory and isinstance(error, EtcdError) and error.code == _EXISTS):
                raise fatal(f"failed to copy key: {error}\n") from error
