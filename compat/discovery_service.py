"""``etcd02 discovery-service``: its command line, in the grammar of etcd's. The service itself is in ``server``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from compat.goflag import VALUE, FlagError, HelpAsked, parse

BAD_FLAG, REFUSED = 2, 1

_HEAD = """\
usage: etcd02 discovery-service [flags]
  serve the tokens with which members of a new cluster find each other (--discovery)

"""


def main(args: Sequence[str]) -> int:
    """Runs the service with the words after its name; returns the exit status."""
    from server.discovery.settings import FLAGS, BadSetting, read_settings

    try:
        parsed = parse(args, dict.fromkeys(FLAGS, VALUE))
    except HelpAsked:
        print(_HEAD + "\n".join(f"  --{name} {value}\n      {text}" for name, (value, text) in FLAGS.items()))
        return 0
    except FlagError as error:
        return _stop(str(error), BAD_FLAG)
    if parsed.rest:
        return _stop(f"'{parsed.rest[0]}' is not a valid flag; see etcd02 discovery-service --help", REFUSED)
    try:
        settings = read_settings({flag.name: flag.value or "" for flag in parsed.flags})
    except BadSetting as error:
        return _stop(str(error), BAD_FLAG)
    from server.discovery.main import run

    return run(settings)


def _stop(message: str, status: int) -> int:
    from server.printable import shown

    print(shown(f"etcd02 discovery-service: {message}"), file=sys.stderr)
    return status
