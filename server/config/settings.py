"""The table of the settings of etcd 2.3.8: names, kinds, defaults, and what the bundled server does with
each; and of the few that the bundled server knows besides.

Data only. Names, kinds and defaults are those of the 2.3.8 binary (``etcd -h`` and its flag definitions); the
names 2.x kept from 0.4 (addr, bind-addr, ...) are not here, they are the translator's business.
"""

from typing import Literal, NamedTuple

Kind = Literal["string", "bool", "uint", "int", "url-list", "enum", "origins"]

Bundled = Literal["yes", "no effect", "refused"]
"""``yes``: honoured. ``no effect``: read, checked and then passed over. ``refused``: the bundled server
cannot do what any value but the default asks for, and says so instead of starting."""


class Setting(NamedTuple):
    """One setting: ``--name``, in the environment ``ETCD_NAME`` with ``-`` turned into ``_``."""

    name: str
    kind: Kind
    default: str
    help: str
    bundled: Bundled = "yes"
    values: tuple[str, ...] = ()
    since: str = "2.3"
    """The etcd that has it: 2.3, a later one, or none but the bundled (``OURS``)."""

    @property
    def field(self) -> str:
        """The name of its field in ``Config``."""
        return self.name.replace("-", "_").lower()


OURS = "bundled"

DEFAULT_NAME = "default"
DEFAULT_PEER_URLS = "http://localhost:2380,http://localhost:7001"
DEFAULT_CLIENT_URLS = "http://localhost:2379,http://localhost:4001"


def initial_cluster_of(name: str) -> str:
    """The initial cluster of a member that was given none: itself on the two default peer ports."""
    name = name or DEFAULT_NAME
    return ",".join(f"{name}={url}" for url in DEFAULT_PEER_URLS.split(","))


SETTINGS: tuple[Setting, ...] = (
    # member
    Setting("name", "string", DEFAULT_NAME, "human-readable name of this member"),
    Setting("data-dir", "string", "", "path of the data directory (default: NAME.etcd)"),
    Setting("wal-dir", "string", "", "path of a separate directory for the write-ahead log"),
    Setting("snapshot-count", "uint", "10000", "applied entries between two snapshots"),
    Setting(
        "idle-sync",
        "bool",
        "true",
        "have the leader write to the log twice a second when nobody else does, as etcd 2.x",
        since=OURS,
    ),
    Setting("heartbeat-interval", "uint", "100", "milliseconds between two heartbeats of a leader"),
    Setting("election-timeout", "uint", "1000", "milliseconds without a leader before an election"),
    Setting("listen-peer-urls", "url-list", DEFAULT_PEER_URLS, "where to listen for peers"),
    Setting("listen-client-urls", "url-list", DEFAULT_CLIENT_URLS, "where to listen for clients"),
    Setting("max-snapshots", "uint", "5", "snapshot files to keep (0: all)"),
    Setting("max-wals", "uint", "5", "write-ahead log files to keep (0: all)"),
    Setting("cors", "origins", "", "allowed origins of cross-origin requests"),
    Setting("legacy-api", "bool", "false", "also serve 0.4's endpoints that 2.x dropped", since=OURS),
    # clustering
    Setting(
        "initial-advertise-peer-urls",
        "url-list",
        DEFAULT_PEER_URLS,
        "this member's peer URLs, which peers use",
    ),
    Setting(
        "initial-cluster",
        "string",
        initial_cluster_of(DEFAULT_NAME),
        "the members at the first start: name=URL,...",
    ),
    Setting(
        "initial-cluster-state",
        "enum",
        "new",
        "whether the cluster is new or exists already",
        values=("new", "existing"),
    ),
    Setting("initial-cluster-token", "string", "etcd-cluster", "separates clusters with equal URLs"),
    Setting(
        "advertise-client-urls",
        "url-list",
        DEFAULT_CLIENT_URLS,
        "this member's client URLs, which clients use",
    ),
    Setting("discovery", "string", "", "discovery URL, to find the first members"),
    Setting(
        "discovery-fallback",
        "enum",
        "proxy",
        "what to do if the discovered cluster is full",
        values=("exit", "proxy"),
    ),
    Setting("discovery-proxy", "string", "", "HTTP proxy for requests to the discovery service"),
    Setting(
        "discovery-timeout",
        "uint",
        "0",
        "time limit for discovery in seconds (0: no limit)",
        since=OURS,
    ),
    Setting("discovery-srv", "string", "", "DNS domain, to find the first members"),
    Setting("discovery-srv-name", "string", "", "suffix of the service names in that domain", since="3.4"),
    Setting(
        "dns-server", "string", "", "HOST[:PORT] of a DNS server to ask instead of the system's", since=OURS
    ),
    Setting(
        "strict-reconfig-check",
        "bool",
        "false",
        "refuse member changes that would lose the quorum",
    ),
    # proxy
    Setting(
        "proxy",
        "enum",
        "off",
        "forward to a cluster instead of being a member",
        values=("off", "readonly", "on"),
    ),
    Setting("proxy-failure-wait", "uint", "5000", "milliseconds that a failed endpoint is not used"),
    Setting("proxy-refresh-interval", "uint", "30000", "milliseconds between endpoint refreshes"),
    Setting("proxy-dial-timeout", "uint", "1000", "time limit for connecting, in milliseconds"),
    Setting("proxy-write-timeout", "uint", "5000", "time limit for a write, in milliseconds"),
    Setting("proxy-read-timeout", "uint", "0", "time limit for a read, in milliseconds (0: no limit)"),
    # security
    Setting("ca-file", "string", "", "CA of client certificates; requires one from every client (old name)"),
    Setting("cert-file", "string", "", "certificate for clients"),
    Setting("key-file", "string", "", "key of cert-file"),
    Setting("client-cert-auth", "bool", "false", "require a certificate from every client"),
    Setting("trusted-ca-file", "string", "", "CA of client certificates"),
    Setting("allow-old-tls", "bool", "false", "also allow TLS 1.0 and 1.1 for clients", since=OURS),
    Setting("peer-ca-file", "string", "", "CA of peer certificates; requires one from every peer (old name)"),
    Setting("peer-cert-file", "string", "", "certificate for peers"),
    Setting("peer-key-file", "string", "", "key of peer-cert-file"),
    Setting("peer-client-cert-auth", "bool", "false", "require a certificate from every peer"),
    Setting("peer-trusted-ca-file", "string", "", "CA of peer certificates"),
    # logging
    Setting("debug", "bool", "false", "log at debug level"),
    Setting("log-package-levels", "string", "", "log levels by package: etcdmain=CRITICAL,etcdserver=DEBUG"),
    # unsafe
    Setting("force-new-cluster", "bool", "false", "start a new cluster of this member alone, with its data"),
    # experimental, profiling
    Setting("experimental-v3demo", "bool", "false", "the v3 demo API of 2.3", "refused"),
    Setting("experimental-auto-compaction-retention", "int", "0", "hours of v3 history to keep", "no effect"),
    Setting(
        "experimental-gRPC-addr", "string", "127.0.0.1:2378", "where the v3 demo API listens", "no effect"
    ),
    Setting("enable-pprof", "bool", "false", "serve Go's runtime profiles", "no effect"),
)

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
