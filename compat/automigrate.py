"""``--auto-migrate``: has ``migrate02`` convert a data directory of 0.4 before anything is started on it.

By its command line, in a process of its own: this package stands below ``migrate02`` and must not know it, the memory
is given back before the server takes its own, and what is done is what a person would have done by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

VARIABLE = "ETCD02_AUTO_MIGRATE"

_PASSED_ON = ("name", "initial-cluster", "initial-cluster-token")
_DONE, _WITH_WARNINGS = 0, 2


class MigrationFailed(Exception):
    """The data could not be converted, and nothing was changed; the message is ``migrate02``'s own."""


def command(data_dir: str, settings: Mapping[str, str]) -> list[str]:
    """What converts this directory, in words for ``migrate02``. ``settings`` are those that were given."""
    words = ["data", data_dir, "--beside"]
    for name in _PASSED_ON:
        if settings.get(name):
            words += [f"--{name}", settings[name]]
    return words


def migrate(data_dir: str, settings: Mapping[str, str]) -> str:
    """Puts ``member/`` beside the old files. Returns what was said about it; raises MigrationFailed."""
    import json
    import subprocess

    done = subprocess.run(
        [sys.executable, "-P", "-m", "migrate02", *command(data_dir, settings), "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode not in (_DONE, _WITH_WARNINGS):
        said = done.stderr.strip().rpartition("\n")[2].removeprefix("migrate02 data: ")
        raise MigrationFailed(said.removeprefix(f"{data_dir}: ") or f"exit status {done.returncode}")
    result = json.loads(done.stdout)
    written = result["written"][0]
    said = (
        f"{result['keys']} keys at index {result['index']} were converted from 0.4, for member {written['memberId']} "
        f"of cluster {result['clusterId']}; digest {result['digest']}"
    )
    return "; ".join([said, *(f"warning: {warning}" for warning in result["warnings"])])
