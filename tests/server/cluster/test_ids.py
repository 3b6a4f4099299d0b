"""Ids against those that real servers printed (``fixtures/ids.json``)."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.cluster import cluster_id, id_text, member_id, parse_id, runtime_member_id
from server.config import parse_urls_map

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[3] / "fixtures" / "ids.json").read_bytes())


@pytest.mark.parametrize("case", RECORDED["bootstrap"], ids=lambda case: case["initial_cluster"])
def test_ids_of_a_static_cluster(case: dict[str, Any]) -> None:
    urls = parse_urls_map(case["initial_cluster"])
    members = {name: member_id(of_name, case["token"]) for name, of_name in urls.items()}
    assert {name: id_text(number) for name, number in members.items()} == case["members"]
    assert id_text(cluster_id(members.values())) == case["cluster_id"]
    assert case["printed_by_2_3_8"] == f"{case['members'][case['local']]} in cluster {case['cluster_id']}"


@pytest.mark.parametrize("case", RECORDED["discovery"], ids=lambda case: case["discovery_url"])
def test_ids_of_a_discovered_cluster_take_the_url_as_token(case: dict[str, Any]) -> None:
    members = [member_id(urls, case["token_used"]) for urls in case["registered"].values()]
    assert [id_text(number) for number in members] == [case["member_id"]]
    assert id_text(cluster_id(members)) == case["cluster_id"]


@pytest.mark.parametrize("case", RECORDED["runtime_member_add"], ids=lambda case: case["server"])
def test_ids_of_members_added_later_take_the_time(case: dict[str, Any]) -> None:
    assert id_text(runtime_member_id(case["peerURLs"], case["unix_seconds"])) == case["member_id"]


def test_texts_have_no_leading_zeros_and_read_back() -> None:
    assert id_text(0x258FD313DC12711) == "258fd313dc12711"
    assert parse_id("258FD313dc12711") == 0x258FD313DC12711


@pytest.mark.parametrize("text", ["", "0x1", "g", "1" * 17, "-1", " 1", "1_0"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an id"):
        parse_id(text)
