"""``cluster-health``: one line for each member, one for all, and the exit status."""

from __future__ import annotations

import json

import pytest

from tests.compat.etcdctl02.ran import Ran, run
from tests.compat.etcdctl02.scripted import Scripted, answer
from tests.support.ports import free_ports

HEALTHY, UNHEALTHY = answer(200, {"health": "true"}), answer(503, {"health": "false"})


def health(listed: dict[str, list[str]]) -> Ran:
    """Of members by their ids, each with its client URLs."""
    records = [
        {"id": each, "name": each, "peerURLs": [], "clientURLs": urls} for each, urls in listed.items()
    ]
    with Scripted(answer(200, {"members": records})) as server:
        return run("--endpoints", server.url, "cluster-health")


def test_one_healthy_member_makes_a_healthy_cluster() -> None:
    with Scripted(HEALTHY) as well, Scripted(UNHEALTHY) as ill:
        assert health({"a": [ill.url], "b": [well.url], "c": []}) == (
            0,
            f"member a is unhealthy: got unhealthy result from {ill.url}\n"
            f"member b is healthy: got healthy result from {well.url}\n"
            "member c is unreachable: no available published client urls\n"
            "cluster is healthy\n",
            "",
        )


def test_a_cluster_without_a_healthy_member_ends_it_with_5() -> None:
    with Scripted(UNHEALTHY) as ill:
        ran = health({"a": [ill.url]})
    assert (ran.status, ran.out.splitlines()[-1]) == (5, "cluster is unhealthy")


def test_the_first_address_that_answers_counts() -> None:
    (port,) = free_ports(1)
    nobody = f"http://127.0.0.1:{port}"
    with Scripted(HEALTHY) as well, Scripted(HEALTHY) as last:
        assert health({"a": [nobody, well.url, last.url]}).out == (
            f'failed to check the health of member a on {nobody}: Get "{nobody}/health": '
            f"dial tcp 127.0.0.1:{port}: connect: connection refused\n"
            f"member a is healthy: got healthy result from {well.url}\n"
            "cluster is healthy\n"
        )
        assert not last.asked
    ran = health({"a": [nobody, nobody]})
    assert (ran.status, ran.out.splitlines()[-2]) == (
        5,
        f"member a is unreachable: [{nobody} {nobody}] are all unreachable",
    )


def test_files_for_tls_that_are_not_there_end_it_with_4() -> None:
    assert run("--ca-file", "/nowhere", "cluster-health") == (
        4,
        "",
        "Error:  open /nowhere: no such file or directory\n",
    )


@pytest.mark.parametrize(
    ("said", "healthy"),
    [('{"health":true}', True), ('{"health": "true"}', True), ('{"health":false}', False), ("{}", False)],
)
def test_health_is_a_word_in_2x_and_a_boolean_in_some_3x(said: str, healthy: bool) -> None:
    with Scripted(answer(200, json.loads(said))) as server:
        assert (health({"a": [server.url]}).status == 0) is healthy


def test_what_is_no_answer_about_health_is_told() -> None:
    with Scripted(answer(200, b"<html>")) as server:
        assert health({"a": [server.url]}).out.startswith(
            f"failed to check the health of member a on {server.url}: invalid character '<' looking for beginning of value\n"
        )
