"""``migrate02 srv check``: what DNS says of a cluster, what a member makes of it, and what is missing there.

Asks, changes nothing. Which records count and which of them is this member is told by what a member tells it by.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from migrate02.cli import values
from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from migrate02.cli.parsing import Misuse
from server.cluster.srv import Names, Place, Service, Spot, Survey, why_not_found
from server.printable import shown_lines

TTL = 300
"""Seconds, of the records that are printed."""

DESCRIPTION = """\
Show the SRV records with which the members and clients of a cluster find each other, their targets, which
of them are used, which is this member, and zone-file lines for the missing ones."""
EPILOG = """\
exit status:
  0  members can find each other with these records
  2  records are missing, or none matches --advertise
  3  DNS gave no answer"""


class SrvArguments(argparse.Namespace):
    domain: str
    name: str
    advertise: list[str]
    dns_server: str


class SrvReport(NamedTuple):
    """All that was found; ``clients`` are the records for TLS and without."""

    found: Survey
    clients: tuple[Service, Service]

    @property
    def unanswered(self) -> list[str]:
        """What DNS could not say."""
        kinds = (self.found.ssl, self.found.plain, *self.clients)
        return [service.trouble for service in kinds if service.unsure]

    @property
    def is_lost(self) -> bool:
        """Whether this member would not find itself."""
        own = self.found.own
        return bool(own) and not any(map(self.found.is_own, self.found.spots))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s DOMAIN [--name NAME] [--advertise URL[,URL]] [--dns-server HOST[:PORT]]"
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.add_argument("domain", metavar="DOMAIN", help="the domain that members get with --discovery-srv")
    parser.add_argument(
        "--name", metavar="NAME", default="", help="the name that members get with --discovery-srv-name"
    )
    parser.add_argument(
        "--advertise",
        metavar="URL",
        type=values.urls,
        default=[],
        help="this member's peer URLs, separated by commas",
    )
    parser.add_argument(
        "--dns-server",
        metavar="HOST",
        default="",
        help="ask this server (default: the system's)",
    )


def run(args: SrvArguments) -> int:
    from server.names import BadServer, DnsNames  # late: dnspython is large

    try:
        names = DnsNames(args.dns_server)
    except BadServer as error:
        raise Misuse(str(error)) from None
    report = asyncio.run(ask(args.domain, args.name, args.advertise, names))
    print(shown_lines(as_text(report)), end="")
    if report.unanswered and report.found.chosen is None:
        return REFUSED
    return RESIDUE if missing_for_members(report) or report.is_lost else DONE


async def ask(domain: str, suffix: str, advertised: Sequence[str], names: Names) -> SrvReport:
    """Asks for all records, of members and of clients."""
    from server.names import asked, survey

    found = await survey(domain, suffix, advertised, names)
    ssl, plain = await asyncio.gather(
        *(asked(service, names) for service in _client_services(domain, suffix))
    )
    return SrvReport(found, (ssl, plain))


def as_text(report: SrvReport) -> str:
    found = report.found
    lines = []
    for service in (found.ssl, found.plain):
        lines += _records(report, service)
    lines += [_none(service) if service.trouble else _listed(service) for service in report.clients]
    lines += ["", *_verdict(report)]
    for title, records in (
        ("missing, for members to find each other:", missing_for_members(report)),
        ("missing, for clients to find them (etcdctl --discovery-srv):", missing_for_clients(report)),
    ):
        if records:
            lines += ["", title, *records]
    return "\n".join(lines) + "\n"


def _records(report: SrvReport, service: Service) -> list[str]:
    found = report.found
    if not service.records:
        return [_none(service)]
    if service != found.chosen:
        return [f"{_listed(service)}: ignored, because there are records for TLS"]
    width = max(len(str(spot.place)) for spot in found.spots)
    lines = [f"{service.query}: these count, with {service.scheme}"]
    for spot in found.spots:
        where = ", ".join(spot.addresses) or f"no address ({spot.trouble})"
        mine = "  <- this member" if found.is_own(spot) else ""
        lines.append(f"  {spot.place!s:{width}}  {where}{mine}")
    return lines


def _none(service: Service) -> str:
    return f"{service.query}: none ({service.trouble.rpartition(': ')[2]})"


def _listed(service: Service) -> str:
    return f"{service.query}: {', '.join(map(str, service.records))}"


def _verdict(report: SrvReport) -> list[str]:
    found = report.found
    if found.chosen is None:
        return ["members do not find each other: there are no records for them", *report.unanswered]
    lines = [f"{len(found.spots)} members, over {'TLS' if found.chosen.scheme == 'https' else 'plain HTTP'}"]
    if report.is_lost:
        lines += [
            "cannot find local etcd from SRV records: none of them leads to --advertise",
            *why_not_found(found),
        ]
        lines += [own.trouble for _, own in found.own if own.trouble]
    elif not found.own:
        lines.append("which of them is this member: give its peer URLs with --advertise")
    return lines


# Zone-file lines


def missing_for_members(report: SrvReport) -> list[str]:
    """Addresses of targets without one, and records of this member's URLs that none leads to."""
    found = report.found
    lines = [_address(spot.place.host) for spot in found.spots if spot.trouble]
    service = found.chosen or found.plain
    for url, own in found.own:
        if any(spot.is_at(own) for spot in found.spots):
            continue
        if found.chosen is None and url.startswith("https:"):
            service = found.ssl
        host, address = _named(own, service.domain)
        lines.append(_srv(service.query, Place(host, own.place.port)))
        if address:
            lines.append(_address(host, address))
    if found.chosen is None and not found.own:
        lines.append(_srv(service.query, Place(f"HOST.{service.domain}", 2380)))
    return list(dict.fromkeys(lines))


def missing_for_clients(report: SrvReport) -> list[str]:
    """For each member, when there are no records for clients at all."""
    if any(service.records for service in report.clients) or report.found.chosen is None:
        return []
    ssl, plain = report.clients
    query = (ssl if report.found.chosen.scheme == "https" else plain).query
    return list(dict.fromkeys(_srv(query, Place(spot.place.host, 2379)) for spot in report.found.spots))


def _named(own: Spot, domain: str) -> tuple[str, str]:
    """A name for a host, and its address if the name needs a record of one: SRV records lead to names alone."""
    if own.addresses == (own.place.host,):
        return f"HOST.{domain}", own.addresses[0]
    return own.place.host, "" if own.addresses else "ADDRESS"


def _srv(query: str, place: Place) -> str:
    return f"{query}. {TTL} IN SRV 0 0 {place.port} {place.host}."


def _address(host: str, address: str = "ADDRESS") -> str:
    return f"{host}. {TTL} IN {'AAAA' if ':' in address else 'A'} {address}"


def _client_services(domain: str, suffix: str) -> tuple[Service, Service]:
    end = f"-{suffix}" if suffix else ""
    domain = domain.strip(".")
    return Service(f"etcd-client-ssl{end}", "https", domain), Service(f"etcd-client{end}", "http", domain)
