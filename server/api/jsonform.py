"""Events and errors as the keys API writes them: one line of JSON each, to the byte as Go's encoding/json."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from server.api.paths import STORE_KEYS_PREFIX
from server.store import EtcdError, Event, StoreNode
from server.store.gojson import encode_event, event_pieces, listing_pieces, quote


def event_line(event: Event) -> bytes:
    """An event with the keys as clients know them, and a newline."""
    return (encode_event(event, STORE_KEYS_PREFIX) + "\n").encode()


def event_pieces_line(event: Event) -> Iterator[str]:
    """An :func:`event_line` in pieces."""
    yield from event_pieces(event, STORE_KEYS_PREFIX)
    yield "\n"


def listing_pieces_line(rows: Sequence[StoreNode | None], now: int) -> Iterator[str]:
    """The :func:`event_line` of a get of a directory in pieces."""
    yield from listing_pieces(rows, now, STORE_KEYS_PREFIX)
    yield "\n"


def error_line(error: EtcdError) -> bytes:
    """An error, its cause as clients know it (``/1/a`` is ``/a``), and a newline."""
    cause = error.cause.removeprefix(STORE_KEYS_PREFIX)
    cause_member = f'"cause":{quote(cause)},' if cause else ""
    return (
        f'{{"errorCode":{int(error.code)},"message":{quote(error.message)},{cause_member}"index":{error.index}}}\n'
    ).encode()
