"""URL settings: lists of ``http://host:port``, and name=URL lists. Pure text to text.

What is accepted, how it is written back and the words of every refusal were compared with etcd 2.3.8 (built
with Go 1.19): ``tests/server/config/test_urls.py`` holds the recorded answers.
"""

import re
from typing import NamedTuple


class UrlError(ValueError):
    """A URL that etcd would refuse, in etcd's (or its URL parser's) own words."""


class Url(NamedTuple):
    """A URL in parts, each as it is written back, so that their concatenation is the URL."""

    scheme: str
    userinfo: str
    """With its ``@``, or empty."""
    host: str
    """With the port and, around an IPv6 address, the brackets."""
    path: str
    tail: str
    """Query and fragment, with their ``?`` and ``#``."""

    @property
    def hostname(self) -> str:
        """The host without port and brackets, as one looks it up. Empty for ``http://:2379``."""
        return split_host_port(self.host)[0]

    @property
    def port(self) -> str:
        """The port's digits; may be empty, since etcd takes ``http://host:`` (port 0)."""
        return split_host_port(self.host)[1]

    def __str__(self) -> str:
        return f"{self.scheme}://{self.userinfo}{self.host}{self.path}{self.tail}"


_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset("0123456789")
_HEX = _DIGITS | frozenset("abcdefABCDEF")
_SCHEME = _LETTERS | _DIGITS | frozenset("+-.")
_HOST = _LETTERS | _DIGITS | frozenset("-_.~!$&'()*+,;=:[]<>\"")
_USERINFO = _LETTERS | _DIGITS | frozenset("-._:~!$&'()*+,;=%@")
_FRAGMENT = _LETTERS | _DIGITS | frozenset("-_.~!$&'()*+,/:;=?@%")
_USERINFO_KEPT = _LETTERS | _DIGITS | frozenset("-_.~$&+,;=:%")


def parse_url(text: str) -> Url:
    """One URL of a URL setting; blanks around it do not count.

    Accepted are http and https with an explicit port and no path, not even ``/``. Query, fragment and user
    are kept, as etcd keeps them. The port's range is not checked here, just as etcd finds out only when it
    listens. Raises UrlError.
    """
    text = text.strip()
    url = split_url(text)
    if url.scheme not in ("http", "https"):
        raise UrlError(f"URL scheme must be http or https: {text}")
    try:
        split_host_port(url.host)
    except ValueError:
        raise UrlError(f'URL address does not have the form "host:port": {text}') from None
    if url.path:
        raise UrlError(f"URL must not contain a path: {text}")
    return url


def check_url(text: str) -> None:
    """Raises UrlError for what Go's URL parser does not take, which is little: a URL need not be whole."""
    split_url(text)


def dialled(url: Url) -> tuple[str, int]:
    """The host and the port that a URL leads to; http has port 80 and https 443 where none is given.

    Raises UrlError for a URL that leads nowhere.
    """
    if url.scheme not in _PORTS:
        raise UrlError(f"unsupported protocol scheme {url.scheme!r}")
    try:
        host, port = split_host_port(url.host)
    except ValueError:
        host, port = split_host_port(f"{url.host}:")
    if not host or len(port) > 5 or int(port or "0") > 65535:
        raise UrlError(f"no host and port in {url.host!r}")
    return host, int(port) if port else _PORTS[url.scheme]


def without_zone(host: str) -> str:
    """An IPv6 address without its zone, which means something on this machine alone."""
    return host.partition("%")[0] if ":" in host else host


_PORTS = {"http": 80, "https": 443}


def redacted(text: str) -> str:
    """A text, a URL or any other with URLs in it, with ``xxxxx`` for every password in a URL: as Go shows them."""
    if "@" not in text:
        return text
    return re.sub(_MALFORMED, r"\1:xxxxx@", re.sub(_PASSWORD, r"\1:xxxxx@", text))


_PASSWORD = r"""(:/{1,2}(?!\[)[^\s/?#@:"\\]*+):(?:[^\s/?#"\\]|\\["\\])*@"""
_MALFORMED = (
    r"""(:/{1,2}(?!\[)[^\s/?#@:,"\\]*+):(?!\d*(?:[,/?#\s\\"]|$)|xxxxx@)(?:[^\s,"@\\]|\\["\\]){0,2000}@"""
)
"""A password with a slash, a question mark or a sharp in it, of a URL that is refused for it: no port is like that.
Texts, compiled when first needed, as most starts need neither."""


def parse_urls(text: str) -> list[str]:
    """The URLs of a comma-separated list, written as etcd writes them, sorted. Duplicates stay.

    An empty list or an empty item is an error, as in etcd. Raises UrlError.
    """
    return sorted(str(parse_url(item)) for item in text.split(","))


def parse_urls_map(text: str) -> dict[str, list[str]]:
    """An initial cluster ``name=URL,name=URL,...`` as name -> sorted URLs, in the order the names first
    appear.

    A name may come several times to give several URLs; empty items are ignored; an item without ``=``
    is a name with an empty URL, which is an error. Raises UrlError.
    """
    urls: dict[str, list[str]] = {}
    for item in text.split(","):
        if item:
            name, _, url = item.partition("=")
            urls.setdefault(name, []).append(str(parse_url(url)))
    return {name: sorted(of_name) for name, of_name in urls.items()}


