"""etcd 3.5 on data of 2.x, straight and over 3.4: when it answers the v3 API, as the finding ``straight-from-2x`` says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.migrate02.running import migrate02
from tests.support.cluster import wait_until
from tests.support.process import Member, Process
from tests.support.real_etcd import HOW_34, HOW_35, etcd34, etcd35, etcdctl35, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

SNAPSHOT_NOW = "--snapshot-count=1"


@pytest.fixture
def member(tmp_path: Path) -> Member:
    """Its directory is one of 2.x, with a key in it."""
    made = Member(tmp_path / "d")
    with made.start() as ours:
        assert ours.put("/a", "1").status == 201
        ours.stop()
    return made


def v3_put(member: Member) -> str:
    """What etcdctl says to a write by the v3 API."""
    client = required(etcdctl35(), HOW_35)
    where = f"--endpoints=http://127.0.0.1:{member.client_port}"
    done = subprocess.run(
        [client, where, "--command-timeout=30s", "put", "k", "v"],
        env={**os.environ, "ETCDCTL_API": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr.splitlines()[-1] if done.stderr else done.stdout.strip()


def start(member: Member, version: str, *flags: str) -> Process:
    binary = required(etcd34(), HOW_34) if version == "3.4" else required(etcd35(), HOW_35)
    return member.start_real(str(binary), "--enable-v2", *flags)


def at_version(process: Process, version: str) -> None:
    def is_there() -> bool:
        told = process.request("GET", "/version").json()
        return isinstance(told, dict) and told["etcdcluster"] == version

    wait_until(is_there, f"cluster version {version}")


def run(member: Member, version: str, *flags: str, cluster: str) -> str:
    """One life of the member; what a v3 write got in it."""
    with start(member, version, *flags) as process:
        at_version(process, cluster)
        said = v3_put(member)
        process.stop()
    return said


def test_syncs_of_an_idle_leader_here_are_opened_and_told_from_those_for_a_key_with_a_ttl(
    member: Member,
) -> None:
    with member.start() as ours:
        before = int(ours.get("/a").headers["x-raft-index"])
        wait_until(lambda: int(ours.get("/a").headers["x-raft-index"]) > before + 2, "the log moves")
        ours.stop()
    assert run(member, "3.4", cluster="3.4.0") == "OK"
    with start(member, "3.5") as process:
        at_version(process, "3.5.0")
        assert process.get("/a").json()["node"]["value"] == "1"  # type: ignore[index]
        process.stop()
    said = migrate02("v2store", "check", member.data_dir).out
    assert "of the time on 2.x, where the leader writes two a second whatever the keys" in said
    assert "a v2 key has, or had, a TTL" not in said
    assert "stop all members" not in said
    assert migrate02("v2store", "clean", "--write", member.data_dir).status == 0
    assert "No custom content found" in migrate02("v2store", "check", member.data_dir).out
    with start(member, "3.5") as process:
        process.stop()


NOT_CAPABLE = "Error: etcdserver: not capable"


def is_foretold(member: Member) -> bool:
    """Whether ``v2store check`` says so of the stopped member."""
    return "not capable" in migrate02("v2store", "check", member.data_dir).out


def test_straight_on_data_of_2x_the_v3_api_is_not_capable_and_3_4_opens_it_still(member: Member) -> None:
    assert run(member, "3.5", cluster="2.3.0") == NOT_CAPABLE
    assert run(member, "3.5", SNAPSHOT_NOW, cluster="2.3.0") == NOT_CAPABLE
    assert run(member, "3.5", cluster="2.3.0") == NOT_CAPABLE
    assert is_foretold(member)
    assert run(member, "3.4", cluster="3.4.0") == "OK"


def test_over_3_4_without_a_snapshot_it_is_not_capable_until_two_starts_later(member: Member) -> None:
    assert run(member, "3.4", cluster="3.4.0") == "OK"
    assert is_foretold(member)
    assert run(member, "3.5", cluster="3.5.0") == NOT_CAPABLE
    assert is_foretold(member)
    assert run(member, "3.5", SNAPSHOT_NOW, cluster="3.5.0") == NOT_CAPABLE
    assert not is_foretold(member)
    assert run(member, "3.5", cluster="3.5.0") == "OK"


def test_over_3_4_with_a_snapshot_taken_at_its_version_it_is_capable(member: Member) -> None:
    assert run(member, "3.4", cluster="3.4.0") == "OK"
    assert run(member, "3.4", SNAPSHOT_NOW, cluster="3.4.0") == "OK"
    assert not is_foretold(member)
    assert run(member, "3.5", cluster="3.5.0") == "OK"
