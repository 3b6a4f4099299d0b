"""The connections to members that are not needed at the moment, kept for the next request."""

import asyncio

from server.http.answers import AnswerHeads
from server.proxy.connection import Timeouts, UpstreamConnection

_MOST_IDLE = 128
"""Idle connections that are kept to one endpoint: etcd 2.3.8's number."""

_IDLE_SECONDS = 240.0
"""An idle connection is not used again after that; the bundled member closes its own after 300 seconds."""


class Upstream:
    """All connections to members. Made on a running loop."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self.heads = AnswerHeads()
        self.loop = asyncio.get_running_loop()
        self._idle: dict[str, list[UpstreamConnection]] = {}
        self._all: set[UpstreamConnection] = set()

    def idle(self, endpoint: str) -> UpstreamConnection | None:
        """A connection that has been used and can be again, if there is one."""
        connections = self._idle.get(endpoint)
        while connections:
            connection = connections.pop()
            if self.loop.time() - connection.since < _IDLE_SECONDS:
                return connection
            connection.close()
        return None

    def keep(self, connection: UpstreamConnection) -> bool:
        """Takes a connection that is not needed now; False if it is one too many."""
        connections = self._idle.setdefault(connection.endpoint, [])
        if len(connections) >= _MOST_IDLE:
            return False
        connections.append(connection)
        return True

    def noted(self, connection: UpstreamConnection) -> None:
        """A connection has come about."""
        self._all.add(connection)

    def forget(self, connection: UpstreamConnection) -> None:
        """A connection is no more."""
        self._all.discard(connection)
        idle = self._idle.get(connection.endpoint)
        if idle and connection in idle:
            idle.remove(connection)

    def retain(self, endpoints: list[str]) -> None:
        """Closes the idle connections to all others, and those that have been idle for long."""
        now = self.loop.time()
        for endpoint, connections in self._idle.items():
            for connection in list(connections):
                if endpoint not in endpoints or now - connection.since >= _IDLE_SECONDS:
                    connections.remove(connection)
                    connection.close()

    def close(self) -> None:
        """Breaks off whatever is under way."""
        for connection in list(self._all):
            connection.close()
