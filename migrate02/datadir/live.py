"""Reads keys from a running cluster, of 0.4 or 2.x, over HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn
from urllib.parse import quote

from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import Key, user_keys
from migrate02.datadir.snapshot04 import store_of
from server.asking import NoAnswer, get
from server.bounded import BoundedAnswer, Bounds, UnusableAnswer, parse_json
from server.config import redacted
from server.jsonrules import as_utf8
from server.store.gojson import parse_time

KEY_SPACE = Bounds(body=256 << 20, seconds=600.0, depth=20_000)
"""For one answer: a large key space comes in one, and two brackets deeper with each directory."""


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
                context.load_cert_chain(self.cert_file, self.key_file or None, password=self._no_passphrase)
        except OSError as error:
            files = ", ".join(filter(None, self))
            raise DataError(f"the TLS files {files} cannot be used: {error.strerror or error}") from error
        return context

    def _no_passphrase(self) -> NoReturn:
        """For what would ask for one on the terminal."""
        raise DataError(
            f"the TLS file {self.key_file or self.cert_file} has a passphrase, which is not asked for: take it off "
            "with openssl pkey"
        )


NO_TLS = Tls()


@dataclass(slots=True, frozen=True)
class RunningKeys:
    """``complete``: hidden keys are among them, whatever their names."""

    what: str
    keys: list[Key]
    index: int
    complete: bool


def read_keys(url: str, hidden: Iterable[str] = (), tls: Tls = NO_TLS) -> RunningKeys:
    """All keys that the server tells of, and those below the ``hidden`` names.

    0.4.9 gives out everything at once, hidden keys too, though with the created for the modified indexes; every other
    has to be asked for hidden ones by name. Raises DataError.
    """
    url = url.rstrip("/")
    shown = redacted(url)
    whole = _get(f"{url}/v2/migration/snapshot", tls)
    if whole is not None:
        try:
            store = store_of(parse_json(whole.body, KEY_SPACE.depth), restore=True)
        except _UNUSABLE as error:
            raise _not_etcd(f"{shown}/v2/migration/snapshot", "etcd 0.4.9 answers", error) from error
        return RunningKeys("a running etcd 0.4.9", list(user_keys(store)), store.index, True)
    keys: dict[str, Key] = {}
    index = 0
    for root in ("/", *hidden):
        answer = _get(f"{url}/v2/keys{quote(root)}?recursive=true&sorted=true", tls)
        if answer is None:
            continue
        index = index or answer.etcd_index
        try:
            top = parse_json(answer.body, KEY_SPACE.depth)["node"]
            keys |= {key.path: key for key in _keys(top) if key.path != "/"}
        except _UNUSABLE as error:
            raise _not_etcd(shown, f"etcd answers for {root}", error) from error
    keys = {path: key for path, key in keys.items() if not path.startswith("/_etcd/machines")}
    return RunningKeys("a running cluster", list(keys.values()), index, False)


_UNUSABLE = (UnusableAnswer, KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What comes of taking an answer apart that is not etcd's."""


def _not_etcd(url: str, what: str, error: Exception) -> DataError:
    why = f"it has no {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0][:200]
    return DataError(f"{url}: not what {what}: {why}", remedy="is this a client URL?")


def _get(url: str, tls: Tls) -> BoundedAnswer | None:
    """None for what is not there. Raises DataError."""
    try:
        answer = get(url, KEY_SPACE, tls=tls.context() if url.startswith("https:") else None)
    except NoAnswer as error:
        raise DataError(
            f"{redacted(url)} does not answer: {error}", remedy="is this a client URL?"
        ) from error
    if answer.status == 404:
        return None
    if not 200 <= answer.status < 300:
        said = answer.body[:500].decode("utf-8", "replace").strip()
        raise DataError(f"{redacted(url)} answers {answer.status}: {' '.join(said.split())}")
    return answer


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
