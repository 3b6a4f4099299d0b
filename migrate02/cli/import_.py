"""``migrate02 import``: its arguments, what is printed, and the exit status. The work is done in ``datadir.carry``."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from migrate02.cli import values
from migrate02.cli.exits import DONE, RESIDUE
from migrate02.cli.options import TlsArguments, add_hidden, add_overwrite, add_tls
from migrate02.cli.output import remark, warn
from migrate02.cli.progress import on_terminal
from migrate02.datadir.carry import carry
from migrate02.datadir.errors import DataError
from migrate02.datadir.live import Tls
from migrate02.datadir.sides import read_side

REFUSALS = (DataError,)


class ImportArguments(TlsArguments):
    snapshot: str
    live: str
    to: str
    connections: int
    overwrite: bool
    hidden: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] --snapshot FILE|--live URL --to URL"
    parser.description = """\
Copy the keys of a snapshot, a data directory, an export or a running cluster into a running cluster of 2.x, or an etcd
3 behind gateways. They get new indexes there. You can run it again: keys that exist are not changed. Exits with 2 if a
key could not be copied."""
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument(
        "--snapshot",
        metavar="FILE",
        default="",
        help="a snapshot of 0.4 or 2.x, a data directory of 0.4, 2.x or 3.x (its v2 keys), or an export",
    )
    sources.add_argument(
        "--live", metavar="URL", type=values.live_url, default="", help="a client URL of the old cluster"
    )
    parser.add_argument(
        "--to",
        metavar="URL",
        type=values.live_url,
        required=True,
        help="a client URL of the new cluster, or of a gateway",
    )
    parser.add_argument(
        "--connections",
        metavar="N",
        type=values.positive,
        default=8,
        help="number of connections at the same time (default: %(default)s)",
    )
    add_overwrite(parser)
    add_hidden(parser)
    add_tls(parser)


def run(args: ImportArguments) -> int:
    tls = Tls(args.ca_file, args.cert_file, args.key_file)
    side = read_side(args.live or args.snapshot, args.hidden, tls)
    warn(side.warnings)
    remark(side.notes)
    if side.hides and not args.hidden:
        warn([f"{args.live} does not list hidden keys; name those to carry with --hidden"])
    progress = partial(on_terminal(sys.stderr), "carrying keys:") if sys.stderr.isatty() else None
    carried = carry(
        side.keys,
        args.to,
        connections=args.connections,
        overwrite=args.overwrite,
        tls=tls,
        progress=progress,
    )
    warn(carried.troubles)
    print(
        f"{carried.made} keys made, {carried.there} were there already, {carried.overdue} are past their TTL, "
        f"{len(carried.troubles)} not changed or refused"
    )
    return RESIDUE if carried.troubles or side.warnings else DONE
