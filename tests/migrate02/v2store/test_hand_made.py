"""Snapshots and log entries made by hand, one for each rule: what etcdutl 3.5.33 says of them and whether 3.6.14 starts.

All were once held against the real ones, see ``docs/fidelity.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from migrate02.v2store.report import report_on
from migrate02.v2store.traffic import Kind, count_requests
from migrate02.v2store.verdicts import CLEAN, IN_BOTH, IN_LOG, IN_SNAPSHOT
from server.raft.types import Entry
from server.storage.requests import StoreRequest
from tests.migrate02.running import migrate02
from tests.support.handmade35 import Expired, Tree, add_entries, add_snapshot, bare, recorded, wrapped

OWN = "/0/members/3d677d431a740c84/attributes"
NAMED = b'{"name":"m0","clientURLs":["http://127.0.0.1:21701"]}'

SNAPSHOTS: dict[str, tuple[Tree, bool]] = {
    "nothing but the members": ({"1": {}}, False),
    "names under /0 that etcd does not know": ({"0": {"odd": {"x": "1"}, "file": "2"}, "1": {}}, False),
    "no /1": ({}, False),
    "an empty /1": ({"1": {}}, False),
    "/1 is a file": ({"1": "x"}, False),
    "a key": ({"1": {"a": "x"}}, True),
    "a key in a directory": ({"1": {"d": {"a": "x"}}}, True),
    "an empty directory": ({"1": {"d": {}}}, True),
    "a key whose TTL ran out": ({"1": {"a": Expired("x")}}, True),
    "a hidden key alone": ({"1": {"_x": "x"}}, False),
    "a hidden directory alone": ({"1": {"_x": {"a": "x"}}}, False),
    "a hidden key beside another": ({"1": {"_x": "x", "a": "x"}}, True),
    "a directory with hidden keys alone": ({"1": {"d": {"_x": "x"}}}, True),
    "/3 with a key": ({"1": {}, "3": {"a": "x"}}, True),
    "/3 with an empty directory": ({"1": {}, "3": {"d": {}}}, True),
    "/3 with a hidden key": ({"1": {}, "3": {"_x": "x"}}, False),
    "/3 empty": ({"1": {}, "3": {}}, False),
    "/3 is a file": ({"1": {}, "3": "x"}, False),
    "another top name with a key": ({"1": {}, "etcd": {"a": "x"}}, True),
    "a hidden top name with a key": ({"1": {}, "_etcd": {"a": "x"}}, False),
    "/2 that was never enabled": ({"1": {}, "2": {"enabled": "false", "users": {}, "roles": {}}}, False),
    "/2 enabled without a user": ({"1": {}, "2": {"enabled": "true", "users": {}, "roles": {}}}, False),
    "/2 empty": ({"1": {}, "2": {}}, False),
    "a v2 user": ({"1": {}, "2": {"enabled": "false", "users": {"root": "{}"}, "roles": {}}}, True),
    "the v2 role guest": ({"1": {}, "2": {"enabled": "false", "users": {}, "roles": {"guest": "{}"}}}, True),
    "a hidden v2 user": ({"1": {}, "2": {"users": {"_root": "{}"}, "roles": {}}}, False),
    "/2 with a file of another name": ({"1": {}, "2": {"odd": "x"}}, False),
    "/2 with a directory of another name": ({"1": {}, "2": {"odd": {"a": "x"}}}, True),
    "a key and a v2 role": ({"1": {"a": "x"}, "2": {"users": {}, "roles": {"guest": "{}"}}}, True),
}
"""Directories beside ``/0``, and whether etcdutl and 3.6 take them for custom content."""

REQUESTS: dict[str, tuple[StoreRequest, bool]] = {
    "a member's attributes": (StoreRequest(method="PUT", path=OWN, val=NAMED), False),
    "the version": (StoreRequest(method="PUT", path="/0/version", val=b"3.5.0"), False),
    "PUT of a key": (StoreRequest(method="PUT", path="/1/a", val=b"x"), True),
    "PUT of a hidden key": (StoreRequest(method="PUT", path="/1/_a", val=b"x"), True),
    "POST": (StoreRequest(method="POST", path="/1/queue", val=b"x"), True),
    "DELETE": (StoreRequest(method="DELETE", path="/1/a"), True),
    "QGET of a key": (StoreRequest(method="QGET", path="/1/a"), True),
    "QGET of a health probe": (StoreRequest(method="QGET"), True),
    "SYNC": (StoreRequest(method="SYNC", time=1), True),
    "PUT under /0": (StoreRequest(method="PUT", path="/0/foo", val=b"x"), True),
    "DELETE of the version": (StoreRequest(method="DELETE", path="/0/version"), True),
    "DELETE of a member's attributes": (StoreRequest(method="DELETE", path=OWN), True),
    "PUT under /2": (StoreRequest(method="PUT", path="/2/users/root", val=b"{}"), True),
    "PUT under /3": (StoreRequest(method="PUT", path="/3/a", val=b"x"), True),
    "a key that is called like a member's attributes": (
        StoreRequest(method="PUT", path="/1/x" + OWN, val=NAMED),
        False,
    ),
}
"""Requests in the log, and whether etcdutl and 3.6 take them for custom content."""

ODD: dict[str, StoreRequest] = {
    "attributes of a member that is not there": StoreRequest(
        method="PUT", path="/0/members/ab/attributes", val=NAMED
    ),
    "attributes that are no JSON": StoreRequest(method="PUT", path=OWN, val=b"{"),
    "a key that goes on behind a member's attributes": StoreRequest(
        method="PUT", path="/1/x/0/members/ab/attributes/more", val=b"x"
    ),
}
"""What etcdutl accepts, and 3.6 dies of."""


def check(path: Path, sentence: str, *, stops_36: bool) -> None:
    """The report, the command's first line and status, and that it can be cleaned if it has to be."""
    report = report_on(path)
    assert report.sentence == sentence
    assert report.stops("3.6") == stops_36
    assert {verdict.release: verdict.starts for verdict in report.verdicts}["3.6"] == (not stops_36)
    run = migrate02("v2store", "check", path)
    assert run.out.splitlines()[0] == sentence
    assert run.status == stops_36
    run = migrate02("v2store", "clean", "--write", path)
    assert run.status == 0, run.err
    after = report_on(path)
    assert after.sentence == CLEAN
    assert not after.stops("3.6")


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_what_is_in_the_snapshot_is_custom_where_etcdutl_and_36_take_it_for_that(
    name: str, tmp_path: Path
) -> None:
    top, is_custom = SNAPSHOTS[name]
    path = recorded(tmp_path)
    add_snapshot(path, top)
    check(path, IN_SNAPSHOT if is_custom else CLEAN, stops_36=is_custom)


