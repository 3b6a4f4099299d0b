"""The command line of ``migrate02``: the table of the commands, and how the program starts and ends."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence

from compat import __version__, standard
from migrate02.cli.exits import DONE, INTERRUPTED, REFUSED
from migrate02.cli.output import tell
from migrate02.cli.parsing import Misuse, Parser, Subcommand

TYPE_CHECKING = False  # as typing's own, which costs more than all else that --version needs
if TYPE_CHECKING:
    from typing import NoReturn

COMMANDS = {
    "convert": Subcommand("convert configuration of etcd 0.4 to etcd 2.x", "convert"),
    "undo": Subcommand("restore what convert --write replaced in a directory", "undo"),
    "data": Subcommand(
        "convert, inspect, export and compare data directories",
        "data",
        {
            "inspect": Subcommand("show what a data directory is, and what is damaged", "data_inspect"),
            "export": Subcommand("write all keys to standard output", "data_export"),
            "verify": Subcommand("compare keys, values and TTLs", "data_verify"),
        },
    ),
    "import": Subcommand("copy keys into a running cluster", "import_"),
    "plan": Subcommand("plan the move of whole clusters: start lines, problems, a runbook", "plan"),
    "v2store": Subcommand(
        "find and remove what v2 left in etcd 3.5, before 3.6 and 3.7",
        below={
            "check": Subcommand("show what v2 left, why, and which release refuses it", "v2store_check"),
            "export": Subcommand("write the v2 keys, also as a script for v3", "v2store_export"),
            "clean": Subcommand("remove it from the directories of stopped members", "v2store_clean"),
            "plan": Subcommand("plan the upgrade of a cluster to 3.6 or 3.7: a runbook", "v2store_plan"),
        },
    ),
    "explain": Subcommand("explain a finding's code, a setting or an error of etcd", "explain"),
    "discovery": Subcommand(
        "inspect a discovery URL",
        below={
            "inspect": Subcommand("show which members have registered, and what happens next", "discovery")
        },
    ),
    "srv": Subcommand(
        "check the DNS records of a cluster",
        below={"check": Subcommand("show the SRV records of a domain, and which are missing", "srv")},
    ),
}
"""Every command. A new one is a line here and a module, see :mod:`migrate02.cli.parsing`."""


def entry() -> NoReturn:
    """The console script.

    Leaves without taking the interpreter down piece by piece, which takes as long as a conversion: once the output is
    flushed, nothing is left to be done.
    """
    gc.disable()  # a short life with little garbage, none of it large
    standard.prepare()
    try:
        status = standard.run("migrate02", lambda: main(sys.argv[1:]), REFUSED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"migrate02: {where}{error.strerror or error}", file=sys.stderr)
        status = REFUSED
    except KeyboardInterrupt:
        status = INTERRUPTED
    os._exit(status)


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    parser = Parser("migrate02", Subcommand("move an etcd 0.4 deployment to etcd 2.x", below=COMMANDS))
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    args = argparse.Namespace(prog=parser.prog, refusals=())
    try:
        parser.parse_args(argv, args)
        status: int = args.run(args)
    except SystemExit:  # argparse has printed the help or the version
        return DONE
    except (Misuse, *args.refusals) as error:
        tell([f"{getattr(error, 'prog', '') or args.prog}: {error}"])
        return REFUSED
    return status
