"""``migrate02 data``: what a person at the command line sees, and what it exits with."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.migrate02.running import migrate02
from tests.support.datadirs04 import FIRST, JOIN, recorded, set_to, unpack, write_directory

DONE, DIFFERENT, RESIDUE, REFUSED = 0, 1, 2, 3


@pytest.fixture
def old(tmp_path: Path) -> Path:
    forever = {"expireTime": "2100-01-01T00:00:00Z"}
    return write_directory(
        tmp_path / "old",
        [
            *FIRST,
            set_to("/a", "1"),
            set_to("/d/_hidden/b", 'é & "quoted"\n'),
            set_to("/ttl", "1", **forever),
            set_to("/gone", "1", expireTime="2015-01-01T00:00:00Z"),
            ("etcd:create", {"key": "/empty", "dir": True, **forever}),
        ],
    )


def test_a_conversion_says_what_was_read_and_written_and_how_to_start(old: Path, tmp_path: Path) -> None:
    found = migrate02("data", old, tmp_path / "new")
    assert (found.status, found.err) == (DONE, "")
    first, overdue, second, start = found.out.splitlines()
    assert first.startswith(f"{old}: member m, last entry 8 of term 0, 7 keys at index 7, digest ")
    assert overdue.startswith("1 keys are past their TTL")
    assert second.startswith(f"{tmp_path / 'new'}: written, 7 keys at index 7, member ")
    assert start == (
        f"  start it with: etcd02 --name m --data-dir {tmp_path / 'new'} "
        "--initial-advertise-peer-urls http://127.0.0.1:7001 --listen-peer-urls http://127.0.0.1:7001 "
        "--initial-cluster m=http://127.0.0.1:7001 "
        "--advertise-client-urls http://127.0.0.1:4001 --listen-client-urls http://127.0.0.1:4001"
    )


def test_json(old: Path, tmp_path: Path) -> None:
    found = json.loads(migrate02("data", "--json", old, tmp_path / "new").out)
    assert (found["index"], found["keys"], found["initialCluster"]) == (7, 7, "m=http://127.0.0.1:7001")
    assert [one["name"] for one in found["written"]] == ["m"]
    assert found["read"][0]["taken"] is True


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "give SRC and DST, or the directories of all members and --out OUT"),
        (("a",), "give SRC and DST"),
        (("a", "b", "c"), "give SRC and DST"),
        (("--out", "o"), "no directory is given"),
        (("--out", "o", "--beside", "a"), "argument --beside: not allowed with argument --out"),
        (("--beside", "a", "b"), "--beside takes one directory"),
        (("--all-members", "a", "b"), "--all-members needs --out"),
        (("--name", "x", "--name", "y", "a", "b"), "--name is given twice"),
        (("--nonsense",), "unrecognized arguments: --nonsense (see migrate02 data --help)"),
        (("nowhere", "new"), "nowhere: does not exist"),
    ],
)
def test_what_cannot_be_is_one_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    found = migrate02("data", *words, cwd=tmp_path)
    assert found.status == REFUSED
    assert found.err.startswith("migrate02 data: ")
    assert says in found.err
    assert (found.out, found.err.count("\n")) == ("", 1)


def test_damage_that_was_passed_over_exits_with_2(tmp_path: Path) -> None:
    source = unpack("s-torn-zeros", tmp_path) / "torn"
    found = migrate02("data", source, tmp_path / "new")
    assert found.status == RESIDUE
    assert f"warning: {source / 'log'}, byte 4017: " in found.err


def test_a_cluster_at_once(tmp_path: Path) -> None:
    source = unpack("s-cluster4to3", tmp_path)
    found = migrate02("data", *sorted(source.iterdir()), "--out", tmp_path / "out")
    assert found.status == DONE
    assert found.out.count("<- used for all") == 1
    assert f"{source / 'n4'}: was a standby of its cluster" in found.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["n1", "n2", "n3"]


def test_beside(old: Path) -> None:
    assert migrate02("data", old, "--beside").status == DONE
    assert sorted(path.name for path in old.iterdir()) == ["conf", "log", "member", "snapshot"]
    again = migrate02("data", old, "--beside")
    assert (again.status, "holds the data of etcd 2.x" in again.err) == (REFUSED, True)


# inspect


@pytest.mark.parametrize("one", recorded(), ids=str)
def test_inspect_tells_of_every_recorded_directory(one: object, tmp_path: Path) -> None:
    from tests.support.datadirs04 import Recorded

    assert isinstance(one, Recorded)
    found = migrate02("data", "inspect", "--json", one.unpack(tmp_path))
    told = json.loads(found.out)
    assert told["kind"] == "0.4"
    assert told["role"] == ("member" if one.role == "member" else "standby or removed")
    assert (found.status == DONE) == (told["damage"] == [])
    if one.role == "member":
        assert told["name"] == next(
            each["name"] for each in one.expected["dirs"] if each["path"] == one.directory
        )
        assert told["etcd_index"] == one.expected["etcd_index"]
        assert told["members"] == {name: [urls["peerURL"]] for name, urls in one.expected["members"].items()}


def test_inspect_tells_the_same_digest_before_and_after(old: Path, tmp_path: Path) -> None:
    migrate02("data", old, tmp_path / "new")
    before, after = (
        json.loads(migrate02("data", "inspect", "--json", path).out) for path in (old, tmp_path / "new")
    )
    assert after["kind"] == "2.x"
    assert (after["digest"], after["keys"], after["etcd_index"]) == (before["digest"], 7, 7)
    assert (after["name"], after["snapshot_index"], after["committed_index"]) == ("m", 7, 7)


def test_inspect_of_damage_tells_the_place(old: Path) -> None:
    data = (old / "log").read_bytes()
    (old / "log").write_bytes(data.replace(b"etcd:setClusterConfig", b"etcd\0setClusterConfig"))
    found = migrate02("data", "inspect", old)
    assert found.status == RESIDUE
    assert f"damage          {old / 'log'}, byte " in found.out


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


# export and verify


def test_an_export_holds_every_key_and_can_be_compared(old: Path, tmp_path: Path) -> None:
    found = migrate02("data", "export", old)
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert rows[0] == {"key": "/a", "value": "1", "createdIndex": 3, "modifiedIndex": 3}
    assert [row["key"] for row in rows] == [
        "/a",
        "/d",
        "/d/_hidden",
        "/d/_hidden/b",
        "/empty",
        "/gone",
        "/ttl",
    ]
    assert rows[4] == {
        "key": "/empty", "dir": True, "createdIndex": 7, "modifiedIndex": 7, "expiration": "2100-01-01T00:00:00Z",
    }  # fmt: skip
    (tmp_path / "keys.jsonl").write_text(found.out)
    assert migrate02("data", "verify", "--indexes", old, tmp_path / "keys.jsonl").status == DONE


def test_an_export_as_requests_for_curl(old: Path) -> None:
    found = migrate02("data", "export", "--requests", "--to", "http://h:1/", old)
    requests = found.out.split("next\n")
    assert [line for part in requests for line in part.splitlines() if line.startswith("url")] == [
        'url = "http://h:1/v2/keys/a"',
        'url = "http://h:1/v2/keys/d/_hidden/b"',
        'url = "http://h:1/v2/keys/ttl"',
        'url = "http://h:1/v2/keys/empty"',
    ]
    assert 'data = "value=%C3%A9%20%26%20%22quoted%22%0A&prevExist=false"' in requests[1]
    assert 'data = "dir=true&ttl=' in requests[3]


def test_what_was_converted_is_verified(old: Path, tmp_path: Path) -> None:
    migrate02("data", old, tmp_path / "new")
    found = migrate02("data", "verify", "--indexes", old, tmp_path / "new")
    assert (found.status, found.err) == (DONE, "")
    assert found.out == ("A: etcd 0.4's directory, 7 keys; B: etcd 2.x's directory, 7 keys; 0 differences\n")
    (snapshot,) = (tmp_path / "new" / "member" / "snap").iterdir()
    assert migrate02("data", "verify", "--indexes", old, snapshot).status == DONE


def test_differences_are_named(old: Path, tmp_path: Path) -> None:
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
    found = migrate02("data", "verify", old, other)
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
    within = json.loads(migrate02("data", "verify", "--json", "--within", "2", old, other).out)
    assert "ttl" not in {one["what"] for one in within["differences"]}


def test_snapshots_of_0_4_can_be_compared(tmp_path: Path) -> None:
    source = unpack("s-snap", tmp_path) / "snapper"
    found = migrate02("data", "verify", source / "snapshot" / "0_273.ss", source)
    assert found.status == DIFFERENT
    assert found.out.endswith("B: etcd 0.4's directory, 505 keys; 26 differences\n")


@pytest.mark.parametrize("content", [b"", b"no snapshot", b'{"key":"/a"}\n', b'{"Root":5}', b"[1]"])
def test_a_file_that_is_none_of_them(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    found = migrate02("data", "export", tmp_path / "file")
    assert (found.status, found.out) == (DONE if not content else REFUSED, "")


# A running 0.4.9, as far as it is asked


@contextmanager
def answering(answers: Mapping[str, bytes]) -> Iterator[str]:
    """A server that answers these paths, and 404 otherwise."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"404 page not found")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_running_0_4_9_gives_out_everything_at_once(tmp_path: Path) -> None:
    snapshot = unpack("s-snap", tmp_path) / "snapper" / "snapshot" / "0_273.ss"
    state = base64.b64decode(json.loads(snapshot.read_bytes()[9:])["state"])
    with answering({"/v2/migration/snapshot": state}) as url:
        found = migrate02("data", "verify", "--indexes", snapshot, url)
    assert found.status == DONE
    assert "B: a running etcd 0.4.9, " in found.out


