"""Reads keys from a running cluster, of 0.4 or 2.x, over HTTP."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import Key, user_keys
from migrate02.datadir.snapshot04 import store_of
from server.jsonrules import as_utf8
from server.store.deepjson import loads
from server.store.gojson import parse_time

_PATIENCE = 60.0
"""Seconds for one answer; a large key space comes in one."""


class Tls(NamedTuple):
    """Paths; ``""`` for none."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def context(self) -> ssl.SSLContext:
        """Raises DataError."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file or None)
        except OSError as error:
            files = ", ".join(filter(None, self))
            raise DataError(f"the TLS files {files} cannot be used: {error.strerror or error}") from error
        return context


NO_TLS = Tls()


@dataclass(slots=True, frozen=True)
class Found:
    """``complete``: hidden keys are among them, whatever their names."""

    what: str
    keys: list[Key]
    index: int
    complete: bool


def read_keys(url: str, hidden: Iterable[str] = (), tls: Tls = NO_TLS) -> Found:
    """All keys that the server tells of, and those below the ``hidden`` names.

    0.4.9 gives out everything at once, hidden keys too, though with the created for the modified indexes; every other
    has to be asked for hidden ones by name. Raises DataError.
    """
    url = url.rstrip("/")
    whole = _get(f"{url}/v2/migration/snapshot", tls)
    if whole is not None:
        try:
            store = store_of(loads(whole.text), restore=True)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{url}/v2/migration/snapshot: not what etcd 0.4.9 answers: {error}") from error
        return Found("a running etcd 0.4.9", list(user_keys(store)), store.index, True)
    keys: dict[str, Key] = {}
    index = 0
    for root in ("/", *hidden):
        answer = _get(f"{url}/v2/keys{quote(root)}?recursive=true&sorted=true", tls)
        if answer is None:
            continue
        index = index or answer.index
        try:
            keys |= {key.path: key for key in _keys(loads(answer.text)["node"]) if key.path != "/"}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{url}: not what etcd answers for {root}: {error}") from error
    keys = {path: key for path, key in keys.items() if not path.startswith("/_etcd/machines")}
    return Found("a running cluster", list(keys.values()), index, False)


@dataclass(slots=True, frozen=True)
class _Answer:
    text: str
    index: int


def _get(url: str, tls: Tls) -> _Answer | None:
    """None for what is not there."""
    try:
        context = tls.context() if url.startswith("https:") else None
        with urllib.request.urlopen(url, timeout=_PATIENCE, context=context) as response:
            text = response.read().decode("utf-8", "replace")
            return _Answer(text, int(response.headers.get("X-Etcd-Index") or 0))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        body = error.read(500).decode("utf-8", "replace").strip()
        raise DataError(f"{url} answers {error.code}: {body}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DataError(
            f"{url} does not answer: {getattr(error, 'reason', error)}", remedy="is this a client URL?"
        ) from error


def _keys(top: dict[str, Any]) -> Iterator[Key]:
    todo = [top]
    while todo:
        node = todo.pop()
        expiration = node.get("expiration")
        yield Key(
            node.get("key", "/"),
            None if node.get("dir") else as_utf8(node.get("value", "")).encode(),
            node.get("createdIndex", 0),
            node.get("modifiedIndex", 0),
            None if expiration is None else parse_time(expiration),
        )
        todo.extend(node.get("nodes") or ())
