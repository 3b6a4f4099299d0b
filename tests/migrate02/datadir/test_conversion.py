"""Which directory is the truth, who the members become, and that nothing is written but whole directories."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate02.datadir.conversion import Request, convert_one, convert_together
from migrate02.datadir.errors import DataError, NotAMember
from migrate02.datadir.listing import digest, user_keys
from migrate02.datadir.members import Cluster
from migrate02.datadir.reader2x import read_member
from migrate02.datadir.replay04 import Registered
from migrate02.datadir.writer import image_of
from migrate02.files.stopping import Stopped
from server.cluster.members import Member
from server.raft.types import Snapshot
from server.storage.errors import WriteFailedError
from server.storage.snapshots import SnapshotDir, read_snapshot
from tests.migrate02.running import migrate02
from tests.support.datadirs04 import FIRST, Command, encode_entry, expected, set_to, unpack, write_directory

URLS = {name: f"http://127.0.0.1:700{name[1]}" for name in ("n1", "n2", "n3")}


def join(name: str, url: str = "") -> Command:
    return ("etcd:join", {"name": name, "raftURL": url or URLS[name], "etcdURL": f"http://{name}"})


CLUSTER = [join("n1"), ("raft:nop", None), join("n2"), join("n3"), set_to("/a", "1")]


def node(where: Path, name: str, commands: Sequence[Command] = CLUSTER, term: int = 0) -> Path:
    return write_directory(
        where / name, commands, term=term, peers=[other for other in URLS if other != name]
    )


def single(where: Path) -> Path:
    return write_directory(where / "old", [*FIRST, set_to("/a", "1")])


def content(path: Path) -> dict[str, bytes | None]:
    return {key.path: key.value for key in user_keys(read_member(path).store)}


def all_files(where: Path) -> list[str]:
    return sorted(str(path.relative_to(where)) for path in where.rglob("*") if path.is_file())


# One directory


def test_a_member_gets_one_snapshot_and_a_log_that_begins_behind_it(tmp_path: Path) -> None:
    convert_one(single(tmp_path), tmp_path / "new", Request())
    assert all_files(tmp_path / "new") == [
        "member/snap/0000000000000001-0000000000000003.snap",
        "member/wal/0000000000000000-0000000000000000.wal",
    ]
    for path in (tmp_path / "new").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_the_same_directory_is_always_converted_to_the_same_bytes(tmp_path: Path) -> None:
    source = single(tmp_path)
    for name in ("x", "y"):
        convert_one(source, tmp_path / name, Request())
    x, y = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in ("x", "y")
    )
    assert x == y


def test_ids_are_those_of_a_new_2x_cluster_with_these_urls_and_token(tmp_path: Path) -> None:
    """7bd40a29f0bcd020 is http://localhost:27001 with the token etcd-cluster, as etcd 2.3.8 makes it."""
    commands = [
        ("etcd:join", {"name": "m", "raftURL": "http://localhost:27001/", "etcdURL": ""}),
        set_to("/a", "1"),
    ]
    source = write_directory(tmp_path / "old", commands)
    result = convert_one(source, tmp_path / "new", Request())
    assert f"{result.written[0].member.id:x}" == "7bd40a29f0bcd020"
    assert f"{result.cluster.id:x}" == "43a44ca6447e824"
    other = convert_one(source, tmp_path / "other", Request(token="another"))
    assert other.cluster.id != result.cluster.id


def test_a_member_may_get_another_peer_url(tmp_path: Path) -> None:
    request = Request(initial_cluster="m=http://10.0.0.1:2380,m=http://10.0.0.2:2380")
    convert_one(single(tmp_path), tmp_path / "new", request)
    (member,) = read_member(tmp_path / "new").members
    assert member.peer_urls == ("http://10.0.0.1:2380", "http://10.0.0.2:2380")


