"""Data directories written here open in real etcd, and serve the same keys; theirs open here."""

from pathlib import Path

import pytest

from tests.support.process import Member, Process, keys_below
from tests.support.real_etcd import HOW_34, HOW_35, etcd34, etcd35, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]


def write_some(process: Process) -> None:
    for n in range(30):
        assert process.put(f"/dir/k{n}", f"value {n} é").status == 201
    assert process.put("/dir/k1", "again").status == 200
    assert process.put("/dir/k2", "swapped", prevValue="value 2 é").status == 200
    assert process.put("/dir/k3", "x", prevExist="false").status == 412
    assert process.request("DELETE", "/v2/keys/dir/k4").status == 200
    assert process.request("POST", "/v2/keys/queue", {"value": "first"}).status == 201
    assert process.put("/_hidden/a", "h").status == 201
    assert process.request("PUT", "/v2/keys/empty", {"dir": "true"}).status == 201
    assert process.put("/long", "lives", ttl="1000").status == 201


def content(process: Process) -> list[tuple[str, str | None, int, int]]:
    listings = [process.get(path, "recursive=true&sorted=true").json()["node"] for path in ("/", "/_hidden")]
    return [key for listing in listings for key in keys_below(listing)]


@pytest.mark.parametrize("version", ["3.4", "3.5"])
def test_real_etcd_opens_a_directory_written_here(tmp_path: Path, version: str) -> None:
    binary = required(etcd34(), HOW_34) if version == "3.4" else required(etcd35(), HOW_35)
    member = Member(tmp_path / "d")
    with member.start() as ours:
        write_some(ours)
        members = ours.request("GET", "/v2/members").json()
        expected = content(ours)
        ours.stop()
    with member.start_real(str(binary), "--enable-v2") as real:
        assert content(real) == expected
        assert real.request("GET", "/v2/members").json() == members
        assert real.put("/more", "x").status == 201
        real.stop()
    with member.start_real(str(binary), "--enable-v2") as real:
        assert [key for key in content(real) if key[0] != "/more"] == expected


def test_killed_here_opens_there(tmp_path: Path) -> None:
    binary = required(etcd34(), HOW_34)
    member = Member(tmp_path / "d")
    with member.start() as ours:
        write_some(ours)
        expected = content(ours)
        ours.kill()
    with member.start_real(str(binary), "--enable-v2") as real:
        assert content(real) == expected


@pytest.mark.parametrize("version", ["3.4", "3.5"])
def test_a_real_member_goes_on_from_the_log_of_one_that_has_just_joined(tmp_path: Path, version: str) -> None:
    binary = str(required(etcd34(), HOW_34) if version == "3.4" else required(etcd35(), HOW_35))
    first, second = Member(tmp_path / "m1", "m1"), Member(tmp_path / "m2", "m2")
    peer = second.settings["initial-advertise-peer-urls"]
    with first.start_real(binary, "--enable-v2") as running:
        assert running.put("/a", "1").status == 201
        added = running.add_member(peer)
        second.settings["initial-cluster"] += "," + first.settings["initial-cluster"]
        second.settings["initial-cluster-state"] = "existing"
        with second.launch() as ours:
            ours.wait_for_line(f"starting member {added} in cluster ")
            ours.kill()
        with second.start_real(binary, "--enable-v2") as real:
            assert real.request("GET", "/v2/stats/self").json()["id"] == added
            assert real.get("/a", "quorum=true").json()["node"]["value"] == "1"  # type: ignore[index]
            assert real.put("/b", "2").status == 201
