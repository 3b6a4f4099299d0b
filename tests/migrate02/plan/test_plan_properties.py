"""Whatever the nodes are like: a plan is made, and what it starts is something that 2.x takes."""

from __future__ import annotations

import json
import random
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from migrate02.plan.listing import as_json
from migrate02.plan.markdown import as_markdown
from migrate02.plan.nodes import Node
from migrate02.plan.page import as_html
from migrate02.plan.planning import PlanOptions, make_plan
from migrate02.plan.ports import CHOICES
from server.config import load, parse_urls_map
from tests.migrate02.plan.described import node

NAMES = ["a", "b", "c", "n1", "n10", "a b", "it's", "é<&>", "a=b", "%H", ""]
HOSTS = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    "127.0.0.1",
    "0.0.0.0",
    "[fd00::1]",
    "a.example.com",
    "$IP",
    "bad host",
]
PORTS = ["4001", "7001", "7002", "70000", "", "x"]

address = st.builds(
    lambda host, port: f"{host}:{port}" if port else host, st.sampled_from(HOSTS), st.sampled_from(PORTS)
)
described = st.fixed_dictionaries(
    {},
    optional={
        "addr": address,
        "peer_addr": address,
        "bind_addr": address,
        "peer_bind_addr": address,
        "peers": st.lists(address, max_size=3).map(",".join),
        "data_dir": st.sampled_from(["/var/lib/etcd", "rel", "/with blank", "/quote'd", ""]),
        "cert_file": st.just("/cert"),
        "key_file": st.just("/key"),
        "peer_cert_file": st.just("/cert"),
        "peer_key_file": st.just("/key"),
        "peer_ca_file": st.just("/ca"),
        "discovery": st.sampled_from(["", "https://d/1"]),
        "cluster_active_size": st.sampled_from(["3", "9", "x", "1"]),
        "peer_heartbeat_interval": st.sampled_from(["50", "0", "x", "5000"]),
        "peer_election_timeout": st.sampled_from(["200", "1000"]),
        "v": st.sampled_from(["true", "false"]),
        "cors": st.just("*"),
    },
)
odd = st.lists(
    st.builds(lambda name, more: node(name, **more), st.sampled_from(NAMES), described), max_size=3
)

harmless = st.fixed_dictionaries(
    {"peers": st.sampled_from(["10.1.0.1:7001", "10.1.0.1:7001,10.1.0.2:7001"])},
    optional={
        "bind_addr": st.sampled_from(["0.0.0.0", "0.0.0.0:4001", "[::]:14001"]),
        "data_dir": st.sampled_from(["/var/lib/etcd", "rel", "/with blank", "/quote'd"]),
        "tls": st.just("yes"),
        "peer_heartbeat_interval": st.sampled_from(["50", "100", "5000"]),
        "peer_election_timeout": st.sampled_from(["200", "1000"]),
        "v": st.sampled_from(["true", "false"]),
        "cluster_active_size": st.sampled_from(["3", "9"]),
        "snapshot_count": st.just("5000"),
    },
)


def sound(number: int, more: dict[str, str]) -> Node:
    """A node that fits to the others of its cluster."""
    more = dict(more)
    if more.pop("tls", ""):
        more |= {"cert_file": "/cert", "key_file": "/key", "peer_cert_file": "/cert", "peer_key_file": "/key"}
    return node("abcdef"[number], f"10.1.0.{number + 1}", **more)


nodes = st.one_of(
    odd,
    st.lists(harmless, min_size=2, max_size=6).map(lambda more: list(map(sound, range(6), more))),
    st.builds(
        lambda some, more: [*some, *map(sound, range(6), more)],
        odd,
        st.lists(harmless, min_size=2, max_size=6),
    ),
)
options = st.builds(
    PlanOptions,
    ports=st.sampled_from(CHOICES),
    standbys=st.lists(st.sampled_from(NAMES[:4]), max_size=2).map(tuple),
    gone=st.lists(address, max_size=2).map(tuple),
    together=st.booleans(),
    token=st.just(""),
    members=st.just(()),
    gateway=st.none(),
)


@settings(max_examples=200, deadline=None)
@given(nodes, options, st.randoms(use_true_random=False))
def test_what_a_plan_starts_is_what_2x_takes(
    found: list[Node], wanted: PlanOptions, order: random.Random
) -> None:
    found = [each._replace(source=f"{at}.conf", files=(f"{at}.conf",)) for at, each in enumerate(found)]
    plan = make_plan(found, wanted)
    for cluster in plan.clusters:
        if cluster.is_refused:
            continue
        names = [member.name for member in cluster.members]
        assert len(set(names)) == len(names)
        for planned in cluster.nodes:
            if not any("$" in value for value in planned.settings.values()):
                load(dict(planned.settings))
                assert list(parse_urls_map(cluster.initial_cluster)) == sorted(names)
    assert sorted(node.node.source for cluster in plan.clusters for node in cluster.nodes) == sorted(
        node.source for node in found
    )
    mixed = list(found)
    order.shuffle(mixed)
    assert as_markdown(make_plan(mixed, wanted)) == as_markdown(plan)
    json.loads(as_json(plan))
    ElementTree.fromstring(as_html(plan).replace("<!DOCTYPE html>", ""))
