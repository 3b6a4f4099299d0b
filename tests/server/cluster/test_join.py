"""Joining a cluster that runs: the rows of etcd 2.3.8's error table that concern it."""

import logging
from dataclasses import replace

import pytest

from server.cluster import BootstrapError, Joining, Member, PeerAnswer, join
from server.config import Config, load
from tests.support.asking import Others, members_reply, version_reply

A, B, C = (f"http://127.0.0.1:2430{n}" for n in (1, 2, 3))
CLUSTER = 0xFC47065035A97574
RUNNING = (
    Member(0x49E1CA0EB3D50D2E, "a", (A,), ("http://127.0.0.1:24700",)),
    Member(0x5, "b", (B,), ("http://127.0.0.1:24710",)),
)
ADDED = Member(0x7, "", (C,))


def resolve(host: str) -> str:
    addresses = {"n2.example": "127.0.0.1", "elsewhere.example": "10.0.0.1"}
    if host not in addresses:
        raise OSError("no such host")
    return addresses[host]


def config(**settings: str) -> Config:
    given = {
        "name": "c",
        "initial-cluster": f"a={A},b={B},c={C}",
        "initial-cluster-state": "existing",
    }
    return load(given | {key.replace("_", "-"): value for key, value in settings.items()})


def others(
    *members: Member, a: str | PeerAnswer = "2.3.0", b: str | PeerAnswer = "2.3.0", asked_at: str = A
) -> Others:
    versions = {
        f"{url}/version": version_reply(said) if isinstance(said, str) else said
        for url, said in ((A, a), (B, b))
    }
    return Others({f"{asked_at}/members": members_reply(CLUSTER, *members)} | versions)


def joined(of: Config, ask: Others) -> Joining:
    return join(of, resolve=resolve, ask=ask)


def refusal(of: Config, ask: Others) -> str:
    with pytest.raises(BootstrapError) as caught:
        joined(of, ask)
    level, text = caught.value.lines[0]
    return f"{level} {text}"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_member_takes_over_the_id_that_the_cluster_has_for_its_urls() -> None:
    ask = others(*RUNNING, ADDED)
    joining = joined(config(), ask)
    assert joining.local == Member(7, "c", (C,))
    assert joining.cluster.id == CLUSTER
    assert joining.others == (RUNNING[1], RUNNING[0])  # by id
    assert joining.version == "2.3.0"
    assert ask.asked == [
        (f"{A}/members", 10.0),
        (f"{B}/version", 10.0),
        (f"{A}/version", 10.0),
    ]


def test_the_advertised_urls_need_not_be_those_of_the_list() -> None:
    assert joined(config(initial_advertise_peer_urls="http://127.0.0.1:1"), others(*RUNNING, ADDED))


def test_the_next_one_is_asked_when_one_does_not_answer(caplog: pytest.LogCaptureFixture) -> None:
    assert joined(config(), others(*RUNNING, ADDED, asked_at=B)).local.id == 7
    assert warnings(caplog) == [
        f"could not get cluster response from {A}: "
        f'Get "{A}/members": dial tcp 127.0.0.1:24301: connect: connection refused'
    ]