@pytest.mark.parametrize("encode", [bare, wrapped])
@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_in_the_log_is_custom_where_etcdutl_and_36_take_it_for_that(
    name: str, encode: Callable[[StoreRequest], bytes], tmp_path: Path
) -> None:
    request, is_custom = REQUESTS[name]
    path = recorded(tmp_path)
    add_entries(path, encode(request))
    check(path, IN_LOG if is_custom else CLEAN, stops_36=is_custom)


@pytest.mark.parametrize("name", ODD)
def test_36_dies_of_what_etcdutl_accepts(name: str, tmp_path: Path) -> None:
    path = recorded(tmp_path)
    add_entries(path, bare(ODD[name]))
    check(path, CLEAN, stops_36=True)


SYNC = bare(StoreRequest(method="SYNC", time=1))


def version(told: str) -> bytes:
    return bare(StoreRequest(method="PUT", path="/0/version", val=told.encode()))


@pytest.mark.parametrize(
    ("begins", "entries", "with_ttl", "idle"),
    [
        ("", (version("2.3.0"), SYNC, SYNC, version("3.4.0")), 0, 2),
        ("2.3.0", (SYNC, version("3.0.0"), SYNC, version("3.5.0")), 0, 2),
        (
            "",
            (version("2.3.0"), SYNC, version("3.4.0"), SYNC, version("3.5.0"), SYNC),
            2,
            1,
        ),  # there is a TTL
        ("", (version("2.3.0"), SYNC), 1, 0),  # 3.5 straight on 2.x may have written it
        ("", (SYNC, version("3.5.0"), SYNC), 2, 0),
        ("3.4.0", (SYNC, version("3.5.0"), SYNC), 2, 0),
        ("x", (SYNC, version("3.5.0")), 1, 0),
    ],
)
def test_syncs_of_the_time_on_2x_are_told_from_those_for_a_key_with_a_ttl(
    begins: str, entries: tuple[bytes, ...], with_ttl: int, idle: int
) -> None:
    log = [Entry(1, index, data) for index, data in enumerate(entries, start=1)]
    tallies = count_requests(log, 1, len(log), (), begins)
    counts = {tally.kind: tally.count for tally in tallies}
    assert (counts.get(Kind.SYNC, 0), counts.get(Kind.IDLE_SYNC, 0)) == (with_ttl, idle)


def test_both_are_told_in_one_sentence(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    add_snapshot(path, {"1": {"a": "x"}})
    add_entries(path, bare(StoreRequest(method="SYNC", time=1)))
    check(path, IN_BOTH, stops_36=True)


def test_an_entry_that_is_not_committed_counts(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    add_entries(path, bare(StoreRequest(method="QGET")), committed=False)
    assert [tally.uncommitted for tally in report_on(path).tallies if tally.is_custom] == [1]
    check(path, IN_LOG, stops_36=True)


def test_an_entry_before_the_snapshot_does_not_count(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    add_snapshot(path, {"1": {}})
    add_entries(path, bare(StoreRequest(method="PUT", path="/0/version", val=b"3.5.0")))
    report = report_on(path)
    assert [tally.count for tally in report.tallies] == [1]
    assert report.facts.behind_marker == 1


def test_the_emptied_accounts_are_told_for_the_releases_that_refuse_them(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    add_snapshot(path, {"1": {}, "2": {"enabled": "false", "users": {}, "roles": {}}})
    (why,) = [verdict.why for verdict in report_on(path).verdicts if verdict.release == "3.6"]
    assert "3.6.0 to 3.6.2" in why
