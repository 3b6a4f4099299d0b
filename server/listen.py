"""Binds the sockets of listen URLs as Go binds them, with the words of its errors. Serves nothing."""

import errno
import os
import socket
from collections.abc import Callable

from server.config import parse_url

BACKLOG = 1024
"""Connections that may wait to be accepted; Linux takes the lower of this and net.core.somaxconn, which Go asks
for."""

_KEEPALIVE = (
    ((socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 30),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPINTVL), 30),
)
"""A connection that is silent for 30 seconds is asked whether it is still there, as etcd does for clients'. Connections
have it from the socket they come by."""


class ListenError(Exception):
    """A listen URL that cannot be listened on, in the words that etcd (Go) has for it."""


def listen(url: str, look_up: Callable[[str], str] | None = None) -> socket.socket:
    """A bound, listening TCP socket for a URL's host and port.

    ``[::]``, ``0.0.0.0`` and no host at all mean every address, of IPv4 and of IPv6, through one socket;
    where the machine has no IPv6, every address of IPv4. A host name is looked up, IPv4 preferred: by ``look_up``,
    which raises OSError, or by the system. Raises ListenError.
    """
    parsed = parse_url(url)
    port = int(parsed.port or "0")
    if port > 65535:
        raise ListenError(f"listen tcp: address {port}: invalid port")
    host = parsed.hostname
    if host in ("", "::", "0.0.0.0"):
        try:
            return _bound(socket.AF_INET6, "::", port, dual=True)
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT):
                raise _refused("[::]", port, error) from error
        family, address, scope = socket.AF_INET, "0.0.0.0", 0
    else:
        family, address, scope = _looked_up(host, look_up)
    try:
        return _bound(family, address, port, scope=scope)
    except OSError as error:
        zone = f"%{host.partition('%')[2]}" if "%" in host else ""
        shown = f"[{address}{zone}]" if ":" in address else address
        raise _refused(shown, port, error) from error


def address_text(address: tuple[object, ...]) -> str:
    """The address of a socket as it is written in URLs and in lines of the log: ``host:port``."""
    host, port = str(address[0]), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _looked_up(host: str, look_up: Callable[[str], str] | None) -> tuple[socket.AddressFamily, str, int]:
    """An address of the name, IPv4 first as Go does for a listener, and the number of its zone."""
    try:
        found = socket.getaddrinfo(host if look_up is None else look_up(host), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ListenError(f"listen tcp: lookup {host}: no such host") from None
    found.sort(key=lambda item: item[0] != socket.AF_INET)
    family, _, _, _, address = found[0]
    scope = int(address[-1]) if family == socket.AF_INET6 else 0
    return socket.AddressFamily(family), str(address[0]), scope


def _bound(
    family: socket.AddressFamily, address: str, port: int, *, dual: bool = False, scope: int = 0
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        for option, value in _KEEPALIVE:
            sock.setsockopt(*option, value)
        sock.bind((address, port, 0, scope) if scope else (address, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _refused(address: str, port: int, error: OSError) -> ListenError:
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return ListenError(f"listen tcp {address}:{port}: bind: {_GO_WORDS.get(error.errno or 0, reason)}")


_GO_WORDS = {
    errno.EADDRINUSE: "address already in use",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
}
