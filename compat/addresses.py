"""Addresses as 0.4 wrote them, ``host:port`` and, for binding, a bare ``host``. Text to text.

0.4 took any host, 2.x only an IP address; what both refuse is refused here in etcd 2.3.8's words.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BAD_HOST = "bad IP in address specification"
BAD_PORT = "bad port in address specification"
MISSING_PORT = "missing port in address"

# Patterns are texts, compiled when first needed: most configurations need few of them.
_FILLED_IN = r"\$(?:\w++|\{[^{}]+\}|\([^()]+\))"
"""A shell variable, ``${IP:-10.0.0.1}``, ``$(hostname)`` or cloud-config's ``$private_ipv4``: opaque here, filled in
before etcd sees it."""
_HOST_FILLED_IN = rf"(?:[A-Za-z0-9._-]|{_FILLED_IN})+"
_PORT_FILLED_IN = rf"(?a:(?:\d|{_FILLED_IN})+)"
_IPV4 = r"(?a:(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3})"
_PORT = r"(?a:[+-]?\d{1,18})"
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")

WILDCARDS = frozenset(("0.0.0.0", "::"))


class AddressError(ValueError):
    """Why neither 0.4 nor 2.x can use the address, in the words of 2.3.8."""


class Address(NamedTuple):
    """``host`` without brackets; ``port`` is empty when 0.4 was to take it from the advertised address."""

    host: str
    port: str

    def url(self, scheme: str) -> str:
        if "$" in self.host:
            return f"{scheme}://{self.host}:{self.port}"
        host = self.host.replace("%", "%25")
        return f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"

    @property
    def is_ip(self) -> bool:
        """Whether 2.x's own ``-addr`` family would take the host (one with a placeholder in it passes)."""
        if "$" in self.host:
            return True
        if ":" in self.host:
            return "%" not in self.host
        return bool(re.fullmatch(_IPV4, self.host)) and all(int(part) <= 255 for part in self.host.split("."))

    @property
    def is_wildcard(self) -> bool:
        return self.host in WILDCARDS

    @property
    def port_in_range(self) -> bool:
        return not re.fullmatch(_PORT, self.port) or 0 <= int(self.port) <= 65535


def parse_advertised(text: str) -> Address:
    """``host:port`` of ``-addr`` and ``-peer-addr``. Raises AddressError."""
    address = _split(text.strip())
    if not address.port:
        raise AddressError(BAD_PORT)
    return _checked(address)


def parse_bound(text: str) -> Address:
    """``host:port`` or a bare host of ``-bind-addr`` and ``-peer-bind-addr``. Raises AddressError.

    0.4.9 gave a bare host the port of the advertised address; a bare IPv6 address counts as one too. A port
    alone was refused by 0.4 as by 2.x.
    """
    text = text.strip()
    if text and (_is_bare_ipv6(text) or _is_placeholder(text) or not set(":[]/") & set(text)):
        return _checked(Address(text, ""))
    address = _split(text)
    if not address.port:
        raise AddressError(BAD_PORT)
    return _checked(address)


def _checked(address: Address) -> Address:
    """The address as 2.3.8 writes it back: the port a plain number, an IPv6 address at its shortest."""
    host, port = address
    if not (_is_host(host) or _is_bare_ipv6(host)):
        raise AddressError(BAD_HOST)
    if re.fullmatch(_PORT, port):
        port = str(int(port))
    elif port and not ("$" in port and re.fullmatch(_PORT_FILLED_IN, port)):
        raise AddressError(BAD_PORT)
    return Address(_shortest(host) if _is_bare_ipv6(host) else host, port)


def _shortest(host: str) -> str:
    from ipaddress import IPv6Address

    ip = IPv6Address(host)
    return str(ip.ipv4_mapped or ip)


def _is_placeholder(text: str) -> bool:
    return "$" in text and bool(re.fullmatch(_FILLED_IN, text))


def _is_host(text: str) -> bool:
    if "$" in text:
        return bool(re.fullmatch(_HOST_FILLED_IN, text))
    return bool(text) and _HOST_CHARACTERS.issuperset(text)


def _is_bare_ipv6(text: str) -> bool:
    if text.count(":") < 2:
        return False
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _split(text: str) -> Address:
    """Split as Go's net.SplitHostPort does, with its words for what it refuses (compared with 2.3.8)."""

    def refuse(reason: str) -> AddressError:
        return AddressError(f"address {text}: {reason}" if text else reason)

    if "$" in text and (opaque := re.fullmatch(f"({_HOST_FILLED_IN}):(.*)", text)):
        return Address(opaque[1], opaque[2])  # whose own colons divide nothing
    colon = text.rfind(":")
    if colon < 0:
        raise refuse(MISSING_PORT)
    if text.startswith("["):
        closing = text.find("]")
        if closing < 0:
            raise refuse("missing ']' in address")
        if closing + 1 != colon:
            too_many = closing + 1 < len(text) and text[closing + 1] == ":"
            raise refuse("too many colons in address" if too_many else MISSING_PORT)
        host, rest = text[1:closing], text[1:closing] + text[colon:]
    else:
        host, rest = text[:colon], text
        if ":" in host:
            raise refuse("too many colons in address")
    for bracket in "[]":
        if bracket in rest:
            raise refuse(f"unexpected '{bracket}' in address")
    return Address(host, text[colon + 1 :])
