"""Every setting of etcd 0.4: its names everywhere, its type and default, and what becomes of it. Data and look-ups.

From 0.4.9's configuration loader, compared with runs of 0.4.9 and 2.3.8; ``since`` where an older 0.4 lacked it.
"""

from __future__ import annotations

from typing import NamedTuple

# What a value must look like (0.4's own types).
BOOL, INT, FLOAT, STRING, LIST, ADVERTISED, BOUND = (
    "bool",
    "int",
    "float",
    "string",
    "list",
    "host:port",
    "host[:port]",
)

# What real 2.3.8 does with the flag.
ALIAS = "alias"  # still understood, as an old name of a new flag
SAME = "same"  # same name in 2.x
IGNORED = "ignored"  # parsed as a boolean, warned about, dropped
REFUSED = "refused"  # defined only to refuse it
UNKNOWN = "unknown"  # "flag provided but not defined"

# What becomes of it here.
URL = "url"  # an address that becomes the only URL of its 2.x list
COPY = "copy"  # the same value under the 2.x name
TIMING = "timing"  # a number of milliseconds, bent to 2.x's rules together with its partner
DEBUG = "debug"  # any degree of verbosity becomes --debug
CLIENT_AUTH = "client-auth"  # a CA file that also asked for client certificates
BOOTSTRAP = "bootstrap"  # how a cluster found itself: refused
DROP = "drop"  # no counterpart: told, with what to do instead
READ = "read"  # -config: the file is read in its place
COMMAND = "command"  # -help and -version


class Flag04(NamedTuple):
    """One setting. ``toml`` and ``variable`` are empty where 0.4 had none that worked.

    ``never_read`` are names its documentation gave to it that its code never looked at. ``dropped`` says, for a
    DROP, what the operator has to know; ``remedy`` what to do. A ``harmless`` value loses nothing when dropped.
    """

    name: str
    kind: str
    default: str
    toml: str
    variable: str
    in_238: str
    fate: str
    becomes: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    never_read: tuple[str, ...] = ()
    meaning: str = ""
    dropped: str = ""
    remedy: str = ""
    harmless: tuple[str, ...] = ()
    unit: str = ""
    since: str = "0.4.0"


