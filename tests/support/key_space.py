"""A v2 key space in memory that is asked as a discovery URL is: our store and our answers, without a socket."""

import asyncio
import contextlib

from server.api.keys import answer_error, answer_event, parse_keys_request
from server.cluster.discovery import Unreachable
from server.cluster.discoverystate import KeysAnswer
from server.http.messages import Response
from server.store import EtcdError, Store, apply_request
from server.store.watcher import Watcher

REGISTRY = "/v2/keys/_etcd/registry"
FORM = "application/x-www-form-urlencoded"


class Clock:
    """Time that passes only in sleeps. ``slept`` is every one of them, in seconds."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


class KeySpace:
    """``down`` requests from now on have no answer; ``deaf`` ones are carried out, and their answers lost. A watch
    without news ends when its patience does if ``quiet``, and never if not."""

    def __init__(self, clock: Clock, token: str = "one") -> None:
        self.url = f"http://127.0.0.1:24750{REGISTRY}/{token}"
        self.down = 0
        self.deaf = 0
        self.quiet = False
        self.asked: list[str] = []
        self._clock = clock
        self._store = Store()
        self._path = f"{REGISTRY}/{token}"

    def put(self, path: str, value: str) -> None:
        """Sets a key below the discovery URL."""
        self._do("PUT", path, "", value)

    def delete(self, path: str) -> None:
        self._do("DELETE", path, "recursive=true", None)

    async def ask(self, method: str, path: str, value: str | None = None, *, patience: float) -> KeysAnswer:
        self.asked.append(f"{method} {path}")
        await asyncio.sleep(0)
        if self.down:
            self.down -= 1
            raise Unreachable("dial tcp 127.0.0.1:24750: connect: connection refused", "check the way there")
        key, _, query = path.partition("?")
        if "wait=true" in query:
            return await self._watch(key, query, patience)
        answer = self._do(method, key, query, value)
        if self.deaf and method == "PUT":
            self.deaf -= 1
            raise Unreachable("i/o timeout")
        return answer

    def _do(self, method: str, path: str, query: str, value: str | None) -> KeysAnswer:
        body = b"" if value is None else b"value=" + value.replace("&", "%26").encode()
        try:
            request = parse_keys_request(method, self._path + path, query.encode(), FORM, body, 0)
            if method == "GET":
                event = self._store.get(request.path, request.recursive, request.sorted, now=0)
            else:
                event = apply_request(self._store, request, now=0)  # type: ignore[assignment]
        except EtcdError as error:
            return _answer(answer_error(error, 1))
        return _answer(answer_event(event, 1, 1, 1))

    async def _watch(self, path: str, query: str, patience: float) -> KeysAnswer:
        try:
            request = parse_keys_request("GET", self._path + path, query.encode(), "", b"", 0)
            watcher = self._store.watch(request.path, request.recursive, request.stream, request.since)
        except EtcdError as error:
            return _answer(answer_error(error, 1))
        with contextlib.closing(_Removing(watcher)):
            if not watcher.events:
                if self.quiet:
                    self._clock.seconds += patience
                    raise Unreachable("i/o timeout")
                news = asyncio.Event()
                watcher.on_event = news.set
                await news.wait()
            event = watcher.take()
            assert event is not None
            return _answer(answer_event(event, 1, 1, 1))


class _Removing:
    def __init__(self, watcher: Watcher) -> None:
        self.close = watcher.remove


def _answer(response: Response) -> KeysAnswer:
    return KeysAnswer(response.status, int(dict(response.headers)["X-Etcd-Index"]), response.body)