@pytest.mark.parametrize(
    ("initial_cluster", "says"),
    [
        ("x=http://a:1", "m is missing, x is no member"),
        ("m=http://a:1,x=http://b:1", "x is no member"),
        ("m=a:1", "--initial-cluster: "),
    ],
)
def test_initial_cluster_names_the_members_of_the_data(
    tmp_path: Path, initial_cluster: str, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        convert_one(single(tmp_path), tmp_path / "new", Request(initial_cluster=initial_cluster))


@pytest.mark.parametrize("url", ["http://127.0.0.1:7001/x", "127.0.0.1:7001", "http://nohost"])
def test_a_peer_url_that_2x_does_not_take_is_refused_with_the_way_out(tmp_path: Path, url: str) -> None:
    source = write_directory(tmp_path / "old", [("etcd:join", {"name": "m", "raftURL": url, "etcdURL": ""})])
    with pytest.raises(DataError, match=r"member m has a peer URL that 2\.x does not take") as refused:
        convert_one(source, tmp_path / "new", Request())
    assert "--initial-cluster" in refused.value.remedy
    convert_one(source, tmp_path / "new", Request(initial_cluster="m=http://127.0.0.1:7001"))


def test_a_name_that_nothing_tells_has_to_be_given(tmp_path: Path) -> None:
    source = write_directory(tmp_path / "old", CLUSTER)
    with pytest.raises(DataError, match="nothing here tells which member's this is: n1, n2, n3") as refused:
        convert_one(source, tmp_path / "new", Request())
    assert "--name" in refused.value.remedy
    convert_one(source, tmp_path / "new", Request(["n2"]))
    state = read_member(tmp_path / "new")
    own = state.members.get(state.member_id)
    assert own is not None
    assert own.name == "n2"


def test_who_is_no_member_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAMember, match="x is no member of the cluster; the members are m"):
        convert_one(single(tmp_path), tmp_path / "new", Request(["x"]))


def test_a_log_nobody_joined_in_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no member has ever joined"):
        convert_one(write_directory(tmp_path / "old", [("raft:nop", None)]), tmp_path / "new", Request())


def test_one_of_several_is_told_to_compare(tmp_path: Path) -> None:
    result = convert_one(node(tmp_path, "n1"), tmp_path / "new", Request())
    assert "those of n2, n3 must have been converted too and have shown the same digest" in result.warnings[0]


# Never half, never over anything


def test_a_directory_with_something_in_it_is_not_written_to(tmp_path: Path) -> None:
    source = single(tmp_path)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "precious").write_text("x")
    with pytest.raises(DataError, match=r"is not empty \(precious\)"):
        convert_one(source, tmp_path / "new", Request())
    assert all_files(tmp_path / "new") == ["precious"]


