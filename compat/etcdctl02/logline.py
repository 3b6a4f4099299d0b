"""The lines that etcdctl's ``backup`` and ``import`` log on standard error."""

from __future__ import annotations

from datetime import datetime

from compat.etcdctl02.errors import BAD_ARGUMENTS, Stop


def line(text: str) -> str:
    return f"{datetime.now():%Y-%m-%d %H:%M:%S.%f} I | {text}\n"


def fatal(text: object) -> Stop:
    return Stop(BAD_ARGUMENTS, line(str(text)))