def urls_map_text(urls: dict[str, list[str]]) -> str:
    """An initial cluster as text, one sorted name=URL item per URL."""
    return ",".join(sorted(f"{name}={url}" for name, of_name in urls.items() for url in of_name))


def split_host_port(host: str) -> tuple[str, str]:
    """``host:port`` or ``[host]:port`` in its two halves. ValueError when it has not that form."""
    if host.startswith("["):
        inside, closed, rest = host[1:].partition("]")
        if not closed or not rest.startswith(":") or set("[]:") & set(rest[1:]) or "[" in inside:
            raise ValueError("missing port in address")
        return inside.replace("%25", "%"), rest[1:]
    name, colon, port = host.rpartition(":")
    if not colon or ":" in name or set("[]") & set(host):
        raise ValueError("missing port in address")
    return name, port


def split_url(text: str) -> Url:
    """A URL in parts, whole or not, refusing what Go's URL parser refuses. Raises UrlError."""
    if any(c < " " or c == "\x7f" for c in text):
        raise _parse_error(text, "net/url: invalid control character in URL")
    body, sharp, fragment = text.partition("#")
    if sharp:
        _check_escapes(text, fragment)
    fragment = "".join(c if c in _FRAGMENT else _escaped(c) for c in fragment)
    scheme, rest = _split_scheme(text, body)
    rest, question, query = rest.partition("?")
    tail = (question + query) + (f"#{fragment}" if fragment else "")
    if not rest.startswith("//"):
        if not scheme and ":" in rest.partition("/")[0]:
            raise _parse_error(text, "first path segment in URL cannot contain colon")
        if not scheme or rest.startswith("/"):
            _check_escapes(text, rest)
        return Url(scheme, "", "", rest, tail)
    authority, slash, path = rest[2:].partition("/")
    userinfo, host = _split_authority(text, authority)
    _check_escapes(text, path)
    return Url(scheme, userinfo, host, slash + path, tail)


def _split_scheme(text: str, body: str) -> tuple[str, str]:
    """The scheme in lower case and what follows its colon; no scheme when the text cannot start with one."""
    for position, c in enumerate(body):
        if c == ":":
            if position == 0:
                raise _parse_error(text, "missing protocol scheme")
            return body[:position].lower(), body[position + 1 :]
        if c not in _SCHEME or (position == 0 and c not in _LETTERS):
            break
    return "", body


def _split_authority(text: str, authority: str) -> tuple[str, str]:
    userinfo, at, host = authority.rpartition("@")
    checked = _check_host(text, host)
    if not at:
        return "", checked
    if not all(c in _USERINFO for c in userinfo):
        raise _parse_error(text, "net/url: invalid userinfo")
    _check_escapes(text, userinfo)
    kept = "".join(c if c in _USERINFO_KEPT else _escaped(c) for c in userinfo)
    return f"{kept}@", checked


def _check_host(text: str, host: str) -> str:
    """The host as it is written back; refuses bad ports, escapes and characters."""
    if host.startswith("["):
        closing = host.rfind("]")
        if closing < 0:
            raise _parse_error(text, "missing ']' in host")
        _check_port(text, host[closing + 1 :])
        name, zone_sign, zone = host[:closing].partition("%25")
        _check_host_characters(text, name + host[closing:])
        _check_escapes(text, zone)
        return host if zone_sign else name + host[closing:]
    if ":" in host:
        _check_port(text, host[host.rindex(":") :])
    _check_host_characters(text, host)
    return "".join(c if c in _HOST or c == "%" else _escaped(c) for c in host)


def _check_port(text: str, port: str) -> None:
    if port and (not port.startswith(":") or not set(port[1:]) <= _DIGITS):
        raise _parse_error(text, f'invalid port "{port}" after host')


def _check_host_characters(text: str, host: str) -> None:
    """Only what is not ASCII may be percent-encoded in a host, and few characters are not encoded."""
    for position, c in enumerate(host):
        escape = host[position : position + 3]
        if c == "%" and not (_is_escape(escape) and int(escape[1], 16) >= 8):
            raise _parse_error(text, f'invalid URL escape "{escape}"')
        if c.isascii() and c not in _HOST and c != "%":
            shown = c.replace("\\", "\\\\")
            raise _parse_error(text, f'invalid character "{shown}" in host name')


def _check_escapes(text: str, part: str) -> None:
    position = part.find("%")
    while position >= 0:
        escape = part[position : position + 3]
        if not _is_escape(escape):
            raise _parse_error(text, f'invalid URL escape "{escape}"')
        position = part.find("%", position + 3)


def _is_escape(text: str) -> bool:
    return len(text) == 3 and text[1] in _HEX and text[2] in _HEX


def _escaped(c: str) -> str:
    return "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogateescape"))


def _parse_error(text: str, why: str) -> UrlError:
    """Worded as Go words it: the URL in double quotes, what cannot be printed escaped."""
    quoted = "".join(_QUOTED.get(c, c if c.isprintable() else _quoted(c)) for c in text)
    return UrlError(f'parse "{quoted}": {why}')


_QUOTED = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def _quoted(c: str) -> str:
    return f"\\x{ord(c):02x}" if c.isascii() else f"\\u{ord(c):04x}"
