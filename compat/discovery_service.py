"""``etcd02 discovery-service``: its command line, in the grammar of etcd's. The service itself is in ``server``."""

from __future__ import annotations

from collections.abc import Sequence

from compat.subcommands import BAD_FLAG, Subcommand

_HEAD = """\
usage: etcd02 discovery-service [flags]
  serve the tokens with which members of a new cluster find each other (--discovery)

"""


def main(args: Sequence[str]) -> int:
    """Runs the service with the words after its name; returns the exit status."""
    from server.discovery.settings import FLAGS, BadSetting, read_settings

    command = Subcommand("discovery-service", _HEAD, FLAGS)
    given = command.read(args)
    if isinstance(given, int):
        return given
    try:
        settings = read_settings(given)
    except BadSetting as error:
        return command.stop(str(error), BAD_FLAG)
    from server.discovery.main import run

    return run(settings)
