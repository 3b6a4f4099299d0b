"""From setting texts to a Config: values, the rules between them, and etcd's words for what it refuses."""

import json
import subprocess
import sys

import pytest

from server.config import SETTINGS, Config, ConfigError, SettingsRefused, ValueRefused, load

LISTEN = {"listen-client-urls": "http://127.0.0.1:4001"}


def test_nothing_given_gives_the_defaults_of_etcd() -> None:
    effective = load({}).effective()
    assert list(effective) == [setting.name for setting in SETTINGS]
    assert effective["name"] == "default"
    assert effective["data-dir"] == "default.etcd"
    assert effective["listen-client-urls"] == ["http://localhost:2379", "http://localhost:4001"]
    assert effective["initial-cluster"] == "default=http://localhost:2380,default=http://localhost:7001"
    assert (effective["heartbeat-interval"], effective["election-timeout"]) == (100, 1000)
    assert (effective["snapshot-count"], effective["max-wals"], effective["debug"]) == (10000, 5, False)
    assert effective["cors"] == []
    json.dumps(effective)


def test_every_setting_has_a_field_and_every_field_a_setting() -> None:
    assert [setting.field for setting in SETTINGS] == list(Config._fields[:-1])


def test_the_name_makes_data_dir_and_initial_cluster() -> None:
    config = load({"name": "m1"})
    assert config.data_dir == "m1.etcd"
    assert config.initial_cluster == "m1=http://localhost:2380,m1=http://localhost:7001"
    assert load({"name": "m1", "data-dir": "/d"}).data_dir == "/d"
    assert load({"name": "m1", "initial-cluster": "m1=http://a:1"}).initial_cluster == "m1=http://a:1"
    assert load({"name": "m1", "data-dir": ""}).data_dir == "m1.etcd"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max-wals", "", "parse error"),
        ("max-wals", "-1", "parse error"),
        ("max-wals", "+1", "parse error"),
        ("max-wals", "1.5", "parse error"),
        ("max-wals", "5s", "parse error"),
        ("max-wals", " 1", "parse error"),
        ("max-wals", "08", "parse error"),
        ("max-wals", "1__0", "parse error"),
        ("max-wals", "1_", "parse error"),
        ("max-wals", "٣", "parse error"),
        ("max-wals", "99999999999999999999", "value out of range"),
        ("debug", "yes", "parse error"),
        ("debug", "", "parse error"),
        ("proxy", "x", "invalid value"),
        ("initial-cluster-state", "", "invalid value"),
        ("discovery-fallback", "Proxy", "invalid value"),
        ("listen-peer-urls", "", "URL scheme must be http or https: "),
        ("listen-peer-urls", "http://b:1/x", "URL must not contain a path: http://b:1/x"),
        ("experimental-auto-compaction-retention", "1h", "parse error"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_reason(name: str, value: str, message: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        load({name: value})
    assert (caught.value.setting, caught.value.value, caught.value.message) == (name, value, message)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("7", 7),
        ("0x10", 16),
        ("0X1f", 31),
        ("010", 8),
        ("0o17", 15),
        ("0b11", 3),
        ("1_0", 10),
        ("0x_f", 15),
    ],
)
def test_unsigned_numbers_are_read_as_go_reads_them(text: str, number: int) -> None:
    assert load({"max-wals": text}).max_wals == number


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("t", True), ("TRUE", True), ("0", False), ("False", False)]
)
def test_booleans_are_read_as_go_reads_them(text: str, value: bool) -> None:
    assert load({"debug": text}).debug is value


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SettingsRefused, match=r"^flag provided but not defined: -addr$"):
        load({"addr": "127.0.0.1:4001"})


@pytest.mark.parametrize("pair", [("initial-cluster", "discovery"), ("discovery", "discovery-srv")])
def test_two_ways_to_begin_a_cluster_are_refused_even_when_empty(pair: tuple[str, str]) -> None:
    with pytest.raises(SettingsRefused) as caught:
        load(dict.fromkeys(pair, ""))
    assert caught.value.line == (
        "error verifying flags, multiple discovery or bootstrap flags are set. "
        'Choose one of "initial-cluster", "discovery" or "discovery-srv". See \'etcd --help\'.'
    )


