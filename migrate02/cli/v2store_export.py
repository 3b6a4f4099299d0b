"""``migrate02 v2store export``: its arguments, what is printed, and the exit status."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from migrate02.cli.exits import DONE, RESIDUE
from migrate02.cli.options import add_overwrite, add_wal_dir
from migrate02.cli.output import remark, warn
from migrate02.cli.parsing import Misuse
from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import row
from migrate02.datadir.requests import curl_config
from migrate02.datadir.sides import side_of_3x
from migrate02.v2store.script import etcdctl_script

REFUSALS = (DataError,)

EPILOG = """\
forms:
  json     one JSON object per line, like migrate02 data export: key, value (valueHex if it is not
           UTF-8) or dir, indexes, and the time at which the key expires
  etcdctl  a shell script that creates the keys in v3, with the same names: /app/k1 is /app/k1 there too.
           Read it and run it with sh; it stops at the first error. It does not change keys that v3 has
           already: it reports them and exits with 2; with --overwrite it replaces them. A TTL becomes
           a lease, one for all keys that expire together, with the seconds that remain when the script
           is written: run it soon. Directories, which v3 does not have, and expired keys are comments
           in it
  v2       requests for curl --config, which create the keys in a server of v2 at --to

exit status:
  0  done
  2  done, but something is damaged or was skipped (see the warnings)
  3  the directory cannot be read; nothing was written"""

JSON, ETCDCTL, V2 = "json", "etcdctl", "v2"


class V2StoreExportArguments(argparse.Namespace):
    dir: str
    form: str
    to: str | None
    overwrite: bool
    wal_dir: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] DIR"
    parser.description = """\
Write the v2 keys in a data directory of etcd 3.5 or 3.6 to standard output: all of them, also hidden ones, as 3.5
would have them after a start. The directory is not changed; its member may be running."""
    parser.epilog = EPILOG
    parser.add_argument("dir", metavar="DIR", help="the data directory of a member")
    parser.add_argument(
        "--as",
        dest="form",
        choices=(JSON, ETCDCTL, V2),
        default=JSON,
        help="the form of the output, see below (default: %(default)s)",
    )
    parser.add_argument(
        "--to",
        metavar="URL",
        help="with --as v2: the server for the requests (default: http://127.0.0.1:2379)",
    )
    add_overwrite(parser)
    add_wal_dir(parser)


def run(args: V2StoreExportArguments) -> int:
    if args.to is not None and args.form != V2:
        raise Misuse("--to goes with --as v2; for etcdctl set ETCDCTL_ENDPOINTS")
    if args.overwrite and args.form == JSON:
        raise Misuse("--overwrite goes with --as etcdctl or --as v2")
    side = side_of_3x(Path(args.dir), Path(args.wal_dir) if args.wal_dir else None)
    warn(side.warnings)
    remark(side.notes)
    now = time.time_ns()
    left_out: list[str] = []
    lines: Iterable[str] = (row(key) + "\n" for key in side.keys)
    why = ""
    if args.form == V2:
        to = args.to or "http://127.0.0.1:2379"
        lines = curl_config(side.keys, to, now, left_out, overwrite=args.overwrite)
        why = "too long for curl, left out; migrate02 import takes it"
    elif args.form == ETCDCTL:
        lines = etcdctl_script(side.keys, now, args.dir, left_out, overwrite=args.overwrite)
        why = "a command cannot have this name, left out"
    for line in lines:
        sys.stdout.buffer.write(line.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    warn(f"{path}: {why}" for path in left_out)
    return RESIDUE if side.warnings or left_out else DONE
