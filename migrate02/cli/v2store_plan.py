"""``migrate02 v2store plan``: its arguments, what is printed, and the exit status."""

from __future__ import annotations

import argparse

from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from migrate02.cli.options import add_wal_dir
from migrate02.cli.output import emit, tell, tell_findings
from migrate02.cli.v2store_inputs import directories_given
from migrate02.datadir.errors import DataError
from migrate02.datadir.member3x import read_member
from migrate02.v2store.plan_texts import as_html, as_json, as_markdown
from migrate02.v2store.planned import PlannedCluster
from migrate02.v2store.planning import cluster_of, examine, refusals
from server.config import redacted

REFUSALS = (DataError,)

EPILOG = """\
exit status:
  0  done
  2  done, but something needs your attention (see "To look at")
  3  a directory cannot be read, or the directories do not belong to one cluster"""


class V2PlanArguments(argparse.Namespace):
    inputs: list[str]
    wal_dir: str
    html: bool
    json: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] DIR..."
    parser.description = """\
Plan the upgrade of one cluster from etcd 3.5 to 3.6, or from 3.6 to 3.7, by what v2 left in the data directories of
its members: a runbook with every step, its check and the way back. The plan is Markdown. Nothing is changed; the
members may be running."""
    parser.epilog = EPILOG
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="DIR",
        help="the data directory of a member, or a copy of it; give those of all members",
    )
    add_wal_dir(parser)
    outputs = parser.add_mutually_exclusive_group()
    outputs.add_argument("--html", action="store_true", help="write a printable page")
    outputs.add_argument("--json", action="store_true", help="write one JSON object")


def run(args: V2PlanArguments) -> int:
    paths, wal_dir = directories_given(args.inputs, args.wal_dir, "plan for")
    found, refused = [], []
    for path in paths:
        try:
            found.append(examine(read_member(path, wal_dir)))
        except DataError as error:
            refused.append(str(error))
    refused = refused or refusals(found)
    if refused:
        tell(f"migrate02 v2store plan: {line}" for line in refused)
        return REFUSED
    cluster = cluster_of(found, args.wal_dir)
    tell_findings(map(str, cluster.findings))
    emit(redacted(_written(cluster, args)))
    return RESIDUE if cluster.needs_review else DONE


def _written(cluster: PlannedCluster, args: V2PlanArguments) -> str:
    if args.json:
        return as_json(cluster)
    return as_html(cluster) if args.html else as_markdown(cluster)
