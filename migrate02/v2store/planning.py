"""From the directories of members to the cluster that a runbook is for, or the reasons why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from compat.findings import Finding
from migrate02.datadir.errors import DataError
from migrate02.datadir.member3x import Member3x
from migrate02.plan.markdown_parts import counted
from migrate02.v2store.cleaning import plan_cleaning
from migrate02.v2store.cluster import differing_clusters
from migrate02.v2store.findings import BEFORE_35, NO_MEMBER, NOT_GIVEN, NOTED, REFUSED
from migrate02.v2store.planned import CLEAN, TO_CLEAN, UNKNOWN, ClusterMember, PlannedCluster
from migrate02.v2store.report import Report, report
from migrate02.v2store.traffic import Kind
from server.cluster.ids import id_text
from server.storage.etcd3.database import Database

_BY_THE_FLAG = {
    Kind.HEALTH: ("probe of /health", "probes of /health"),
    Kind.READ: ("quorum read of v2 keys", "quorum reads of v2 keys"),
    Kind.KEY: ("write of v2 keys", "writes of v2 keys"),
}
"""Requests that clients make while the API of v2 is on: one of them, and several."""


class Examined(NamedTuple):
    """A directory as it was read. ``refused`` is why clean would not touch it."""

    member: Member3x
    report: Report
    refused: str = ""


def examine(member: Member3x) -> Examined:
    """Raises DataError for a directory that can be read only in part."""
    said = report(member)
    if member.database is None:
        raise DataError(member.trouble, member.path)
    try:
        plan_cleaning(member)
    except DataError as error:
        return Examined(member, said, str(error))
    return Examined(member, said)


def refusals(found: Sequence[Examined]) -> list[str]:
    """In words, why there is no plan for these directories; empty if there is one."""
    said = differing_clusters([each.member for each in found])
    if not said and not _those_left(found, _furthest_database(found)):
        said.append("none of these directories is of a member that the cluster still has")
    return said


def cluster_of(found: Sequence[Examined], wal_dir: str = "") -> PlannedCluster:
    """Of directories that are not refused; ``wal_dir`` goes with one."""
    database = _furthest_database(found)
    left = _those_left(found, database)
    reports = [each.report for each in left]
    is_of_36 = any(each.facts.is_of_36 for each in reports)
    given = [_given(each, database, wal_dir, is_of_36=is_of_36) for each in reports]
    unknown = database.members.keys() - {each.member_id for each in reports}
    missing = sorted((_missing(number, database) for number in unknown), key=lambda one: (one.name, one.id))
    furthest, _ = max(zip(given, reports, strict=True), key=lambda pair: pair[1].committed_index)
    holds_keys = any(each.content.keys or each.content.hidden or each.has(Kind.KEY) for each in reports)
    return PlannedCluster(
        id_text(reports[0].cluster_id),
        database.version,
        is_of_36,
        (*given, *missing),
        exports_from=furthest if holds_keys else None,
        had_requests=_requests(reports),
        has_ttl=any(each.content.with_ttl or each.has(Kind.SYNC) for each in reports),
        findings=(*_about_the_cluster(database, missing), *_about_directories(found, left)),
    )


def _furthest_database(found: Sequence[Examined]) -> Database:
    """It knows the members: they may have changed since the others were written."""
    databases = [each.member.database for each in found if each.member.database is not None]
    return max(databases, key=lambda database: database.index)


def _those_left(found: Sequence[Examined], database: Database) -> list[Examined]:
    """Each once, without those of removed members. A database without a list says nothing."""
    left: dict[int, Examined] = {}
    for each in found:
        if not database.members or each.report.member_id in database.members:
            left.setdefault(each.report.member_id, each)
    return list(left.values())


def _given(said: Report, database: Database, wal_dir: str, *, is_of_36: bool) -> ClusterMember:
    refused = said.stops("3.6") or (is_of_36 and said.stops("3.7"))
    holds = said.sentence
    if is_of_36 and not said.stops("3.6"):
        holds = f"{counted(said.facts.behind_marker, 'request')} of v2 behind the newest snapshot"
    return ClusterMember(
        database.names.get(said.member_id) or said.name or id_text(said.member_id),
        id_text(said.member_id),
        str(said.path),
        TO_CLEAN if refused else CLEAN,
        holds,
        wal_dir,
        _client_url(said.member_id, database),
        said.member_id in database.learners,
    )


def _missing(number: int, database: Database) -> ClusterMember:
    return ClusterMember(
        database.names.get(number) or id_text(number),
        id_text(number),
        "",
        UNKNOWN,
        client_url=_client_url(number, database),
        is_learner=number in database.learners,
    )


def _client_url(number: int, database: Database) -> str:
    return next(iter(database.client_urls.get(number, ())), "")


def _requests(reports: Sequence[Report]) -> str:
    """What looks as if the API of v2 were on, in words; the most that one log has of each kind."""
    counts = {
        kind: max(sum(tally.count for tally in each.tallies if tally.kind is kind) for each in reports)
        for kind in _BY_THE_FLAG
    }
    return ", ".join(counted(count, *_BY_THE_FLAG[kind]) for kind, count in counts.items() if count)


def _about_the_cluster(database: Database, missing: Sequence[ClusterMember]) -> Iterator[Finding]:
    numbers = database.version.split(".")[:2]
    if len(numbers) == 2 and all(map(str.isdecimal, numbers)) and tuple(map(int, numbers)) < (3, 5):
        yield BEFORE_35.finding("", None, version=database.version)
    for member in missing:
        yield NOT_GIVEN.finding("", None, name=member.name)


def _about_directories(found: Sequence[Examined], left: Sequence[Examined]) -> Iterator[Finding]:
    known = {each.report.member_id for each in left}
    for each in found:
        said = each.report
        if said.member_id not in known:
            name = said.name or id_text(said.member_id)
            yield NO_MEMBER.finding("", None, path=str(said.path), name=name)
        elif each.refused:
            yield REFUSED.finding("", None, reason=each.refused)
        else:
            yield from (NOTED.finding("", None, note=note) for note in said.notes)
