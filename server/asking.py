"""Asks one server one thing over HTTP/1.1 and waits for the answer, within the bounds of ``server.bounded``.

For who has no event loop: the tool, the client of the command line. Nothing here takes longer than it may, whatever the
server sends; members with a loop ask through aiohttp (``server.peer.dialer``, ``server.discoveryclient``).
"""

from __future__ import annotations

import base64
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from server.bounded import ACCEPT, AnswerReader, BoundedAnswer, Bounds, UnusableAnswer
from server.config import UrlError, dialled, redacted, split_url, without_zone

_PIECE = 64 << 10
"""Bytes that are read at a time: most answers are one piece."""

_REDIRECTS = 5
"""etcd redirects once, to the leader; a balancer in front of it may add one or two. More are a loop."""

Dial = Callable[[str, int, float | None], socket.socket]
"""A connection to a host and a port, by this moment of ``time.monotonic``. Raises OSError."""


class NoAnswer(Exception):
    """No answer that could be used; the message is one line and does not name the URL that was asked."""


class Deadlines(NamedTuple):
    """Moments of ``time.monotonic``: until when the head must be there, and all of it. None is without end."""

    head: float | None
    total: float | None


def left(until: float | None) -> float | None:
    """Seconds, for a socket's timeout. Raises TimeoutError when there are none."""
    if until is None:
        return None
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


def dial(host: str, port: int, until: float | None) -> socket.socket:
    """To the first address of the host that takes the connection. Raises OSError."""
    trouble: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            sock.settimeout(left(until))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            if sock is not None:
                sock.close()
            trouble = trouble or error
    raise trouble or OSError(f"no address for {host}")


