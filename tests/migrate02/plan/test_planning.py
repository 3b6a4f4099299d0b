"""Nodes in, a plan out: who is in it, with which settings, and what does not fit together."""

from __future__ import annotations

import itertools

import pytest

from compat.findings import ERROR, REVIEW
from migrate02.plan.planning import PlanOptions, make_plan
from migrate02.plan.runbook import runbook
from server.config import load
from tests.migrate02.plan.described import codes, node, only, three

THREE = "infra1=http://10.7.0.11:7001,infra2=http://10.7.0.12:7001,infra3=http://10.7.0.13:7001"


def test_every_member_gets_the_same_cluster_and_token() -> None:
    plan = only(make_plan(three()))
    assert plan.initial_cluster == THREE
    assert {member.settings["initial-cluster"] for member in plan.members} == {THREE}
    assert {member.settings["initial-cluster-state"] for member in plan.members} == {"new"}
    assert {member.settings["initial-cluster-token"] for member in plan.members} == {"etcd-cluster-infra1"}
    assert plan.findings == ()


def test_a_start_line_is_one_that_2x_takes() -> None:
    for member in only(make_plan(three())).members:
        load(dict(member.settings))
        assert member.command[:2] == ["etcd02", f"--name={member.name}"]


def test_a_boolean_has_its_value_behind_an_equals_sign() -> None:
    """``--debug true`` is a boolean and a stray word."""
    assert "--debug=true" in only(make_plan(three(v="true"))).members[0].command


def test_a_member_whose_directory_nobody_knows_gets_none_of_its_own() -> None:
    member = only(make_plan([], PlanOptions(members=(("a", "http://10.0.0.1:7001"),)))).members[0]
    assert member.settings["data-dir"] == "/DATA-DIR-OF-a"


def test_the_order_of_the_nodes_makes_no_difference() -> None:
    nodes = [*three()[:2], node("infra3", "10.7.0.12", peers="10.7.0.11:7001", peer_heartbeat_interval="7")]
    plans = [make_plan(order) for order in itertools.permutations(nodes)]
    assert all(plan == plans[0] for plan in plans)


def test_nodes_are_ordered_by_number() -> None:
    nodes = [node(f"n{at}", f"10.0.0.{at}", peers="10.0.0.10:7001") for at in (10, 9, 1)]
    assert [member.name for member in only(make_plan(nodes)).members] == ["n1", "n9", "n10"]


def test_nodes_that_know_nobody_are_clusters_of_their_own() -> None:
    plan = make_plan([node("a", "10.0.0.1"), node("b", "10.0.0.2")])
    assert [cluster.initial_cluster for cluster in plan.clusters] == [
        "a=http://10.0.0.1:7001",
        "b=http://10.0.0.2:7001",
    ]
    assert [cluster.token for cluster in plan.clusters] == ["etcd-cluster-a", "etcd-cluster-b"]


def test_clusters_whose_first_nodes_are_called_alike_are_told_apart() -> None:
    plan = make_plan([node("a", f"10.0.0.{at}")._replace(source=f"{at}.conf") for at in (1, 2, 3)])
    assert [cluster.name for cluster in plan.clusters] == ["a", "a-2", "a-3"]
    assert [cluster.token for cluster in plan.clusters] == [
        "etcd-cluster-a",
        "etcd-cluster-a-2",
        "etcd-cluster-a-3",
    ]


def test_a_person_can_say_that_they_are_one() -> None:
    plan = make_plan([node("a", "10.0.0.1"), node("b", "10.0.0.2")], PlanOptions(together=True))
    assert only(plan).initial_cluster == "a=http://10.0.0.1:7001,b=http://10.0.0.2:7001"


def test_a_discovery_token_makes_a_cluster_and_is_not_used_again() -> None:
    token = "https://discovery.etcd.io/abc"
    plan = only(make_plan([node("a", "10.0.0.1", discovery=token), node("b", "10.0.0.2", discovery=token)]))
    assert [member.name for member in plan.members] == ["a", "b"]
    assert all("discovery" not in member.settings for member in plan.members)


def test_the_token_may_be_told() -> None:
    assert only(make_plan(three(), PlanOptions(token="mine"))).token == "mine"


