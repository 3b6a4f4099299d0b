"""From setting texts to a Config: every value typed, the rules between settings checked. Pure.

The order of the checks is etcd 2.3.8's: the values one by one, the bootstrap settings, the advertised
client URLs, the timing; after that the name fills in what depends on it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from server.config.settings import BY_NAME, DEFAULT_NAME, SETTINGS, initial_cluster_of
from server.config.values import BadValue, Value, parse_value

MAX_ELECTION_TIMEOUT = 50_000
"""Milliseconds; etcd 2.1.2 and later take nothing longer."""


class ConfigError(Exception):
    """Settings that etcd would refuse.

    ``setting`` names one of the settings at fault (without dashes); ``message`` is etcd's text; ``hints``
    are further lines that etcd prints after it.
    """

    def __init__(self, setting: str, message: str, *hints: str) -> None:
        super().__init__(message)
        self.setting = setting
        self.message = message
        self.hints = hints


class ValueRefused(ConfigError):
    """One value cannot be read.

    etcd says ``invalid value "V" for flag -NAME: MESSAGE`` and exits 2 when it
    came by flag, ``invalid value "V" for ETCD_NAME: MESSAGE`` and exit 1 when it came by environment.
    """

    def __init__(self, setting: str, value: str, message: str) -> None:
        super().__init__(setting, message)
        self.value = value


class SettingsRefused(ConfigError):
    """The values do not go together. etcd exits 1 with ``line``, and each of ``hints`` after it."""

    @property
    def line(self) -> str:
        return f"error verifying flags, {self.message}. See 'etcd --help'."


class Config(NamedTuple):
    """The effective settings of a member; URL lists sorted, times in milliseconds (discovery_timeout in seconds)."""

    name: str
    data_dir: str
    wal_dir: str
    snapshot_count: int
    idle_sync: bool
    heartbeat_interval: int
    election_timeout: int
    listen_peer_urls: tuple[str, ...]
    listen_client_urls: tuple[str, ...]
    max_snapshots: int
    max_wals: int
    cors: tuple[str, ...]
    legacy_api: bool
    initial_advertise_peer_urls: tuple[str, ...]
    initial_cluster: str
    initial_cluster_state: str
    initial_cluster_token: str
    advertise_client_urls: tuple[str, ...]
    discovery: str
    discovery_fallback: str
    discovery_proxy: str
    discovery_timeout: int
    discovery_srv: str
    discovery_srv_name: str
    dns_server: str
    strict_reconfig_check: bool
    proxy: str
    proxy_failure_wait: int
    proxy_refresh_interval: int
    proxy_dial_timeout: int
    proxy_write_timeout: int
    proxy_read_timeout: int
    ca_file: str
    cert_file: str
    key_file: str
    client_cert_auth: bool
    trusted_ca_file: str
    allow_old_tls: bool
    peer_ca_file: str
    peer_cert_file: str
    peer_key_file: str
    peer_client_cert_auth: bool
    peer_trusted_ca_file: str
    debug: bool
    log_package_levels: str
    force_new_cluster: bool
    experimental_v3demo: bool
    experimental_auto_compaction_retention: int
    experimental_grpc_addr: str
    enable_pprof: bool
    given: frozenset[str]
    """The names of the settings that were given, as against left at their defaults."""

    def effective(self) -> dict[str, object]:
        """Every setting under its 2.x flag name: lists, numbers, booleans and texts, ready for JSON."""
        return {setting.name: _plain(getattr(self, setting.field)) for setting in SETTINGS}

    @property
    def election_ticks(self) -> int:
        """Heartbeat intervals in an election timeout, at least 1."""
        return max(1, self.election_timeout // max(1, self.heartbeat_interval))


def load(settings: Mapping[str, str], *, listen_client_from_bind_addr: bool = False) -> Config:
    """The configuration that these settings make, keyed by 2.x names without dashes; all count as given.

    ``listen_client_from_bind_addr``: listen-client-urls was made from the old -bind-addr (or -addr). etcd
    asks for advertise-client-urls only when listen-client-urls itself was given, so then it is not asked
    for. Raises ConfigError with etcd's words.
    """
    values: dict[str, Value] = {}
    for name, text in settings.items():
        if name not in BY_NAME:
            raise SettingsRefused(name, f"flag provided but not defined: -{name}")
        try:
            values[name] = parse_value(BY_NAME[name], text)
        except BadValue as error:
            raise ValueRefused(name, text, str(error)) from None
    given = frozenset(settings)
    for setting in SETTINGS:
        if setting.name not in values:
            values[setting.name] = parse_value(setting, setting.default)
    config = Config(**{BY_NAME[name].field: value for name, value in values.items()}, given=given)  # type: ignore[arg-type]

    _check_bootstrap(config)
    if not listen_client_from_bind_addr:
        _check_advertised(config)
    _check_timing(config)
    return _filled_in(config)


def _check_bootstrap(config: Config) -> None:
    ways = sorted(config.given & {"initial-cluster", "discovery", "discovery-srv"})
    if len(ways) > 1:
        raise SettingsRefused(
            ways[0],
            "multiple discovery or bootstrap flags are set. "
            'Choose one of "initial-cluster", "discovery" or "discovery-srv"',
        )


def _check_advertised(config: Config) -> None:
    may_be_proxy = config.proxy != "off" or (
        "discovery" in config.given and config.discovery_fallback == "proxy"
    )
    if may_be_proxy or "listen-client-urls" not in config.given or "advertise-client-urls" in config.given:
        return
    raise SettingsRefused(
        "advertise-client-urls",
        "-advertise-client-urls is required when -listen-client-urls is set explicitly",
        "When listening on specific address(es), this etcd process must advertise accessible url(s) "
        "to each connected client.",
    )


def _check_timing(config: Config) -> None:
    heartbeat, election = config.heartbeat_interval, config.election_timeout
    if 5 * heartbeat > election:
        raise SettingsRefused(
            "election-timeout",
            f"-election-timeout[{election}ms] should be at least as 5 times as "
            f"-heartbeat-interval[{heartbeat}ms]",
        )
    if election > MAX_ELECTION_TIMEOUT:
        raise SettingsRefused(
            "election-timeout",
            f"-election-timeout[{election}ms] is too long, "
            f"and should be set less than {MAX_ELECTION_TIMEOUT}ms",
        )
    if heartbeat == 0:  # 2.3.8 divides by it and crashes
        raise SettingsRefused("heartbeat-interval", "-heartbeat-interval[0ms] must be at least 1ms")


def _filled_in(config: Config) -> Config:
    """With what follows from the name. The default list counts as not given even if it was, as in etcd."""
    if config.name != DEFAULT_NAME and config.initial_cluster == initial_cluster_of(DEFAULT_NAME):
        config = config._replace(initial_cluster=initial_cluster_of(config.name))
    if not config.data_dir:
        config = config._replace(data_dir=f"{config.name}.etcd")
    return config


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
