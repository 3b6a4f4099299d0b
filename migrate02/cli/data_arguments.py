"""The command lines of ``migrate02 data`` and ``migrate02 import``, read with argparse. Does nothing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from migrate02.cli.arguments import Misuse, make_parser

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


class OtherArguments(argparse.Namespace):
    """What was asked of the words of ``data``, and of ``import``; each has some of these."""

    dir: str
    a: str
    b: str
    json: bool
    requests: bool
    overwrite: bool
    indexes: bool
    within: float
    hidden: list[str]
    snapshot: str
    live: str
    to: str
    connections: int
    ca_file: str
    cert_file: str
    key_file: str


_Option = tuple[tuple[str, ...], dict[str, Any]]

_JSON: _Option = (("--json",), {"action": "store_true", "help": "print one JSON object"})
_HIDDEN: _Option = (
    ("--hidden",),
    {
        "metavar": "KEY",
        "action": "append",
        "default": [],
        "help": "a hidden key or directory to ask a running cluster for, which lists none; may be given again",
    },
)
_TLS: tuple[_Option, ...] = tuple(
    ((f"--{name}-file",), {"metavar": "PATH", "default": "", "help": text})
    for name, text in (
        ("ca", "who is trusted to sign a server's certificate"),
        ("cert", "a certificate to show to the server"),
        ("key", "its key"),
    )
)
_OVERWRITE: _Option = (
    ("--overwrite",),
    {"action": "store_true", "help": "replace keys that are there; without, they stay as they are"},
)

_COMMANDS: dict[str, tuple[str, str, tuple[_Option, ...]]] = {
    "inspect": (
        "migrate02 data inspect [--json] DIR",
        "Tell what a data directory is: of etcd 0.4, 2.x or 3.x, whose, how far it goes, what is damaged.",
        ((("dir",), {"metavar": "DIR"}), _JSON),
    ),
    "export": (
        "migrate02 data export [--requests --to URL] DIR|FILE|URL",
        "Write all keys, hidden ones included, to standard output: a JSON object a line, or requests for "
        "curl --config.",
        (
            (("dir",), {"metavar": "DIR", "help": "a data directory, a snapshot, or a cluster's client URL"}),
            (("--requests",), {"action": "store_true", "help": "PUT requests that make the keys anew"}),
            (
                ("--to",),
                {
                    "metavar": "URL",
                    "default": "http://127.0.0.1:2379",
                    "help": "where requests go (default: %(default)s)",
                },
            ),
            _OVERWRITE,
            _HIDDEN,
            *_TLS,
        ),
    ),
    "verify": (
        "migrate02 data verify [options] A B",
        "Compare keys, values and TTLs of two data directories, snapshots, exports or running clusters. Keys past "
        "their TTL count on neither side. Exits with 1 if something differs.",
        (
            (("a",), {"metavar": "A"}),
            (("b",), {"metavar": "B"}),
            (("--indexes",), {"action": "store_true", "help": "compare created and modified indexes, too"}),
            (
                ("--within",),
                {
                    "metavar": "SECONDS",
                    "type": float,
                    "default": 0.0,
                    "help": "how far TTLs may be apart (default: 0)",
                },
            ),
            _JSON,
            _HIDDEN,
            *_TLS,
        ),
    ),
    "import": (
        "migrate02 import --snapshot FILE|--live URL --to URL",
        "Carry the keys of a snapshot, a data directory, an export or a running cluster into a running cluster of "
        "2.x. Indexes are new there. May be run again: what is there already is passed over.",
        (
            (
                ("--snapshot",),
                {
                    "metavar": "FILE",
                    "default": "",
                    "help": "0.4's or 2.x's snapshot or directory, or an export",
                },
            ),
            (("--live",), {"metavar": "URL", "default": "", "help": "a client URL of the old cluster"}),
            (("--to",), {"metavar": "URL", "default": "", "help": "a client URL of the new cluster"}),
            (
                ("--connections",),
                {"metavar": "N", "type": int, "default": 8, "help": "how many at a time (default: 8)"},
            ),
            _OVERWRITE,
            _HIDDEN,
            *_TLS,
        ),
    ),
}
"""The words of ``data``, and ``import``: usage, what it does, arguments and options."""


def read_other_arguments(command: str, argv: Sequence[str]) -> OtherArguments:
    """The arguments of a command of ``_COMMANDS``. Raises Misuse; ``--help`` ends the program here."""
    usage, head, options = _COMMANDS[command]
    parser = make_parser(usage.partition(" [")[0].partition(" --")[0], usage, head)
    for names, how in options:
        parser.add_argument(*names, **how)
    args = parser.parse_args(list(argv), OtherArguments())
    if command == "import":
        if bool(args.snapshot) == bool(args.live):
            raise Misuse("give --snapshot FILE or --live URL, what to carry")
        if not args.to:
            raise Misuse("give --to URL, where to carry it")
        if args.connections < 1:
            raise Misuse(f"--connections {args.connections}: give 1 or more")
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
