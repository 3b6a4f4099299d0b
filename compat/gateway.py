"""``etcd02 --engine gateway``: the flags of a gateway to an etcd 3, named as etcdctl names them, and variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec

from compat.codes import MEMBERS_ALONE
from compat.findings import Finding
from compat.settings import Given, named_by_etcd
from server.config import UrlError, parse_url
from server.config.gateway import GatewaySettings

FLAGS: dict[str, str] = {
    "gateway-endpoints": "for --engine gateway: URLs of the etcd 3 that keeps the keys, separated by commas",
    "gateway-cacert": "file of the authorities that vouch for that etcd",
    "gateway-cert": "file of the certificate to show it",
    "gateway-key": "file of the key for that certificate",
    "gateway-user": "NAME:PASSWORD of a user of that etcd; better in the variable, which no list of processes shows",
    "gateway-data-prefix": "prefix of the keys there: with /old, v2's /a is /old/a (default none)",
    "gateway-meta-prefix": "prefix of the records of the gateways there (default etcd02/)",
}

META_PREFIX = "etcd02/"

_LIBRARY = "grpc"

_OF_MEMBERS = frozenset(
    (
        "cluster-active-size",
        "cluster-remove-delay",
        "cluster-sync-interval",
        "discovery",
        "discovery-fallback",
        "discovery-proxy",
        "discovery-srv",
        "election-timeout",
        "force-new-cluster",
        "heartbeat-interval",
        "initial-advertise-peer-urls",
        "initial-cluster",
        "initial-cluster-state",
        "initial-cluster-token",
        "listen-peer-urls",
        "max-snapshots",
        "max-wals",
        "peer-addr",
        "peer-bind-addr",
        "peer-ca-file",
        "peer-cert-file",
        "peer-client-cert-auth",
        "peer-election-timeout",
        "peer-heartbeat-interval",
        "peer-key-file",
        "peer-trusted-ca-file",
        "peers",
        "peers-file",
        "proxy",
        "proxy-dial-timeout",
        "proxy-failure-wait",
        "proxy-read-timeout",
        "proxy-refresh-interval",
        "proxy-write-timeout",
        "snapshot",
        "snapshot-count",
        "strict-reconfig-check",
        "wal-dir",
    )
)
"""How a member of 0.4 or 2.x, or a proxy, finds the others, where they find it, and how it keeps its log."""


class GatewayRefused(Exception):
    """There can be no such gateway; ``remedy`` is what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def variable(flag: str) -> str:
    """By which a flag can be given as well."""
    return "ETCD02_" + flag.upper().replace("-", "_")


def read_settings(
    own: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    chosen: bool,
    endpoints_by: str = "gateway-endpoints",
) -> GatewaySettings | None:
    """None when no gateway was ``chosen``. ``endpoints_by`` is the flag that gave the endpoints, for messages. Raises
    GatewayRefused."""
    if not chosen:
        stray = next((flag for flag in FLAGS if own.get(flag)), None)
        if stray is not None:
            raise GatewayRefused(f"--{stray} is for a gateway only", "add --engine gateway, or remove it")
        return None
    given = {flag: own.get(flag) or environ.get(variable(flag), "") for flag in FLAGS}
    name, _, password = given["gateway-user"].partition(":")
    data, meta = given["gateway-data-prefix"], given["gateway-meta-prefix"] or META_PREFIX
    if bool(given["gateway-cert"]) != bool(given["gateway-key"]):
        raise GatewayRefused("of --gateway-cert and --gateway-key there is only one", "give both, or none")
    if meta.startswith(f"{data}/") or f"{data}/".startswith(meta):
        raise GatewayRefused(
            f"the gateways' records, under {meta}, and clients' keys, under {data}/, would lie among each other",
            "name another --gateway-meta-prefix, without a slash at its beginning",
        )
    return GatewaySettings(
        _endpoints(given["gateway-endpoints"], endpoints_by),
        given["gateway-cacert"],
        given["gateway-cert"],
        given["gateway-key"],
        name,
        password,
        data,
        meta,
    )


def written(settings: GatewaySettings) -> dict[str, str]:
    """The flags that say the same, but for the user and the password, which nobody is to read somewhere."""
    given = {
        "gateway-endpoints": ",".join(settings.endpoints),
        "gateway-cacert": settings.cacert,
        "gateway-cert": settings.cert,
        "gateway-key": settings.key,
        "gateway-data-prefix": settings.data_prefix,
        "gateway-meta-prefix": "" if settings.meta_prefix == META_PREFIX else settings.meta_prefix,
    }
    return {flag: value for flag, value in given.items() if value}


def without_members(given: Mapping[str, Given]) -> tuple[dict[str, Given], list[Finding]]:
    """The settings that a gateway uses, and what there is to say of the others: the configuration of an old member
    starts a gateway as it stands."""
    kept = {name: one for name, one in given.items() if name not in _OF_MEMBERS}
    names = ", ".join(named_by_etcd(one) for name, one in given.items() if name in _OF_MEMBERS)
    return kept, [MEMBERS_ALONE.finding("engine", None, given=names)] if names else []


def about_clients(findings: Iterable[Finding]) -> list[Finding]:
    """Without what a translation says of its own defaults for the settings that a gateway does not use."""
    return [finding for finding in findings if finding.setting not in _OF_MEMBERS]


def check_library() -> None:
    """Raises GatewayRefused when what a gateway needs besides is not installed."""
    if find_spec(_LIBRARY) is None:
        raise GatewayRefused(
            "a gateway needs grpcio, which is not installed", "run: pip install 'migrate02[gateway]'"
        )


def _endpoints(text: str, flag: str) -> tuple[str, ...]:
    found = []
    for url in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(str(parse_url((url if "://" in url else f"http://{url}").rstrip("/"))))
        except UrlError as error:
            raise GatewayRefused(f"--{flag}: {error}", "write it like https://host:2379") from None
    if not found:
        raise GatewayRefused(
            "a gateway needs the etcd that it is for", f"give --{flag} https://host:2379,..."
        )
    return tuple(found)
