"""The command lines of ``migrate02 data`` and ``migrate02 import``, read with argparse. Does nothing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from migrate02.arguments import Misuse, make_parser

_DATA_USAGE = """\
migrate02 data [options] SRC DST
       migrate02 data [options] DIR DIR ... --out OUT
       migrate02 data [options] DIR --beside
       migrate02 data inspect|export DIR
       migrate02 data verify A B"""
_DATA_HEAD = """\
Take the data of etcd 0.4 to etcd 2.x: keys, indexes, TTLs, hidden keys, members. SRC is a directory of 0.4 (log,
snapshot, conf), whose etcd must be stopped, and stays as it is. DST must be new; it has its final name when all is
in it and was read back. The directories of all members together become those of one cluster, OUT/NAME each."""
_DATA_TAIL = """\
exit status:
  0  done
  2  done, but something was damaged or is left for a person (see what it says)
  3  refused; nothing was written"""


class DataArguments(argparse.Namespace):
    """What was asked of ``data``, when it is none of the words below."""

    paths: list[str]
    name: list[str]
    initial_cluster: str
    initial_cluster_token: str
    out: str
    beside: bool
    all_members: bool
    json: bool


def read_data_arguments(argv: Sequence[str]) -> DataArguments:
    """Raises Misuse; ``--help`` ends the program here."""
    parser = make_parser("migrate02 data", _DATA_USAGE, _DATA_HEAD, _DATA_TAIL)
    parser.add_argument("paths", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument(
        "--name",
        metavar="NAME",
        action="append",
        default=[],
        help="the member's name, where the directory does not tell it; with several directories once for each",
    )
    parser.add_argument(
        "--initial-cluster",
        metavar="LIST",
        default="",
        help="NAME=URL,...: other peer URLs for the members (default: those they had)",
    )
    parser.add_argument(
        "--initial-cluster-token",
        metavar="TOKEN",
        default="etcd-cluster",
        help="makes the ids of the cluster and its members (default: etcd-cluster, as 2.x has it)",
    )
    parser.add_argument("--out", metavar="OUT", default="", help="where all members' directories go")
    parser.add_argument(
        "--all-members", action="store_true", help="with --out: also for members whose directory is not given"
    )
    parser.add_argument(
        "--beside", action="store_true", help="put member/ next to the old files, as etcd 2.0 did"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_intermixed_args(list(argv), DataArguments())
    trouble = _trouble(args)
    if trouble:
        raise Misuse(trouble)
    return args


def _trouble(args: DataArguments) -> str:
    if args.out and args.beside:
        return "--out and --beside both say where it goes: give one of them"
    if args.beside and len(args.paths) != 1:
        return "--beside takes one directory"
    if args.all_members and not args.out:
        return "--all-members needs --out"
    if args.out and not args.paths:
        return "no directory is given"
    if not args.out and not args.beside and len(args.paths) != 2:
        return "give SRC and DST, or the directories of all members and --out OUT"
    if not args.out and len(args.name) > 1:
        return "--name is given twice for one directory"
    return ""
