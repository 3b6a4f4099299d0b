"""``migrate02 data DIR --gateway ENDPOINTS``: the keys of a directory go into an etcd 3, for gateways to serve."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from compat.gateway import GatewayRefused, check_library, written
from migrate02.cli.exits import DONE, RESIDUE
from migrate02.cli.gateway_options import add_gateway, read_gateway
from migrate02.cli.output import warn
from migrate02.cli.parsing import Misuse
from migrate02.datadir.errors import DataError
from migrate02.datadir.stores import ReadStore, newest
from server.config.gateway import GatewaySettings
from server.printable import shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_gateway(
        parser,
        "into an etcd 3 that gateways serve (etcd02 --engine gateway)",
        "the endpoints of that etcd, which has no such keys yet",
    )


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
    settings = read_gateway(args)
    assert settings is not None, "a gateway is chosen"
    try:
        check_library()
    except GatewayRefused as error:
        raise DataError(str(error), remedy=error.remedy) from None
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
    flags = [word for flag, value in written(settings).items() for word in (f"--{flag}", value)]
    user = f", and the password of {settings.user}" if settings.user else ""
    print(shown(f"  start gateways with: etcd02 --engine gateway {shlex.join(flags)}{user}"))
