"""Whether and how a static cluster begins: the rows of etcd 2.3.8's error table that concern it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.cluster import (
    AskPeer,
    BootstrapError,
    Founding,
    PeerAnswer,
    found,
    id_text,
    initial_members,
    refuse_what_needs_others,
)
from server.cluster.bootstrap import check_initial_cluster
from server.config import Config, load
from tests.support.asking import Others, members_reply, nobody

PEER = "http://127.0.0.1:24301"
RECORDED = json.loads((Path(__file__).parents[3] / "fixtures" / "ids.json").read_bytes())["bootstrap"]


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
    lines = [
        'C couldn\'t find local name "a" in the initial cluster configuration',
        f"I a not listed in the initial cluster config: add a={PEER} to --initial-cluster",
    ]
    assert refusal(config(initial_cluster=f"b={PEER}")) == lines
    assert refusal(config(initial_cluster="")) == lines


def test_a_name_is_missed_before_anything_listens_but_not_on_a_member_that_has_begun() -> None:
    with pytest.raises(BootstrapError, match="couldn't find local name"):
        check_initial_cluster(config(initial_cluster=f"b={PEER}"), begins=True)
    check_initial_cluster(config(initial_cluster=f"b={PEER}"), begins=False)


OF_GUIDE = "I error setting up initial cluster: a has different advertised URLs in the cluster and advertised peer URLs list"


def test_urls_that_differ_from_the_advertised_ones() -> None:
    assert refusal(config(initial_cluster="a=http://127.0.0.1:1")) == [
        f"I --initial-cluster must include a={PEER} given --initial-advertise-peer-urls={PEER}",
        OF_GUIDE,
    ]


def test_hints_when_no_list_was_given() -> None:
    lines = refusal(load({"name": "a", "initial-advertise-peer-urls": PEER}))
    assert lines[1:] == [
        "I forgot to set --initial-cluster flag?",
        "I if you want to use discovery service, please set --discovery flag.",
        OF_GUIDE,
    ]


def test_hint_when_no_advertised_urls_were_given() -> None:
    lines = refusal(load({"name": "a", "initial-cluster": f"a={PEER}"}))
    assert lines[1:] == ["I forgot to set --initial-advertise-peer-urls flag?", OF_GUIDE]


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


def test_members_are_ordered_by_their_ids() -> None:
    members = initial_members(config(initial_cluster=f"b={B},a={PEER},c={C}"), resolve)
    assert [member.id for member in members] == sorted(member.id for member in members)
    assert {member.name: member.peer_urls for member in members} == {"a": (PEER,), "b": (B,), "c": (C,)}


def test_a_member_may_have_several_urls_in_any_order() -> None:
    urls = "http://127.0.0.1:24301,http://127.0.0.1:24300"
    members = initial_members(
        config(
            initial_advertise_peer_urls=urls,
            initial_cluster="a=http://127.0.0.1:24300,,b=http://127.0.0.1:1,a=http://127.0.0.1:24301",
        ),
        resolve,
    )
    assert {member.name: member.peer_urls for member in members} == {
        "a": ("http://127.0.0.1:24300", "http://127.0.0.1:24301"),
        "b": ("http://127.0.0.1:1",),
    }


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['local']} of {case['initial_cluster']}")
def test_settings_make_the_member_and_the_cluster_that_they_make_in_etcd(case: dict[str, Any]) -> None:
    flags = [flag.removeprefix("--") for flag in case["flags"]]
    founding = begun(load(dict(zip(flags[::2], flags[1::2], strict=True))), nobody)
    ids = f"{id_text(founding.local.id)} in cluster {id_text(founding.cluster_id)}"
    assert (founding.local.name, ids) == (case["local"], case["printed_by_2_3_8"])


def test_the_token_keeps_equal_lists_apart() -> None:
    ours = initial_members(config(), resolve)
    theirs = initial_members(config(initial_cluster_token="other"), resolve)
    assert ours[0].id != theirs[0].id


def test_a_list_that_was_found_elsewhere_and_cannot_be_read() -> None:
    found_there = load({"name": "a", "discovery": "http://127.0.0.1:1/x"})._replace(initial_cluster="a=x")
    assert refusal(found_there) == ["C error setting up initial cluster: URL scheme must be http or https: x"]


B, C = "http://127.0.0.1:24302", "http://127.0.0.1:24303"
THREE = f"a={PEER},b={B},c={C}"


def three(**settings: str) -> Config:
    return config(initial_cluster=THREE, **settings)


def begun(of: Config, ask: AskPeer) -> Founding:
    return found(of, resolve=resolve, ask=ask)


def refused_to_begin(of: Config, ask: AskPeer) -> list[str]:
    with pytest.raises(BootstrapError) as caught:
        begun(of, ask)
    return [f"{level} {text}" for level, text in caught.value.lines]


def test_a_cluster_begins_when_nobody_answers() -> None:
    others = Others({})
    founding = begun(three(), others)
    assert (founding.local.name, len(founding.members)) == ("a", 3)
    assert founding.local in founding.members
    assert others.asked == [(f"{B}/members", 1.0), (f"{C}/members", 1.0)]


def test_a_cluster_of_one_asks_nobody() -> None:
    others = Others({})
    begun(config(), others)
    assert others.asked == []


def test_a_member_that_the_others_do_not_know_to_have_started_begins_and_asks_no_further() -> None:
    founding = begun(three(), nobody)
    others = Others({f"{B}/members": members_reply(founding.cluster_id, *founding.members)})
    assert begun(three(), others) == founding
    assert others.asked == [(f"{B}/members", 1.0)]


def test_a_member_that_was_in_the_cluster_before_is_not_begun_again() -> None:
    founding = begun(three(), nobody)
    known = replace(founding.local, client_urls=("http://127.0.0.1:1",))
    others = Others({f"{C}/members": members_reply(founding.cluster_id, known)})
    first, remedy = refused_to_begin(three(), others)
    assert first == f"C member {id_text(founding.local.id)} has already been bootstrapped"
    assert "its data are not in a.etcd" in remedy


def test_members_of_another_cluster_are_told_apart_by_both_ids() -> None:
    mine, theirs = begun(three(), nobody), begun(three(initial_cluster_token="other"), nobody)
    others = Others({f"{B}/members": members_reply(theirs.cluster_id, *theirs.members)})
    first, _ = refused_to_begin(three(), others)
    ids = f"{id_text(mine.cluster_id)} != {id_text(theirs.cluster_id)}"
    assert first == f"C conflicting cluster ID to the target cluster ({ids}). Exiting."


@pytest.mark.parametrize(
    "reply",
    [
        PeerAnswer(404, {}, b"404 page not found\n"),
        PeerAnswer(200, {"X-Etcd-Cluster-ID": "1"}, b"{}"),
        PeerAnswer(200, {}, b"[]"),
    ],
)
def test_an_answer_that_is_not_etcds_counts_as_none(reply: PeerAnswer) -> None:
    assert begun(three(), Others({f"{B}/members": reply})) == begun(three(), nobody)


def test_what_needs_others_is_refused_by_name() -> None:
    with pytest.raises(BootstrapError, match=r"--experimental-v3demo.*--engine"):
        refuse_what_needs_others(load({"experimental-v3demo": "true"}))


def test_nothing_is_refused_that_was_left_at_its_default() -> None:
    refuse_what_needs_others(load({"proxy": "off", "discovery": "", "experimental-v3demo": "false"}))
