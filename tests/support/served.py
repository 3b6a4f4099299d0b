"""A running member whose client API is asked directly, without a socket, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from random import Random
from typing import NamedTuple

from server.api.client import ClientApi
from server.config import load
from server.gateway.layout import Layout
from server.gateway.node import GatewayNode
from server.http.messages import (
    Body,
    ReadBody,
    Request,
    Response,
    gathered,
)
from server.node import Node, open_member
from server.raft import NOBODY
from server.storage.requests import StoreRequest
from tests.server.gateway.memory import Etcd, MemoryV3
from tests.support import virtual_time
from tests.support.asking import nobody
from tests.support.virtual_time import VIRTUAL_TIME, LoopWorker

CLIENT, PEER = "http://127.0.0.1:24200", "http://127.0.0.1:24201"
CLUSTER_ID, MEMBER_ID = "409947e768f36fef", "b5aa2546e8364707"
CLUSTER = ("X-Etcd-Cluster-Id", CLUSTER_ID)
TEXT = ("Content-Type", "text/plain; charset=utf-8")
JSON = ("Content-Type", "application/json")
NOSNIFF = ("X-Content-Type-Options", "nosniff")
FORM = "application/x-www-form-urlencoded"

_WRITTEN_BY_A_MEMBER = 3
"""Of a cluster of its own: about itself, and the version."""
through_a_gateway = ContextVar("through_a_gateway", default=False)


class Served(NamedTuple):
    """A member ``a`` at PEER, which has published itself and the cluster version."""

    node: Node
    api: ClientApi

    async def ask(
        self,
        method: str,
        target: str,
        body: str | bytes = b"",
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Names of ``headers`` are looked up as they are written here."""
        sent = dict(headers or {})
        if content_type is not None:
            sent["Content-Type"] = content_type
        reply = self.api.handle(Request(method, target.encode("utf-8", "surrogateescape"), sent))
        if isinstance(reply, ReadBody):
            data = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
            reply = reply.then(Body(data[: reply.limit + 1]))
            assert not isinstance(reply, ReadBody)
        return reply if isinstance(reply, Response) else await reply


async def whole_body(response: Response) -> bytes:
    """The body of an answer, also of one that is made while it is taken."""
    return response.body if response.stream is None else await gathered(response.stream)


def serve(
    data_dir: Path,
    test: Callable[[Served], Awaitable[None]],
    *,
    cors: tuple[str, ...] = (),
    strict: bool = False,
    request_timeout: float = 5.0,
    snapshot_count: int = 10000,
    wait_for_leader: bool = True,
    legacy: bool = False,
    wall: Callable[[], int] = VIRTUAL_TIME.wall,
) -> None:
    """Runs a test against the member in ``data_dir``, a new one if there is none. ``wall`` is its clock. Where
    ``through_a_gateway`` is set it is a gateway to an etcd in memory, of whose own settings none means anything."""
    settings = load(
        {
            "name": "a",
            "data-dir": str(data_dir),
            "advertise-client-urls": CLIENT,
            "initial-advertise-peer-urls": PEER,
            "initial-cluster": f"a={PEER}",
        }
    )

    async def before_an_etcd() -> None:
        node = GatewayNode(
            MemoryV3(Etcd(cluster_id=int(CLUSTER_ID, 16))),
            Layout(),
            name="a",
            client_urls=(CLIENT,),
            request_timeout=request_timeout,
            time=VIRTUAL_TIME._replace(wall=wall),
        )
        await node.start()
        try:
            while node.leader == NOBODY:
                await asyncio.sleep(0.001)
            for n in range(_WRITTEN_BY_A_MEMBER):
                await node.propose(StoreRequest(method="PUT", path="/0/padding", val=b"%d" % n))
            await test(Served(node, ClientApi(node, cors, legacy=legacy)))  # type: ignore[arg-type]
        finally:
            await node.stop()

    if through_a_gateway.get():
        virtual_time.run(before_an_etcd())
        return

    async def body() -> None:
        started = open_member(settings, resolve=lambda host: host, ask=nobody, now=0, random=Random(1))
        node = Node(
            started,
            heartbeat=0.05,
            request_timeout=request_timeout,
            snapshot_count=snapshot_count,
            strict_reconfig=strict,
            time=VIRTUAL_TIME._replace(wall=wall),
            worker=LoopWorker,
        )
        await node.start()
        try:
            while wait_for_leader and node.members.version is None:
                await asyncio.sleep(0.001)
            await test(Served(node, ClientApi(node, cors, legacy=legacy)))
        finally:
            await node.stop()

    virtual_time.run(body())
