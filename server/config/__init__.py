"""The 2.x configuration: its settings, how their texts are read, and the rules between them.

Pure and quick to import: nothing here touches files, sockets, the environment or the clock, and nothing
heavy is imported, because the translator uses these names at every start.
"""

from server.config.config import Config, ConfigError, SettingsRefused, ValueRefused, load
from server.config.settings import BY_NAME, OURS, SETTINGS, Bundled, Kind, Setting
from server.config.urls import (
    UrlError,
    dialled,
    parse_url,
    parse_urls,
    parse_urls_map,
    redacted,
    split_url,
    urls_map_text,
    without_zone,
)

__all__ = [
    "BY_NAME",
    "OURS",
    "SETTINGS",
    "Bundled",
    "Config",
    "ConfigError",
    "Kind",
    "Setting",
    "SettingsRefused",
    "UrlError",
    "ValueRefused",
    "dialled",
    "load",
    "parse_url",
    "parse_urls",
    "parse_urls_map",
    "redacted",
    "split_url",
    "urls_map_text",
    "without_zone",
]
