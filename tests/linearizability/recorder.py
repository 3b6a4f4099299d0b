"""Concurrent clients of a cluster, and the record of what they asked and what they were answered.

Each asks any member, whether it is well or not, for quorum reads, writes, swaps and deletions of a few keys, and never writes
a value twice. One more creates keys that nobody touches again, so that a creation which was lost stays lost.
"""

from __future__ import annotations

import http.client
import itertools
import re
import threading
import time
import urllib.parse
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple, Self

from tests.linearizability.checker import ANY, NEVER, SAME, Marker, Operation, Value
from tests.support.cluster import ClusterMember
from tests.support.process import Reply

TIMEOUT = 0.7
"""Seconds until a client gives up on an answer; less than servers wait for a quorum, so that some come to nobody."""
PAUSE = 0.04
"""Seconds between two operations of a client, at most."""

REGISTERS, CREATED = "/register", "/created"

_ACTUAL = re.compile(r"\[.* != (.*)\]")


class Request(NamedTuple):
    """One of the keys API, and what it finds and leaves if it succeeds."""

    method: str
    key: str
    parameters: dict[str, str]
    found: Value | Marker
    left: Value | Marker

    def send(self, member: ClusterMember) -> Reply:
        path = f"/v2/keys{self.key}"
        if self.method == "PUT":
            return member.request("PUT", path, self.parameters, timeout=TIMEOUT)
        return member.request(
            self.method, f"{path}?{urllib.parse.urlencode(self.parameters)}", timeout=TIMEOUT
        )


def read(key: str) -> Request:
    return Request("GET", key, {"quorum": "true"}, ANY, SAME)


def local_read(key: str) -> Request:
    """What the member has, which others may have changed already. Clients here do not ask for that."""
    return Request("GET", key, {}, ANY, SAME)


def write(key: str, value: str) -> Request:
    return Request("PUT", key, {"value": value}, ANY, value)


def swap(key: str, old: str, new: str) -> Request:
    return Request("PUT", key, {"value": new, "prevValue": old}, old, new)


def delete(key: str, old: str) -> Request:
    return Request("DELETE", key, {"prevValue": old}, old, None)


def create(key: str) -> Request:
    return Request("PUT", key, {"value": "", "prevExist": "false"}, None, "")


class Recorder:
    """``clients`` threads that ask ``members``; a context manager: they work inside it.

    The ``seed`` decides what they ask; when, and so what comes of it, is up to the machine.
    """

    def __init__(
        self, members: Sequence[ClusterMember], seed: int, *, keys: int = 4, clients: int = 8
    ) -> None:
        self.histories: dict[str, list[Operation]] = defaultdict(list)
        """By key."""
        self.created: list[str] = []
        """Keys whose creation was acknowledged."""
        self.figures: Counter[str] = Counter()
        """How many operations were ``answered``, got ``no certain answer``, or were ``refused`` by a member that was down."""
        self.errors: list[Exception] = []
        """Answers that no etcd gives."""
        self._members = list(members)
        self._keys = [f"{REGISTERS}/{number}" for number in range(keys)]
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._numbers = itertools.count()
        works = [self._client] * clients + [self._creator]
        self._threads = [
            threading.Thread(target=self._run, args=(work, Random(f"{seed} {number}")), daemon=True)
            for number, work in enumerate(works)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def read_all(self) -> None:
        """Reads every register through every member."""
        for member in self._members:
            for key in self._keys:
                self.ask(member, read(key))

    # What a client does

    def _run(self, work: Callable[[Random, ClusterMember, dict[str, str]], None], random: Random) -> None:
        last: dict[str, str] = {}
        try:
            while not self._over.wait(random.uniform(0, PAUSE)):
                work(random, random.choice(self._members), last)
        except Exception as error:
            self.errors.append(error)

    def _client(self, random: Random, member: ClusterMember, last: dict[str, str]) -> None:
        """One operation on a register; ``last`` are the values this client last saw."""
        key = random.choice(self._keys)
        new, old = f"v{next(self._numbers)}", last.get(key)
        requests = [read(key), write(key, new)]
        if old is not None:
            requests += [swap(key, old, new), swap(key, old, new), delete(key, old)]
        match self.ask(member, random.choice(requests)):
            case str(value):
                last[key] = value
            case None:
                last.pop(key, None)

    def _creator(self, random: Random, member: ClusterMember, last: dict[str, str]) -> None:
        key = f"{CREATED}/{next(self._numbers)}"
        if self.ask(member, create(key)) is not ANY:
            self.created.append(key)

    def ask(self, member: ClusterMember, request: Request) -> Value | Marker:
        """Sends the request and records it. Returns what is under the key then, ANY if there is no telling."""
        invoked = time.monotonic()
        try:
            reply: Reply | None = request.send(member)
        except ConnectionRefusedError:
            self._count("refused")
            return ANY
        except (OSError, http.client.HTTPException):
            reply = None
        label = f"{request.method} {request.parameters} through {member.name}"
        operation = Operation(invoked, time.monotonic(), request.found, request.left, label)
        if reply is None or reply.status >= 500:
            self._count("no certain answer", request.key, operation._replace(returned=NEVER))
            return ANY
        operation = answered(operation, reply)
        self._count("answered", request.key, operation)
        return operation.found if isinstance(operation.left, Marker) else operation.left

    def _count(self, what: str, key: str = "", operation: Operation | None = None) -> None:
        with self._lock:
            self.figures[what] += 1
            if operation is not None and key.startswith(REGISTERS):
                self.histories[key].append(operation)


def answered(operation: Operation, reply: Reply) -> Operation:
    """The operation as its answer tells it: what was found, and that nothing was left if it failed."""
    body = reply.json()
    code, expected = body.get("errorCode"), operation.found
    if reply.status in (200, 201):
        found = _value(body.get("node" if operation.left is SAME else "prevNode"))
        assert expected in (ANY, found), f"it was done although {found!r} was there: {operation} {reply}"
        return operation._replace(found=found)
    if code == 100:
        return operation._replace(found=None, left=SAME)
    if code == 101 and (actual := _ACTUAL.fullmatch(str(body["cause"]))):
        assert actual[1] != expected, f"it failed although that was there: {operation} {reply}"
        return operation._replace(found=actual[1], left=SAME)
    raise AssertionError(f"not an answer to {operation}: {reply}")


def _value(node: object) -> Value:
    return str(node["value"]) if isinstance(node, dict) and "value" in node else None
