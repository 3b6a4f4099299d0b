"""Load by wrk, on keys (``keys.lua``)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from members import Running


def check_wrk() -> None:
    """Ends the program where there is no wrk."""
    if shutil.which("wrk") is None:
        raise SystemExit("no wrk: apt-get install wrk")


def wrk(
    member: Running,
    method: str,
    connections: int,
    seconds: float,
    *,
    query: str = "",
    keys: int,
    value_bytes: int,
    stride: int = 1,
) -> dict[str, float]:
    """Loads with requests for so many keys, every ``stride``-th of those there are.

    The figures of one run: ``requests``, ``seconds``, ``p99`` and ``max`` in seconds, ``failed``.
    """
    script = Path(__file__).with_name("keys.lua")
    done = subprocess.run(
        [
            "wrk",
            "--threads=1",
            f"--connections={connections}",
            f"--duration={round(seconds)}s",
            "--latency",
            f"--script={script}",
            f"http://127.0.0.1:{member.port}",
            *("--", method, str(keys), str(value_bytes), query, str(stride)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.rpartition("JSON ")[2])
    return figures
