"""``migrate02 data``: its arguments, what is printed, and the exit status. The work is done in ``datadir``."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from migrate02.cli import data_gateway
from migrate02.cli.exits import DONE, RESIDUE
from migrate02.cli.options import add_json
from migrate02.cli.output import tell, warn
from migrate02.cli.parsing import Misuse
from migrate02.datadir.conversion import (
    Request,
    Result,
    Written,
    convert_one,
    convert_together,
    standby_advice,
)
from migrate02.datadir.errors import DataError
from migrate02.files.stopping import Stopped, stoppable
from server.cluster.ids import id_text
from server.config import redacted
from server.printable import shown

REFUSALS = (DataError,)

USAGE = """\
%(prog)s [options] SRC DST
       %(prog)s [options] DIR DIR ... --out OUT
       %(prog)s [options] DIR --beside
       %(prog)s [options] DIR --gateway URL,...
       %(prog)s inspect|export DIR
       %(prog)s verify A B"""
DESCRIPTION = """\
Convert the data of etcd 0.4 to etcd 2.x: keys, indexes, TTLs, hidden keys, members. SRC is a directory of 0.4 (log,
snapshot, conf), whose etcd must be stopped; it is not changed. DST must be new; it gets its final name when it is
complete and was read back. The directories of all members together become those of one cluster, each in OUT/NAME. With
--gateway the keys of a directory of 0.4, 2.x or 3.5 go into an etcd 3, as gateways serve them."""
EPILOG = """\
exit status:
  0  done
  2  done, but something was damaged or needs your attention (see the warnings)
  3  refused; nothing was written"""


class DataArguments(argparse.Namespace):
    """What was asked of ``data``, when it is none of the commands below it."""

    inputs: list[str]
    name: list[str]
    initial_cluster: str
    initial_cluster_token: str
    out: str
    beside: bool
    all_members: bool
    gateway: str
    json: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage, parser.description, parser.epilog = USAGE, DESCRIPTION, EPILOG
    parser.add_argument("inputs", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument(
        "--name",
        metavar="NAME",
        action="append",
        default=[],
        help="the member's name, if the directory does not contain it; with several directories once for each",
    )
    parser.add_argument(
        "--initial-cluster",
        metavar="LIST",
        default="",
        help="NAME=URL,...: other peer URLs for the members (default: their old ones)",
    )
    parser.add_argument(
        "--initial-cluster-token",
        metavar="TOKEN",
        default="etcd-cluster",
        help="token for the ids of the cluster and its members (default: %(default)s, as in 2.x)",
    )
    places = parser.add_mutually_exclusive_group()
    places.add_argument("--out", metavar="OUT", default="", help="write all members' directories there")
    places.add_argument(
        "--beside", action="store_true", help="put member/ next to the old files, as etcd 2.0 did"
    )
    parser.add_argument(
        "--all-members",
        action="store_true",
        help="with --out: also write a directory for members whose directory was not given",
    )
    add_json(parser)
    data_gateway.add_arguments(parser)


def _check(args: DataArguments) -> None:
    """Raises Misuse."""
    if args.beside and len(args.inputs) != 1:
        raise Misuse("--beside takes one directory")
    if args.all_members and not args.out:
        raise Misuse("--all-members needs --out OUT")
    if args.out and not args.inputs:
        raise Misuse("no directory is given; give those of all members")
    if not args.out and not args.beside and len(args.inputs) != 2:
        raise Misuse("give SRC and DST, or the directories of all members and --out OUT")
    if not args.out and len(args.name) > 1:
        raise Misuse("--name is given twice for one directory; give it once")


def run(args: DataArguments) -> int:
    if args.gateway:
        return data_gateway.run(args)
    _check(args)
    request = Request(args.name, args.initial_cluster, args.initial_cluster_token)
    paths = [Path(path) for path in args.inputs]
    try:
        with stoppable():
            if args.out:
                result = convert_together(paths, Path(args.out), request, all_members=args.all_members)
            else:
                result = convert_one(paths[0], paths[-1], request, beside=args.beside)
    except Stopped as stopped:
        tell([f"migrate02 data: {stopped}"])
        return stopped.status
    if args.json:
        print(redacted(json.dumps(_as_json(result))))
    else:
        _print(result)
    warn(result.warnings)
    return RESIDUE if result.warnings else DONE


def _print(result: Result) -> None:
    for reading in result.readings:
        source = reading.source
        taken = " <- used for all" if reading is result.truth and len(result.readings) > 1 else ""
        said = (
            f"{source.path}: member {reading.name or 'unknown'}, last entry {source.index} of term {source.term}, "
            f"{reading.keys} keys at index {reading.etcd_index}, digest {reading.digest[:16]}{taken}"
        )
        print(shown(said))
    for standby in result.standbys:
        print(shown(f"{standby.path}: {standby_advice(standby)}"))
    now = time.time_ns()
    overdue = sum(expiration <= now for expiration in result.truth.expirations)
    if overdue:
        print(
            f"{overdue} keys are past their TTL; the server removes them, as 0.4 would, when it has started"
        )
    for written in result.written:
        said = (
            f"{written.path}: written, {result.image.keys} keys at index {result.truth.etcd_index}, member "
            f"{id_text(written.member.id)} of cluster {id_text(result.cluster.id)}"
        )
        print(shown(said))
        print(shown(f"  start it with: {start_line(written, result)}"))


def start_line(written: Written, result: Result) -> str:
    """How 2.x is started on a directory that was written here."""
    member = written.member
    peer, client = ",".join(member.peer_urls), ",".join(member.client_urls)
    flags = [
        f"--name {member.name}",
        f"--data-dir {written.path}",
        f"--initial-advertise-peer-urls {peer}",
        f"--listen-peer-urls {peer}",
        f"--initial-cluster {result.cluster.initial_cluster}",
    ]
    if client:
        flags += [f"--advertise-client-urls {client}", f"--listen-client-urls {client}"]
    return " ".join(["etcd02", *flags])


def _as_json(result: Result) -> dict[str, object]:
    return {
        "index": result.truth.etcd_index,
        "keys": result.image.keys,
        "digest": result.image.digest,
        "clusterId": id_text(result.cluster.id),
        "initialCluster": result.cluster.initial_cluster,
        "read": [
            {
                "path": str(reading.source.path),
                "name": reading.name,
                "lastIndex": reading.source.index,
                "lastTerm": reading.source.term,
                "keys": reading.keys,
                "digest": reading.digest,
                "taken": reading is result.truth,
            }
            for reading in result.readings
        ],
        "standbys": [str(source.path) for source in result.standbys],
        "written": [
            {
                "path": str(written.path),
                "name": written.member.name,
                "memberId": id_text(written.member.id),
                "start": start_line(written, result),
            }
            for written in result.written
        ],
        "warnings": result.warnings,
    }
