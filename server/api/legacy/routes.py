"""Which path of 0.4's client port is served by what. A method that 0.4 did not have there is 404, as it was."""

from collections.abc import Callable

from server.api.access import Access
from server.api.legacy import modules
from server.api.legacy.cluster import serve_leader, serve_machines, serve_version
from server.api.legacy.keys import FirstKeys
from server.api.legacy.modules import Modules
from server.api.listings import Listings
from server.api.node import ServedNode
from server.api.stats import serve_store
from server.http.messages import Reply, Request, Response, not_found

_READS = ("GET", "HEAD")

_EXACT: dict[str, tuple[tuple[str, ...], Callable[[ServedNode, Request], Response]]] = {
    "/version": (("GET",), serve_version),
    "/v2/leader": (_READS, serve_leader),
    "/v2/machines": (_READS, serve_machines),
    "/v2/peers": (_READS, serve_machines),
    "/v1/leader": (_READS, serve_leader),
    "/v1/machines": (_READS, serve_machines),
    "/v1/peers": (_READS, serve_machines),
    "/v1/stats/store": (("GET",), serve_store),
}


class LegacyApi:
    """Serves one node."""

    def __init__(self, node: ServedNode, access: Access, listings: Listings) -> None:
        self._node = node
        self._modules = Modules(node, access)
        self._keys = FirstKeys(node, access, listings)

    def serve(self, request: Request, path: str, query: bytes) -> Reply | None:
        """The answer to a request for one of 0.4's paths; None for any other."""
        if path in _EXACT:
            methods, serve = _EXACT[path]
            return serve(self._node, request) if request.method in methods else not_found()
        if path.startswith("/v1/"):
            return self._keys.serve(request, path, query)
        if path.startswith(modules.PREFIX):
            return self._modules.serve(request, path, query)
        return None
