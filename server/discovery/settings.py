"""The settings of the discovery service, and how their texts are read. Pure."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from server.config import UrlError, parse_urls

DEFAULT_SIZE = 3
"""What the public discovery service took for /new without a size."""

MAX_SIZE = 100
"""Members of a first cluster. Every one of them has to acknowledge every write, so real ones have 3, 5 or 7."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:[0-9]+[smhd])+|[0-9]+")


class BadSetting(ValueError):
    """A setting of the discovery service that cannot be; the message names it and says what can."""


class ServiceSettings(NamedTuple):
    """``store`` and ``public_url`` are ``""`` when they were not given; ``token_ttl`` is in seconds, 0 without end. Of
    ``new_per_hour`` (for each address) and ``max_tokens`` 0 means no limit."""

    listen_client_urls: tuple[str, ...] = ("http://localhost:8087",)
    data_dir: str = "discovery.etcd"
    store: str = ""
    public_url: str = ""
    token_ttl: int = 7 * 86400
    cert_file: str = ""
    key_file: str = ""
    new_per_hour: int = 60
    max_tokens: int = 10_000


FLAGS: dict[str, tuple[str, str]] = {
    "listen-client-urls": ("URL[,URL...]", "where to listen (default http://localhost:8087)"),
    "data-dir": ("DIR", "where the tokens are kept (default discovery.etcd)"),
    "store": ("URL", "keep the tokens in the etcd at this client URL instead (v2 API)"),
    "public-url": (
        "URL",
        "the URL that members use for the service (default: the one in the request for /new)",
    ),
    "token-ttl": ("TIME", "how long a token lives, such as 12h or 7d (default 7d; 0: no end)"),
    "new-per-hour": ("N", "tokens for one address in an hour (default 60; 0: no limit)"),
    "max-tokens": ("N", "tokens that may exist at the same time (default 10000; 0: no limit)"),
    "cert-file": ("FILE", "certificate for https listen URLs"),
    "key-file": ("FILE", "key of cert-file"),
}
"""Each flag: its value, and what it is for."""


def read_settings(given: dict[str, str]) -> ServiceSettings:
    """The settings that these texts make, keyed by flag without dashes. Raises BadSetting."""
    values: dict[str, object] = {name.replace("-", "_"): text for name, text in given.items()}
    if "listen-client-urls" in given:
        try:
            values["listen_client_urls"] = tuple(parse_urls(given["listen-client-urls"]))
        except UrlError as error:
            raise BadSetting(f"--listen-client-urls: {error}; write http://host:port") from None
    if "token-ttl" in given:
        values["token_ttl"] = parse_duration(given["token-ttl"])
    for name in ("new-per-hour", "max-tokens"):
        if name in given:
            values[name.replace("-", "_")] = _count(name, given[name])
    for name in ("store", "public-url"):
        if given.get(name):
            values[name.replace("-", "_")] = _base_url(name, given[name])
    if given.get("store") and "data-dir" in given:
        raise BadSetting("--store keeps the tokens in another etcd and --data-dir here: give one of them")
    return ServiceSettings(**values)  # type: ignore[arg-type]


def parse_duration(text: str) -> int:
    """Seconds of ``90``, ``90s``, ``12h``, ``1d12h``. Raises BadSetting."""
    if not _DURATION.fullmatch(text):
        raise BadSetting(f"--token-ttl {text}: write a number with s, m, h or d, such as 12h or 7d")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([smhd]?)", text))


def _count(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadSetting(f"--{name} {text}: write a whole number below 1000000000; 0 for no limit")
    return int(text)


def parse_size(text: str) -> int:
    """How many members a cluster is to begin with. Raises BadSetting."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_SIZE:
        raise BadSetting(f"size={text}: a cluster begins with 1 to {MAX_SIZE} members; 3, 5 and 7 are usual")
    return int(text)


def _base_url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or any(c.isspace() for c in text):
        raise BadSetting(f"--{name} {text}: write it as http://host:port or https://host:port")
    return text.rstrip("/")
