"""``etcd02 gateway leave``: its command line, in the grammar of etcd's. What it does is in ``server.gateway``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from compat.gateway import FLAGS, GatewayRefused, check_library, read_settings
from compat.subcommands import REFUSED, Subcommand
from server.printable import shown

_HEAD = """\
usage: etcd02 gateway leave --gateway-endpoints URL,... [flags]
  make of the gateways' keys a plain key space of v3: leases for what has a TTL, and no records of gateways any more.
  All gateways have to be stopped

"""

_LEAVE = Subcommand("gateway leave", _HEAD, {name: ("", text) for name, text in FLAGS.items()})


def main(args: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Does what the words after ``gateway`` say; returns the exit status."""
    if args and args[0].lstrip("-") in ("h", "help"):
        args = ["leave", "--help"]  # all there is
    if args[:1] != ["leave"]:
        return Subcommand("gateway", "", {}).stop("say what to do: etcd02 gateway leave", REFUSED)
    given = _LEAVE.read(args[1:])
    if isinstance(given, int):
        return given
    try:
        settings = read_settings(given, environ, chosen=True)
        check_library()
    except GatewayRefused as error:
        return _LEAVE.stop(f"{error} -> {error.remedy}", REFUSED)
    assert settings is not None, "a gateway is chosen"
    from server.main import leave_gateway

    said, status = leave_gateway(settings)
    if status:
        return _LEAVE.stop(said, status)
    print(shown(said))
    return 0
