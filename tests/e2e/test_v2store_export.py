"""v2 keys of a directory of etcd 3.5, written out in each form: real etcd, and a server of v2, have them afterwards."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from migrate02.datadir.listing import Key
from migrate02.datadir.sides import read_side
from migrate02.v2store.script import etcdctl_script
from tests.migrate02.running import migrate02
from tests.support.cluster import wait_until
from tests.support.datadirs35 import unpack
from tests.support.process import Member
from tests.support.real_etcd import HOW_35, RunningEtcd, etcd35, etcdctl35, required, running

pytestmark = pytest.mark.slow

WITH_KEYS = ("wal-only", "snap-only", "from-2.3", "ttl", "hidden", "empty-dir", "big")
"""Of one member each."""

ODD = [
    Key(path, value, 5, 5, None)
    for path, value in (
        ("/-x", b"-y"),
        ("/$(id)", b"a'b\"c`d\\e%f"),
        ("/empty", b""),
        ("/line\n", b"end\n\n"),
        ("/nul", b"a\0b"),
        ("/raw\udcff", bytes(range(256))),
        ("/long", b"x" * 300_000),
        ("/käy", "grüße".encode()),
    )
]


def say(member: RunningEtcd, *words: str) -> dict[str, object]:
    """What etcdctl answers, from JSON."""
    done = subprocess.run(
        [required(etcdctl35(), HOW_35), "--endpoints", member.url, "-w", "json", *words],
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def in_v3(member: RunningEtcd) -> dict[str, tuple[bytes, int]]:
    """Values and leases by key."""
    rows = say(member, "get", "--prefix", "/").get("kvs", [])
    assert isinstance(rows, list)
    return {
        base64.b64decode(row["key"]).decode("utf-8", "surrogateescape"): (
            base64.b64decode(row.get("value", "")),
            row.get("lease", 0),
        )
        for row in rows
    }


def run(script: Path, member: RunningEtcd, where: Path) -> subprocess.CompletedProcess[str]:
    (where / "bin").mkdir(exist_ok=True)
    if not (where / "bin" / "etcdctl").exists():
        (where / "bin" / "etcdctl").symlink_to(required(etcdctl35(), HOW_35))
    return subprocess.run(
        ["sh", script],
        env={
            "PATH": f"{where / 'bin'}:{os.environ['PATH']}",
            "ETCDCTL_ENDPOINTS": member.url,
            "ETCDCTL_API": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.real_etcd
@pytest.mark.parametrize("name", WITH_KEYS)
def test_a_start_of_35_lists_what_was_written_out(name: str, tmp_path: Path) -> None:
    (path,) = unpack(name, tmp_path)
    exported = tmp_path / "keys.jsonl"
    exported.write_text(migrate02("v2store", "export", path).out)
    with running(required(etcd35(), HOW_35), path, tmp_path / "log", "--enable-v2", "--name=m0") as member:
        verified = migrate02("data", "verify", "--indexes", "--within", "1.5", exported, member.url)
    assert verified.status == 0, verified.out
    assert verified.out.endswith(" 0 differences\n")


@pytest.mark.real_etcd
@pytest.mark.parametrize("snapshots", ["5", "100000"])
def test_a_member_that_was_killed_between_changes_of_members_is_written_out_as_it_listed_itself(
    snapshots: str, tmp_path: Path
) -> None:
    """Changes of members take indexes of v2, and a new key in order has its index for a name."""
    listed = tmp_path / "listed.jsonl"
    flags = ("--enable-v2", f"--snapshot-count={snapshots}")
    with running(required(etcd35(), HOW_35), tmp_path / "old", tmp_path / "log", *flags) as member:

        def write_some() -> None:
            member.request("POST", "/v2/keys/queue", {"value": "job"})
            member.request("PUT", "/v2/keys/lock", {"value": "1", "ttl": "600"})
            member.request("PUT", "/v2/keys/lock", {"value": "2", "prevValue": "not this"})
            member.request("PUT", "/v2/keys/short", {"value": "1", "ttl": "1"})

        write_some()
        added = say(member, "member", "add", "learner", "--learner", "--peer-urls=http://127.0.0.1:1")
        write_some()
        number = added["member"]["ID"]  # type: ignore[index]
        say(member, "member", "update", f"{number:x}", "--peer-urls=http://127.0.0.1:2")
        write_some()
        say(member, "member", "remove", f"{number:x}")
        write_some()
        wait_until(lambda: member.get("/v2/keys/short").status == 404, "the short key is gone")
        write_some()
        listed.write_text(migrate02("data", "export", member.url).out)
        member.process.kill()
        member.process.wait()
    exported = tmp_path / "exported.jsonl"
    run = migrate02("v2store", "export", tmp_path / "old")
    exported.write_text(run.out)
    assert (run.status, len(run.out.splitlines())) == (0, 8)
    assert migrate02("data", "verify", "--indexes", "--within", "1.5", exported, listed).status == 0


@pytest.mark.real_etcd
@pytest.mark.parametrize("name", ["from-2.3", "ttl"])
def test_the_script_makes_the_keys_in_v3_and_leaves_v3s_own_alone(name: str, tmp_path: Path) -> None:
    (path,) = unpack(name, tmp_path)
    keys = {key.path: key for key in read_side(str(path)).keys if key.value is not None}
    script = tmp_path / "keys.sh"
    script.write_text(migrate02("v2store", "export", "--as", "etcdctl", path).out)
    with running(required(etcd35(), HOW_35), tmp_path / "new", tmp_path / "log") as member:
        done = run(script, member, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        made = in_v3(member)
        assert {path: value for path, (value, _) in made.items()} == {
            path: key.value for path, key in keys.items()
        }
        assert {path for path, (_, lease) in made.items() if lease} == {
            path for path, key in keys.items() if key.expiration is not None
        }
        first = min(keys)
        say(member, "put", "--", first, "of v3")
        again = run(script, member, tmp_path)
        assert again.returncode == 2
        assert again.stderr.count("not changed, because v3 has this key already: ") == len(keys)
        assert in_v3(member)[first] == (b"of v3", 0)
        script.write_text(migrate02("v2store", "export", "--as", "etcdctl", "--overwrite", path).out)
        assert run(script, member, tmp_path).returncode == 0
        assert in_v3(member)[first][0] == keys[first].value


@pytest.mark.real_etcd
def test_a_lease_lasts_as_long_as_was_left_and_odd_keys_come_as_they_are(tmp_path: Path) -> None:
    second = 1_000_000_000
    keys = [
        Key(f"/lease{end}/{number}", b"1", 5, 5, end * second) for end in (100, 500) for number in range(2)
    ]
    script = tmp_path / "keys.sh"
    script.write_text("".join(etcdctl_script([*keys, *ODD], 0, "DIR", [])))
    with running(required(etcd35(), HOW_35), tmp_path / "new", tmp_path / "log") as member:
        done = run(script, member, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        made = in_v3(member)
        assert made == {key.path: (key.value, made[key.path][1]) for key in [*keys, *ODD]}
        for end in (100, 500):
            (lease,) = {made[f"/lease{end}/{number}"][1] for number in range(2)}
            assert say(member, "lease", "timetolive", f"{lease:x}")["granted-ttl"] == end
        assert not any(made[key.path][1] for key in ODD)


@pytest.mark.parametrize("name", ["snap-only", "ttl"])
def test_the_requests_make_the_keys_in_a_server_of_v2(name: str, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("needs curl")
    (path,) = unpack(name, tmp_path)
    with Member(tmp_path / "target").start() as target:
        requests = migrate02("v2store", "export", "--as", "v2", "--to", target.url, path)
        assert (requests.status, requests.err) == (0, "")
        (tmp_path / "requests").write_text(requests.out)
        done = subprocess.run(
            [curl, "--config", tmp_path / "requests"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        verified = migrate02("data", "verify", "--within", "1.5", path, target.url)
    assert verified.status == 0, verified.out
