"""Whole directories of 0.4: snapshots and log together, whose it is, and what is refused."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import Key, user_keys
from migrate02.datadir.source04 import Source, in_use, read_source
from tests.support.datadirs04 import (
    FIRST,
    encode_log,
    encode_snapshot,
    event04,
    expected,
    node04,
    recorded,
    set_to,
    unpack,
    write_directory,
)

SNAPSHOT = encode_snapshot(
    10,
    node04(
        "/",
        0,
        _etcd=node04(
            "/_etcd",
            1,
            machines=node04(
                "/_etcd/machines",
                1,
                m=node04("/_etcd/machines/m", 1, "etcd=http%3A%2F%2Fc&raft=http%3A%2F%2Fp"),
            ),
        ),
        a=node04("/a", 5, "changed"),
        b=node04("/b", 7, "set again"),
        d=node04("/d", 8),
    ),
    9,
    [
        event04("update", "/b", "before it was set again", 3, 4),
        event04("create", "/a", "first", 5, 5),
        event04("compareAndSwap", "/a", "changed", 5, 6),
        event04("set", "/b", "set again", 7, 7),
        event04("create", "/d", "", 8, 8),
        event04("update", "/d", "", 8, 9),
    ],
)
"""Keys as of entry 10, store index 9. The swap of /a has the index 6, which the tree in it has forgotten."""


def keys(source: Source) -> dict[str, Key]:
    return {key.path: key for key in user_keys(source.store)}


def with_snapshot(path: Path, log: bytes, raw: bytes = SNAPSHOT, name: str = "0_10.ss") -> Path:
    (path / "snapshot").mkdir(parents=True)
    (path / "snapshot" / name).write_bytes(raw)
    (path / "log").write_bytes(log)
    return path


def test_a_snapshot_alone_is_enough(tmp_path: Path) -> None:
    """As a member has it that got it from the leader."""
    source = read_source(with_snapshot(tmp_path / "s", b""))
    assert (source.index, source.term, source.store.index) == (10, 0, 9)
    assert keys(source)["/b"] == Key("/b", b"set again", 7, 7, None)
    assert source.members["m"].peer_url == "http://p"


def test_entries_that_the_snapshot_holds_are_not_applied_again(tmp_path: Path) -> None:
    log = encode_log([set_to("/b", f"old {n}") for n in range(5)] + [set_to("/new", "x")], first=6)
    source = read_source(with_snapshot(tmp_path / "s", log))
    assert (source.index, source.entries, source.store.index) == (11, 1, 10)
    assert keys(source)["/b"].value == b"set again"
    assert keys(source)["/new"] == Key("/new", b"x", 10, 10, None)


def test_modified_indexes_that_0_4_forgets_are_found_among_its_events(tmp_path: Path) -> None:
    """0.4.9 answered with 6 until it was stopped, so a swap at that index was a success, and has to be one here."""
    swap = ("etcd:compareAndSwap", {"key": "/a", "value": "again", "prevValue": "", "prevIndex": 6})
    source = read_source(with_snapshot(tmp_path / "s", encode_log([swap], first=11)))
    assert keys(source)["/a"] == Key("/a", b"again", 5, 10, None)
    assert keys(source)["/d"] == Key("/d", None, 8, 8, None)


def test_but_not_when_0_4_was_started_again_since(tmp_path: Path) -> None:
    """It has forgotten them itself, and refused such a swap."""
    swap = ("etcd:compareAndSwap", {"key": "/a", "value": "again", "prevValue": "", "prevIndex": 6})
    log = encode_log([("raft:nop", None), swap], first=11)
    source = read_source(with_snapshot(tmp_path / "s", log))
    assert keys(source)["/a"] == Key("/a", b"changed", 5, 5, None)


def test_events_are_kept_so_that_a_watch_may_begin_in_the_past(tmp_path: Path) -> None:
    source = read_source(with_snapshot(tmp_path / "s", encode_log([set_to("/x", "1")], first=11)))
    found = source.store.freeze().history.scan("/1/b", False, 7, source.store.index)
    assert found is not None
    assert (found.node.key, found.node.value, found.index) == ("/1/b", b"set again", 7)


def test_snapshots_are_ordered_by_number_not_as_text(tmp_path: Path) -> None:
    path = with_snapshot(tmp_path / "s", b"", name="0_10.ss")
    (path / "snapshot" / "0_9.ss").write_bytes(
        encode_snapshot(9, node04("/", 0, old=node04("/old", 3, "x")), 3)
    )
    assert read_source(path).index == 10


@pytest.mark.parametrize("first", [13, 200])
def test_a_hole_between_snapshot_and_log_is_refused(tmp_path: Path, first: int) -> None:
    path = with_snapshot(tmp_path / "s", encode_log([set_to("/x", "1")], first=first))
    with pytest.raises(DataError) as refused:
        read_source(path)
    assert f"the log begins with entry {first}" in refused.value.message
    assert (refused.value.path, refused.value.offset) == (path / "log", 0)


def test_a_log_without_its_beginning_and_no_snapshot_is_refused(tmp_path: Path) -> None:
    path = write_directory(tmp_path / "s", [set_to("/x", "1")], first=100)
    with pytest.raises(DataError, match="begins with entry 100, and there is no snapshot"):
        read_source(path)


@pytest.mark.parametrize("log", [b"", encode_log([set_to("/x", "1")], first=5)], ids=["empty", "from 5"])
def test_the_only_snapshot_damaged_and_the_log_not_from_1_is_refused(tmp_path: Path, log: bytes) -> None:
    path = with_snapshot(tmp_path / "s", log, SNAPSHOT[:-5])
    with pytest.raises(DataError) as refused:
        read_source(path)
    assert refused.value.path == path / "snapshot" / "0_10.ss"
    assert "another member" in refused.value.remedy


def test_the_only_snapshot_damaged_and_the_whole_log_there_loses_nothing(tmp_path: Path) -> None:
    log = encode_log([*FIRST, *(set_to(f"/k{n}", "x") for n in range(10))])
    source = read_source(with_snapshot(tmp_path / "s", log, SNAPSHOT[:-5]))
    assert len(keys(source)) == 10
    assert len(source.warnings) == 1


@pytest.mark.parametrize(
    ("name", "command", "says"),
    [
        ("etcd:unheardOf", {}, "etcd 0.4 has no command etcd:unheardOf"),
        ("etcd:set", {"key": 5}, "key is 5, which 0.4 does not write"),
    ],
)
def test_a_command_that_cannot_be_is_refused_with_its_place(
    tmp_path: Path, name: str, command: dict[str, object], says: str
) -> None:
    path = write_directory(tmp_path / "s", [*FIRST, (name, command), set_to("/x", "1")])
    with pytest.raises(DataError, match=says) as refused:
        read_source(path)
    assert refused.value.offset == len(encode_log(FIRST))


# Whose it is


@pytest.mark.parametrize(
    ("peers", "name"), [(["n2", "n3"], "n1"), (["n2"], ""), ([], ""), (["n1", "n2", "n3"], "")]
)
def test_the_name_is_that_of_the_registry_that_conf_does_not_list(
    tmp_path: Path, peers: list[str], name: str
) -> None:
    joins = [("etcd:join", {"name": f"n{n}", "raftURL": f"http://{n}", "etcdURL": ""}) for n in (1, 2, 3)]
    assert read_source(write_directory(tmp_path / "s", joins, peers=peers)).name == name


def test_a_broken_conf_costs_nothing_but_a_warning(tmp_path: Path) -> None:
    path = write_directory(tmp_path / "s", [*FIRST, set_to("/x", "1")])
    (path / "conf").write_text("{broken")
    source = read_source(path)
    assert source.name == "m"
    assert source.warnings == [f"{path / 'conf'}: not what etcd 0.4 writes: no JSON object; skipped"]


def test_a_commit_index_beyond_the_log_is_no_obstacle(tmp_path: Path) -> None:
    """0.4 itself dies of it."""
    path = write_directory(tmp_path / "s", [*FIRST, set_to("/x", "1")])
    (path / "conf").write_text('{"commitIndex":999,"peers":[]}')
    assert "/x" in keys(read_source(path))


def test_a_standby_that_came_back_is_a_member(tmp_path: Path) -> None:
    path = write_directory(tmp_path / "s", FIRST)
    (path / "standby_info").write_text(json.dumps({"Running": False, "Cluster": None, "SyncInterval": 5}))
    assert not read_source(path).is_standby


@pytest.mark.parametrize("content", ["log", "member", ""])
def test_what_is_no_directory_of_0_4_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "s"
    path.mkdir()
    if content == "member":
        write_directory(path / "x", FIRST).joinpath("log").rename(path / "log")
    if content:
        (path / content).mkdir(exist_ok=True) if content == "member" else (path / content).write_text("x\n")
    with pytest.raises(DataError):
        read_source(path)


def test_a_log_that_somebody_writes_is_in_use(tmp_path: Path) -> None:
    path = write_directory(tmp_path / "s", FIRST)
    with (path / "log").open("rb"):
        assert not in_use(path)
    with (path / "log").open("r+b"):
        assert in_use(path)
    assert not in_use(path)


def test_nothing_is_changed_by_reading(tmp_path: Path) -> None:
    for one in recorded():
        path = one.unpack(tmp_path)
        before = {
            file: (file.stat().st_mtime_ns, file.read_bytes()) for file in path.rglob("*") if file.is_file()
        }
        read_source(path)
        assert {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in before} == before


# Damage by chance

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["peers", "name", "Running", "Cluster", "peerURL", "x"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@settings(max_examples=100)
@given(conf=st.binary(max_size=20) | JSON.map(lambda found: json.dumps(found).encode()), standby=JSON)
def test_any_notes_beside_the_log_cost_no_key(conf: bytes, standby: object) -> None:
    with tempfile.TemporaryDirectory() as where:
        path = write_directory(Path(where) / "s", [*FIRST, set_to("/x", "1")])
        (path / "conf").write_bytes(conf)
        (path / "standby_info").write_text(json.dumps(standby))
        assert "/x" in keys(read_source(path))


@pytest.fixture(scope="module")
def snapper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack("s-snap", tmp_path_factory.mktemp("fuzz")) / "snapper"


@settings(max_examples=150)
@given(at=st.integers(0, 142_645), cut=st.integers(0, 5000), put=st.binary(max_size=20))
def test_a_changed_snapshot_is_never_believed(snapper: Path, at: int, cut: int, put: bytes) -> None:
    file = snapper / "snapshot" / "0_273.ss"
    raw = file.read_bytes()
    changed = raw[:at] + put + raw[at + cut :]
    file.write_bytes(changed)
    try:
        if changed == raw:
            assert read_source(snapper).index == 303
        else:
            with pytest.raises(DataError) as refused:
                read_source(snapper)
            assert refused.value.path == file
    finally:
        file.write_bytes(raw)


@settings(max_examples=60)
@given(size=st.integers(0, 27_644))
def test_a_log_cut_anywhere_gives_a_state_that_0_4_once_had(snapper: Path, size: int) -> None:
    """All keys that are there are as recorded; none but the last ones written can be missing or older."""
    file = snapper / "log"
    raw = file.read_bytes()
    file.write_bytes(raw[:size])
    try:
        source = read_source(snapper)
    finally:
        file.write_bytes(raw)
    wanted = expected("s-snap")
    assert 275 <= source.store.index <= wanted["etcd_index"]
    assert 273 <= source.index <= 303
    for path, key in keys(source).items():
        known = wanted["keys"].get(path)
        if known is not None and known["modifiedIndex"] <= source.store.index:
            assert (key.value or b"").decode() == known.get("value", "")
            assert (key.created_index, key.modified_index) == (known["createdIndex"], known["modifiedIndex"])
