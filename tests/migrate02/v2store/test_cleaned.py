"""Recorded directories, cleaned, are served by real etcd with the same v3 keys, revisions and members."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.migrate02.running import migrate02
from tests.support.datadirs35 import NAMES, facts, unpack
from tests.support.etcd3 import Served, etcd36, etcd37, running
from tests.support.real_etcd import HOW_35, etcd35, required

OF_36 = ("on-36",)
"""Not for 3.5: the cluster has come to 3.6."""

SINCE = {"v3/since": "cleaned"}

pytestmark = [pytest.mark.real_etcd, pytest.mark.slow]


def check_served(served: Served, told: dict[str, Any], more: dict[str, str] | None = None) -> None:
    """Against what was recorded, and ``more`` that was put since. Of the largest, keys were counted only."""
    since = more or {}
    assert len(served.keys) == told["v3_keys"] + len(since)
    if told["v3_all"] is not None:
        assert served.keys == told["v3_all"] | since
    assert served.revision == told["v3_revision"] + len(since)
    assert served.members.keys() == {member["id"] for member in told["members"]}
    for member in told["members"]:
        name, peer_urls = served.members[member["id"]]
        assert name == member["name"]
        assert list(peer_urls) == member.get("peerURLs", list(peer_urls))


def clean(paths: Sequence[Path], release: str = "3.6") -> None:
    run = migrate02("v2store", "clean", "--write", *paths)
    assert run.status == 0, run.err
    assert migrate02("v2store", "check", "--for", release, *paths).status == 0


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OF_36])
def test_35_serves_a_cleaned_directory_with_all_of_v3(name: str, tmp_path: Path) -> None:
    binary = required(etcd35(), HOW_35)
    told = facts(name)
    paths = unpack(name, tmp_path)
    clean(paths)
    with running(binary, paths, told["nodes"]) as cluster:
        check_served(cluster.served(), told)
        cluster.put(*next(iter(SINCE.items())))
    assert migrate02("v2store", "check", *paths).status == 0
    with running(binary, paths, told["nodes"]) as cluster:
        check_served(cluster.served(), told, SINCE)


@pytest.mark.parametrize("name", NAMES)
def test_36_and_37_serve_a_cleaned_directory_with_the_same_hash(name: str, tmp_path: Path) -> None:
    """3.7 after 3.6, cleaned once more."""
    binary = etcd36()
    if binary is None:
        pytest.skip("MIGRATE02_ETCD36 names no etcd 3.6")
    told = facts(name)
    paths = unpack(name, tmp_path)
    if name not in OF_36:
        clean(paths)
        with running(binary, paths, told["nodes"]) as cluster:
            check_served(cluster.served(), told)
            assert cluster.hash_at(told["v3_revision"]) == told["hashkv"][0]["hash"]
            cluster.put(*next(iter(SINCE.items())))
    newer = etcd37()
    if newer is None:
        return
    clean(paths, "3.7")
    with running(newer, paths, told["nodes"]) as cluster:
        check_served(cluster.served(), told, {} if name in OF_36 else SINCE)
        assert cluster.hash_at(told["v3_revision"]) == told["hashkv"][0]["hash"]
