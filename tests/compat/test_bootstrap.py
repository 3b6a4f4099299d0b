import pytest

from compat.translate import Surroundings
from tests.compat.helpers import codes, finding, translated

WITH_DATA = Surroundings("host1", member_has_data=True, is_this_machine=True)


@pytest.mark.parametrize(
    ("line", "environ", "named"),
    [
        (
            "-peers a:7001",
            {},
            'invalid value "a:7001" for flag -peers: flag "-peers" is no longer supported.',
        ),
        ("-peers=", {}, 'invalid value "" for flag -peers: flag "-peers" is no longer supported.'),
        ("-C a:7001", {}, 'invalid value "a:7001" for flag -peers: flag "-peers" is no longer supported.'),
        (
            "-peers-file f",
            {},
            'invalid value "f" for flag -peers-file: flag "-peers-file" is no longer supported.',
        ),
        (
            "",
            {"ETCD_PEERS": "a:7001"},
            'invalid value "a:7001" for ETCD_PEERS: flag "-peers" is no longer supported.',
        ),
        (
            "",
            {"ETCD_PEERS_FILE": "f"},
            'invalid value "f" for ETCD_PEERS_FILE: flag "-peers-file" is no longer supported.',
        ),
    ],
)
def test_peers_are_refused_in_2_3_8s_words_and_point_to_initial_cluster(
    line: str, environ: dict[str, str], named: str
) -> None:
    made = translated(line, environ)
    said = finding(made, "peers")
    assert made.refused
    assert named in said.message
    assert "different semantics" in said.message
    assert "clustering guide" in said.message
    assert "--initial-cluster" in said.remedy


def test_the_proposal_has_what_one_node_can_tell() -> None:
    made = translated("-name n1 -peer-addr 10.0.0.1:7001 -peers 10.0.0.1:7001,10.0.0.2:7001,,h3:7001")
    assert finding(made, "peers").remedy.endswith(
        "--initial-cluster n1=http://10.0.0.1:7001,10.0.0.2=http://10.0.0.2:7001,h3=http://h3:7001"
    )


def test_the_proposal_is_https_with_peer_tls() -> None:
    made = translated("-name n1 -peer-addr a:1 -peers b:1 -peer-cert-file c -peer-key-file k")
    assert "n1=https://a:1,b=https://b:1" in finding(made, "peers").remedy


def test_the_proposal_for_a_file_names_the_file() -> None:
    assert "for each address in peers.txt" in finding(translated("-peers-file peers.txt"), "peers").remedy


@pytest.mark.parametrize("line", ["-peers a:7001", "-peers-file f"])
def test_peers_are_passed_over_beside_initial_cluster(line: str) -> None:
    made = translated(f"{line} -initial-cluster a=http://a:1")
    assert not made.refused
    assert made.config["initial-cluster"] == "a=http://a:1"
    assert "peers-passed-over" in codes(made.findings)


def test_peers_are_passed_over_on_a_member_that_has_its_data() -> None:
    made = translated("-peers a:7001 -peer-addr 1.2.3.4:1", around=WITH_DATA)
    assert not made.refused
    assert "peers-passed-over" in codes(made.findings)
    assert "initial-cluster" not in made.config


def test_neither_peers_nor_discovery_is_a_new_cluster_of_one() -> None:
    made = translated("-name m1 -peer-addr 127.0.0.1:7001")
    assert made.config["initial-cluster"] == "m1=http://127.0.0.1:7001"
    assert finding(made, "single-member").setting == "initial-cluster"


def test_the_cluster_of_one_is_not_told_again_to_a_member_with_data() -> None:
    made = translated("-name m1 -peer-addr 127.0.0.1:7001", around=WITH_DATA)
    assert made.config["initial-cluster"] == "m1=http://127.0.0.1:7001"
    assert "single-member" not in codes(made.findings)


def test_a_2_x_line_with_peer_addr_gets_its_cluster_of_one_too() -> None:
    made = translated("-debug -peer-addr 127.0.0.1:7001")
    assert made.era == "2.x"
    assert made.config["initial-cluster"] == "default=http://127.0.0.1:7001"