FLAGS: tuple[Flag04, ...] = (
    Flag04(
        "name", STRING, "the host name", "name", "ETCD_NAME", SAME, COPY, ("name",), ("n",),
        meaning="name of this member",
    ),
    Flag04(
        "data-dir", STRING, "NAME.etcd", "data_dir", "ETCD_DATA_DIR", SAME, COPY, ("data-dir",), ("d",),
        meaning="data directory",
    ),
    Flag04(
        "addr", ADVERTISED, "127.0.0.1:4001", "addr", "ETCD_ADDR", ALIAS, URL, ("advertise-client-urls",), ("c",),
        meaning="advertised client address",
    ),
    Flag04(
        "bind-addr", BOUND, "every interface at the port of addr", "bind_addr", "ETCD_BIND_ADDR", ALIAS, URL,
        ("listen-client-urls",), ("cl",),
        meaning="client address to listen on",
    ),
    Flag04(
        "peer-addr", ADVERTISED, "127.0.0.1:7001", "peer.addr", "ETCD_PEER_ADDR", ALIAS, URL,
        ("initial-advertise-peer-urls",), ("s",),
        meaning="advertised peer address",
    ),
    Flag04(
        "peer-bind-addr", BOUND, "every interface at the port of peer-addr", "peer.bind_addr", "ETCD_PEER_BIND_ADDR",
        ALIAS, URL, ("listen-peer-urls",), ("sl",),
        meaning="peer address to listen on",
    ),
    Flag04(
        "peers", LIST, "", "peers", "ETCD_PEERS", REFUSED, BOOTSTRAP, short=("C",),
        meaning="members to join",
    ),
    Flag04(
        "peers-file", STRING, "", "peers_file", "ETCD_PEERS_FILE", REFUSED, BOOTSTRAP, short=("CF",),
        meaning="file with the members to join",
    ),
    Flag04(
        "discovery", STRING, "", "discovery", "ETCD_DISCOVERY", SAME, COPY, ("discovery",),
        meaning="discovery token URL",
    ),
    Flag04(
        "ca-file", STRING, "", "ca_file", "ETCD_CA_FILE", SAME, CLIENT_AUTH, ("trusted-ca-file", "client-cert-auth"),
        ("clientCAFile",),
        meaning="CA that clients' certificates must come from",
    ),
    Flag04(
        "cert-file", STRING, "", "cert_file", "ETCD_CERT_FILE", SAME, COPY, ("cert-file",), ("clientCert",),
        meaning="certificate for clients",
    ),
    Flag04(
        "key-file", STRING, "", "key_file", "ETCD_KEY_FILE", SAME, COPY, ("key-file",), ("clientKey",),
        meaning="key of the certificate for clients",
    ),
    Flag04(
        "peer-ca-file", STRING, "", "peer.ca_file", "ETCD_PEER_CA_FILE", SAME, CLIENT_AUTH,
        ("peer-trusted-ca-file", "peer-client-cert-auth"), ("serverCAFile",),
        meaning="CA that peers' certificates must come from",
    ),
    Flag04(
        "peer-cert-file", STRING, "", "peer.cert_file", "ETCD_PEER_CERT_FILE", SAME, COPY, ("peer-cert-file",),
        ("serverCert",),
        meaning="certificate for peers",
    ),
    Flag04(
        "peer-key-file", STRING, "", "peer.key_file", "ETCD_PEER_KEY_FILE", SAME, COPY, ("peer-key-file",),
        ("serverKey",),
        meaning="key of the certificate for peers",
    ),
    Flag04(
        "cors", LIST, "", "cors", "ETCD_CORS", SAME, COPY, ("cors",), never_read=("ETCD_CORS_ORIGINS",),
        meaning="allowed origins of cross-origin requests",
    ),
    Flag04(
        "peer-heartbeat-interval", INT, "50", "peer.heartbeat_interval", "ETCD_PEER_HEARTBEAT_INTERVAL", IGNORED,
        TIMING, ("heartbeat-interval",), ("peer-heartbeat-timeout",),
        meaning="time between a leader's heartbeats", unit="ms",
    ),
    Flag04(
        "peer-election-timeout", INT, "200", "peer.election_timeout", "ETCD_PEER_ELECTION_TIMEOUT", IGNORED,
        TIMING, ("election-timeout",),
        meaning="time without a leader before an election", unit="ms",
    ),
    Flag04(
        "snapshot-count", INT, "10000", "snapshot_count", "ETCD_SNAPSHOTCOUNT", SAME, COPY, ("snapshot-count",),
        ("snapshotCount",),
        meaning="log entries between two snapshots",
    ),
    Flag04(
        "snapshot", BOOL, "true", "snapshot", "ETCD_SNAPSHOT", IGNORED, DROP,
        meaning="whether snapshots are taken",
        dropped="etcd 2.x always takes snapshots; they cannot be switched off",
        remedy="To take them less often, raise --snapshot-count.",
        harmless=("true",),
    ),
    Flag04(
        "v", BOOL, "false", "verbose", "ETCD_VERBOSE", IGNORED, DEBUG, ("debug",),
        meaning="verbose log",
    ),
    Flag04(
        "vv", BOOL, "false", "very_verbose", "ETCD_VERY_VERBOSE", IGNORED, DEBUG, ("debug",),
        meaning="more verbose log",
    ),
    Flag04(
        "vvv", BOOL, "false", "very_very_verbose", "ETCD_VERY_VERY_VERBOSE", UNKNOWN, DEBUG, ("debug",),
        meaning="most verbose log",
    ),
    Flag04(
        "cluster-active-size", INT, "9", "cluster.active_size", "ETCD_CLUSTER_ACTIVE_SIZE", IGNORED, DROP,
        short=("maxsize", "max-cluster-size"), never_read=("ETCD_MAX_CLUSTER_SIZE", "max_cluster_size"),
        meaning="members that vote; the rest are standbys",
        dropped="etcd 2.x has no standbys: every member votes, and none is promoted or demoted automatically",
        remedy="Start the nodes beyond this number with --proxy on, or make them members; with --discovery, put "
        "the number into the token's _config/size.",
    ),
    Flag04(
        "cluster-remove-delay", FLOAT, "1800", "cluster.remove_delay", "ETCD_CLUSTER_REMOVE_DELAY", IGNORED, DROP,
        meaning="how long a silent member is kept", unit="s",
        dropped="etcd 2.x never removes a silent member automatically",
        remedy="Remove a dead member by hand: etcdctl member remove ID, then add its replacement.",
    ),
    Flag04(
        "cluster-sync-interval", FLOAT, "5", "cluster.sync_interval", "ETCD_CLUSTER_SYNC_INTERVAL", IGNORED, DROP,
        meaning="how often standbys check the cluster", unit="s",
        dropped="etcd 2.x has no standbys that would check the cluster",
        remedy="For nodes that become proxies, --proxy-refresh-interval (milliseconds) is the nearest setting.",
    ),
    Flag04(
        "http-read-timeout", FLOAT, "300", "http_read_timeout", "ETCD_HTTP_READ_TIMEOUT", UNKNOWN, DROP,
        never_read=("ETCD_CLUSTER_HTTP_READ_TIMEOUT",),
        meaning="time limit for reading a request", unit="s", since="0.4.5",
        dropped="etcd 2.x has no time limit on clients' requests",
        remedy="If it kept slow clients off, set such a limit in a proxy before etcd.",
    ),
    Flag04(
        "http-write-timeout", FLOAT, "300", "http_write_timeout", "ETCD_HTTP_WRITE_TIMEOUT", UNKNOWN, DROP,
        never_read=("ETCD_CLUSTER_HTTP_WRITE_TIMEOUT",),
        meaning="time limit for writing an answer", unit="s", since="0.4.5",
        dropped="etcd 2.x has no time limit on answers to clients",
        remedy="If it kept slow clients off, set such a limit in a proxy before etcd.",
    ),
    Flag04(
        "max-result-buffer", INT, "1024", "max_result_buffer", "ETCD_MAX_RESULT_BUFFER", IGNORED, DROP, short=("m",),
        meaning="events kept for late watchers",
        dropped="etcd 2.x keeps the last 1000 events; the number cannot be set",
        remedy="A watcher that falls behind gets error 401 and must read the keys again.",
    ),
    Flag04(
        "max-retry-attempts", INT, "3", "max_retry_attempts", "ETCD_MAX_RETRY_ATTEMPTS", IGNORED, DROP, short=("r",),
        meaning="attempts to join a cluster",
        dropped="etcd 2.x does not give up joining after a number of attempts",
        remedy="Let the service manager restart a member that could not join.",
    ),
    Flag04(
        "retry-interval", FLOAT, "2.5 to 5, by chance", "retry_interval", "ETCD_RETRY_INTERVAL", IGNORED, DROP,
        meaning="pause between attempts to join", unit="s",
        dropped="etcd 2.x chooses its own pauses",
        remedy="Nothing to do.",
    ),
    Flag04(
        "force", BOOL, "false", "", "", IGNORED, DROP, short=("f",),
        meaning="delete this member's log, snapshots and configuration at start",
        dropped="it deleted the member's data at every start; nothing in etcd 2.x does that, and --force-new-cluster "
        "does something else",
        remedy="To start a member empty, rename its data directory by hand.",
        harmless=("false",),
    ),
    Flag04(
        "cpuprofile", STRING, "", "", "", UNKNOWN, DROP, never_read=("ETCD_CPU_PROFILE_FILE", "cpu_profile_file"),
        meaning="file for a CPU profile",
        dropped="etcd 2.x writes no profile file",
        remedy="From etcd 2.3 on, --enable-pprof serves profiles under /debug/pprof.",
    ),
    Flag04(
        "trace", STRING, "", "", "", UNKNOWN, DROP, never_read=("ETCD_TRACE", "trace"),
        meaning='"*" switched metrics on',
        dropped="etcd 2.x has no such switch",
        remedy="Nothing to do: metrics are always served under /metrics, in Prometheus' form.",
    ),
    Flag04(
        "graphite-host", STRING, "", "", "", UNKNOWN, DROP, never_read=("ETCD_GRAPHITE_HOST", "graphite_host"),
        meaning="where metrics were sent",
        dropped="etcd 2.x sends no metrics",
        remedy="Have the metrics collected from /metrics, in Prometheus' form.",
    ),
    Flag04(
        "internal-binary-dir", STRING, "/usr/libexec/etcd/internal_versions/", "internal_binary_dir",
        "ETCD_INTERNAL_BINARY_DIR", UNKNOWN, DROP,
        meaning="where 0.4.8 looked for 2.x binaries", since="0.4.8",
        dropped="only 0.4.8 knew it, to start a 2.x binary",
        remedy="Nothing to do.",
    ),
    Flag04(
        "config", STRING, "/etc/etcd/etcd.conf", "", "", IGNORED, READ, never_read=("ETCD_CONFIG",),
        meaning="TOML configuration file",
    ),
    Flag04("version", BOOL, "false", "", "", SAME, COMMAND, meaning="print the version and exit"),
    Flag04("help", BOOL, "false", "", "", SAME, COMMAND, short=("h",), meaning="print the usage and exit"),
)  # fmt: skip

