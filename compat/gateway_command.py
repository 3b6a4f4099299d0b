"""``etcd02 gateway leave``: its command line, in the grammar of etcd's. What it does is in ``server.gateway``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from compat.gateway import FLAGS, GatewayRefused, check_library, read_settings
from compat.goflag import VALUE, FlagError, HelpAsked, parse
from server.printable import shown

BAD_FLAG, REFUSED = 2, 1

_HEAD = """\
usage: etcd02 gateway leave --gateway-endpoints URL,... [flags]
  make of the gateways' keys a plain key space of v3: leases for what has a TTL, and no records of gateways any more.
  All gateways have to be stopped

"""


def main(args: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Does what the words after ``gateway`` say; returns the exit status."""
    if args[:1] != ["leave"]:
        return _stop("say what to do: etcd02 gateway leave", REFUSED)
    try:
        parsed = parse(args[1:], dict.fromkeys(FLAGS, VALUE))
    except HelpAsked:
        print(_HEAD + "\n".join(f"  --{name}\n      {text}" for name, text in FLAGS.items()))
        return 0
    except FlagError as error:
        return _stop(str(error), BAD_FLAG)
    if parsed.rest:
        return _stop(f"'{parsed.rest[0]}' is not a valid flag; see etcd02 gateway leave --help", REFUSED)
    try:
        settings = read_settings({flag.name: flag.value or "" for flag in parsed.flags}, environ, chosen=True)
        check_library()
    except GatewayRefused as error:
        return _stop(f"{error} -> {error.remedy}", REFUSED)
    assert settings is not None, "a gateway is chosen"
    from server.main import leave_gateway

    said, status = leave_gateway(settings)
    if status:
        return _stop(said, status)
    print(shown(said))
    return 0


def _stop(message: str, status: int) -> int:
    print(shown(f"etcd02 gateway: {message}"), file=sys.stderr)
    return status