def test_two_machines_may_both_be_at_home() -> None:
    plan = make_plan([node("dev", data_dir="d"), node("test", data_dir="t")])
    assert [len(cluster.members) for cluster in plan.clusters] == [1, 1]
    assert codes(plan) == []


def test_members_on_one_machine_form_a_cluster_by_their_ports() -> None:
    nodes = [
        node(f"m{at}", addr=f"127.0.0.1:400{at}", peer_addr=f"127.0.0.1:700{at}", peers="127.0.0.1:7001")
        for at in (1, 2, 3)
    ]
    plan = make_plan(nodes)
    assert len(only(plan).members) == 3
    assert codes(plan) == []


# Standbys.


def test_a_standby_becomes_a_proxy_that_knows_the_members() -> None:
    plan = only(make_plan(three(snapshot_count="5000"), PlanOptions(standbys=("infra2",))))
    cluster = "infra1=http://10.7.0.11:7001,infra3=http://10.7.0.13:7001"
    (proxy,) = plan.proxies
    assert proxy.settings == {
        "name": "infra2",
        "data-dir": "/var/lib/etcd",
        "listen-client-urls": "http://[::]:4001",
        "initial-cluster": cluster,
        "proxy": "on",
    }
    assert plan.initial_cluster == cluster
    load(dict(proxy.settings))


def test_a_standby_that_nobody_knows_is_told() -> None:
    plan = make_plan(three(), PlanOptions(standbys=("infra9",)))
    assert codes(plan) == ["name-unknown"]
    assert plan.worst == ERROR


def test_more_nodes_than_the_active_size_are_a_question() -> None:
    nodes = [
        node(f"n{at}", f"10.0.0.{at}", peers="10.0.0.1:7001", cluster_active_size="3") for at in range(1, 6)
    ]
    plan = make_plan(nodes)
    assert codes(plan) == ["standby-unknown"]
    assert "--standby" in plan.all_findings[0].remedy
    assert codes(make_plan(nodes, PlanOptions(standbys=("n4", "n5")))) == []


def test_an_active_size_below_three_is_three_as_in_04() -> None:
    nodes = [
        node(f"n{at}", f"10.0.0.{at}", peers="10.0.0.1:7001", cluster_active_size="1") for at in range(1, 5)
    ]
    assert "only 3 may vote, so 1 was a standby" in make_plan(nodes).all_findings[0].message
    assert codes(make_plan(nodes[:3])) == []


def test_ten_nodes_are_more_than_vote_by_default() -> None:
    nodes = [node(f"n{at}", f"10.0.0.{at}", peers="10.0.0.1:7001") for at in range(1, 11)]
    assert codes(make_plan(nodes)) == ["standby-unknown"]
    assert codes(make_plan(nodes[:9])) == []


def test_a_cluster_of_standbys_alone_is_refused() -> None:
    plan = make_plan(three(), PlanOptions(standbys=("infra1", "infra2", "infra3")))
    assert only(plan).is_refused


# What does not fit together.


def test_two_nodes_of_one_name_are_refused() -> None:
    nodes = three()
    plan = make_plan([*nodes[:2], node("infra2", "10.7.0.13", peers="10.7.0.11:7001")])
    assert codes(plan) == ["same-name"]
    assert only(plan).is_refused
    assert "2 nodes are called infra2: infra2.conf and infra2.conf" in plan.all_findings[0].message


@pytest.mark.parametrize("side", ["addr", "peer_addr"])
def test_two_nodes_at_one_address_are_refused(side: str) -> None:
    nodes = three()
    port = {"addr": 4001, "peer_addr": 7001}[side]
    copy = node("infra4", "10.7.0.14", peers="10.7.0.11:7001", **{side: f"10.7.0.12:{port}"})
    plan = make_plan([*nodes, copy])
    (finding,) = [item for item in plan.all_findings if item.code == "same-address"]
    assert f"10.7.0.12:{port}" in finding.message
    assert "infra2" in finding.message
    assert "infra4" in finding.message
    assert only(plan).is_refused


def test_one_node_cannot_have_both_sides_at_one_address() -> None:
    plan = make_plan([node("a", addr="10.0.0.1:4001", peer_addr="10.0.0.1:4001")])
    assert codes(plan) == ["same-address"]


