"""``migrate02 data DIR --gateway ENDPOINTS``: the keys of a directory go into an etcd 3, for gateways to serve."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from compat.gateway import FLAGS, GatewayRefused, check_library, read_settings
from migrate02.cli.exits import DONE, RESIDUE
from migrate02.cli.output import warn
from migrate02.cli.parsing import Misuse
from migrate02.datadir.errors import DataError
from migrate02.datadir.stores import ReadStore, newest
from server.config.gateway import GatewaySettings
from server.printable import shown

_OPTIONS = tuple(flag for flag in FLAGS if flag != "gateway-endpoints")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("into an etcd 3 that gateways serve (etcd02 --engine gateway)")
    group.add_argument(
        "--gateway",
        metavar="URL,...",
        default="",
        help="the endpoints of that etcd, which has no such keys yet",
    )
    for flag in _OPTIONS:
        group.add_argument(f"--{flag}", metavar="VALUE", default="", help=FLAGS[flag])


def run(args: argparse.Namespace) -> int:
    """Raises Misuse, DataError."""
    if not args.inputs or args.out or args.beside or args.name or args.all_members or args.json:
        raise Misuse(
            "--gateway takes the directory of a member, or those of all, and none of the other options"
        )
    settings = _settings(args)
    read = newest([Path(path) for path in args.inputs])
    _write(settings, read)
    warn([*read.warnings, *read.notes])
    return RESIDUE if read.warnings else DONE


def _settings(args: argparse.Namespace) -> GatewaySettings:
    own = {flag: getattr(args, flag.replace("-", "_")) for flag in _OPTIONS}
    try:
        settings = read_settings({**own, "gateway-endpoints": args.gateway}, os.environ, chosen=True)
        check_library()
    except GatewayRefused as error:
        raise DataError(str(error), remedy=error.remedy) from None
    assert settings is not None, "a gateway is chosen"
    return settings


def _write(settings: GatewaySettings, read: ReadStore) -> None:
    from server.gateway.layout import LayoutError  # late, as is the library that it needs
    from server.gateway.offline import import_keys
    from server.gateway.v3 import V3Error

    try:
        done = import_keys(settings, read.frozen)
    except LayoutError as error:
        raise DataError(str(error)) from None
    except V3Error as error:
        raise DataError(
            f"the etcd has not taken all of it: {error}", remedy="repeat this when it answers"
        ) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", Path(error.filename or "")) from None
    said = (
        f"{read.path}: {read.what}, {done.files} keys and {done.directories} directories at index {done.at}"
    )
    print(shown(f"{said} are in the etcd now"))
    print(
        shown(
            f"  start gateways with: etcd02 --engine gateway --gateway-endpoints {','.join(settings.endpoints)}"
        )
    )