def test_any_other_is_asked_for_its_keys_and_for_hidden_ones_by_name(old: Path) -> None:
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
        assert migrate02("data", "verify", "--indexes", url, old).status == DONE
        exported = migrate02("data", "export", url)
        assert "_hidden" not in exported.out
        assert "_hidden/b" in migrate02("data", "export", "--hidden", "/d/_hidden", url).out


def test_a_cluster_that_does_not_answer_is_one_line() -> None:
    with answering({}) as url:
        pass
    found = migrate02("data", "export", url)
    assert found.status == REFUSED
    assert found.err.startswith(f"migrate02 data export: {url}/v2/migration/snapshot does not answer: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "http://y"), "one of the arguments --snapshot --live is required"),
        (("--snapshot", "x", "--live", "http://y"), "--live: not allowed with argument --snapshot"),
        (("--snapshot", "x"), "the following arguments are required: --to"),
        (("--snapshot", "x", "--to", "http://y", "--connections", "0"), "0 is not a number of 1 or more"),
        (("--snapshot", "nowhere", "--to", "http://y"), "nowhere: cannot be read: No such file or directory"),
    ],
)
def test_import_without_what_it_needs_is_one_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    found = migrate02("import", *words, cwd=tmp_path)
    assert (found.status, found.err.count("\n")) == (REFUSED, 1)
    assert says in found.err


def test_the_first_line_of_a_log_is_the_member(tmp_path: Path) -> None:
    assert JOIN[1] is not None
    assert JOIN[1]["name"] == "m"