def test_one_machine_cannot_be_two_members_at_one_port() -> None:
    nodes = [
        node("a", addr="127.0.0.1:4001", peer_addr="127.0.0.1:7001"),
        node("b", addr="127.0.0.1:4001", peer_addr="127.0.0.1:7002", peers="127.0.0.1:7001"),
    ]
    assert codes(make_plan(nodes)) == ["same-address"]


def test_a_peer_that_no_file_describes_refuses_the_plan() -> None:
    plan = make_plan(three()[:2])
    assert codes(plan) == ["unknown-peer"]
    (finding,) = plan.all_findings
    assert "10.7.0.13:7001 in -peers of infra1, infra2" in finding.message
    assert "--gone 10.7.0.13:7001" in finding.remedy
    assert only(plan).is_refused


def test_a_peer_that_is_gone_is_left_out() -> None:
    plan = make_plan(three()[:2], PlanOptions(gone=("10.7.0.13:7001",)))
    assert codes(plan) == []
    assert [member.name for member in only(plan).members] == ["infra1", "infra2"]


@pytest.mark.parametrize("given", ["infra3", "10.7.0.31:7001", "http://10.7.0.13:7001", "10.7.0.13"])
def test_what_is_said_to_be_gone_and_is_in_no_list_is_refused(given: str) -> None:
    plan = make_plan(three()[:2], PlanOptions(gone=(given,)))
    assert plan.worst == ERROR
    (finding,) = plan.findings
    assert finding.message == f"--gone {given}: no node has it in -peers."
    assert finding.remedy == "Give HOST:PORT as it is there: 10.7.0.13:7001."


def test_where_all_peers_are_known_nothing_is_gone() -> None:
    (finding,) = make_plan(three(), PlanOptions(gone=("10.7.0.14:7001",))).all_findings
    assert finding.remedy == "Leave it out: all peers are known."


def test_a_member_can_be_described_by_hand() -> None:
    plan = make_plan(three()[:2], PlanOptions(members=(("infra3", "http://10.7.0.13:7001"),)))
    assert only(plan).initial_cluster == THREE
    assert codes(plan) == ["half-known"]
    assert plan.worst == REVIEW


def test_nodes_whose_common_peer_is_unknown_are_still_one_cluster() -> None:
    plan = make_plan(
        [node("a", "10.0.0.1", peers="10.0.0.9:7001"), node("b", "10.0.0.2", peers="10.0.0.9:7001")]
    )
    assert [member.name for member in only(plan).members] == ["a", "b"]


def test_a_client_address_among_the_peers_is_named_as_that() -> None:
    nodes = [node("a", "10.0.0.1"), node("b", "10.0.0.2", peers="10.0.0.1:4001")]
    (finding,) = make_plan(nodes, PlanOptions(together=True)).all_findings
    assert "the client address of a" in finding.message
    assert finding.remedy == "Write 10.0.0.1:7001."


def test_a_loopback_address_among_other_machines_is_refused() -> None:
    nodes = [node("a", "10.0.0.1"), node("b", peers="10.0.0.1:7001", addr="10.0.0.2:4001")]
    plan = make_plan(nodes)
    assert codes(plan) == ["unreachable-address"]
    assert "127.0.0.1:7001" in plan.all_findings[0].message


def test_a_wildcard_as_an_address_is_refused() -> None:
    nodes = [node("a", "10.0.0.1"), node("b", "10.0.0.2", peer_addr="0.0.0.0:7001", peers="10.0.0.1:7001")]
    assert codes(make_plan(nodes)) == ["unreachable-address"]


def test_tls_on_some_members_only_is_told() -> None:
    nodes = three()
    with_tls = node(
        "infra3",
        "10.7.0.13",
        peers="10.7.0.11:7001",
        peer_cert_file="/c",
        peer_key_file="/k",
        cert_file="/c",
        key_file="/k",
    )
    plan = make_plan([*nodes[:2], with_tls])
    assert codes(plan) == ["mixed-tls", "mixed-tls"]
    assert "http: infra1, infra2; https: infra3" in plan.all_findings[0].message
    assert "infra3=https://10.7.0.13:7001" in only(plan).initial_cluster


