"""Whether and how a static cluster begins: the rows of etcd 2.3.8's error table that concern it."""

import pytest

from server.cluster import BootstrapError, id_text, initial_members, refuse_what_needs_others
from server.config import Config, load

PEER = "http://127.0.0.1:24301"


def resolve(host: str) -> str:
    addresses = {"n0.example": "127.0.0.1", "n1.example": "10.0.0.1"}
    if host not in addresses:
        raise OSError("no such host")
    return addresses[host]


def config(**settings: str) -> Config:
    given = {"name": "a", "initial-advertise-peer-urls": PEER, "initial-cluster": f"a={PEER}"}
    return load(given | {key.replace("_", "-"): value for key, value in settings.items()})


def refusal(of: Config) -> list[str]:
    with pytest.raises(BootstrapError) as caught:
        initial_members(of, resolve)
    return [f"{level} {text}" for level, text in caught.value.lines]


def test_a_cluster_of_one_has_the_member_the_settings_make() -> None:
    (member,) = initial_members(
        config(
            initial_advertise_peer_urls="http://127.0.0.1:24201", initial_cluster="a=http://127.0.0.1:24201"
        ),
        resolve,
    )
    assert (id_text(member.id), member.name, member.peer_urls) == (
        "b5aa2546e8364707",
        "a",
        ("http://127.0.0.1:24201",),
    )


def test_a_name_that_is_not_in_the_list() -> None:
    line = 'C couldn\'t find local name "a" in the initial cluster configuration'
    assert refusal(config(initial_cluster=f"b={PEER}")) == [line]
    assert refusal(config(initial_cluster="")) == [line]


def test_urls_that_differ_from_the_advertised_ones() -> None:
    assert refusal(config(initial_cluster="a=http://127.0.0.1:1")) == [
        f"I --initial-cluster must include a={PEER} given --initial-advertise-peer-urls={PEER}"
    ]


def test_hints_when_no_list_was_given() -> None:
    lines = refusal(load({"name": "a", "initial-advertise-peer-urls": PEER}))
    assert lines[1:] == [
        "I forgot to set --initial-cluster flag?",
        "I if you want to use discovery service, please set --discovery flag.",
    ]


def test_hint_when_no_advertised_urls_were_given() -> None:
    lines = refusal(load({"name": "a", "initial-cluster": f"a={PEER}"}))
    assert lines[1:] == ["I forgot to set --initial-advertise-peer-urls flag?"]


def test_a_host_name_equals_its_address() -> None:
    assert initial_members(config(initial_advertise_peer_urls="http://n0.example:24301"), resolve)
    assert "must include" in refusal(config(initial_advertise_peer_urls="http://n1.example:24301"))[0]
    assert "must include" in refusal(config(initial_advertise_peer_urls="http://nobody.example:24301"))[0]


def test_localhost_is_not_looked_up() -> None:
    assert "must include" in refusal(config(initial_advertise_peer_urls="http://localhost:24301"))[0]


def test_the_id_is_made_of_the_urls_of_the_list_not_of_the_advertised_ones() -> None:
    by_name = initial_members(config(initial_advertise_peer_urls="http://n0.example:24301"), resolve)
    assert by_name == initial_members(config(), resolve)


def test_a_url_twice_in_the_list() -> None:
    both = f"a={PEER},b={PEER}"
    assert refusal(config(initial_cluster=both)) == [f"C initial cluster {both} has duplicate url"]


def test_an_item_without_url() -> None:
    line = "C error setting up initial cluster: URL scheme must be http or https: "
    assert refusal(config(initial_cluster="a")) == [line]


def test_joining_a_cluster_that_has_no_other_member() -> None:
    lines = refusal(config(initial_cluster_state="existing"))
    assert lines[0] == (
        "C cannot fetch cluster info from peer urls: could not retrieve cluster information from the given urls"
    )


def test_more_members_are_refused_with_the_setting_and_the_way_out() -> None:
    (line,) = refusal(config(initial_cluster=f"a={PEER},b=http://127.0.0.1:2,c=http://127.0.0.1:3"))
    assert "--initial-cluster names 3 members (a, b, c)" in line
    assert "clusters of one member" in line
    assert "--engine" in line


@pytest.mark.parametrize(
    ("setting", "value"),
    [("discovery", "http://d/x"), ("discovery-srv", "example.com"), ("experimental-v3demo", "true")],
)  # fmt: skip
def test_what_needs_others_is_refused_by_name(setting: str, value: str) -> None:
    with pytest.raises(BootstrapError, match=rf"--{setting}.*--engine"):
        refuse_what_needs_others(load({setting: value}))


def test_nothing_is_refused_that_was_left_at_its_default() -> None:
    refuse_what_needs_others(load({"proxy": "off", "discovery": "", "experimental-v3demo": "false"}))
