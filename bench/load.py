"""Load by wrk, on keys (``keys.lua``)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from members import Running


class Loaded(NamedTuple):
    """What a run of wrk has seen: how many requests, in how many seconds, and the 99th percentile in seconds."""

    requests: float
    seconds: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


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
) -> Loaded:
    """Loads with requests for so many keys, every ``stride``-th of those there are. At least for a second, which is as
    short as wrk can. Ends the program where a request failed.
    """
    script = Path(__file__).with_name("keys.lua")
    done = subprocess.run(
        [
            "wrk",
            "--threads=1",
            f"--connections={connections}",
            f"--duration={max(round(seconds), 1)}s",
            "--latency",
            f"--script={script}",
            f"http://127.0.0.1:{member.port}",
            *("--", method, str(keys), str(value_bytes), query, str(stride)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.rpartition("JSON ")[2])
    if found["failed"]:
        raise SystemExit(f"{member.server.title}: {found['failed']:.0f} of {found['requests']:.0f} failed")
    return Loaded(found["requests"], found["seconds"], found["p99"])
