import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.addresses import AddressError, parse_advertised, parse_bound
from server.config import load, parse_urls
from tests.compat.helpers import codes, finding, translated


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        (
            "-addr 10.0.0.9:5001",
            {"advertise-client-urls": "http://10.0.0.9:5001", "listen-client-urls": "http://[::]:5001"},
        ),
        ("-addr 10.0.0.9:5001 -bind-addr 127.0.0.1", {"listen-client-urls": "http://127.0.0.1:5001"}),
        ("-addr 10.0.0.9:5001 -bind-addr 127.0.0.1:6001", {"listen-client-urls": "http://127.0.0.1:6001"}),
        (
            "-bind-addr 0.0.0.0",
            {"listen-client-urls": "http://0.0.0.0:4001", "advertise-client-urls": "http://127.0.0.1:4001"},
        ),
        ("-addr 10.0.0.9:5001 -bind-addr=", {"listen-client-urls": "http://[::]:5001"}),
        ("-bind-addr ::", {"listen-client-urls": "http://[::]:4001"}),
        ("-bind-addr [::1]:5001", {"listen-client-urls": "http://[::1]:5001"}),
        ("-bind-addr localhost", {"listen-client-urls": "http://localhost:4001"}),
        ("-addr infra0.example.com:5001", {"advertise-client-urls": "http://infra0.example.com:5001"}),
        ("-addr ' 10.0.0.9:5001 '", {"advertise-client-urls": "http://10.0.0.9:5001"}),
        (
            "-addr [0:0::9]:05001",
            {"advertise-client-urls": "http://[::9]:5001", "listen-client-urls": "http://[::]:5001"},
        ),
        ("-addr [::ffff:10.0.0.9]:+5001", {"advertise-client-urls": "http://10.0.0.9:5001"}),
        ("-addr [fe80::1%eth0]:5001", {"advertise-client-urls": "http://[fe80::1%25eth0]:5001"}),
        (
            "-peer-addr h0:5001 -peer-bind-addr 10.0.0.9",
            {"initial-advertise-peer-urls": "http://h0:5001", "listen-peer-urls": "http://10.0.0.9:5001"},
        ),
    ],
)
def test_an_address_becomes_the_only_url(line: str, settings: dict[str, str]) -> None:
    made = translated(line)
    assert not made.refused
    assert settings.items() <= made.config.items()
    load(made.config)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("-addr 10.0.0.9:5001", "listens-everywhere"),
        ("-addr h0:5001", "host-name"),
        ("-addr 256.0.0.1:5001", "host-name"),
        ("-addr 10.0.0.01:5001", "host-name"),
        ("-addr [fe80::1%eth0]:5001", "host-name"),
        ("-bind-addr localhost:5001", "host-name"),
        ("-bind-addr 0.0.0.0", "port-added"),
        ("-addr 0.0.0.0:5001", "wildcard-advertised"),
        ("-peer-addr [::]:5001", "wildcard-advertised"),
    ],
)
def test_what_is_bent_or_bears_a_look_is_told(line: str, code: str) -> None:
    assert code in codes(translated(line).findings)


def test_plain_ip_addresses_are_not_worth_a_line() -> None:
    told = codes(
        translated(
            "-name a -addr 10.0.0.9:1 -bind-addr 10.0.0.9:1 -peer-addr [fe80::1]:2 -peer-bind-addr [fe80::1]:2"
        ).findings
    )
    assert told == {"single-member"}


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        # 2.3.8's words for each.
        ("10.0.1.10", "address 10.0.1.10: missing port in address"),
        ("", "missing port in address"),
        (":4001", "bad IP in address specification"),
        ("10.0.1.10:", "bad port in address specification"),
        ("10.0.1.10:http", "bad port in address specification"),
        ("10.0.1.10:99999999999999999999", "bad port in address specification"),
        ("10.0.1.10:40_01", "bad port in address specification"),
        ("10.0.1.10: 4001", "bad port in address specification"),
        ("::1:4001:", "address ::1:4001:: too many colons in address"),
        ("http://10.0.1.10:4001", "address http://10.0.1.10:4001: too many colons in address"),
        ("[::1]", "address [::1]: missing port in address"),
        ("[::1:4001", "address [::1:4001: missing ']' in address"),
        ("[::1]x:4001", "address [::1]x:4001: missing port in address"),
        ("]:4001", "address ]:4001: unexpected ']' in address"),
        ("a/b:4001", "bad IP in address specification"),
        ("*:4001", "bad IP in address specification"),
        ("é:4001", "bad IP in address specification"),
    ],
)
def test_what_neither_takes_is_refused_in_2_3_8s_words(address: str, reason: str) -> None:
    with pytest.raises(AddressError) as refused:
        parse_advertised(address)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    "address", [":4001", "[::]", "[::1]", "http://x:1", "a b", "*", "127.0.0.1:", "127.0.0.1:x"]
)
def test_a_bound_address_that_0_4_9_could_not_listen_on_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        parse_bound(address)


@pytest.mark.parametrize("port", ["65536", "99999", "-1"])
def test_a_port_out_of_range_is_refused_before_anything_listens(port: str) -> None:
    made = translated(f"-addr 10.0.0.9:{port}")
    assert finding(made, "invalid-value").message.endswith(f"for flag -addr: address {port}: invalid port")


def test_a_bad_address_in_a_variable_is_named_by_the_variable() -> None:
    said = finding(translated("", {"ETCD_ADDR": "http://a:1"}), "invalid-value")
    assert (
        said.message
        == 'invalid value "http://a:1" for ETCD_ADDR: address http://a:1: too many colons in address'
    )
    assert "unset it" in said.remedy


HOSTS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda ip: f"[{ip}]"),
    st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True),
)


@given(HOSTS, st.integers(0, 65535))
def test_what_is_taken_makes_a_url_that_2_x_takes(host: str, port: int) -> None:
    url = parse_advertised(f"{host}:{port}").url("http")
    assert parse_urls(url) == [url]


@given(st.text(alphabet="[]:.%/@ -_+0123456789abcxyzé*$", max_size=20))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    for parse in (parse_advertised, parse_bound):
        with contextlib.suppress(AddressError):
            assert parse(text).host