BY_NAME: dict[str, Flag04] = {flag.name: flag for flag in FLAGS}
BY_SHORT: dict[str, Flag04] = {short: flag for flag in FLAGS for short in flag.short}
BY_TOML: dict[str, Flag04] = {flag.toml: flag for flag in FLAGS if flag.toml}
BY_VARIABLE: dict[str, Flag04] = {flag.variable: flag for flag in FLAGS if flag.variable}
NEVER_READ: dict[str, Flag04] = {name: flag for flag in FLAGS for name in flag.never_read}

DEPRECATED = frozenset(BY_SHORT) - {"f", "h"}
"""Names that 0.4 itself called deprecated; ``-f`` and ``-h`` were plain aliases."""

ONLY_04 = frozenset(flag.name for flag in FLAGS if flag.in_238 != SAME)
"""Settings that mark a configuration as 0.4's: 2.x has them under other names, or not at all."""

ONLY_04_SPELLINGS = frozenset(BY_SHORT) | {"ETCD_SNAPSHOTCOUNT"}
"""Names that mark it as 0.4's although 2.x has the setting under another one."""

OLD_AND_NEW: tuple[tuple[str, str], ...] = (
    ("listen-peer-urls", "peer-bind-addr"),
    ("initial-advertise-peer-urls", "peer-addr"),
    ("listen-client-urls", "bind-addr"),
    ("advertise-client-urls", "addr"),
)
"""New and old flag for the same thing, in the order 2.3.8 checks them."""

ADVERTISED_OF: dict[str, str] = {"bind-addr": "addr", "peer-bind-addr": "peer-addr"}
"""An advertised address takes over the listening side too when the bound one is not given."""
