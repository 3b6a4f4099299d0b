"""A list of members is held against the member it is for, as etcd does at its first start (``server/config`` says so)."""

from __future__ import annotations

import pytest

from migrate02.convert.members import refusal_of

MEMBER = {"name": "a", "initial-advertise-peer-urls": "http://10.0.0.1:7001"}
LISTS = {
    "a=http://10.0.0.1:7001": "",
    "a=http://10.0.0.1:7001,b=http://10.0.0.2:7001": "",
    "b=http://10.0.0.2:7001": 'couldn\'t find local name "a"',
    "a=http://10.0.0.9:7001": "--initial-cluster must include a=http://10.0.0.1:7001",
    "a=https://10.0.0.1:7001": "--initial-cluster must include a=http://10.0.0.1:7001",
    "a=http://host:7001": "",  # may be the same machine
    "a=http://host:7002": "--initial-cluster must include a=http://10.0.0.1:7001",
    "a=http://$IP:7001": "",  # filled in later
}


@pytest.mark.parametrize("members", LISTS)
def test_a_list_is_refused_in_etcds_words_when_the_member_would_not_start(members: str) -> None:
    message, remedy = refusal_of(members, MEMBER)
    assert message.startswith(LISTS[members])
    assert bool(message) == bool(remedy) == bool(LISTS[members])


@pytest.mark.parametrize("more", [{"proxy": "on"}, {"name": ""}, {"initial-advertise-peer-urls": ""}])
def test_what_is_no_member_or_not_known_is_not_refused(more: dict[str, str]) -> None:
    assert refusal_of("b=http://10.0.0.2:7001", {**MEMBER, **more}) == ("", "")


def test_a_member_that_joins_a_cluster_that_runs_need_not_be_listed_with_its_url() -> None:
    config = {**MEMBER, "initial-cluster-state": "existing"}
    assert refusal_of("a=http://10.0.0.9:7001", config) == ("", "")
