"""``migrate02 data export``: its arguments, what is printed, and the exit status."""

from __future__ import annotations

import argparse
import sys
import time

from migrate02.cli.exits import DONE, RESIDUE
from migrate02.cli.options import TlsArguments, add_hidden, add_overwrite, add_tls
from migrate02.cli.output import remark, warn
from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import row
from migrate02.datadir.live import Tls
from migrate02.datadir.requests import curl_config
from migrate02.datadir.sides import read_side

REFUSALS = (DataError,)


class ExportArguments(TlsArguments):
    source: str
    requests: bool
    to: str
    overwrite: bool
    hidden: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] DIR|FILE|URL"
    parser.description = """\
Write all keys, also hidden ones, to standard output: one JSON object per line, or requests for curl --config.
Exits with 2 if something is damaged or was skipped."""
    parser.add_argument(
        "source", metavar="DIR|FILE|URL", help="a data directory, a snapshot, or a cluster's client URL"
    )
    parser.add_argument("--requests", action="store_true", help="write PUT requests that create the keys")
    parser.add_argument(
        "--to",
        metavar="URL",
        default="http://127.0.0.1:2379",
        help="with --requests: the server for the requests (default: %(default)s)",
    )
    add_overwrite(parser)
    add_hidden(parser)
    add_tls(parser)


def run(args: ExportArguments) -> int:
    side = read_side(args.source, args.hidden, Tls(args.ca_file, args.cert_file, args.key_file))
    warn(side.warnings)
    remark(side.notes)
    left_out: list[str] = []
    if args.requests:
        lines = curl_config(side.keys, args.to, time.time_ns(), left_out, overwrite=args.overwrite)
    else:
        lines = (row(key) + "\n" for key in side.keys)
    for line in lines:
        sys.stdout.buffer.write(line.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    warn(f"{path}: too long for curl, left out; migrate02 import takes it" for path in left_out)
    return RESIDUE if side.warnings or left_out else DONE
