"""How the settings of the discovery service are read."""

import pytest

from server.discovery.settings import BadSetting, ServiceSettings, parse_duration, parse_size, read_settings


def test_all_defaults() -> None:
    assert read_settings({}) == ServiceSettings(token_ttl=604800)


def test_all_settings() -> None:
    given = {
        "listen-client-urls": "http://127.0.0.1:1,https://127.0.0.1:2",
        "data-dir": "d",
        "public-url": "https://discovery.example/etcd/",
        "token-ttl": "12h",
        "cert-file": "c",
        "key-file": "k",
        "new-per-hour": "0",
        "max-tokens": "7",
    }
    assert read_settings(given) == ServiceSettings(
        ("http://127.0.0.1:1", "https://127.0.0.1:2"),
        "d",
        "",
        "https://discovery.example/etcd",
        43200,
        "c",
        "k",
        0,
        7,
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("90s", 90), ("2m", 120), ("12h", 43200), ("1d12h", 129600)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1w", "h", "1.5h", "7 d", "1h5"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(BadSetting, match="--token-ttl"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "0", "-3", "101", "three", "3.0", "٣", "9" * 5000])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(BadSetting, match="1 to 100"):
        parse_size(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("listen-client-urls", "127.0.0.1:80"),
        ("listen-client-urls", ""),
        ("store", "127.0.0.1:2379"),
        ("store", "http://"),
        ("public-url", "http://host:port"),
        ("public-url", "http://host/?x"),
    ],
)
def test_what_is_no_url(name: str, text: str) -> None:
    with pytest.raises(BadSetting, match=f"--{name}"):
        read_settings({name: text})


def test_tokens_are_kept_in_one_place() -> None:
    with pytest.raises(BadSetting, match="--store"):
        read_settings({"store": "http://127.0.0.1:2379", "data-dir": "d"})


@pytest.mark.parametrize("name", ["new-per-hour", "max-tokens"])
@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "٣", "9" * 5000])
def test_what_is_no_number_of_tokens(name: str, text: str) -> None:
    with pytest.raises(BadSetting, match=f"--{name}"):
        read_settings({name: text})
