"""Which URLs lead to this process itself, as far as one can tell without going there."""

import socket
from collections.abc import Callable, Iterable

from server.config import UrlError, parse_url

_EVERYWHERE = frozenset(("", "0.0.0.0", "::"))

IsLocal = Callable[[str], bool]
"""Whether a host is an address, or the name of an address, of this machine."""


class Own:
    """``listened`` are the URLs that the process listens on; ``is_local`` is asked whether a host is this machine."""

    def __init__(self, listened: Iterable[str], is_local: IsLocal) -> None:
        self._is_local = is_local
        self._hosts: dict[str, set[str]] = {}
        for url in map(parse_url, listened):
            self._hosts.setdefault(url.port, set()).add(url.hostname.lower())

    def among(self, urls: Iterable[str]) -> set[str]:
        """Those of these URLs that lead here. May have to look names up."""
        return {url for url in urls if self._leads_here(url)}

    def _leads_here(self, url: str) -> bool:
        try:
            parsed = parse_url(url)
        except UrlError:
            return False
        hosts = self._hosts.get(parsed.port)
        if hosts is None:
            return False
        host = parsed.hostname.lower()
        return host in hosts or (not hosts.isdisjoint(_EVERYWHERE) and self._is_local(host))


def is_local(host: str) -> bool:
    """A host is this machine if a socket can be bound there. A name is looked up, which may take its time."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(_can_bind(family, address) for family, _, _, _, address in found)


def _can_bind(family: int, address: tuple[object, ...]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(address)
        except OSError:
            return False
        return True
