import pytest

from tests.compat.helpers import codes, finding, translated

PAIR = "-cert-file c.pem -key-file k.pem"
PEER_PAIR = "-peer-cert-file pc.pem -peer-key-file pk.pem"


@pytest.mark.parametrize(
    ("line", "client", "peer"),
    [
        ("", "http", "http"),
        (PAIR, "https", "http"),
        (PEER_PAIR, "http", "https"),
        (f"{PAIR} {PEER_PAIR}", "https", "https"),
        ("-cert-file c.pem", "http", "http"),
        ("-key-file k.pem", "http", "http"),
        ("-peer-cert-file c.pem", "http", "http"),
        ("-cert-file= -key-file=", "http", "http"),
    ],
)
def test_both_halves_of_a_pair_make_0_4s_urls_https(line: str, client: str, peer: str) -> None:
    made = translated(f"-name m -addr h:1 -peer-addr h:2 {line}")
    assert made.config["advertise-client-urls"] == f"{client}://h:1"
    assert made.config["listen-client-urls"] == f"{client}://[::]:1"
    assert made.config["initial-advertise-peer-urls"] == f"{peer}://h:2"
    assert made.config["listen-peer-urls"] == f"{peer}://[::]:2"
    assert made.config["initial-cluster"] == f"m={peer}://h:2"


@pytest.mark.parametrize("half", ["cert-file", "key-file", "peer-cert-file", "peer-key-file"])
def test_half_a_pair_is_left_out_of_a_0_4_line(half: str) -> None:
    made = translated(f"-addr h:1 -{half} f.pem")
    assert half not in made.config
    assert finding(made, "half-tls-pair").setting == half


@pytest.mark.parametrize("half", ["cert-file", "key-file"])
def test_half_a_pair_on_a_2_x_line_is_https_and_stays_so_that_the_start_refuses_it(half: str) -> None:
    made = translated(f"-debug -addr 10.0.0.9:1 -{half} f.pem")
    assert made.config[half] == "f.pem"
    assert made.config["advertise-client-urls"] == "https://10.0.0.9:1"


@pytest.mark.parametrize(("prefix", "pair"), [("", PAIR), ("peer-", PEER_PAIR)])
def test_a_ca_file_asks_for_certificates(prefix: str, pair: str) -> None:
    made = translated(f"-addr h:1 {pair} -{prefix}ca-file ca.pem")
    assert made.config[f"{prefix}trusted-ca-file"] == "ca.pem"
    assert made.config[f"{prefix}client-cert-auth"] == "true"
    assert f"{prefix}ca-file" not in made.config


@pytest.mark.parametrize("prefix", ["", "peer-"])
def test_a_ca_file_without_a_pair_had_no_effect(prefix: str) -> None:
    made = translated(f"-addr h:1 -{prefix}ca-file ca.pem")
    assert (
        not {f"{prefix}trusted-ca-file", f"{prefix}client-cert-auth", f"{prefix}ca-file"} & made.config.keys()
    )
    assert finding(made, "ca-without-pair").setting == f"{prefix}ca-file"


def test_an_empty_ca_file_is_none() -> None:
    made = translated("-addr h:1 -ca-file=")
    assert "ca-without-pair" not in codes(made.findings)
    assert "ca-file" not in made.config


def test_2_x_settings_stay_as_they_are() -> None:
    line = "-trusted-ca-file t.pem -client-cert-auth -ca-file ca.pem -cert-file c.pem"
    assert translated(line).config == {
        "trusted-ca-file": "t.pem",
        "client-cert-auth": "true",
        "ca-file": "ca.pem",
        "cert-file": "c.pem",
    }


def test_the_old_names_of_1_look_the_wrong_way_round_and_are_not() -> None:
    made = translated(
        "-clientCert c -clientKey k -clientCAFile ca -serverCert pc -serverKey pk -serverCAFile pca"
    )
    assert made.config["cert-file"] == "c"
    assert made.config["peer-cert-file"] == "pc"
    assert made.config["trusted-ca-file"] == "ca"
    assert made.config["peer-trusted-ca-file"] == "pca"
