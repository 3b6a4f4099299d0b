"""What commands do to gateways' keys without a running gateway: each call connects, and does one thing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.clocks import REAL_TIME
from server.config.gateway import GatewaySettings
from server.gateway import importing, leaving
from server.gateway.grpc3 import GrpcV3
from server.gateway.importing import Imported
from server.gateway.layout import Layout
from server.gateway.leaving import Left
from server.store.snapshot import FrozenStore

_T = TypeVar("_T")


def import_keys(settings: GatewaySettings, frozen: FrozenStore) -> Imported:
    """Puts a key space into an etcd that has none yet. Raises LayoutError, V3Error; OSError for files of TLS."""
    return _with(settings, lambda v3, layout: importing.write(v3, layout, frozen))


def leave(settings: GatewaySettings) -> Left:
    """Turns the gateways' keys into a plain key space of v3. Raises LayoutError, V3Error; OSError for files of TLS."""
    return _with(settings, lambda v3, layout: leaving.leave(v3, layout, REAL_TIME))


def _with(settings: GatewaySettings, do: Callable[[GrpcV3, Layout], Awaitable[_T]]) -> _T:
    async def done() -> _T:
        v3 = GrpcV3(settings)
        try:
            return await do(v3, Layout(settings.data_prefix, settings.meta_prefix))
        finally:
            await v3.close()

    return asyncio.run(done())
