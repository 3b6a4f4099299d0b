"""The directories of three real members of one cluster, each opened here: its keys, its ids, its members."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.cluster import id_text
from server.node import Node
from server.storage.replay import list_segments
from tests.server.node.test_start import answer, config, recorded_now, run, without_ttl
from tests.support.datadirs import Recorded, recorded

CLUSTERS = [of for of in recorded() if of.name.startswith("cluster3")]


def test_all_three_members_of_both_clusters_are_there() -> None:
    assert len(CLUSTERS) == 6


@pytest.mark.parametrize("of", CLUSTERS, ids=str)
def test_a_member_of_a_real_cluster_opens_with_its_keys_ids_and_members(of: Recorded, tmp_path: Path) -> None:
    data_dir = of.unpack(tmp_path)
    state = of.expected()["state"]
    now = recorded_now(of)
    assert list_segments(data_dir / "member" / "wal")

    async def check(node: Node) -> None:
        assert id_text(node.members.cluster_id) == state["X-Etcd-Cluster-Id"]
        known = {
            id_text(member.id): (member.name, list(member.peer_urls), list(member.client_urls))
            for member in node.members
        }
        assert known == {
            shown["id"]: (shown["name"], shown["peerURLs"], shown["clientURLs"]) for shown in state["members"]
        }
        assert known[id_text(node.local.id)][0] == of.member
        assert {id_text(voter) for voter in node.raft.voters} == set(known)
        assert node.members.is_removed(int(of.expected()["removed_member_id"], 16))
        assert without_ttl(answer(node, "/", recursive=True, sorted=True)) == without_ttl(state["root"])
        for path, hidden in state["hidden"].items():
            assert without_ttl(answer(node, path, recursive=True, sorted=True)) == without_ttl(hidden)
        assert node.store.index == state["X-Etcd-Index"]

    run(config(data_dir), check, clock=lambda: now)