def test_the_next_one_is_asked_when_one_does_not_answer_as_etcd(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ask = others(*RUNNING, ADDED, asked_at=B)
    ask.answers[f"{A}/members"] = PeerAnswer(404, {}, b"404 page not found\n")
    assert joined(config(), ask).local.id == 7
    ask.answers[f"{A}/members"] = PeerAnswer(200, {}, b"[]")
    assert joined(config(), ask).local.id == 7
    ask.answers[f"{A}/members"] = PeerAnswer(200, {"X-Etcd-Cluster-ID": "1"}, b'[{"name":"a"}]')
    assert joined(config(), ask).local.id == 7
    first, second, third = warnings(caplog)
    assert first.startswith("could not unmarshal cluster response: ")
    assert second.startswith("could not parse the cluster ID from cluster res: ")
    assert third.startswith("could not unmarshal cluster response: ")


def test_a_member_that_was_here_before_is_told_what_it_risks(caplog: pytest.LogCaptureFixture) -> None:
    before = replace(ADDED, name="c", client_urls=("http://127.0.0.1:1",))
    assert joined(config(), others(*RUNNING, before)).local == Member(7, "c", (C,))
    (line,) = warnings(caplog)
    assert line.startswith("member 7 was in this cluster before")


NOBODY = (
    "C cannot fetch cluster info from peer urls: could not retrieve cluster information from the given urls"
)


def test_nobody_answers() -> None:
    assert refusal(config(), Others({})) == NOBODY


def test_there_is_nobody_to_ask(caplog: pytest.LogCaptureFixture) -> None:
    ask = Others({})
    assert refusal(config(initial_cluster=f"c={C}"), ask) == NOBODY
    assert ask.asked == []
    assert warnings(caplog) == []


def test_fewer_members_there_than_listed() -> None:
    alone = replace(RUNNING[0], peer_urls=("http://127.0.0.1:24701",))
    assert refusal(config(), others(alone)) == (
        "C error validating peerURLs {ClusterID:fc47065035a97574 Members:[&{ID:49e1ca0eb3d50d2e "
        "RaftAttributes:{PeerURLs:[http://127.0.0.1:24701]} "
        "Attributes:{Name:a ClientURLs:[http://127.0.0.1:24700]}}] RemovedMemberIDs:[]}: "
        "member count is unequal"
    )


def test_other_urls_there_than_listed() -> None:
    elsewhere = replace(ADDED, peer_urls=("http://127.0.0.1:1",))
    line = refusal(config(), others(*RUNNING, elsewhere))
    assert line.startswith("C error validating peerURLs {ClusterID:fc47065035a97574 Members:[&{ID:5 ")
    assert line.endswith("]}: unmatched member while checking PeerURLs")
    bare = replace(ADDED, peer_urls=())
    assert refusal(config(), others(*RUNNING, bare)).endswith("unmatched member while checking PeerURLs")


def test_urls_are_compared_after_names_are_looked_up() -> None:
    by_name = replace(ADDED, peer_urls=("http://n2.example:24303",))
    assert joined(config(), others(*RUNNING, by_name)).local == Member(7, "c", (C,))
    elsewhere = replace(ADDED, peer_urls=("http://elsewhere.example:24303",))
    assert "unmatched member" in refusal(config(), others(*RUNNING, elsewhere))


def test_the_list_is_checked_before_anybody_is_asked() -> None:
    ask = others(*RUNNING, ADDED)
    assert refusal(config(name="d"), ask) == (
        'C couldn\'t find local name "d" in the initial cluster configuration'
    )
    twice = f"a={A},b={A},c={C}"
    assert refusal(config(initial_cluster=twice), ask) == f"C initial cluster {twice} has duplicate url"
    assert ask.asked == []


def test_discovery_is_for_new_clusters() -> None:
    settings = load(
        {"name": "c", "discovery": "http://127.0.0.1:1/v2/keys/x", "initial-cluster-state": "existing"}
    )
    assert refusal(settings, Others({})) == (
        "C discovery URL should not be set when joining existing initial cluster"
    )


INCOMPATIBLE = "C incomptible with current running cluster"


@pytest.mark.parametrize("version", ["2.2.0", "2.3.0", "3.0.0", "3.4.0", "3.5.0"])
def test_clusters_of_these_versions_are_joined(version: str) -> None:
    ask = others(*RUNNING, ADDED, a=version, b="not_decided")
    assert joined(config(), ask).version == version


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("2.0.0", "the running cluster version(2.0.0) is lower than the minimal cluster version(2.2.0) supported"),
        ("2.1.0", "the running cluster version(2.1.0) is lower than the minimal cluster version(2.2.0) supported"),
        ("3.6.0", "the running cluster version(3.6.0) is higher than the maximum cluster version(3.5.0) supported"),
    ],
)  # fmt: skip
def test_clusters_of_other_versions_are_not(
    version: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert refusal(config(), others(*RUNNING, ADDED, a=version, b="2.3.0")) == INCOMPATIBLE
    assert warnings(caplog) == [line]


def test_a_member_without_a_version_is_one_of_etcd_2_0() -> None:
    old = PeerAnswer(404, {}, b"404 page not found\n")
    assert refusal(config(), others(*RUNNING, ADDED, b=old)) == INCOMPATIBLE


def test_one_member_that_tells_its_version_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    ask = others(*RUNNING, ADDED, a="2.3.0")
    del ask.answers[f"{B}/version"]
    assert joined(config(), ask).version == "2.3.0"
    refused = f'Get "{B}/version": dial tcp 127.0.0.1:24302: connect: connection refused'
    assert warnings(caplog) == [
        f"failed to reach the peerURL({B}) of member 5 ({refused})",
        f"cannot get the version of member 5 ({refused})",
    ]


def test_somebody_has_to_tell_a_version(caplog: pytest.LogCaptureFixture) -> None:
    nonsense = PeerAnswer(200, {}, b"[]")
    ask = others(*RUNNING, ADDED, a="not_decided", b=nonsense)
    assert refusal(config(), ask) == INCOMPATIBLE
    assert warnings(caplog)[-1] == (
        "cannot understand the cluster version of member 49e1ca0eb3d50d2e "
        "(not_decided is not in dotted-tri format)"
    )
