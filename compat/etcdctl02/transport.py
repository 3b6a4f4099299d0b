"""One request to one server over HTTP/1.1, with TLS or without, and within a time. Knows nothing of etcd or clusters.

Every error is a ClientError worded as Go's net/http words it, for these words end up before people and scripts.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn

from compat.etcdctl02.errors import ClientError, OutOfTime
from compat.etcdctl02.gotext import quoted
from server.asking import BlockingConnection, left
from server.asking import Deadlines as Deadlines
from server.bounded import BoundedAnswer as BoundedAnswer
from server.bounded import Bounds, HungUp, UnusableAnswer
from server.config.urls import UrlError, dialled, split_url

Resolve = Callable[[str], list[str]]
"""A host's name to its addresses; raises OSError."""

BOUNDS = Bounds(body=256 << 20, seconds=0.0, depth=20_000)
"""What one answer may be; a whole key space may come in one. Its time is that of the request's Limits."""


class Request(NamedTuple):
    """``url`` is escaped."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class TlsFiles(NamedTuple):
    """Paths, or empty."""

    ca: str
    cert: str
    key: str


class Transport:
    """Keeps a connection to each server for the next request. Not for several threads at once."""

    def __init__(self, tls: TlsFiles, dial_timeout: float, resolve: Resolve | None = None) -> None:
        """``dial_timeout`` in seconds, for one address. Raises ClientError for files that cannot be read."""
        _check_files(tls)
        self._tls_files = tls
        self._tls: ssl.SSLContext | None = None
        self._dial_timeout = dial_timeout
        self._resolve = resolve
        self._idle: dict[tuple[str, str], BlockingConnection] = {}
        if any(tls):
            self._context()

    def send(self, request: Request, limits: Deadlines) -> BoundedAnswer:
        """Raises ClientError; OutOfTime when it was the total time that ran out."""
        scheme, host, target = _split(request.url)
        kept = self._idle.pop((scheme, host), None)
        connection = kept or self._connection(scheme, host)
        try:
            answer = connection.ask(request.method, target, request.headers, _body(request), BOUNDS, limits)
        except BaseException as error:
            connection.close()
            if kept and request.method == "GET" and isinstance(error, _HUNG_UP):
                return self.send(request, limits)  # the server did not want to keep it
            if isinstance(error, OSError | UnusableAnswer | UnicodeError):
                raise _explained(error, f"{scheme}://{host}", limits) from error
            raise
        if connection.is_open:
            self._idle[scheme, host] = connection
        return answer

    def _connection(self, scheme: str, host: str) -> BlockingConnection:
        if scheme not in ("http", "https"):
            raise ClientError(f"unsupported protocol scheme {quoted(scheme)}")
        try:
            name, port = dialled(split_url(f"{scheme}://{host}"))
        except UrlError as error:
            raise ClientError(f"dial tcp: {error}") from error
        return BlockingConnection(name, port, self._context() if scheme == "https" else None, self._dial)

    def _dial(self, name: str, port: int, until: float | None) -> socket.socket:
        try:
            found = self._addresses(name, port)
        except OSError as error:
            raise ClientError(
                f"dial tcp: lookup {name}: {_lookup_failure(error)}", no_connection=True
            ) from error
        first: ClientError | None = None
        for family, address in found:
            soon = _earlier(until, time.monotonic() + self._dial_timeout)
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(left(soon))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
            except OSError as error:
                sock.close()
                if isinstance(error, TimeoutError) and soon == until:
                    raise
                why = "i/o timeout" if isinstance(error, TimeoutError) else f"connect: {_why(error)}"
                first = first or ClientError(f"dial tcp {_shown(address, name)}: {why}", no_connection=True)
        raise first or ClientError(f"dial tcp: lookup {name}: no such host", no_connection=True)

    def _addresses(self, name: str, port: int) -> list[tuple[int, tuple[str, int]]]:
        names = [name] if self._resolve is None else self._resolve(name)
        found = [info for each in names for info in socket.getaddrinfo(each, port, type=socket.SOCK_STREAM)]
        return [(family, address) for family, _, _, _, address in found]  # type: ignore[misc]

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = _context(self._tls_files)
        return self._tls


def _body(request: Request) -> bytes | None:
    """Go tells the length of what has no body, too, where a body is usual."""
    if request.body is None and request.method in ("PUT", "POST"):
        return b""
    return request.body


def _check_files(tls: TlsFiles) -> None:
    if bool(tls.cert) != bool(tls.key):
        raise ClientError(f"KeyFile and CertFile must both be present[key: {tls.key}, cert: {tls.cert}]")
    for path in filter(None, (tls.cert, tls.key, tls.ca)):
        try:
            with open(path, "rb"):
                pass
        except OSError as error:
            raise ClientError(f"open {path}: {_why(error)}") from error


def _no_passphrase(key: str) -> NoReturn:
    """For what would ask for one on the terminal."""
    raise ClientError(
        f"tls: failed to parse private key: {key} has a passphrase, which is not asked for. "
        f"Take it off: openssl pkey -in {key} -out NEW"
    )


def _context(tls: TlsFiles) -> ssl.SSLContext:
    """As strict as etcdctl, and no stricter: a certificate of the time, made by hand, has to pass."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if tls.cert:
            context.load_cert_chain(tls.cert, tls.key, password=lambda: _no_passphrase(tls.key))
    except (OSError, ValueError) as error:
        raise ClientError(
            f"tls: {tls.cert} and {tls.key} are no pair of certificate and key: {error}"
        ) from error
    try:
        if tls.ca:
            context.load_verify_locations(tls.ca)
        else:
            context.load_default_certs()
    except ssl.SSLError as error:
        raise ClientError(f"tls: there is no certificate in {tls.ca}: {error}") from error
    return context


