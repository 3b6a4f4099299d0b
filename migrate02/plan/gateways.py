"""What becomes of a node of 0.4 that is to be a gateway to an etcd 3. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compat.findings import ERROR, Finding
from compat.gateway import written
from migrate02.plan.nodes import CLIENT_URLS, LISTEN_CLIENT_URLS
from server.config.gateway import GatewaySettings

_OF_CLIENTS = frozenset(
    (
        "name",
        LISTEN_CLIENT_URLS,
        CLIENT_URLS,
        "ca-file",
        "cert-file",
        "key-file",
        "trusted-ca-file",
        "client-cert-auth",
        "cors",
        "debug",
        "log-package-levels",
    )
)
"""A gateway calls no members, and keeps nothing on a disk."""

_BETWEEN_MEMBERS = frozenset(("peer-addr", "heartbeat-interval", "unreachable-address"))
"""Settings, and a code: what is said of them is about a cluster that is no more."""


def as_gateway(settings: Mapping[str, str], through: GatewaySettings) -> dict[str, str]:
    """All that it is started with. It has clients of 0.4, and so 0.4's endpoints."""
    kept = {name: value for name, value in settings.items() if name in _OF_CLIENTS}
    return {"engine": "gateway", **written(through), **kept, "legacy-api": "true"}


def about_gateways(findings: Iterable[Finding]) -> list[Finding]:
    """Those that still matter: two nodes at one address are one too many in any case."""
    return [
        finding
        for finding in findings
        if finding.code not in _BETWEEN_MEMBERS
        and (finding.setting not in _BETWEEN_MEMBERS or finding.severity == ERROR)
    ]