def test_members_with_another_timing_are_told() -> None:
    nodes = three(peer_heartbeat_interval="200", peer_election_timeout="1000")
    plan = make_plan([*nodes[:2], *three()[2:]])
    assert codes(plan) == ["mixed-timing"]
    assert "infra1, infra2: 200/1000; infra3: default/default" in plan.all_findings[0].message


def test_a_node_without_a_name_is_refused() -> None:
    assert codes(make_plan([node("", "10.0.0.1")])) == ["name-unknown"]


@pytest.mark.parametrize("name", ["a=b", "a,b", "a\nb"])
def test_a_name_that_cannot_be_listed_is_refused(name: str) -> None:
    assert codes(make_plan([node(name, "10.0.0.1")])) == ["name-unknown"]


def test_an_address_that_is_filled_in_later_is_told() -> None:
    plan = make_plan([node("a", "$private_ipv4")])
    assert codes(plan) == ["filled-in-later"]
    assert not only(plan).is_refused


def test_bound_to_one_address_and_advertised_at_another() -> None:
    plan = make_plan([node("a", "10.0.0.1", bind_addr="192.168.0.1:4001")])
    assert codes(plan) == ["listens-elsewhere"]
    assert codes(make_plan([node("a", "10.0.0.1", bind_addr="0.0.0.0")])) == []
    assert codes(make_plan([node("a", "a.example.com", bind_addr="192.168.0.1:4001")])) == []


def test_what_etcd_would_refuse_of_one_node_refuses_its_cluster() -> None:
    nodes = [*three()[:2], node("infra3", "10.7.0.13", peers="10.7.0.11:7001", addr="10.7.0.13")]
    plan = make_plan(nodes)
    assert "invalid-value" in codes(plan)
    assert only(plan).is_refused


# Ports.


def test_ports_are_kept_unless_asked() -> None:
    member = only(make_plan(three())).members[0]
    assert member.settings["advertise-client-urls"] == "http://10.7.0.11:4001"


def test_ports_move_on_both_sides_and_in_the_cluster() -> None:
    plan = only(make_plan(three(bind_addr="0.0.0.0"), PlanOptions(ports="move")))
    settings = plan.members[0].settings
    assert settings["listen-peer-urls"] == "http://[::]:2380"
    assert settings["listen-client-urls"] == "http://0.0.0.0:2379"
    assert settings["advertise-client-urls"] == "http://10.7.0.11:2379"
    assert plan.initial_cluster == THREE.replace("7001", "2380")


def test_clients_find_both_ports_during_the_change() -> None:
    settings = only(make_plan(three(), PlanOptions(ports="both"))).members[0].settings
    assert settings["listen-client-urls"] == "http://[::]:2379,http://[::]:4001"
    assert settings["advertise-client-urls"] == "http://10.7.0.11:2379"
    assert settings["listen-peer-urls"] == "http://[::]:2380"


def test_a_port_that_somebody_chose_or_maps_stays() -> None:
    nodes = [
        node(
            "a",
            addr="10.0.0.1:34001",
            peer_addr="10.0.0.1:37001",
            bind_addr="0.0.0.0:4001",
            peer_bind_addr="0.0.0.0:7001",
        ),
        node("b", addr="10.0.0.2:5001", peer_addr="10.0.0.2:8001"),
    ]
    kept, moved = make_plan(nodes), make_plan(nodes, PlanOptions(ports="move"))
    assert [cluster.members for cluster in kept.clusters] == [cluster.members for cluster in moved.clusters]


def test_clusters_that_one_file_sets_up_change_together() -> None:
    """The list of one is no other's: the conversion of the file refused it for the other's node."""
    shared = [
        node("a", "10.0.0.1")._replace(files=("Procfile", "a.env")),
        node("b", "10.0.0.2")._replace(files=("Procfile",)),
    ]
    alone = node("c", "10.0.0.3")
    plan = make_plan([*shared, alone])
    assert codes(plan) == ["shared-file", "shared-file"]
    assert {finding.message for finding in plan.all_findings} == {
        "This sets up nodes of several clusters: a, b."
    }
    lines = {
        line
        for cluster in plan.clusters[:2]
        for step in runbook(cluster)
        for line in step.run
        if "convert --write" in line
    }
    assert lines == {"migrate02 convert --write --allow-residue Procfile a.env"}
    assert plan.clusters[2].shared_with == ()
