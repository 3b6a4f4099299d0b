"""The machines that the guide speaks of, in two makes.

In ``InNamespaces`` each is a network namespace with the guide's own address, and the commands run as they are printed. In
``OnLoopback`` they are addresses of 127.0.0.0/8, put in the place of the guide's, with the guide's ports.
"""

from __future__ import annotations

import contextlib
import random
import re
import socket
from collections.abc import Callable
from typing import NamedTuple, Self

import pytest

from tests.support.namespaces import Network
from tests.support.ports import free_ports

ADDRESSES = {
    "infra0": "10.0.1.10",
    "infra1": "10.0.1.11",
    "infra2": "10.0.1.12",
    "infra3": "10.0.1.13",
    "dns": "10.0.1.2",
    "myetcd": "10.0.1.20",
    "discovery": "10.0.1.21",
    "client": "10.0.1.30",
    "proxy0": "10.0.1.31",
}
"""The guide's own, and of the machines that it leaves without."""

SERVICES = {"myetcd.local": "myetcd", "discovery.etcd.io": "discovery"}
"""Names behind the guide's https URLs, and the machines they are."""

_LOOPBACK = "127.0.0.1"


class Machine(NamedTuple):
    """``address`` and ``loopback`` are where it is reached, by others and by itself; ``command`` goes in front of what is
    to run on it, ``inside`` has this thread be on it, ``here`` puts this world's addresses into a text of the guide."""

    name: str
    address: str
    loopback: str
    command: tuple[str, ...]
    inside: Callable[[], contextlib.AbstractContextManager[None]]
    here: Callable[[str], str]


class InNamespaces:
    """A context manager; machines are made when they are first asked for."""

    def __init__(self) -> None:
        self._network = Network()
        self._machines: dict[str, Machine] = {}

    def __enter__(self) -> Self:
        self._network.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._network.__exit__()

    def machine(self, name: str) -> Machine:
        if name not in self._machines:
            hosts = {host: ADDRESSES[machine] for host, machine in SERVICES.items()}
            there = self._network.add(name, ADDRESSES[name], hosts=hosts, name_server=ADDRESSES["dns"])
            self._machines[name] = Machine(
                name, ADDRESSES[name], _LOOPBACK, there.command, there.inside, lambda text: text
            )
        return self._machines[name]

    def listening(self, service: str) -> str:
        """The URL that one of SERVICES listens at."""
        return f"https://{ADDRESSES[SERVICES[service]]}:443"

    def dns_server(self) -> tuple[str, int]:
        """Where machines ask for names; ``dns_variables`` has their programs do so."""
        return ADDRESSES["dns"], 53

    @property
    def dns_variables(self) -> dict[str, str]:
        return {}  # /etc/resolv.conf does it


class OnLoopback:
    """A context manager. Every world takes 256 addresses for itself as long as it lasts."""

    def __init__(self) -> None:
        self._services = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        (self._dns_port,) = free_ports(1)

    def __enter__(self) -> Self:
        self._claim = socket.socket()
        while True:
            self._net = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}."
            with contextlib.suppress(OSError):
                self._claim.bind((f"{self._net}1", 2380))
                return self

    def __exit__(self, *_: object) -> None:
        self._claim.close()

    def machine(self, name: str) -> Machine:
        number = int(ADDRESSES[name].rpartition(".")[2])
        loopback = f"{self._net}{100 + number}"

        def here(text: str) -> str:
            for host, port in self._services.items():
                text = text.replace(host, f"localhost:{port}")
            text = re.sub(r"\b127\.0\.0\.1\b", loopback, text)
            return re.sub(r"\b10\.0\.1\.(?=\d)", self._net, text)

        return Machine(name, f"{self._net}{number}", loopback, (), contextlib.nullcontext, here)

    def listening(self, service: str) -> str:
        return f"https://localhost:{self._services[service]}"

    def dns_server(self) -> tuple[str, int]:
        return f"{self._net}2", self._dns_port

    @property
    def dns_variables(self) -> dict[str, str]:
        return {"ETCD_DNS_SERVER": f"{self._net}2:{self._dns_port}"}


World = InNamespaces | OnLoopback

BOTH = pytest.mark.parametrize("guide", ["namespaces", "loopback"], indirect=True)
"""For a test that is to run in both, wherever it runs."""