def test_an_empty_directory_will_do(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    convert_one(single(tmp_path), tmp_path / "new", Request())
    assert content(tmp_path / "new") == {"/a": b"1"}


def test_the_source_itself_is_not_written_to_unless_asked(tmp_path: Path) -> None:
    source = single(tmp_path)
    with pytest.raises(DataError, match="is not empty"):
        convert_one(source, source, Request())
    before = {path: (source / path).read_bytes() for path in all_files(source)}
    convert_one(source, source, Request(), beside=True)
    assert {path: (source / path).read_bytes() for path in before} == before
    assert content(source) == {"/a": b"1"}
    with pytest.raises(DataError, match=r"holds the data of etcd 2\.x"):
        convert_one(source, source, Request(), beside=True)


def test_what_root_makes_belongs_to_who_has_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that runs as another user has to be able to open it."""
    source = single(tmp_path)
    given: dict[str, tuple[int, int]] = {}

    def chown(path: Path, user: int, group: int) -> None:
        given[str(path.relative_to(tmp_path)).replace(str(os.getpid()), "PID")] = (user, group)

    monkeypatch.setattr(os, "chown", chown)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    convert_one(source, tmp_path / "far" / "new", Request())
    assert set(given.values()) == {(source.stat().st_uid, source.stat().st_gid)}
    stage = "far/new/.member.migrate02-PID"
    assert sorted(given) == [
        "far",
        "far/new",
        stage,
        f"{stage}/snap",
        f"{stage}/snap/0000000000000001-0000000000000003.snap",
        f"{stage}/wal",
        f"{stage}/wal/0000000000000000-0000000000000000.wal",
    ]
    given.clear()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    convert_one(source, tmp_path / "other", Request())
    assert given == {}


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: SnapshotDir, snapshot: Snapshot, more: Sequence[bytes] = ()) -> Path:
        raise WriteFailedError("cannot save the snapshot: No space left on device", self.directory)

    monkeypatch.setattr(SnapshotDir, "save", full)
    source = single(tmp_path)
    with pytest.raises(DataError, match="No space left on device"):
        convert_one(source, tmp_path / "far" / "new", Request())
    assert os.listdir(tmp_path) == ["old"]
    with pytest.raises(DataError, match="No space left on device"):
        convert_one(source, source, Request(), beside=True)
    assert sorted(os.listdir(source)) == ["conf", "log", "snapshot"]


def test_what_is_read_back_otherwise_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tampered(path: Path) -> Snapshot:
        found = read_snapshot(path)
        return Snapshot(
            found.index, found.term, found.nodes, found.data.replace(b'"Value":"1"', b'"Value":"2"')
        )

    monkeypatch.setattr("migrate02.datadir.writer.read_snapshot", tampered)
    with pytest.raises(DataError, match="was read back otherwise than it was written"):
        convert_one(single(tmp_path), tmp_path / "new", Request())
    assert not (tmp_path / "new").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file"):
        convert_one(single(tmp_path), tmp_path / "file" / "new", Request())


def test_a_log_that_is_written_to_is_not_converted(tmp_path: Path) -> None:
    source = single(tmp_path)
    with (source / "log").open("r+b"), pytest.raises(DataError, match=r"stop etcd 0\.4 first"):
        convert_one(source, tmp_path / "new", Request())


# All of a cluster


def test_the_longest_log_of_the_latest_term_is_the_truth_for_all(tmp_path: Path) -> None:
    """Members are stopped one after the other; what the last one took is in its log alone."""
    n1 = node(tmp_path, "n1")
    late = set_to("/late", "1")
    n2 = node(tmp_path, "n2", [*CLUSTER, late])
    n3 = node(tmp_path, "n3", [*CLUSTER, late, set_to("/last", "1")])
    result = convert_together([n1, n2, n3], tmp_path / "out", Request())
    assert {one.name: one.keys for one in result.readings} == {"n1": 1, "n2": 2, "n3": 3}
    assert result.truth.name == "n3"
    assert result.warnings == []
    states = [read_member(tmp_path / "out" / name) for name in URLS]
    assert len({(state.index, state.term, state.store.index) for state in states}) == 1
    assert len({tuple(user_keys(state.store)) for state in states}) == 1


def test_a_later_term_beats_a_longer_log(tmp_path: Path) -> None:
    n1 = node(tmp_path, "n1", [*CLUSTER, set_to("/never-agreed", "1"), set_to("/on", "1")])
    n2 = node(tmp_path, "n2")
    with (n2 / "log").open("ab") as log:
        log.write(encode_entry(6, 1, *set_to("/agreed", "1")))
    result = convert_together([n1, n2], tmp_path / "out", Request())
    assert result.truth.name == "n2"
    assert content(tmp_path / "out" / "n1") == {"/a": b"1", "/agreed": b"1"}
    assert any(
        "were never agreed on" in warning or "no directory is given" in warning for warning in result.warnings
    )


def test_entries_that_were_never_agreed_on_are_told_of(tmp_path: Path) -> None:
    n1 = node(tmp_path, "n1", [*CLUSTER, set_to("/never-agreed", "1")])
    n2, n3 = node(tmp_path, "n2"), node(tmp_path, "n3")
    for other in (n2, n3):
        with (other / "log").open("ab") as log:
            log.write(encode_entry(6, 1, *set_to("/agreed", "1")))
    result = convert_together([n1, n2, n3], tmp_path / "out", Request())
    (warning,) = result.warnings
    assert warning.startswith(f"{n1 / 'log'}, byte ")
    assert "the last entries were never agreed on" in warning


def test_directories_of_different_clusters_are_refused(tmp_path: Path) -> None:
    n1 = node(tmp_path, "n1")
    n2 = node(tmp_path, "n2", [*CLUSTER[:-1], set_to("/a", "of another cluster")])
    with pytest.raises(DataError, match="not of the same cluster"):
        convert_together([n1, n2], tmp_path / "out", Request())
    assert not (tmp_path / "out").exists()


def test_the_same_directory_twice_is_refused(tmp_path: Path) -> None:
    n1 = node(tmp_path, "n1")
    with pytest.raises(DataError, match="is of member n1"):
        convert_together([n1, n1], tmp_path / "out", Request())


def test_without_a_majority_there_is_a_warning(tmp_path: Path) -> None:
    result = convert_together([node(tmp_path, "n1")], tmp_path / "out", Request())
    assert "of 3 members only 1 are here" in result.warnings[0]
    assert "no directory is given of n2, n3" in result.warnings[1]


def test_lost_directories_can_be_made_anew_from_the_others(tmp_path: Path) -> None:
    sources = [node(tmp_path, name) for name in ("n1", "n2")]
    result = convert_together(sources, tmp_path / "out", Request(), all_members=True)
    assert [one.member.name for one in result.written] == ["n1", "n2", "n3"]
    assert content(tmp_path / "out" / "n3") == {"/a": b"1"}
    assert result.warnings == []


def test_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = SnapshotDir.save, []

    def fails_the_second_time(self: SnapshotDir, snapshot: Snapshot, more: Sequence[bytes] = ()) -> Path:
        calls.append(self.directory)
        if len(calls) == 2:
            raise WriteFailedError("cannot save the snapshot: Input/output error", self.directory)
        return real(self, snapshot, more)

    monkeypatch.setattr(SnapshotDir, "save", fails_the_second_time)
    with pytest.raises(DataError, match="Input/output error"):
        convert_together([node(tmp_path, name) for name in URLS], tmp_path / "out", Request())
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_no_file_name_goes_one_at_a_time(tmp_path: Path) -> None:
    joins = [join("n1"), ("etcd:join", {"name": "a/b", "raftURL": URLS["n2"], "etcdURL": ""})]
    source = write_directory(tmp_path / "old", [*joins, set_to("/a", "1")])
    with pytest.raises(DataError):
        convert_together([source], tmp_path / "out", Request(["a/b"]))
    assert not (tmp_path / "out").exists()


# Damage by chance


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack("s-badsnap2", tmp_path_factory.mktemp("whole")) / "snapA"


@settings(max_examples=25)
@given(
    name=st.sampled_from(["log", "conf", "snapshot/0_329.ss", "snapshot/0_405.ss"]),
    at=st.floats(0, 1),
    cut=st.integers(0, 2000),
    put=st.binary(max_size=20),
)
def test_a_damaged_directory_is_converted_as_it_was_read_or_refused_and_leaves_nothing(
    whole: Path, name: str, at: float, cut: int, put: bytes
) -> None:
    with tempfile.TemporaryDirectory() as where:
        source = Path(where, "old")
        shutil.copytree(whole, source)
        raw = (source / name).read_bytes()
        place = int(at * len(raw))
        (source / name).write_bytes(raw[:place] + put + raw[place + cut :])
        refused = None
        try:
            result = convert_one(source, Path(where, "new"), Request(["snapA"]))
        except DataError as error:
            refused = error
        if refused is not None:
            assert refused.path is not None
            assert os.listdir(where) == ["old"]
            return
        state = read_member(Path(where, "new"))
        assert digest(user_keys(state.store), state.store.index) == result.image.digest == result.truth.digest
        assert state.store.index <= expected("s-badsnap2")["etcd_index"]


# Names and places that the directories themselves say.


@pytest.mark.parametrize("name", ["..", ".", "", "../up", "a/b", "/etc", "nul\0"])
def test_a_name_that_leads_out_of_the_new_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It comes from a snapshot, so from whoever made that; what a log says of paths 0.4 has cleaned."""
    found = Cluster(1, {name: Member(7, name, ("http://127.0.0.1:7001",), ())})
    registered = {name: Registered(name, "http://127.0.0.1:7001", "", 1, 1)}
    monkeypatch.setattr("migrate02.datadir.conversion.cluster_of", lambda *_: found)
    monkeypatch.setattr(
        "migrate02.datadir.conversion.image_of",
        lambda store, cluster, _: image_of(store, cluster, registered),
    )
    (tmp_path / "in").mkdir()
    source = single(tmp_path / "in")
    before = all_files(tmp_path)
    with pytest.raises(DataError):
        convert_together([source], tmp_path / "in" / "out", Request([name]), all_members=True)
    assert all_files(tmp_path) == before


def test_a_link_where_a_member_would_go_is_not_followed(tmp_path: Path) -> None:
    source = node(tmp_path, "n1")
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "n1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="is a link"):
        convert_together([source], tmp_path / "out", Request())
    assert os.listdir(tmp_path / "elsewhere") == []


def test_what_a_run_that_was_cut_short_left_is_named(tmp_path: Path) -> None:
    (tmp_path / "new" / ".member.migrate02-77").mkdir(parents=True)
    with pytest.raises(DataError, match="was left by a run that was cut short"):
        convert_one(single(tmp_path), tmp_path / "new", Request())


def test_a_signal_between_two_members_waits_until_all_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [node(tmp_path, name) for name in URLS]
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        done = real(self, target)
        if target.name == "member":
            signal.raise_signal(signal.SIGINT)
        return done

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(Stopped) as caught:
        convert_together(sources, tmp_path / "out", Request())
    monkeypatch.undo()
    assert str(caught.value).startswith("stopped by SIGINT: everything was written: ")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(URLS)
    assert all(content(tmp_path / "out" / name) == {"/a": b"1"} for name in URLS)
    assert not list(tmp_path.rglob("*.migrate02-*"))


def test_a_signal_before_that_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(*_args: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    source = single(tmp_path)
    monkeypatch.setattr("migrate02.datadir.conversion.check_member", check)
    run = migrate02("data", source, tmp_path / "new")
    assert (run.status, run.err) == (143, "migrate02 data: stopped by SIGTERM: nothing was changed\n")
    assert os.listdir(tmp_path) == ["old"]
