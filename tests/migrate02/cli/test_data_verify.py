"""``migrate02 data verify``: directories, snapshots, exports and running clusters side by side."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from migrate02.cli.exits import DONE
from tests.migrate02.cli.answering import answering
from tests.migrate02.running import migrate02
from tests.support.datadirs04 import FIRST, set_to, unpack, write_directory

DIFFERENT = 1


def test_what_was_converted_is_verified(old_data: Path, tmp_path: Path) -> None:
    migrate02("data", old_data, tmp_path / "new")
    found = migrate02("data", "verify", "--indexes", old_data, tmp_path / "new")
    assert (found.status, found.err) == (DONE, "")
    assert found.out == ("A: etcd 0.4's directory, 7 keys; B: etcd 2.x's directory, 7 keys; 0 differences\n")
    (snapshot,) = (tmp_path / "new" / "member" / "snap").iterdir()
    assert migrate02("data", "verify", "--indexes", old_data, snapshot).status == DONE


def test_differences_are_named(old_data: Path, tmp_path: Path) -> None:
    other = write_directory(
        tmp_path / "other",
        [
            *FIRST,
            set_to("/a", "2"),
            set_to("/d", "a file"),
            set_to("/ttl", "1", expireTime="2100-01-01T00:00:02Z"),
            set_to("/more", "1"),
        ],
    )
    found = migrate02("data", "verify", old_data, other)
    assert found.status == DIFFERENT
    assert found.out.splitlines()[:-1] == [
        "/a: value: '1' / '2'",
        "/d: kind: a directory / a file",
        "/d/_hidden: missing in B",
        "/d/_hidden/b: missing in B",
        "/empty: missing in B",
        "/more: missing in A",
        "/ttl: ttl: 2100-01-01T00:00:00Z / 2100-01-01T00:00:02Z",
    ]
    within = json.loads(migrate02("data", "verify", "--json", "--within", "2", old_data, other).out)
    assert "ttl" not in {one["what"] for one in within["differences"]}


def test_snapshots_of_0_4_can_be_compared(tmp_path: Path) -> None:
    source = unpack("s-snap", tmp_path) / "snapper"
    found = migrate02("data", "verify", source / "snapshot" / "0_273.ss", source)
    assert found.status == DIFFERENT
    assert found.out.endswith("B: etcd 0.4's directory, 505 keys; 26 differences\n")


def test_a_running_0_4_9_gives_out_everything_at_once(tmp_path: Path) -> None:
    snapshot = unpack("s-snap", tmp_path) / "snapper" / "snapshot" / "0_273.ss"
    state = base64.b64decode(json.loads(snapshot.read_bytes()[9:])["state"])
    with answering({"/v2/migration/snapshot": state}) as url:
        found = migrate02("data", "verify", "--indexes", snapshot, url)
    assert found.status == DONE
    assert "B: a running etcd 0.4.9, " in found.out


def test_any_other_is_asked_for_its_keys_and_for_hidden_ones_by_name(old_data: Path) -> None:
    def node(key: str, index: int, **more: object) -> dict[str, object]:
        return {"key": key, "createdIndex": index, "modifiedIndex": index, **more}

    ttl = {"expiration": "2100-01-01T00:00:00Z", "ttl": 5}
    listing = {
        "action": "get",
        "node": {
            "key": "/",
            "dir": True,
            "nodes": [
                node("/a", 3, value="1"),
                node("/d", 4, dir=True),
                node("/ttl", 5, value="1", **ttl),
                node("/empty", 7, dir=True, **ttl),
            ],
        },
    }
    hidden = {
        "action": "get",
        "node": node("/d/_hidden", 4, dir=True, nodes=[node("/d/_hidden/b", 4, value='é & "quoted"\n')]),
    }
    query = "?recursive=true&sorted=true"
    answers = {
        f"/v2/keys/{query}": json.dumps(listing).encode(),
        f"/v2/keys/d/_hidden{query}": json.dumps(hidden).encode(),
    }
    with answering(answers) as url:
        assert migrate02("data", "verify", "--indexes", url, old_data).status == DONE
        exported = migrate02("data", "export", url)
        assert "_hidden" not in exported.out
        assert "_hidden/b" in migrate02("data", "export", "--hidden", "/d/_hidden", url).out


def test_an_address_without_its_scheme_is_told_as_such() -> None:
    for where in ("127.0.0.1:4001", "localhost:4001", "[::1]:4001"):
        run = migrate02("data", "verify", where, "http://127.0.0.1:1")
        assert run.err.endswith(f"there is no such file - for a running cluster write http://{where}\n")
        assert migrate02("data", "export", where).err.endswith(f"write http://{where}\n")


def test_the_exit_statuses_are_in_the_help() -> None:
    assert "exit status:\n  0  both are the same\n  1  something differs\n  3  " in (
        migrate02("data", "verify", "--help").out
    )
