"""``migrate02 data inspect``: what it tells of directories of all kinds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from tests.migrate02.running import migrate02
from tests.support.datadirs04 import Recorded, recorded


@pytest.mark.parametrize("one", recorded(), ids=str)
def test_inspect_tells_of_every_recorded_directory(one: Recorded, tmp_path: Path) -> None:
    found = migrate02("data", "inspect", "--json", one.unpack(tmp_path))
    told = json.loads(found.out)
    assert told["kind"] == "0.4"
    assert told["role"] == ("member" if one.role == "member" else "standby or removed")
    assert (found.status == DONE) == (told["damage"] == [])
    if one.role == "member":
        assert told["name"] == next(
            each["name"] for each in one.expected["dirs"] if each["path"] == one.directory
        )
        assert told["etcdIndex"] == one.expected["etcd_index"]
        assert told["members"] == {name: [urls["peerURL"]] for name, urls in one.expected["members"].items()}


def test_inspect_tells_the_same_digest_before_and_after(old_data: Path, tmp_path: Path) -> None:
    migrate02("data", old_data, tmp_path / "new")
    before, after = (
        json.loads(migrate02("data", "inspect", "--json", path).out) for path in (old_data, tmp_path / "new")
    )
    assert after["kind"] == "2.x"
    assert (after["digest"], after["keys"], after["etcdIndex"]) == (before["digest"], 7, 7)
    assert (after["name"], after["snapshotIndex"], after["committedIndex"]) == ("m", 7, 7)


def test_inspect_of_damage_tells_the_place(old_data: Path) -> None:
    data = (old_data / "log").read_bytes()
    (old_data / "log").write_bytes(data.replace(b"etcd:setClusterConfig", b"etcd\0setClusterConfig"))
    found = migrate02("data", "inspect", old_data)
    assert found.status == RESIDUE
    assert f"damage          {old_data / 'log'}, byte " in found.out


def test_inspect_of_other_directories(tmp_path: Path) -> None:
    (tmp_path / "proxy" / "proxy").mkdir(parents=True)
    (tmp_path / "both" / "proxy").mkdir(parents=True)
    (tmp_path / "both" / "member").mkdir()
    (tmp_path / "log04").mkdir()
    (tmp_path / "log04" / "log").write_text("app started\n")
    told = {
        name: json.loads(migrate02("data", "inspect", "--json", tmp_path / name).out)
        for name in ("proxy", "both", "log04", "nowhere")
    }
    assert {name: one["kind"] for name, one in told.items()} == {
        "proxy": "proxy of 2.x",
        "both": "2.x member and proxy",
        "log04": "none",
        "nowhere": "none",
    }
    assert told["log04"]["damage"]


def test_no_directory_is_refused_in_one_line() -> None:
    run = migrate02("data", "inspect")
    assert (run.status, run.out) == (REFUSED, "")
    assert run.err == (
        "migrate02 data inspect: the following arguments are required: DIR (see migrate02 data inspect --help)\n"
    )
