"""Finding the first members by DNS SRV records: what there is to ask for, and what follows from the answers.

    _etcd-server-ssl._tcp.DOMAIN    the peers, if they speak TLS
    _etcd-server._tcp.DOMAIN        the peers, if they do not

Where there are records of the first kind, they alone count: etcd 2.3.8 took both kinds together and then refused its
own list. Otherwise steps and words are 2.3.8's; the suffix of the service names is 3.4's. Asks nobody: what was
answered comes in as a :class:`Survey`.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from server.cluster.bootstrap import BootstrapError
from server.log import NOTICE

logger = logging.getLogger(__name__)


LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a host; raises LookupFailed."""


class LookupFailed(Exception):
    """There is no answer for a name, or an empty one; the message is Go's: ``lookup NAME on SERVER: no such host``.
    ``for_now``: nobody could say whether there is anything."""

    def __init__(self, message: str, *, for_now: bool = False) -> None:
        super().__init__(message)
        self.for_now = for_now


class Place(NamedTuple):
    """What one SRV record points to; ``host`` has no trailing dot."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Names(Protocol):
    """Looks names up. Both raise LookupFailed, also rather than return nothing."""

    async def srv(self, name: str) -> Sequence[Place]:
        """The SRV records of a name, by priority, and else in the order of the answer."""

    async def addresses(self, host: str) -> Sequence[str]:
        """The IP addresses of a host; an address is its own."""


class Spot(NamedTuple):
    """A place and where it really is: its addresses, or why there are none."""

    place: Place
    addresses: tuple[str, ...]
    trouble: str = ""

    def is_at(self, other: "Spot") -> bool:
        return self.place.port == other.place.port and self.has_address_of(other)

    def has_address_of(self, other: "Spot") -> bool:
        return bool(set(self.addresses) & set(other.addresses))

    def __str__(self) -> str:
        return f"{self.place} ({', '.join(self.addresses) or self.trouble})"


class Service(NamedTuple):
    """One kind of records: what its lookup said."""

    label: str
    scheme: str
    domain: str
    records: tuple[Place, ...] = ()
    trouble: str = ""
    unsure: bool = False
    """Whether there may be records all the same: DNS did not say."""

    @property
    def query(self) -> str:
        return f"_{self.label}._tcp.{self.domain}"

    def url(self, place: Place) -> str:
        return f"{self.scheme}://{place}"


class Survey(NamedTuple):
    """All that DNS says: of both kinds of records, of where those that count lead, and of this member's own URLs."""

    ssl: Service
    plain: Service
    spots: tuple[Spot, ...]
    own: tuple[tuple[str, Spot], ...]

    @property
    def chosen(self) -> Service | None:
        """The kind that counts."""
        return next((service for service in (self.ssl, self.plain) if service.records), None)

    def is_own(self, spot: Spot) -> bool:
        return any(spot.is_at(own) for _, own in self.own)


def services(domain: str, suffix: str = "") -> tuple[Service, Service]:
    """Both kinds, for a domain and what --discovery-srv-name says."""
    end = f"-{suffix}" if suffix else ""
    domain = domain.strip(".")
    return Service(f"etcd-server-ssl{end}", "https", domain), Service(f"etcd-server{end}", "http", domain)


def initial_cluster(found: Survey, name: str) -> str:
    """The members of a survey as --initial-cluster has them; those that are not this one are called 0, 1, 2, ...

    Raises BootstrapError. For a survey without own URLs, as a proxy's, this one need not be among them.
    """
    for _, spot in found.own:
        if spot.trouble:
            logger.error("couldn't resolve host %s during SRV discovery", spot.place)
            raise _error(spot.trouble, "the hosts of --initial-advertise-peer-urls have to have an address")
    service = found.chosen
    if service is None:
        raise _no_records(found)
    if found.ssl.unsure and service is found.plain:
        logger.warning("error querying DNS SRV records for _%s %s", found.ssl.label, found.ssl.trouble)
    numbers = (str(number) for number in range(len(found.spots) + 1) if str(number) != name)
    items = []
    for spot in found.spots:
        if spot.trouble:
            logger.warning("couldn't resolve host %s during SRV discovery", spot.place)
            continue
        url = service.url(spot.place)
        items.append(f"{name if found.is_own(spot) else next(numbers)}={url}")
        logger.log(NOTICE, "got bootstrap from DNS for %s at %s", service.label, url)
    if found.own and not any(map(found.is_own, found.spots)):
        raise _not_found(found, service, name)
    _warn_of_other_scheme(found, service)
    return ",".join(items)


def why_not_found(found: Survey) -> list[str]:
    """Why none of the records leads here: one line for each of this member's URLs."""
    return [_why(url, own, found.spots) for url, own in found.own]


def _why(url: str, own: Spot, spots: Sequence[Spot]) -> str:
    near = next((spot for spot in spots if spot.has_address_of(own)), None)
    if near is not None:
        return f"{url} has the address of {near.place}, but not its port"
    return f"{url} is at {', '.join(own.addresses)}, which is no address of a record's"


def _warn_of_other_scheme(found: Survey, service: Service) -> None:
    for url, own in found.own:
        if any(spot.is_at(own) for spot in found.spots) and not url.startswith(f"{service.scheme}://"):
            logger.warning(
                "the records of %s make this member's URL begin with %s://, and --initial-advertise-peer-urls has %s",
                service.query,
                service.scheme,
                url,
            )


def _error(text: str, *more: str) -> BootstrapError:
    return BootstrapError(
        "C", f"error setting up initial cluster: {text}", *(("I", remedy) for remedy in more)
    )


def _no_records(found: Survey) -> BootstrapError:
    for service in (found.ssl, found.plain):
        logger.warning("error querying DNS SRV records for _%s %s", service.label, service.trouble)
    logger.error("SRV discovery failed: too many errors querying DNS SRV records")
    example = f"{found.plain.query}. 300 IN SRV 0 0 2380 HOST."
    return _error(found.plain.trouble, f"each member needs a record in DNS, such as: {example}")


def _not_found(found: Survey, service: Service, name: str) -> BootstrapError:
    return _error(
        f'cannot find local etcd member "{name}" in SRV records',
        f"cannot find local etcd {name} from SRV records. {service.query} has {', '.join(map(str, found.spots))}",
        *why_not_found(found),
        "the resolved address of --initial-advertise-peer-urls must match one of the resolved addresses of the SRV "
        "targets, and its port that of the record",
    )
