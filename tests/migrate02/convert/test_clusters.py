"""Clusters that are known from the files of all their members."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate02.cli.exits import DONE, RESIDUE
from tests.migrate02.running import convert
from tests.migrate02.trees import plant


def joined(nodes: int, more: str = "") -> dict[str, str]:
    """The environment files of a cluster."""
    return {
        f"m{n}.env": f"ETCD_NAME=m{n}\nETCD_ADDR=10.0.0.{n}:4001\nETCD_PEER_ADDR=10.0.0.{n}:7001\n"
        f"ETCD_DATA_DIR=/d\nETCD_PEERS=10.0.0.1:7001\n{more}"
        for n in range(1, nodes + 1)
    }


@pytest.mark.parametrize(
    ("nodes", "more", "said"),
    [
        (4, "ETCD_CLUSTER_ACTIVE_SIZE=3\n", "4 nodes, but only 3 may vote, so 1 was a standby"),
        (
            5,
            "ETCD_CLUSTER_ACTIVE_SIZE=1\n",
            "5 nodes, but only 3 may vote, so 2 were standbys",
        ),  # 0.4 takes no less
        (10, "", "10 nodes, but only 9 may vote, so 1 was a standby"),
    ],
)
def test_a_list_of_more_members_than_voted_asks_who_stood_by(
    tmp_path: Path, nodes: int, more: str, said: str
) -> None:
    plant(tmp_path, joined(nodes, more))
    run = convert("--check", "-v", tmp_path)
    assert run.codes.count("standby-unknown") == nodes
    assert said in run.err
    assert "migrate02 plan --live URL, or --standby NAME" in run.err
    assert convert("--write", tmp_path).status == RESIDUE
    told = convert("--check", "--initial-cluster", "m1=http://10.0.0.1:7001", tmp_path / "m1.env")
    assert "standby-unknown" not in told.codes


@pytest.mark.parametrize(("nodes", "more"), [(3, "ETCD_CLUSTER_ACTIVE_SIZE=3\n"), (9, "")])
def test_a_list_of_as_many_members_as_voted_asks_nothing(tmp_path: Path, nodes: int, more: str) -> None:
    plant(tmp_path, joined(nodes, more))
    run = convert("--check", "-v", tmp_path)
    assert run.codes.count("members-from-files") == nodes
    assert "standby-unknown" not in run.codes


def test_a_node_on_2x_is_no_member_of_a_cluster_of_04(tmp_path: Path) -> None:
    """It has no address of 0.4's, not even the default one."""
    plant(
        tmp_path,
        {
            "a.env": "ETCD_NAME=a\nETCD_ADDR=127.0.0.1:4001\nETCD_PEER_ADDR=127.0.0.1:7001\nETCD_DATA_DIR=/a\n",
            "b.env": "ETCD_NAME=b\nETCD_ADDR=127.0.0.1:4002\nETCD_PEER_ADDR=127.0.0.1:7002\nETCD_DATA_DIR=/b\n"
            "ETCD_PEERS=127.0.0.1:7001\n",
            "c.env": "ETCD_NAME=c\nETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:2379\n",
        },
    )
    assert convert("--write", tmp_path).status == DONE
    members = "a=http://127.0.0.1:7001,b=http://127.0.0.1:7002"
    assert f"ETCD_INITIAL_CLUSTER={members}" in (tmp_path / "b.env").read_text().replace('"', "")