def test_listening_explicitly_asks_for_advertised_urls() -> None:
    with pytest.raises(SettingsRefused) as caught:
        load(LISTEN)
    assert caught.value.line == (
        "error verifying flags, -advertise-client-urls is required when -listen-client-urls is set explicitly. "
        "See 'etcd --help'."
    )
    assert caught.value.hints == (
        "When listening on specific address(es), this etcd process must advertise accessible url(s) "
        "to each connected client.",
    )


@pytest.mark.parametrize(
    "more",
    [
        {"advertise-client-urls": "http://127.0.0.1:4001"},
        {"proxy": "on"},
        {"proxy": "readonly"},
        {"discovery": "http://d/x"},
    ],
)
def test_listening_without_advertising_is_fine_where_etcd_takes_it(more: dict[str, str]) -> None:
    assert load({**LISTEN, **more}).listen_client_urls == ("http://127.0.0.1:4001",)


def test_discovery_with_fallback_exit_asks_for_advertised_urls_again() -> None:
    with pytest.raises(SettingsRefused, match="advertise-client-urls is required"):
        load({**LISTEN, "discovery": "http://d/x", "discovery-fallback": "exit"})


def test_the_old_bind_addr_does_not_ask_for_advertised_urls() -> None:
    config = load(LISTEN, listen_client_from_bind_addr=True)
    assert config.listen_client_urls == ("http://127.0.0.1:4001",)


@pytest.mark.parametrize(
    ("heartbeat", "election", "message"),
    [
        (
            "100",
            "400",
            "-election-timeout[400ms] should be at least as 5 times as -heartbeat-interval[100ms]",
        ),
        ("50", "200", "-election-timeout[200ms] should be at least as 5 times as -heartbeat-interval[50ms]"),
        ("100", "60000", "-election-timeout[60000ms] is too long, and should be set less than 50000ms"),
        ("0", "1000", "-heartbeat-interval[0ms] must be at least 1ms"),
    ],
)
def test_timing_that_cannot_work_is_refused(heartbeat: str, election: str, message: str) -> None:
    with pytest.raises(SettingsRefused) as caught:
        load({"heartbeat-interval": heartbeat, "election-timeout": election})
    assert caught.value.message == message


def test_the_bounds_of_timing_are_accepted() -> None:
    assert load({"heartbeat-interval": "200", "election-timeout": "1000"}).election_ticks == 5
    assert load({"election-timeout": "50000"}).election_ticks == 500


def test_checks_come_in_the_order_of_etcd() -> None:
    everything = {
        **LISTEN,
        "heartbeat-interval": "900",
        "discovery": "",
        "initial-cluster": "",
        "max-wals": "x",
    }
    messages = []
    for repaired in ("max-wals", "discovery", "listen-client-urls", "heartbeat-interval"):
        with pytest.raises(ConfigError) as caught:
            load(everything)
        messages.append(caught.value.setting)
        del everything[repaired]
    load(everything)
    assert messages == ["max-wals", "discovery", "advertise-client-urls", "election-timeout"]


def test_origins_are_trimmed_and_counted_once() -> None:
    assert load({"cors": " http://a , *,http://a,"}).cors == ("http://a", "*")


def test_reading_settings_imports_nothing_heavy() -> None:
    code = "import sys, server.config; print(*sorted({'asyncio', 'dataclasses', 'aiohttp', 'logging'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.parametrize(
    ("origins", "why"),
    [
        ("http://%zz", 'parse "http://%zz": invalid URL escape "%zz"'),
        (":", 'parse ":": missing protocol scheme'),
        ("*,http://a b", 'parse "http://a b": invalid character " " in host name'),
        ("http://[::1", "parse \"http://[::1\": missing ']' in host"),
        ("a\tb", 'parse "a\\tb": net/url: invalid control character in URL'),
        ("http://a:x", 'parse "http://a:x": invalid port ":x" after host'),
        ("1:2", 'parse "1:2": first path segment in URL cannot contain colon'),
    ],
)
def test_an_origin_that_is_no_url_is_refused(origins: str, why: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        load({"cors": origins})
    assert caught.value.message == f"Invalid CORS origin: {why}"


def test_an_origin_need_not_be_a_whole_url() -> None:
    assert load({"cors": "*x, /a ,x:%zz,,"}).cors == ("*x", "/a", "x:%zz")
