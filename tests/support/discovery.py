"""A discovery service in a process of its own, started by the installed ``etcd02``."""

import contextlib
import http.client
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Process, Reply

ETCD02 = str(Path(sys.executable).with_name("etcd02"))


class DiscoveryService:
    """Its settings, from which it can be started again and again on the same port."""

    def __init__(self, *flags: str) -> None:
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._flags = flags
        self.under: tuple[str, ...] = ()
        """Another command that it is started by, if any."""

    def launch(self) -> Process:
        """Starts it, and waits for nothing."""
        argv = [*self.under, ETCD02, "discovery-service", "--listen-client-urls", self.url, *self._flags]
        return Process(argv, self.port)

    def start(self) -> Process:
        """Starts it, and waits until it serves."""
        process = self.launch()
        try:
            wait_for(lambda: answers(process, "/health"), process)
        except BaseException:
            process.kill()
            raise
        return process


def new_url(service: Process, size: int) -> str:
    made = service.request("GET", f"/new?size={size}")
    assert made.status == 200, made
    return made.body.decode()


def answers(process: Process, path: str) -> Reply | None:
    """What it answers to a GET; None when it is no 200."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        reply = process.request("GET", path)
        return reply if reply.status == 200 else None
    return None


def wait_for(condition: Callable[[], object], *processes: Process) -> None:
    """Until it holds. Fails, with the logs, when one of the processes ends before, or it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        running = all(process.popen.poll() is None for process in processes)
        if not running or time.monotonic() > deadline:
            raise AssertionError("\n\n".join(process.log for process in processes))
        time.sleep(0.02)
