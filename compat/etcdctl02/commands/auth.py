"""``auth``, and what it has in common with ``user`` and ``role``: the requests under ``/v2/auth``."""

from __future__ import annotations

from typing import Any

from compat.etcdctl02.call import Call
from compat.etcdctl02.client import Action, decoded, document, listed, message_unless, part
from compat.etcdctl02.errors import BAD_ARGUMENTS, ClientError, Stop, plain
from compat.etcdctl02.gotext import clean_path


def enable(call: Call) -> None:
    _switch(call, "PUT", "Enabled")


def disable(call: Call) -> None:
    _switch(call, "DELETE", "Disabled")


def _switch(call: Call, method: str, done: str) -> None:
    no_words(call)
    auth = Auth(call)
    auth.ask(Action(method, "/v2/auth/enable"), 200, 201)
    call.console.out(f"Authentication {done}\n")


class Auth:
    """The part of a cluster that knows users and roles. Every method raises Stop with the cluster's words."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._client = call.client()
        call.trace_endpoints(self._client)
        self.start_clock()

    def start_clock(self) -> None:
        """The time for the whole command begins now: a person who types a password may be slow."""
        self._until = self._call.until()

    def ask(self, action: Action, *statuses: int) -> bytes:
        """The body of an answer with one of the statuses."""
        try:
            answer = self._client.do(action, self._until)
            message_unless(answer, *statuses)
        except ClientError as error:
            raise plain(error) from error
        return answer.body

    def listed(self, kind: str) -> list[Any]:
        """``kind`` is users or roles, here and below."""
        body = self.ask(Action("GET", f"/v2/auth/{kind}", content_type="application/json"), 200)
        return listed_in(self._decoded(body), kind, dict)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return self._decoded(self.ask(Action("GET", _path(kind, name)), 200))

    def exists(self, kind: str, name: str) -> bool:
        """Also False when the cluster does not say: what comes next will fail with the reason."""
        try:
            self.get(kind, name)
        except Stop:
            return False
        return True

    def create(self, kind: str, name: str, record: dict[str, object]) -> None:
        self.ask(document("PUT", _path(kind, name), record), 200, 201)

    def change(self, kind: str, name: str, record: dict[str, object]) -> dict[str, Any]:
        return self._decoded(self.ask(document("PUT", _path(kind, name), record), 200))

    def remove(self, kind: str, name: str) -> None:
        self.ask(Action("DELETE", _path(kind, name)), 200, 201)

    def _decoded(self, body: bytes) -> dict[str, Any]:
        try:
            return decoded(body)
        except ClientError as error:
            raise plain(error) from error


def listed_in(record: dict[str, Any], name: str, *kinds: type) -> list[Any]:
    """As :func:`listed`. Raises Stop."""
    try:
        return listed(record, name, *kinds)
    except ClientError as error:
        raise plain(error) from error


def part_of(record: dict[str, Any], *names: str) -> dict[str, Any]:
    """The object under these names, one in the other. Raises Stop."""
    try:
        for name in names:
            record = part(record, name)
    except ClientError as error:
        raise plain(error) from error
    return record


def no_words(call: Call) -> None:
    if call.words:
        raise Stop(BAD_ARGUMENTS, "No arguments accepted\n")


def one_word(call: Call, what: str) -> str:
    if len(call.words) != 1:
        raise Stop(BAD_ARGUMENTS, f"Please provide a {what}\n")
    return call.words[0]


def _path(kind: str, name: str) -> str:
    return clean_path(f"/v2/auth/{kind}/{name}")
