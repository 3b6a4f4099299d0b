"""Carries keys into a running cluster over HTTP, several connections at a time. What is there stays, so that it can be
broken off and begun again.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import Key
from migrate02.datadir.live import NO_TLS, Tls
from migrate02.datadir.requests import in_order, put
from migrate02.datadir.sides import hidden_roots, read_side
from server.asking import BlockingConnection, Deadlines, basic_authorization, why
from server.bounded import Bounds, UnusableAnswer
from server.config import UrlError, dialled, redacted, split_url

WRITE = Bounds(body=8 << 20, seconds=30.0)
"""For the answer to one write, which holds the value that was there before."""

_TRIES = 5


@dataclass(slots=True)
class Carried:
    """How it went, in keys. ``there`` were the same already, ``overdue`` past their TTL. ``troubles`` are what the
    cluster refused, or has otherwise: a line each."""

    made: int = 0
    there: int = 0
    overdue: int = 0
    troubles: list[str] = field(default_factory=list)


def carry(
    keys: Sequence[Key],
    url: str,
    *,
    connections: int = 8,
    overwrite: bool = False,
    tls: Tls = NO_TLS,
    progress: Callable[[int, int], None] | None = None,
) -> Carried:
    """Makes the keys in the cluster at ``url``. A key that is there with another value is left alone, and reported,
    unless ``overwrite``.

    Directories are made first; the keys of one directory come in the order they were created, whatever the number of
    connections. ``progress`` hears how many keys are done, of how many. Raises DataError when the cluster does not
    answer any more; beginning again goes on from there.
    """
    work = in_order(keys)
    present = {key.path: key for key in read_side(url, hidden_roots(keys), tls).keys}
    carried = Carried()
    wanted = []
    for key in work:
        known = present.get(key.path)
        if known is not None and (known.value, known.expiration is None) == (
            key.value,
            key.expiration is None,
        ):
            carried.there += 1
        elif known is not None and not overwrite:
            carried.troubles.append(
                f"{key.path}: exists with another {_what_differs(known, key)}, and is not changed"
            )
        else:
            wanted.append(key)
    total = len(work)
    done = total - len(wanted)
    outcomes: SimpleQueue[tuple[Key, str] | DataError] = SimpleQueue()
    for group in ([[key for key in wanted if key.value is None]], _by_directory(wanted, connections)):
        threads = [
            threading.Thread(target=_work, args=(part, url, overwrite, tls, outcomes), daemon=True)
            for part in group
        ]
        for thread in threads:
            thread.start()
        for _ in range(sum(map(len, group))):
            outcome = outcomes.get()
            if isinstance(outcome, DataError):
                raise outcome
            done += 1
            _count(carried, *outcome)
            if progress is not None:
                progress(done, total)
    return carried


def _by_directory(keys: Sequence[Key], parts: int) -> list[list[Key]]:
    """The files among the keys, in so many parts; those of one directory stay together and in order."""
    groups: list[list[Key]] = [[] for _ in range(max(parts, 1))]
    for key in keys:
        if key.value is not None:
            directory = key.path.rpartition("/")[0].encode("utf-8", "surrogateescape")
            groups[zlib.crc32(directory) % len(groups)].append(key)
    return groups


def _what_differs(known: Key, key: Key) -> str:
    if (known.value is None) != (key.value is None):
        return "kind"
    return "value" if known.value != key.value else "TTL"


_MADE, _OVERDUE = "", "overdue"


def _count(carried: Carried, key: Key, outcome: str) -> None:
    if outcome == _MADE:
        carried.made += 1
    elif outcome == _OVERDUE:
        carried.overdue += 1
    else:
        carried.troubles.append(f"{key.path}: {outcome}")


def _work(
    keys: Sequence[Key],
    url: str,
    overwrite: bool,
    tls: Tls,
    outcomes: SimpleQueue[tuple[Key, str] | DataError],
) -> None:
    """One thread's share; whatever happens goes to ``outcomes``."""
    try:
        client = _Client(url, tls)
        for key in keys:
            request = put(key, time.time_ns(), overwrite=overwrite)
            outcomes.put((key, _OVERDUE if request is None else client.put(request.target, request.body)))
    except DataError as error:
        outcomes.put(error)
    except Exception as error:  # or who waits for this thread would wait for ever
        outcomes.put(DataError(f"{redacted(url)}: {redacted(repr(error))}"))


class _Client:
    """One connection, made again when it breaks. Raises DataError for what is no URL."""

    def __init__(self, url: str, tls: Tls) -> None:
        self._url = redacted(url)
        try:
            parts = split_url(url)
            self._connection = BlockingConnection(
                *dialled(parts), tls.context() if parts.scheme == "https" else None
            )
        except UrlError as error:
            raise DataError(redacted(str(error))) from error
        self._headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            **basic_authorization(parts.userinfo, "Authorization"),
        }

    def put(self, target: str, body: str) -> str:
        """``""`` when the key was made, otherwise what the cluster says. Raises DataError.

        Tried again while the cluster has no leader or the connection breaks. A try that is not answered may have been
        heard, so a key that is there then is taken for one's own.
        """
        tried = False
        problem = ""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(0.2 * 2**attempt)
            try:
                limits = Deadlines(*2 * (time.monotonic() + WRITE.seconds,))
                answer = self._connection.ask("PUT", target, self._headers, body.encode(), WRITE, limits)
            except (OSError, UnusableAnswer, UnicodeError) as error:
                problem, tried = f"does not answer: {why(error, WRITE)}", True
                continue
            if answer.status in (200, 201) or (tried and answer.status == 412):
                return ""
            said = answer.body[:500].decode("utf-8", "replace")
            problem = f"answers {answer.status}: {' '.join(said.split())}"
            if answer.status < 500:
                return problem
            tried = True
        raise DataError(
            f"{self._url} {problem}", remedy="what was carried is there; run the same again to go on"
        )
