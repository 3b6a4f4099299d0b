"""The options that name an etcd 3 with its gateways, which several commands have."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from compat.gateway import FLAGS, GatewayRefused, read_settings
from migrate02.cli.parsing import Misuse
from migrate02.datadir.errors import DataError
from server.config.gateway import GatewaySettings

OPTIONS = tuple(flag for flag in FLAGS if flag != "gateway-endpoints")
"""As ``etcd02`` has them, besides the endpoints."""


def add_gateway(parser: ArgumentParser, title: str, text: str, options: Sequence[str] = OPTIONS) -> None:
    group = parser.add_argument_group(title)
    group.add_argument("--gateway", metavar="URL,...", default="", help=text)
    for flag in options:
        group.add_argument(f"--{flag}", metavar="VALUE", default="", help=FLAGS[flag])


def read_gateway(args: Namespace) -> GatewaySettings | None:
    """None where none is named. Raises Misuse, DataError."""
    given = {flag: getattr(args, flag.replace("-", "_"), "") for flag in OPTIONS}
    if not args.gateway:
        stray = next((flag for flag, value in given.items() if value), "")
        if stray:
            raise Misuse(f"--{stray} needs --gateway URL,...")
        return None
    try:
        own = {**given, "gateway-endpoints": args.gateway}
        return read_settings(own, os.environ, chosen=True, endpoints_by="gateway")
    except GatewayRefused as error:
        raise DataError(str(error), remedy=error.remedy) from None
