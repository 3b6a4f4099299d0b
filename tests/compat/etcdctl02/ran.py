"""etcdctl02 run inside the test."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import NamedTuple

from compat.etcdctl02.cli import main
from compat.etcdctl02.console import Console


class Ran(NamedTuple):
    status: int
    out: str
    err: str


def run(*words: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Ran:
    out, err = io.BytesIO(), io.BytesIO()
    status = main(["etcdctl", *words], env or {}, Console(io.BytesIO(stdin.encode()), out, err))
    return Ran(status, out.getvalue().decode(), err.getvalue().decode())
