"""``migrate02 data inspect``: its arguments, what is printed, and the exit status."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from migrate02.cli.exits import DONE, RESIDUE
from migrate02.cli.options import add_json
from migrate02.cli.output import camel_case
from migrate02.datadir.errors import DataError
from migrate02.datadir.inspection import inspect
from server.config import redacted
from server.printable import shown

REFUSALS = (DataError,)


class InspectArguments(argparse.Namespace):
    dir: str
    json: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Show what a data directory is: etcd 0.4's, 2.x's or 3.x's, its member, its last index, and what is damaged.
Exits with 2 if something is damaged."""
    parser.add_argument("dir", metavar="DIR", help="a data directory")
    add_json(parser)


def run(args: InspectArguments) -> int:
    found = inspect(Path(args.dir))
    rows = {
        name: [str(each) for each in value] if isinstance(value, list) else value
        for name, value in asdict(found).items()
    }
    rows["path"] = str(found.path)
    if args.json:
        print(redacted(json.dumps(camel_case(rows))))
    else:
        rows["members"] = [f"{name}={','.join(urls)}" for name, urls in found.members.items()]
        for name, value in rows.items():
            for line in value if isinstance(value, list) else [value] if value not in ("", None) else []:
                print(shown(f"{name.replace('_', ' '):16}{line}"))
    return RESIDUE if found.damage else DONE
