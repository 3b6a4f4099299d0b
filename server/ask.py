"""Asks other members while nothing runs yet: one GET, waited for. The real ``AskPeer`` of ``server.cluster``."""

import asyncio

from server.cluster import PeerAnswer, PeerUnreachable
from server.cluster.srv import Names
from server.tls import TlsFiles, client_context


class PeerAsk:
    """Each question goes over a separate connection, with the certificates that peers show each other.

    ``connect_timeout`` in seconds. A call raises PeerUnreachable, and TlsError when those certificates are needed and
    cannot be used. Hosts are looked up in ``names``, or by the system. Not for a thread with a running loop.
    """

    def __init__(self, files: TlsFiles, *, connect_timeout: float, names: Names | None = None) -> None:
        self._files = files
        self._connect_timeout = connect_timeout
        self._look_up = None if names is None else names.addresses

    def __call__(self, url: str, path: str, patience: float) -> PeerAnswer:
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(self._get(url, path, patience))
        finally:
            loop.close()  # and not asyncio.run, which waits for a thread that a name server keeps waiting

    async def _get(self, url: str, path: str, patience: float) -> PeerAnswer:
        from server.peer.dialer import Dialer  # late: few members have to ask

        tls = client_context(self._files) if url.startswith("https:") else None
        dialer = Dialer(tls, connect_timeout=self._connect_timeout, silence=patience, look_up=self._look_up)
        try:
            return await dialer.get(url, path, patience)
        except PeerUnreachable as error:
            raise PeerUnreachable(f'Get "{url}{path}": {error}') from error
        finally:
            await dialer.close()