@pytest.mark.parametrize(
    "line",
    [
        "-peer-addr 1.2.3.4:1 -initial-cluster-state existing",
        "-peer-addr 1.2.3.4:1 -proxy on",
        "-peer-addr 1.2.3.4:1 -proxy readonly",
        "-peer-addr 1.2.3.4:1 -discovery http://d/t",
        "-peer-addr 1.2.3.4:1 -discovery-srv example.com",
        "-name m1",
    ],
)
def test_where_2_3_8_starts_no_new_cluster_of_one_neither_do_we(line: str) -> None:
    made = translated(line)
    assert not made.refused
    assert "initial-cluster" not in made.config


def test_an_old_discovery_token_is_doubted() -> None:
    made = translated("-addr 1.2.3.4:1 -discovery http://d/t")
    assert made.config["discovery"] == "http://d/t"
    assert "initial-cluster" not in made.config
    assert "_config/size" in finding(made, "discovery-token").remedy


@pytest.mark.parametrize("line", ["-discovery http://d/t", "-debug -discovery http://d/t"])
def test_a_token_on_a_line_that_may_be_2_x_is_not_doubted(line: str) -> None:
    assert "discovery-token" not in codes(translated(line).findings)


def test_a_member_with_data_does_not_look_at_the_token() -> None:
    assert "discovery-token" not in codes(
        translated("-addr 1.2.3.4:1 -discovery http://d/t", around=WITH_DATA).findings
    )


def test_an_empty_discovery_of_0_4_is_none() -> None:
    made = translated("-addr 1.2.3.4:1 -discovery=")
    assert "discovery" not in made.config
    assert made.config["initial-cluster"] == "host1=http://127.0.0.1:7001"


# The name, and whose defaults hold.


@pytest.mark.parametrize(
    ("line", "environ", "era"),
    [
        ("", {}, "2.x"),
        ("-name m1", {}, "2.x"),
        ("-name m1 -data-dir d -cors http://a", {}, "2.x"),
        ("-addr 1.2.3.4:1", {}, "0.4"),
        ("-n m1", {}, "0.4"),
        ("-n m1 -d d", {}, "0.4"),
        ("-clientCert c -clientKey k", {}, "0.4"),
        ("", {"ETCD_SNAPSHOTCOUNT": "5"}, "0.4"),
        ("", {"ETCD_SNAPSHOT_COUNT": "5"}, "2.x"),
        ("-name m1 -v", {}, "0.4"),
        ("-addr 1.2.3.4:1 -debug", {}, "2.x"),
        ("-n m1 -debug", {}, "2.x"),
        ("-addr 1.2.3.4:1", {"ETCD_INITIAL_CLUSTER": "a=http://a:1"}, "2.x"),
        ("-addr 1.2.3.4:1", {"ETCD_WHATEVER": "1"}, "0.4"),
    ],
)
def test_the_era(line: str, environ: dict[str, str], era: str) -> None:
    assert translated(line, environ).era == era


def test_defaults_of_0_4_fill_what_was_not_given() -> None:
    made = translated("-v")
    assert made.config == {
        "name": "host1",
        "data-dir": "host1.etcd",
        "listen-peer-urls": "http://[::]:7001",
        "listen-client-urls": "http://[::]:4001",
        "initial-advertise-peer-urls": "http://127.0.0.1:7001",
        "advertise-client-urls": "http://127.0.0.1:4001",
        "initial-cluster": "host1=http://127.0.0.1:7001",
        "debug": "true",
    }


def test_defaults_of_2_3_8_hold_otherwise() -> None:
    assert translated("-name m1 -debug").config == {"name": "m1", "debug": "true"}
    assert translated("").config == {}


def test_the_host_name_is_the_name_of_an_unnamed_member_of_0_4() -> None:
    made = translated("-addr 1.2.3.4:1")
    assert made.config["name"] == "host1"
    assert "0.4 used the host name" in finding(made, "name-from-hostname").message
    assert translated("-name= -addr 1.2.3.4:1").config["name"] == "host1"


def test_a_data_dir_without_a_name_stopped_0_4() -> None:
    made = translated("-addr 1.2.3.4:1 -data-dir d")
    assert "Name cannot be blank" in finding(made, "name-from-hostname").message


def test_elsewhere_the_old_format_of_the_data_is_told() -> None:
    made = translated("-addr 1.2.3.4:1 -name m1", around=Surroundings("host1"))
    assert "0.4's data in m1.etcd" in finding(made, "old-data-format").message
    assert "old-data-format" not in codes(translated("-addr 1.2.3.4:1 -name m1").findings)
