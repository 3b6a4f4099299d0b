"""What a scenario with a client library saw of one server, written down so that two servers can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pytest

from tests.clients.side_by_side import Pair, Side, difference
from tests.support.process import PATIENCE

_FIELDS = "action", "key", "value", "dir", "ttl", "newKey"
_INDICES = "createdIndex", "modifiedIndex", "etcd_index"


class Account:
    """Calls a client and keeps what comes of it.

    ``results`` is the class of the client's own results for a key, of which the fields are kept that a server decides.
    """

    def __init__(self, side: Side, results: type) -> None:
        self.side = side
        self.lines: list[str] = []
        self._results = results

    def saw(self, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Makes the call, which must succeed, and returns what it does."""
        result = call(*args, **named)
        self.note(f"{_name(call)}: {self._shown(result)}")
        return result

    def failed(self, error: type[Exception], call: Callable[..., Any], *args: Any, **named: Any) -> Exception:
        """Makes the call, which must raise exactly this; returns the exception."""
        with pytest.raises(error) as caught:
            call(*args, **named)
        raised = caught.value
        assert type(raised) is error, f"{_name(call)} raised {raised!r}, not {error.__name__}"
        self.note(f"{_name(call)}: {error.__name__} {self.text(raised)}")
        return raised

    def note(self, text: str) -> None:
        self.lines.append(self.side.neutral(text))

    @contextmanager
    def meanwhile(self, call: Callable[..., Any], *args: Any, **named: Any) -> Iterator[Future[Any]]:
        """Makes the call, a watch, in a thread; the block begins when the server knows of the watch.

        At the end of the block waits for it and keeps what came of it.
        """
        with ThreadPoolExecutor(1) as pool:
            self.side.wait_for_watchers(0)
            watching = pool.submit(call, *args, **named)
            self.side.wait_for_watchers(1)
            yield watching
            self.note(f"meanwhile {_name(call)}: {self._shown(watching.result(PATIENCE))}")

    def text(self, error: Exception) -> str:
        """What is kept of an exception beside its type."""
        payload = getattr(error, "payload", None)
        if isinstance(payload, Mapping):
            known = {name: payload.get(name) for name in ("errorCode", "message", "cause", "status")}
            return str({**known, "index": self.side.since(int(payload.get("index") or 0))})
        return str(error)

    def _shown(self, result: Any) -> str:
        return str(self._plain(result))

    def _plain(self, value: Any) -> Any:
        match value:
            case Mapping():
                return {key: self._plain(each) for key, each in sorted(value.items())}
            case list() | tuple():
                return [self._plain(each) for each in value]
            case set() | frozenset():
                return sorted(map(self._plain, value))
            case _ if isinstance(value, self._results):
                return self._fields(value)
        return value

    def _fields(self, result: Any) -> dict[str, Any]:
        shown = {name: getattr(result, name) for name in _FIELDS if getattr(result, name)}
        for name in _INDICES:
            if getattr(result, name, None):
                shown[name] = self.side.since(getattr(result, name))
        if result.value == "":
            shown["value"] = ""
        if previous := getattr(result, "_prev_node", None):
            shown["prevNode"] = self._fields(previous)
        below = [child for child in result.get_subtree() if child is not result]
        if below:
            shown["below"] = [self._fields(child) for child in below]
        return shown


def _name(call: Callable[..., Any]) -> str:
    return getattr(call, "__name__", type(call).__name__)


def first(count: int, events: Iterator[Any]) -> list[Any]:
    """So many events of a watch that goes on, without the index that the store had at each: between two polls more or
    less may have happened.
    """
    got = list(islice(events, count))
    for event in got:
        event.etcd_index = 0
    return got


def compare(both: Pair, tell: Callable[[Side], Account]) -> None:
    """Tells the same of both servers, at the same time; what was seen of them must not differ."""
    with ThreadPoolExecutor(2) as pool:
        ours, real = pool.map(tell, (both.ours, both.real))
    assert ours.lines == real.lines, difference(ours.lines, real.lines)
    assert ours.lines, "nothing was seen"
