"""In the place of an etcd of 0.4, which cannot be had: takes what 0.4 took, refuses settings and data of 2.x as it would, and
answers what a runbook asks of it. No keys, no consensus.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compat.translate import is_of_2x_alone
from tests.migrate02.starts import Start, gathered, read_as_04
from tests.runbooks.on_machine import Here, on
from tests.support.cluster04 import NOT_FOUND, Answer, Door


def main(words: Sequence[str]) -> int:
    here = Here(os.environ["MACHINE"])
    words = [on(here, word) for word in words]
    variables = {name: on(here, value) for name, value in os.environ.items() if name.startswith("ETCD_")}
    files = {str(here.path(file)): here.path(file).read_bytes() for file in here.files}
    start = Start(tuple(words), variables, host="unnamed", files=files)
    given, trouble = gathered(start)
    later = [name for name, one in given.items() if is_of_2x_alone(one)]
    if trouble or later:
        print(f"etcd 0.4: {trouble or later}", file=sys.stderr)
        return 2
    config = dict[str, Any](read_as_04(start).config)
    directory = Path(here.cwd, on(here, str(config["data-dir"])))
    if not (directory / "log").exists():
        print(f"etcd 0.4: no data of 0.4 in {directory}", file=sys.stderr)
        return 1
    name = str(config["name"])
    (listened,), (advertised,) = (
        config[f"{side}-urls"] for side in ("listen-client", "initial-advertise-peer")
    )
    host, _, port = on(here, listened).removeprefix("http://").rpartition(":")

    def answer(target: str) -> Answer:
        index = {"X-Etcd-Index": "66"}
        return {
            "/version": Answer(200, "etcd 0.4.9"),
            "/v2/leader": Answer(200, advertised),
            "/v2/stats/self": Answer(200, json.dumps({"name": name, "state": "follower"})),
            "/v2/keys/": Answer(200, '{"action":"get","node":{"key":"/","dir":true}}\n', index),
        }.get(target, NOT_FOUND)

    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    door = Door(answer, at=(host, int(port)))
    stopped.wait()
    door.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
