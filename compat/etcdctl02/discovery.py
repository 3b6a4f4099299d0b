"""DNS for the client: the SRV records that name a cluster's client addresses, and names asked of a given server."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from compat.etcdctl02.errors import ClientError
from compat.etcdctl02.transport import Resolve

if TYPE_CHECKING:
    from dns.resolver import Resolver

_SERVICES = (("etcd-client-ssl", "https"), ("etcd-client", "http"))
_PORT = 53
_MOST_RECORDS = 100
_SECONDS = 5.0
"""How long a name may take in all."""


def discover(domain: str, suffix: str, server: str) -> list[str]:
    """The endpoints that a domain's SRV records name, those for TLS first.

    ``suffix`` (or empty) is that of ``--discovery-srv-name``, ``server`` (or empty) that of ``--dns-server``. Raises
    ClientError when neither service has records.
    """
    asked = _resolver(server)
    endpoints: list[str] = []
    failures = []
    for service, scheme in _SERVICES:
        name = f"_{service}{'-' if suffix else ''}{suffix}._tcp.{domain}"
        try:
            endpoints += _targets(asked, name, scheme)
        except ClientError as error:
            failures.append(str(error))
    if len(failures) == len(_SERVICES):
        raise ClientError(f"dns lookup errors: {' and '.join(failures)}")
    return endpoints


def resolver(server: str) -> Resolve:
    """Asks the given DNS server for addresses; addresses and ``localhost`` are not asked for. Raises ClientError."""
    asked = _resolver(server)

    def resolve(host: str) -> list[str]:
        import dns.exception

        if host == "localhost" or _is_address(host):
            return [host]
        try:
            return list(asked.resolve_name(host).addresses())
        except dns.exception.DNSException as error:
            raise OSError(_why(error, server)) from error

    return resolve


def _targets(asked: Resolver, name: str, scheme: str) -> list[str]:
    import dns.exception

    try:
        records = asked.resolve(name, "SRV")
    except dns.exception.DNSException as error:
        at = f" on {asked.nameservers[0]}:{asked.port}" if asked.nameservers else ""
        raise ClientError(f"lookup {name}{at}: {_why(error, '')}") from error
    if len(records) > _MOST_RECORDS:
        raise ClientError(f"lookup {name}: {len(records)} records, more than {_MOST_RECORDS}")
    return [f"{scheme}://{record.target.to_text(omit_final_dot=True)}:{record.port}" for record in records]


def _resolver(server: str) -> Resolver:
    import dns.exception
    import dns.resolver

    try:
        made = dns.resolver.Resolver(configure=not server)
    except dns.exception.DNSException as error:
        raise ClientError(
            f"dns: this system names no DNS server: {error}. Give one with --dns-server"
        ) from error
    made.lifetime = _SECONDS
    if server:
        made.nameservers, made.port = _address(server)
    return made


def _address(server: str) -> tuple[list[str], int]:
    """``HOST[:PORT]`` as addresses and a port."""
    host, port = server, str(_PORT)
    if not _is_address(server):
        host, colon, number = server.rpartition(":")
        host, port = (host.strip("[]"), number) if colon else (server.strip("[]"), port)
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)], int(
            port
        )
    except (OSError, ValueError) as error:
        raise ClientError(
            f"--dns-server {server} is not HOST or HOST:PORT of a DNS server: {error}"
        ) from error


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _why(error: Exception, server: str) -> str:
    import dns.resolver

    if isinstance(error, dns.resolver.NXDOMAIN | dns.resolver.NoAnswer):
        return "no such host"
    if isinstance(error, dns.resolver.LifetimeTimeout):
        return "i/o timeout"
    return (
        "server misbehaving" if isinstance(error, dns.resolver.NoNameservers) else f"{error} {server}".strip()
    )