def _split(url: str) -> tuple[str, str, str]:
    """Scheme, host with port, and the rest, which begins with a slash."""
    scheme, colon, rest = url.partition("://")
    if not colon:
        return "", "", url
    host, slash, path = rest.partition("/")
    return scheme.lower(), host.rpartition("@")[2], slash + path if slash else "/"


def _earlier(one: float | None, other: float) -> float:
    return other if one is None else min(one, other)


def _why(error: OSError) -> str:
    """In the system's words, which Go writes small."""
    text = os.strerror(error.errno) if error.errno else str(error)
    return text[:1].lower() + text[1:]


def _lookup_failure(error: OSError) -> str:
    if isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
        return "no such host"
    return error.strerror or str(error)


def _shown(address: tuple[str, int], name: str) -> str:
    """With the zone of the name, which the system's addresses do not show."""
    host, port = address[:2]
    zone = name.partition("%")[1:] if ":" in name else ()
    return f"[{host}{''.join(zone)}]:{port}" if ":" in host else f"{host}:{port}"


_UNKNOWN_AUTHORITY = (18, 19, 20, 21)
_NOT_NOW = (9, 10)
"""OpenSSL's numbers of reasons why a certificate does not hold."""


_GO_WORDS = ("unexpected EOF", "malformed HTTP")
_HUNG_UP = (HungUp, ConnectionResetError, BrokenPipeError)


def _explained(error: Exception, server: str, limits: Deadlines) -> ClientError:
    match error:
        case TimeoutError() if limits.total is not None and limits.total <= time.monotonic():
            return OutOfTime()
        case TimeoutError():
            return ClientError(f"client: endpoint {server} exceeded header timeout")
        case HungUp():
            return ClientError("EOF")
        case UnusableAnswer() if str(error).startswith(_GO_WORDS):
            return ClientError(str(error))
        case UnusableAnswer():
            return ClientError(f"{server}: {error}")
        case ssl.SSLCertVerificationError() if error.verify_code in _UNKNOWN_AUTHORITY:
            return ClientError("x509: certificate signed by unknown authority")
        case ssl.SSLCertVerificationError() if error.verify_code in _NOT_NOW:
            return ClientError(f"x509: certificate has expired or is not yet valid: {error.verify_message}")
        case ssl.SSLCertVerificationError():
            return ClientError(f"x509: {error.verify_message}")
        case ssl.SSLError() if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            return ClientError("http: server gave HTTP response to HTTPS client")
        case ssl.SSLError() if error.reason and "ALERT" in error.reason:
            alert = error.reason.partition("ALERT_")[2].replace("_", " ").lower()
            return ClientError(f"remote error: tls: {alert}")
        case ssl.SSLEOFError():
            return ClientError("EOF")
        case ssl.SSLError():
            return ClientError(f"tls: {error.reason or error}")
        case OSError():
            return ClientError(f"read tcp {server.partition('://')[2]}: {_why(error)}", no_connection=True)
    return ClientError(str(error))
