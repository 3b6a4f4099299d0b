"""``etcd02 --engine gateway``: the flags of a gateway to an etcd 3, named as etcdctl names them, and variables."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

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

_LIBRARY = "grpc"


class GatewayRefused(Exception):
    """There can be no such gateway; ``remedy`` is what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def variable(flag: str) -> str:
    """By which a flag can be given as well."""
    return "ETCD02_" + flag.upper().replace("-", "_")


def read_settings(
    own: Mapping[str, str], environ: Mapping[str, str], *, chosen: bool
) -> GatewaySettings | None:
    """None when no gateway was ``chosen``. Raises GatewayRefused."""
    if not chosen:
        stray = next((flag for flag in FLAGS if own.get(flag)), None)
        if stray is not None:
            raise GatewayRefused(f"--{stray} is for a gateway only", "add --engine gateway, or remove it")
        return None
    given = {flag: own.get(flag) or environ.get(variable(flag), "") for flag in FLAGS}
    name, _, password = given["gateway-user"].partition(":")
    data, meta = given["gateway-data-prefix"], given["gateway-meta-prefix"] or "etcd02/"
    if bool(given["gateway-cert"]) != bool(given["gateway-key"]):
        raise GatewayRefused("of --gateway-cert and --gateway-key there is only one", "give both, or none")
    if meta.startswith(f"{data}/") or f"{data}/".startswith(meta):
        raise GatewayRefused(
            f"the gateways' records, under {meta}, and clients' keys, under {data}/, would lie among each other",
            "name another --gateway-meta-prefix, without a slash at its beginning",
        )
    return GatewaySettings(
        _endpoints(given["gateway-endpoints"]),
        given["gateway-cacert"],
        given["gateway-cert"],
        given["gateway-key"],
        name,
        password,
        data,
        meta,
    )


def check_library() -> None:
    """Raises GatewayRefused when what a gateway needs besides is not installed."""
    if find_spec(_LIBRARY) is None:
        raise GatewayRefused(
            "a gateway needs grpcio, which is not installed", "run: pip install 'migrate02[gateway]'"
        )


def _endpoints(text: str) -> tuple[str, ...]:
    found = []
    for url in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(str(parse_url((url if "://" in url else f"http://{url}").rstrip("/"))))
        except UrlError as error:
            raise GatewayRefused(f"--gateway-endpoints: {error}", "write it like https://host:2379") from None
    if not found:
        raise GatewayRefused(
            "--engine gateway needs the etcd that it is for", "give --gateway-endpoints https://host:2379,..."
        )
    return tuple(found)
