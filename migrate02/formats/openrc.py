"""OpenRC's services, of Gentoo and Alpine: ``command`` and ``command_args``, and their ``/etc/conf.d`` file. Pure.

OpenRC takes in /etc/conf.d/NAME before the service's own script, and starts ``$command $command_args`` by itself.
"""

from __future__ import annotations

import re

from migrate02.formats import shell
from migrate02.formats.format import Context
from migrate02.formats.reading import Reading
from migrate02.formats.view import View

_ARGUMENTS = re.compile(r"(?m)^[ \t]*(?:: [ \t]*\$\{)?command_args:?\+?=")
_STARTS_ITSELF = re.compile(r"(?m)^[ \t]*start[ \t]*\(\)")


def read(view: View, context: Context) -> Reading:
    """The script with the lines that OpenRC adds to it; they stand where the arguments are set, and stay unwritten."""
    path = f"/etc/conf.d/{view.name.rpartition('/')[2]}"
    settings = context.sourced(path)
    found = _ARGUMENTS.search(view.text) or (
        _ARGUMENTS.search(settings.text) if settings is not None else None
    )
    if found is None or _STARTS_ITSELF.search(view.text):
        return shell.read_commands(view, context)
    at = found.start() if found.string is view.text else 0
    added = f"\n{f'. {path}' if settings is not None else ''}\n$command $command_args\n"
    whole = view.inside(view.text + added, [*range(len(view.text)), *[at] * (len(added) + 1)])
    reading = shell.read_commands(whole, context)
    return reading._replace(
        setups=[
            setup._replace(insertion=None)
            if setup.insertion is not None
            and setup.insertion.view is whole
            and setup.insertion.at >= len(view.text)
            else setup
            for setup in reading.setups
        ]
    )
