"""Looks names up in DNS, with dnspython: SRV records, the addresses of hosts, and all that a cluster begins by.

Asks the system's servers, or the one that --dns-server names. What comes of it is put in Go's words.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import cast

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdtypes.IN.SRV import SRV

from server.cluster.srv import LookupFailed, Names, Place, Service, Spot, Survey, services
from server.config import parse_url

PATIENCE = 10.0
"""Seconds for one name, all servers and tries together."""

_TRY = 3.0
"""Seconds for one server to answer; a question or an answer that is lost is asked for again."""

MOST_RECORDS = 100
"""Records of one kind that a name may have: each target is looked up, and a cluster has nine members at most."""

_REST = 0.5
"""Seconds before a server that said it cannot answer is asked once more: one that starts needs about as long."""


class BadServer(Exception):
    """A --dns-server, or a system's configuration, that names no server."""


class DnsNames:
    """``server`` is ``HOST[:PORT]``, or ``""`` for the system's: then hosts are looked up by the system altogether,
    with its files, and only SRV records in DNS. Raises BadServer."""

    def __init__(self, server: str = "") -> None:
        self._own = bool(server)
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=not server)
        except dns.resolver.NoResolverConfiguration as error:
            raise BadServer(f"the system names no DNS server: {error}; --dns-server can") from error
        if server:
            self._resolver.nameservers, self._resolver.port = parse_server(server)
        self._resolver.timeout = _TRY
        self._resolver.lifetime = PATIENCE

    async def srv(self, name: str) -> Sequence[Place]:
        """As :class:`server.cluster.srv.Names` says."""
        answer = await self._asked(name, dns.rdatatype.SRV)
        if len(answer) > MOST_RECORDS:
            raise LookupFailed(self._words(name, f"{len(answer)} records, more than {MOST_RECORDS}"))
        records = [cast(SRV, record) for record in answer]
        records.sort(key=lambda record: record.priority)  # stable: else in the order of the answer
        places = [
            Place(record.target.to_text(omit_final_dot=True), record.port)
            for record in records
            if record.target != dns.name.root  # which says that there is no such service
        ]
        if not places:
            raise LookupFailed(self._words(name, "no such host"))
        return places

    async def addresses(self, host: str) -> Sequence[str]:
        """As :class:`server.cluster.srv.Names` says; IPv4 first."""
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        if not self._own or host == "localhost":
            return await self._asked_of_the_system(host)
        kinds = (dns.rdatatype.A, dns.rdatatype.AAAA)
        answers = await asyncio.gather(*(self._asked(host, kind) for kind in kinds), return_exceptions=True)
        found = [
            record.to_text()
            for answer in answers
            if not isinstance(answer, BaseException)
            for record in answer
        ]
        if len(found) > MOST_RECORDS:
            raise LookupFailed(self._words(host, f"{len(found)} records, more than {MOST_RECORDS}"))
        if found:
            return found
        (error, *_) = (answer for answer in answers if isinstance(answer, BaseException))
        raise error

    async def _asked(self, name: str, kind: dns.rdatatype.RdataType) -> "dns.resolver.Answer":
        try:
            async with asyncio.timeout(
                PATIENCE + _REST
            ):  # that of the resolver begins anew with the second try
                try:
                    return await self._resolver.resolve(name, kind, search=False)
                except dns.resolver.NoNameservers:
                    await asyncio.sleep(_REST)
                    return await self._resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            raise LookupFailed(self._words(name, "no such host")) from error
        except dns.resolver.NoNameservers as error:
            raise LookupFailed(self._words(name, "server misbehaving"), for_now=True) from error
        except (dns.exception.Timeout, TimeoutError) as error:
            raise LookupFailed(self._words(name, "i/o timeout"), for_now=True) from error
        except (
            dns.exception.DNSException,
            OSError,
            ValueError,
        ) as error:  # such as a name that cannot be one
            raise LookupFailed(self._words(name, str(error) or type(error).__name__)) from error

    async def _asked_of_the_system(self, host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            again = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
            words = "server misbehaving" if again else "no such host"
            raise LookupFailed(self._words(host, words), for_now=again) from error
        found.sort(key=lambda item: item[0] != socket.AF_INET)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    def _words(self, name: str, why: str) -> str:
        server = str(self._resolver.nameservers[0]) if self._resolver.nameservers else "?"
        shown = f"[{server}]" if ":" in server else server
        return f"lookup {name} on {shown}:{self._resolver.port}: {why}"


def parse_server(text: str) -> tuple[list[str], int]:
    """The addresses and the port (53 if not given) of a --dns-server. Raises BadServer."""
    host, port = text, "53"
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise BadServer(
            f"--dns-server {text}: write it as HOST or HOST:PORT, with brackets around an IPv6 address"
        )
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise BadServer(f"--dns-server {text}: lookup {host}: no such host") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found)), int(port)


async def survey(domain: str, suffix: str, advertised: Iterable[str], names: Names) -> Survey:
    """Asks for all that concerns a member; ``advertised`` are its peer URLs, none for a proxy. Raises nothing."""
    urls = tuple(advertised)
    ssl, plain = await asyncio.gather(*(asked(service, names) for service in services(domain, suffix)))
    own = await asyncio.gather(*(_located(_place_of(url), names) for url in urls))
    spots = await asyncio.gather(*(_located(place, names) for place in ssl.records or plain.records))
    return Survey(ssl, plain, tuple(spots), tuple(zip(urls, own, strict=True)))


async def asked(service: Service, names: Names) -> Service:
    """With what the lookup said."""
    try:
        records = await names.srv(service.query)
    except LookupFailed as error:
        return service._replace(trouble=str(error), unsure=error.for_now)
    return service._replace(records=tuple(dict.fromkeys(records)))


async def _located(place: Place, names: Names) -> Spot:
    try:
        return Spot(place, tuple(await names.addresses(place.host)))
    except LookupFailed as error:
        return Spot(place, (), str(error))


def _place_of(url: str) -> Place:
    parsed = parse_url(url)
    return Place(parsed.hostname, int(parsed.port or "0"))
