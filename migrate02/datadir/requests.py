"""From keys to the requests of the v2 API that make them anew. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_from_bytes

from migrate02.datadir.listing import Key
from server.store.node import remaining


class Put(NamedTuple):
    """``PUT target`` with a form as body. ``key`` is what it makes."""

    key: Key
    target: str
    body: str


def in_order(keys: Iterable[Key]) -> list[Key]:
    """The keys that have to be asked for, in the order they were created: every file, and those directories that would
    not come with what is in them, or would come without their TTL."""
    ordered = sorted(keys, key=lambda key: (key.created_index, key.path.count("/"), key.path))
    filled = {key.path.rpartition("/")[0] for key in ordered}
    return [
        key
        for key in ordered
        if key.value is not None or key.expiration is not None or key.path not in filled
    ]


def put(key: Key, now: int, *, overwrite: bool = False) -> Put | None:
    """The request for one key at ``now`` (Unix nanoseconds), since TTLs are told in seconds from then on. None for a
    key that is past its TTL. Without ``overwrite`` it takes no effect on a key that is there."""
    form = ["dir=true"] if key.value is None else [f"value={quote_from_bytes(key.value, safe='')}"]
    if key.expiration is not None:
        left = remaining(key.expiration, now)
        if left <= 0:
            return None
        form.append(f"ttl={left}")
    if not overwrite:
        form.append("prevExist=false")
    return Put(key, f"/v2/keys{quote(key.path)}", "&".join(form))


CURL_LINE = 100_000
"""Bytes of a line in a file for ``curl --config``: older curls take no more, and stop before the first request."""


def curl_config(
    keys: Iterable[Key], url: str, now: int, left_out: list[str], *, overwrite: bool = False
) -> Iterator[str]:
    """The same as a file for ``curl --config``, one request at a time. Keys that do not fit go to ``left_out``."""
    separator = ""
    for key in in_order(keys):
        request = put(key, now, overwrite=overwrite)
        if request is None:
            continue
        if len(request.body) + len(request.target) + len(url) > CURL_LINE:
            left_out.append(key.path)
            continue
        yield (
            f'{separator}request = "PUT"\nurl = "{url.rstrip("/")}{request.target}"\ndata = "{request.body}"\n'
            'output = "/dev/null"\nfail\nsilent\nshow-error\n'
        )
        separator = "next\n"
