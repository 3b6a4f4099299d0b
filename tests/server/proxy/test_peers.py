"""Which way leads to the peer URLs."""

import pytest

from server.cluster.bootstrap import BootstrapError
from server.config import Config, load
from server.proxy import peers
from server.proxy.peers import find_peers, peer_urls


def test_the_urls_of_an_initial_cluster_are_sorted_whoever_has_them() -> None:
    assert peer_urls("b=http://h:2,a=http://h:3,b=http://h:1") == ["http://h:1", "http://h:2", "http://h:3"]


def test_what_is_no_list_is_refused_in_etcds_words() -> None:
    with pytest.raises(
        BootstrapError, match="error setting up initial cluster: URL scheme must be http or https: "
    ):
        peer_urls("a")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"initial-cluster": "a=http://static:1"}, ["http://static:1"]),
        ({"discovery": "http://d/x"}, ["http://discovered:1"]),
        ({"discovery-srv": "example.com"}, ["http://dns:1"]),
        ({"discovery-srv": "example.com", "proxy": "off"}, ["http://dns:1"]),
        ({}, ["http://localhost:2380", "http://localhost:7001"]),
    ],
)
def test_the_way_is_the_one_that_is_configured(
    setting: dict[str, str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_dns(config: Config) -> Config:
        assert config.proxy != "off"  # else it would have to be among them itself
        return config._replace(initial_cluster="0=http://dns:1")

    monkeypatch.setattr(peers, "cluster_by_discovery", lambda _: "a=http://discovered:1")
    monkeypatch.setattr(peers, "members_by_dns", by_dns)
    assert find_peers(load({"proxy": "on", **setting})) == expected
