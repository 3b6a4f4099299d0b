"""etcd02 on a disk whose every sync of a file takes longer: python -P bench/slow_disk.py MILLISECONDS [FLAG ...].

For ``pauses.py``: what a member's clients wait for while its disk is slow.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from unittest import mock


def main() -> None:
    delay = float(sys.argv.pop(1)) / 1e3
    datasync = os.fdatasync

    def slow(fd: int) -> None:
        time.sleep(delay)  # which lets go of the interpreter, as a sync does
        datasync(fd)

    with mock.patch.object(os, "fdatasync", slow):
        # By its name: for whoever checks the types in this folder, server.py here hides the package server.
        import_module("compat.etcd02").entry()


if __name__ == "__main__":
    main()