class BlockingConnection:
    """To one server, kept for the next request until it is closed. ``tls`` is for one with https, else None.

    Raises OSError (ssl.SSLError and TimeoutError among them), UnusableAnswer and UnicodeError; it is of no more use
    then.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, dial: Dial = dial) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._dial = dial
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def connect(self, until: float | None) -> socket.socket:
        """The socket, connected now if it was not."""
        if self._socket is None:
            self._socket = self._dial(self._host, self._port, until)
            if self._tls is not None:
                self._secure(self._host, self._tls, until)
        return self._socket

    def tunnel(
        self, host: str, port: int, tls: ssl.SSLContext, limits: Deadlines, headers: Mapping[str, str]
    ) -> None:
        """Makes of a connection to a proxy one to a server with TLS behind it."""
        place = _place(host, port)
        reader = AnswerReader(Bounds(0, 0.0), head_alone=True)
        self._send("CONNECT", place, {"Host": place, **headers}, None, limits)
        self._receive(reader, limits)
        if reader.answer.status != 200:
            raise UnusableAnswer(f"the proxy answers {reader.answer.status}")
        self._secure(host, tls, limits.total)

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        bounds: Bounds,
        limits: Deadlines,
    ) -> BoundedAnswer:
        """The answer to a request. Its time is that of ``limits``; that of ``bounds`` is none of its business."""
        try:
            reader = AnswerReader(bounds)
            host = {"Host": _place(self._host, self._port, 80 if self._tls is None else 443)}
            self._send(method, target, {**host, **ACCEPT, **headers}, body, limits)
            self._receive(reader, limits)
        except BaseException:
            self.close()
            raise
        if not reader.keeps:
            self.close()
        return reader.answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _secure(self, host: str, tls: ssl.SSLContext, until: float | None) -> None:
        assert self._socket is not None
        self._socket.settimeout(left(until))
        self._socket = tls.wrap_socket(self._socket, server_hostname=without_zone(host))

    def _send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, limits: Deadlines
    ) -> None:
        sock = self.connect(limits.head)
        if body is not None:
            headers = {**headers, "Content-Length": str(len(body))}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if any(char in line for line in lines for char in "\r\n\0"):
            raise UnusableAnswer("the request has a line end in it")
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        sock.settimeout(left(limits.head))
        sock.sendall(head + (body or b""))

    def _receive(self, reader: AnswerReader, limits: Deadlines) -> None:
        assert self._socket is not None
        while not reader.done:
            self._socket.settimeout(left(limits.total if reader.has_head else limits.head))
            piece = self._socket.recv(_PIECE)
            if not piece:
                reader.end()
                return
            reader.feed(piece)


def get(url: str, bounds: Bounds, *, tls: ssl.SSLContext | None = None) -> BoundedAnswer:
    """The answer to a GET of a URL. Redirects that stay on the host are followed, others are answers that cannot be
    used; user and password of a URL go along as they do with Go's client.

    The environment's ``http_proxy``, ``https_proxy`` and ``no_proxy`` count. Raises NoAnswer.
    """
    limits = Deadlines(*2 * (time.monotonic() + bounds.seconds,))
    asked = url
    for _ in range(_REDIRECTS + 1):
        answer = get_once(asked, bounds, tls=tls, limits=limits)
        if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.headers:
            return answer
        asked = redirected(asked, answer.headers["location"])
    raise NoAnswer(f"redirects more than {_REDIRECTS} times, the last time to {redacted(asked)[:200]}")


def get_once(
    url: str,
    bounds: Bounds,
    *,
    tls: ssl.SSLContext | None = None,
    limits: Deadlines | None = None,
    straight: bool = False,
) -> BoundedAnswer:
    """The answer to a GET of a URL, a redirect too; ``straight``: through no proxy. Raises NoAnswer."""
    limits = limits or Deadlines(*2 * (time.monotonic() + bounds.seconds,))
    connection: BlockingConnection | None = None
    try:
        parts = split_url(url)
        host, port = dialled(parts)
        context = None if parts.scheme == "http" else tls or ssl.create_default_context()
        target = (parts.path or "/") + parts.tail.partition("#")[0]
        headers = basic_authorization(parts.userinfo, "Authorization")
        proxy = "" if straight else _proxy(parts.scheme, host, port)
        if not proxy:
            connection = BlockingConnection(host, port, context)
        else:
            way = split_url(proxy if "://" in proxy else f"http://{proxy}")
            permit = basic_authorization(way.userinfo, "Proxy-Authorization")
            connection = BlockingConnection(*dialled(way), None)
            if context is not None:
                connection.tunnel(host, port, context, limits, permit)
            else:
                target = f"http://{_place(host, port, 80)}{target}"
                headers |= permit | {"Host": _place(host, port, 80)}
        if context is not None:
            headers["Host"] = _place(host, port, 443)
        return connection.ask("GET", target, headers, None, bounds, limits)
    except (OSError, ValueError) as error:
        raise NoAnswer(why(error, bounds)) from error
    finally:
        if connection is not None:
            connection.close()


def redirected(url: str, location: str) -> str:
    """Where an answer of ``url`` sends on to. Raises NoAnswer for another host, and from https to http."""
    from urllib.parse import urljoin, urlsplit

    shown = redacted(location)[:200]
    try:
        goal = urljoin(url, location)
        there, here = urlsplit(goal), urlsplit(url)
        same_port = there.port == here.port and there.scheme == here.scheme
        stays = there.hostname == here.hostname and (
            same_port or (here.scheme, there.scheme) == ("http", "https")
        )
    except ValueError:
        raise NoAnswer(f"redirects to {shown}, which is no URL") from None
    if not stays:
        raise NoAnswer(f"redirects to {shown}, which is another server: ask there, if that is to be trusted")
    if here.username is not None and there.username is None:
        goal = there._replace(netloc=f"{here.netloc.rpartition('@')[0]}@{there.netloc}").geturl()
    return goal


def why(error: BaseException, bounds: Bounds | None = None) -> str:
    """An exception of this module in one line."""
    match error:
        case TimeoutError():
            return (
                "no answer within its time"
                if bounds is None
                else f"no whole answer within {bounds.seconds:g}s"
            )
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS: {(error.reason or str(error)).lower().replace('_', ' ')}"
        case UrlError():
            return redacted(str(error))
        case UnicodeError():
            return "its host is no name"
        case socket.gaierror():
            return f"its host is not known: {error.strerror}"
        case OSError(strerror=str(words)):
            return words
        case _:
            return str(error) or type(error).__name__


def basic_authorization(userinfo: str, name: str) -> dict[str, str]:
    """The header for ``user:password@`` of a URL, if there is one."""
    if not userinfo:
        return {}
    user, _, password = userinfo[:-1].partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode("utf-8", "surrogateescape")
    return {name: f"Basic {base64.b64encode(pair).decode()}"}


def _proxy(scheme: str, host: str, port: int) -> str:
    """The proxy that the environment names for such a URL, or nothing."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return ""
    from urllib.request import getproxies, proxy_bypass

    return "" if proxy_bypass(f"{host}:{port}") else getproxies().get(scheme, "")


def _place(host: str, port: int, usual: int = 0) -> str:
    """As in a Host header: without a zone, without the usual port."""
    host = without_zone(host)
    host = f"[{host}]" if ":" in host else host
    return host if port == usual else f"{host}:{port}"
