"""Who may talk to whom, by the headers; what an answer means. Expected texts are 2.3.8's."""

import pytest

from server.peer.checks import (
    ETCD_2_3,
    ETCD_3,
    Identity,
    NoStreams,
    PeerRefused,
    PermanentlyRemoved,
    Versions,
    check_compatible,
    check_post_answer,
    check_stream_answer,
)

ME = Identity(0xA, 0xC1, ("http://127.0.0.1:2380", "http://127.0.0.1:7001"))


def from_peer(server: str = "", minimum: str = "", cluster: str = "c1") -> dict[str, str]:
    headers = {"X-Server-From": "b", "X-Etcd-Cluster-Id": cluster}
    if server:
        headers["X-Server-Version"] = server
    if minimum:
        headers["X-Min-Cluster-Version"] = minimum
    return headers


def test_a_request_says_who_sends_it() -> None:
    assert ME.headers == {
        "X-Server-From": "a",
        "X-Server-Version": "2.3.8",
        "X-Min-Cluster-Version": "2.2.0",
        "X-Etcd-Cluster-Id": "c1",
        "X-Peerurls": "http://127.0.0.1:2380,http://127.0.0.1:7001",
    }


@pytest.mark.parametrize(
    ("mine", "server", "minimum", "trouble"),
    [
        (ETCD_2_3, "2.3.8", "2.2.0", ""),
        (ETCD_2_3, "2.2.5", "2.1.0", ""),
        (ETCD_2_3, "3.0.17", "2.3.0", ""),
        (ETCD_2_3, "2.1.3", "2.0.0", "remote version is too low: remote[b]=2.1.3, local=2.3.8"),
        (ETCD_2_3, "", "", "remote version is too low: remote[b]=2.0.0, local=2.3.8"),
        (ETCD_2_3, "3.4.23", "3.0.0", "local version is too low: remote[b]=3.4.23, local=2.3.8"),
        (ETCD_2_3, "2.10.0", "2.3.9", ""),
        (ETCD_2_3, "2", "2.2.0", "remote version cannot be read: remote[b]=2, local=2.3.8"),
        (ETCD_2_3, "2.3.8", "x", "remote version cannot be read: remote[b]=2.3.8, local=2.3.8"),
        (ETCD_2_3, "2.3.8+git", "2.2.0-rc.1", ""),
        (ETCD_3, "2.3.8", "2.2.0", ""),
        (ETCD_3, "3.4.23", "3.0.0", ""),
        (ETCD_3, "3.5.1", "3.0.0", ""),
        (Versions("3.4.0", "3.0.0"), "2.3.8", "2.2.0", "remote version is too low: remote[b]=2.3.8, local=3.4.0"),
    ],
)  # fmt: skip
def test_versions_go_together_as_in_etcd(mine: Versions, server: str, minimum: str, trouble: str) -> None:
    me = Identity(0xA, 0xC1, (), mine)
    refusal = check_compatible(me, from_peer(server, minimum))
    if not trouble:
        assert refusal is None
        return
    assert refusal is not None
    assert (refusal.status, refusal.text) == (412, "incompatible version")
    assert refusal.log == f"request version incompatibility ({trouble})"


@pytest.mark.parametrize("cluster", ["c2", "0c1", "C1", ""])
def test_the_cluster_must_be_the_same_to_the_letter(cluster: str) -> None:
    refusal = check_compatible(ME, from_peer("2.3.8", "2.2.0", cluster))
    assert refusal is not None
    assert (refusal.status, refusal.text) == (412, "cluster ID mismatch")
    assert refusal.log == f"request cluster ID mismatch (got {cluster} want c1)"


def test_the_version_is_looked_at_before_the_cluster() -> None:
    refusal = check_compatible(ME, from_peer("2.0.0", "2.0.0", "c2"))
    assert refusal is not None
    assert refusal.text == "incompatible version"


@pytest.mark.parametrize(
    ("status", "body", "why", "log"),
    [
        (412, b"incompatible version\n", "incompatible version", "request sent was ignored by peer b (server version incompatible)"),
        (412, b"cluster ID mismatch\n", "cluster ID mismatch", "request sent was ignored (cluster ID mismatch: remote[b]=c2, local=c1)"),
        (412, b"what", 'unhandled error "what" when precondition failed', ""),
    ],
)  # fmt: skip
def test_a_failed_precondition_is_told_in_full(status: int, body: bytes, why: str, log: str) -> None:
    answered = {"X-Etcd-Cluster-Id": "c2", "X-Server-Version": "2.3.8"}
    with pytest.raises(PeerRefused) as posted:
        check_post_answer(ME, 0xB, "http://b/raft", status, answered, body)
    with pytest.raises(PeerRefused) as streamed:
        check_stream_answer(ME, 0xB, status, answered, body)
    for caught in (posted, streamed):
        assert (str(caught.value), caught.value.log) == (why, log)


def test_answers_to_a_post() -> None:
    check_post_answer(ME, 0xB, "http://b/raft", 204, {}, b"")
    with pytest.raises(PermanentlyRemoved):
        check_post_answer(ME, 0xB, "http://b/raft", 403, {}, b"")
    with pytest.raises(
        PeerRefused, match='unexpected http status Internal Server Error while posting to "http://b/raft"'
    ):
        check_post_answer(ME, 0xB, "http://b/raft", 500, {}, b"")
    with pytest.raises(PeerRefused, match="unexpected http status 599"):
        check_post_answer(ME, 0xB, "http://b/raft", 599, {}, b"")


@pytest.mark.parametrize("version", ["2.1.0", "2.2.5", "2.3.8", "3.5.1", "odd"])
def test_a_stream_of_any_version_that_has_streams_is_taken(version: str) -> None:
    check_stream_answer(ME, 0xB, 200, {"X-Server-Version": version}, b"")


@pytest.mark.parametrize("headers", [{}, {"X-Server-Version": "2.0.13"}])
def test_a_peer_without_streams_is_nothing_to_complain_of(headers: dict[str, str]) -> None:
    with pytest.raises(NoStreams):
        check_stream_answer(ME, 0xB, 200, headers, b"")


def test_answers_to_a_wish_for_a_stream() -> None:
    version = {"X-Server-Version": "2.3.8"}
    with pytest.raises(PermanentlyRemoved):
        check_stream_answer(ME, 0xB, 410, version, b"")
    with pytest.raises(PeerRefused, match="remote member b could not recognize local member"):
        check_stream_answer(ME, 0xB, 404, version, b"")
    with pytest.raises(PeerRefused, match="unhandled http status 500"):
        check_stream_answer(ME, 0xB, 500, version, b"")
