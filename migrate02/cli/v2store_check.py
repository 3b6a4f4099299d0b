"""``migrate02 v2store check``: its arguments, what is printed, and the exit status."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence

from migrate02.cli.exits import DONE, REFUSED, WOULD_CHANGE
from migrate02.cli.options import add_json, add_wal_dir
from migrate02.cli.output import emit, tell
from migrate02.cli.v2store_inputs import directories_given
from migrate02.cli.v2store_words import described
from migrate02.datadir.errors import DataError
from migrate02.datadir.member3x import read_member
from migrate02.v2store import report as reporting
from migrate02.v2store.advice import next_steps
from migrate02.v2store.cluster import differing_clusters
from migrate02.v2store.report import Report
from migrate02.v2store.traffic import Tally
from migrate02.v2store.verdicts import sentence
from server.cluster.ids import id_text
from server.printable import shown

REFUSALS = (DataError,)

EPILOG = """\
exit status:
  0  the release given with --for can start
  1  it cannot, because of v2 data
  3  a directory cannot be read"""


class CheckArguments(argparse.Namespace):
    inputs: list[str]
    release: str
    wal_dir: str
    json: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] DIR..."
    parser.description = """\
Show what v2 left in the data directories of etcd 3.5 or 3.6, the reason, which release refuses to start on it, and
what to do. The first line is that of etcdutl check v2store. Nothing is changed; the members may be running."""
    parser.epilog = EPILOG
    parser.add_argument(
        "inputs", nargs="*", metavar="DIR", help="a data directory; give all those of one cluster"
    )
    parser.add_argument(
        "--for",
        dest="release",
        choices=("3.6", "3.7"),
        default="3.6",
        help="the release that the exit status is for (default: %(default)s)",
    )
    add_wal_dir(parser)
    add_json(parser)


def run(args: CheckArguments) -> int:
    paths, wal_dir = directories_given(args.inputs, args.wal_dir, "check")
    members, reports, unreadable = [], [], []
    for path in paths:
        try:
            member = read_member(path, wal_dir)
            reports.append(reporting.report(member))
            members.append(member)
        except DataError as error:
            unreadable.append(str(error))
    doubts = differing_clusters(members)
    if args.json:
        emit(json.dumps(_as_json(reports, unreadable, doubts, args.release), ensure_ascii=False) + "\n")
    elif reports:
        emit("".join(f"{shown(line)}\n" for line in _lines(reports, doubts, args.release)))
    tell(f"migrate02 v2store check: {line}" for line in unreadable)
    if unreadable or any(report.trouble for report in reports):
        return REFUSED
    return WOULD_CHANGE if any(report.stops(args.release) for report in reports) else DONE


def _sentence_of_all(reports: Sequence[Report]) -> str:
    return sentence(
        any(report.facts.in_snapshot for report in reports), any(report.facts.in_log for report in reports)
    )


def _lines(reports: Sequence[Report], doubts: Sequence[str], release: str) -> Iterator[str]:
    yield _sentence_of_all(reports)
    for report in reports:
        yield ""
        yield from _about(report, alone=len(reports) == 1)
    yield ""
    for doubt in doubts:
        yield f"warning: {doubt}"
    yield from next_steps(reports, release)


def _about(report: Report, *, alone: bool) -> Iterator[str]:
    name = f" {report.name}" if report.name else ""
    version = f", cluster version {report.version}" if report.version else ""
    yield (
        f"{report.path}: member{name} {id_text(report.member_id)} of cluster {id_text(report.cluster_id)}{version}"
    )
    if not alone:
        yield f"  {report.sentence}"
    if report.trouble:
        yield f"  {report.trouble}"
    yield f"  {_indexes(report)}"
    yield f"  in the snapshot: {_content(report)}"
    yield f"  in the log behind the snapshot: {'nothing of v2' if not report.tallies else ''}".rstrip()
    for tally in report.tallies:
        yield f"    {_tally(tally)}"
    for verdict in report.verdicts:
        why = f": {verdict.why}" if verdict.why else ""
        yield f"  etcd {verdict.release} {'starts' if verdict.starts else 'does not start'}{why}"
    for note in report.notes:
        yield f"  note: {note}"


def _indexes(report: Report) -> str:
    database = "unknown" if report.database_index is None else report.database_index
    uncommitted = report.last_index - report.committed_index
    more = f", {uncommitted} of them not known to be committed" if uncommitted else ""
    snapshot = f"snapshot at index {report.snapshot_index}" if report.snapshot_index else "no snapshot"
    return f"{snapshot}, database at {database}, last entry {report.last_index}{more}"


def _content(report: Report) -> str:
    content = report.content
    parts = described(content)
    if not parts:
        return "nothing of v2" if report.snapshot_index else "there is none"
    return ", ".join(parts) + ("" if content.custom else "; no release minds that")


def _tally(tally: Tally) -> str:
    indexes = (
        f"index {tally.first}" if tally.first == tally.last else f"indexes {tally.first} to {tally.last}"
    )
    uncommitted = f", {tally.uncommitted} not known to be committed" if tally.uncommitted else ""
    trouble = f"; 3.6 panics, for {tally.trouble}" if tally.trouble else ""
    minded = "" if tally.is_refused else "; only 3.7 refuses it"
    return f"{tally.kind.method} {tally.count}: {tally.kind.why}{minded}{trouble} ({indexes}{uncommitted})"


def _as_json(
    reports: Sequence[Report], unreadable: Sequence[str], doubts: Sequence[str], release: str
) -> dict[str, object]:
    return {
        "etcdutl": _sentence_of_all(reports) if reports else None,
        "for": release,
        "clean": not unreadable and not any(report.stops(release) or report.trouble for report in reports),
        "directories": [_report_as_json(report) for report in reports],
        "unreadable": list(unreadable),
        "warnings": list(doubts),
        "next": list(next_steps(reports, release)),
    }


def _report_as_json(report: Report) -> dict[str, object]:
    content = report.content
    return {
        "path": str(report.path),
        "etcdutl": report.sentence,
        "name": report.name,
        "memberId": id_text(report.member_id),
        "clusterId": id_text(report.cluster_id),
        "clusterVersion": report.version,
        "snapshotIndex": report.snapshot_index,
        "databaseIndex": report.database_index,
        "committedIndex": report.committed_index,
        "lastIndex": report.last_index,
        "keys": content.keys,
        "hiddenKeys": content.hidden,
        "emptyDirectories": content.empty_directories,
        "withTtl": sorted(content.with_ttl),
        "users": content.users,
        "roles": content.roles,
        "requests": [
            {
                "method": tally.kind.method,
                "kind": tally.kind.name.lower().replace("_", "-"),
                "why": tally.kind.why,
                "count": tally.count,
                "uncommitted": tally.uncommitted,
                "firstIndex": tally.first,
                "lastIndex": tally.last,
                "custom": tally.is_custom,
                "refusedBy36": tally.is_refused,
            }
            for tally in report.tallies
        ],
        "verdicts": {
            verdict.release: {"starts": verdict.starts, "why": verdict.why} for verdict in report.verdicts
        },
        "trouble": report.trouble,
        "notes": report.notes,
    }
