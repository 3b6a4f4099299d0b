"""The four addresses of 0.4 become the only URL of their 2.x lists. Also the scheme, which TLS decides."""

from __future__ import annotations

from typing import NamedTuple

from compat.addresses import Address, AddressError, parse_advertised, parse_bound
from compat.codes import (
    BAD_VALUE,
    EVERY_INTERFACE,
    NAME_TO_CALL,
    NAME_TO_LISTEN,
    PORT_OF_ADVERTISED,
    WILDCARD,
)
from compat.flags04 import BY_NAME
from compat.settings import Given, named_by_etcd
from compat.translate.draft import ERA_04, Draft


class Side(NamedTuple):
    """One of the two doors of a member."""

    prefix: str  # of the TLS settings
    advertised: str
    bound: str
    advertise_urls: str
    listen_urls: str


SIDES = (
    Side("peer-", "peer-addr", "peer-bind-addr", "initial-advertise-peer-urls", "listen-peer-urls"),
    Side("", "addr", "bind-addr", "advertise-client-urls", "listen-client-urls"),
)


def translate_addresses(draft: Draft) -> None:
    for side in SIDES:
        _translate_side(draft, side)


def _translate_side(draft: Draft, side: Side) -> None:
    given_advertised = _unless_shadowed(draft, side.advertised, side.advertise_urls)
    given_bound = _unless_shadowed(draft, side.bound, side.listen_urls)
    if given_bound is not None and not given_bound.value.strip():
        given_bound = None  # 0.4's default in so many words
    if given_advertised is None and given_bound is None and draft.era != ERA_04:
        return
    advertised = _parsed(draft, given_advertised, BY_NAME[side.advertised].default)
    if advertised is None:
        return
    scheme = draft.scheme(side.prefix)
    if given_advertised is not None or draft.era == ERA_04:
        _put_advertised(draft, side, given_advertised, advertised.url(scheme))
        _comment_on_advertised(draft, side, given_advertised, advertised)
    if side.listen_urls in draft.given:
        return
    if given_bound is not None:
        _put_bound(draft, side, given_bound, advertised, scheme)
        return
    everywhere = Address("::", advertised.port).url(scheme)
    draft.put(side.listen_urls, everywhere, given_advertised)
    draft.say(
        EVERY_INTERFACE,
        given_advertised,
        setting=side.bound,
        bound=side.bound,
        listen=side.listen_urls,
        everywhere=everywhere,
    )


def _unless_shadowed(draft: Draft, old: str, new: str) -> Given | None:
    """The old setting, unless the new one is given too (that conflict has been reported)."""
    return None if new in draft.given else draft.given.get(old)


def _parsed(draft: Draft, given: Given | None, default: str) -> Address | None:
    if given is None:
        return parse_advertised(default)
    try:
        address = parse_advertised(given.value)
    except AddressError as error:
        _refuse(draft, given, str(error), "Write it as host:port, without http://.")
        return None
    return address if _port_fits(draft, given, address) else None


def _put_advertised(draft: Draft, side: Side, given: Given | None, url: str) -> None:
    if side.advertise_urls not in draft.given:
        draft.put(side.advertise_urls, url, given)


def _comment_on_advertised(draft: Draft, side: Side, given: Given | None, address: Address) -> None:
    if given is None:
        return
    if address.is_wildcard:
        draft.say(WILDCARD, given, advertise=side.advertise_urls)
    elif not address.is_ip:
        draft.say(NAME_TO_CALL, given, old=side.advertised, new=side.advertise_urls, host=address.host)


def _put_bound(draft: Draft, side: Side, given: Given, advertised: Address, scheme: str) -> None:
    try:
        bound = parse_bound(given.value)
    except AddressError as error:
        _refuse(draft, given, str(error), "Write it as IP:port.")
        return
    if not _port_fits(draft, given, bound):
        return
    if not bound.port:
        bound = Address(bound.host, advertised.port)
        draft.say(PORT_OF_ADVERTISED, given, port=bound.port, advertised=side.advertised)
    if not bound.is_ip:
        draft.say(NAME_TO_LISTEN, given, old=side.bound, new=side.listen_urls)
    draft.put(side.listen_urls, bound.url(scheme), given)


def _port_fits(draft: Draft, given: Given, address: Address) -> bool:
    if address.port_in_range:
        return True
    _refuse(draft, given, f"address {address.port}: invalid port", "A port is a number from 1 to 65535.")
    return False


def _refuse(draft: Draft, given: Given, reason: str, remedy: str) -> None:
    draft.say(BAD_VALUE, given, given=named_by_etcd(given), reason=reason, remedy=remedy)
