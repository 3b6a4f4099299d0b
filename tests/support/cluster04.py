"""A cluster of etcd 0.4 as it answers on loopback: its registry, its statistics, its redirects. No data, no consensus.

The answers are those of 0.4.9 to GET requests; a server's ``seen`` are the targets that it was asked for.

``cluster04.py NAME=HOST ... -- COMMAND`` runs a command beside such a cluster, at 0.4's own ports; a ``-`` before a NAME
is for one that is down. The pages of findings do so.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import quote


@dataclass
class Answer:
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


NOT_FOUND = Answer(404, "404 page not found\n")


class Door:
    """One port of a node, with TLS if a context is given; any free one of 127.0.0.1 if no address is."""

    def __init__(
        self,
        answer: Callable[[str], Answer],
        tls: ssl.SSLContext | None = None,
        at: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.seen: list[str] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                door.seen.append(self.path)
                said = answer(self.path)
                body = said.text.encode()
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(at, Handler)
        self._scheme = "https" if tls is not None else "http"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{self._scheme}://{host!s}:{port}"

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


class Node04:
    """A node with both its ports; ``calls_itself`` is its name as it sees it. The first one of a cluster leads it."""

    def __init__(self, name: str, cluster: Cluster04, *, standby: bool = False, host: str = "") -> None:
        self.name = self.calls_itself = name
        self.index = 42
        self.is_standby = standby
        self._cluster = cluster
        client, peer = ((host, 4001), (host, 7001)) if host else (("127.0.0.1", 0),) * 2
        self.client = Door(self._at_the_client_port, cluster.tls, client)
        self.peer = Door(self._at_the_peer_port, at=peer)

    def stop(self) -> None:
        self.client.close()
        self.peer.close()

    @property
    def state(self) -> str:
        return "leader" if self is self._cluster.members[0] else "follower"

    def _at_the_client_port(self, target: str) -> Answer:
        leader = self._cluster.members[0]
        if self.is_standby:
            return Answer(307, "", {"Location": leader.client.url + target})
        path = target.partition("?")[0]
        index = {"X-Etcd-Index": str(self.index)}
        if path == "/version":
            return Answer(200, "etcd 0.4.9")
        if path == "/v2/leader":
            return Answer(200, leader.peer.url)
        if path == "/v2/stats/self":
            return Answer(200, json.dumps({"name": self.calls_itself, "state": self.state}))
        if path == "/v2/keys/":
            return Answer(200, '{"action":"get","node":{"key":"/","dir":true}}\n', index)
        if path == "/v2/keys/_etcd/machines":
            return Answer(200, json.dumps({"action": "get", "node": self._cluster.registry()}), index)
        if path == "/v2/keys/_etcd/config" and self._cluster.active_size:
            value = json.dumps(
                {"activeSize": self._cluster.active_size, "removeDelay": 1800, "syncInterval": 5}
            )
            node = {"key": "/_etcd/config", "value": value}
            return Answer(200, json.dumps({"action": "get", "node": node}), index)
        if path.startswith("/v2/keys/"):
            return Answer(404, '{"errorCode":100,"message":"Key not found","cause":"","index":42}\n', index)
        return NOT_FOUND

    def _at_the_peer_port(self, target: str) -> Answer:
        if self.is_standby:
            return NOT_FOUND
        if target == "/v2/admin/machines":
            return Answer(200, json.dumps(self._cluster.machines()))
        if target == "/name":
            return Answer(200, self.calls_itself)
        return NOT_FOUND


class Cluster04:
    """``names`` are its members', ``standbys`` those of nodes in no list. ``active_size`` 0 is one that nobody set.
    ``tls`` is for clients. ``hosts`` are the addresses of those that are to have 0.4's own ports."""

    def __init__(
        self,
        names: Sequence[str],
        standbys: Sequence[str] = (),
        active_size: int = 9,
        tls: ssl.SSLContext | None = None,
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        self.active_size, self.tls = active_size, tls
        self.members = [Node04(name, self, host=(hosts or {}).get(name, "")) for name in names]
        self.standbys = [Node04(name, self, standby=True) for name in standbys]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.ExitStack() as doors:
            for node in self._nodes():
                doors.callback(node.stop)

    def _nodes(self) -> Iterator[Node04]:
        yield from self.members
        yield from self.standbys

    def registry(self) -> dict[str, object]:
        nodes = [
            {
                "key": f"/_etcd/machines/{node.name}",
                "value": f"etcd={quote(node.client.url, safe='')}&raft={quote(node.peer.url, safe='')}",
                "modifiedIndex": place,
                "createdIndex": place,
            }
            for place, node in enumerate(self.members, 1)
        ]
        return {"key": "/_etcd/machines", "dir": True, "nodes": nodes}

    def machines(self) -> list[dict[str, str]]:
        return [
            {"name": node.name, "state": node.state, "clientURL": node.client.url, "peerURL": node.peer.url}
            for node in self.members
        ]


def main(words: Sequence[str]) -> int:
    """Runs the command and returns its status."""
    at = words.index("--")
    hosts = dict(word.removeprefix("-").split("=") for word in words[:at])
    with Cluster04(list(hosts), hosts=hosts) as cluster:
        for node, word in zip(cluster.members, words, strict=False):
            if word.startswith("-"):
                node.stop()
        return subprocess.run(words[at + 1 :], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
