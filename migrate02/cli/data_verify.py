"""``migrate02 data verify``: its arguments, what is printed, and the exit status."""

from __future__ import annotations

import argparse
import json
import time

from migrate02.cli.exits import DONE, WOULD_CHANGE
from migrate02.cli.options import TlsArguments, add_hidden, add_json, add_tls
from migrate02.cli.output import camel_case, remark, warn
from migrate02.datadir.comparison import differences
from migrate02.datadir.errors import DataError
from migrate02.datadir.live import Tls
from migrate02.datadir.sides import Side, hidden_roots, is_url, read_side, without_overdue
from server.printable import shown

REFUSALS = (DataError,)


EPILOG = """\
exit status:
  0  both are the same
  1  something differs
  3  one of them cannot be read"""


class VerifyArguments(TlsArguments):
    a: str
    b: str
    indexes: bool
    within: float
    json: bool
    hidden: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] A B"
    parser.description = """\
Compare keys, values and TTLs of two data directories, snapshots, exports or running clusters. Expired keys are
ignored on both sides."""
    parser.epilog = EPILOG
    for name in ("a", "b"):
        parser.add_argument(name, metavar=name.upper(), help=argparse.SUPPRESS)
    parser.add_argument("--indexes", action="store_true", help="also compare created and modified indexes")
    parser.add_argument(
        "--within",
        metavar="SECONDS",
        type=float,
        default=0.0,
        help="allowed difference of TTLs (default: 0)",
    )
    add_json(parser)
    add_hidden(parser)
    add_tls(parser)


def run(args: VerifyArguments) -> int:
    tls, hidden = Tls(args.ca_file, args.cert_file, args.key_file), list(args.hidden)
    sides: dict[str, Side] = {}
    for where in sorted((args.a, args.b), key=is_url):  # what tells of hidden keys first
        sides[where] = read_side(where, hidden, tls)
        hidden += hidden_roots(sides[where].keys)
    a, b = sides[args.a], sides[args.b]
    now = time.time_ns()
    found = list(
        differences(
            without_overdue(a.keys, now),
            without_overdue(b.keys, now),
            indexes=args.indexes,
            seconds=args.within,
        )
    )
    if args.json:
        sizes = {"keysInA": len(a.keys), "keysInB": len(b.keys), "indexInA": a.index, "indexInB": b.index}
        print(json.dumps({**sizes, "differences": [camel_case(one._asdict()) for one in found]}))
    else:
        for one in found:
            print(shown(str(one)))
        print(f"A: {a.what}, {len(a.keys)} keys; B: {b.what}, {len(b.keys)} keys; {len(found)} differences")
    warn([*a.warnings, *b.warnings])
    remark([*a.notes, *b.notes])
    if a.hides and b.hides:
        warn(["both are running clusters, which do not list hidden keys; name those with --hidden"])
    return WOULD_CHANGE if found else DONE
