"""What stands beside the guide's machines: the etcd behind myetcd.local, the service behind discovery.etcd.io, and DNS."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.guide.walking import ETCD02, TLS, Guide, Started
from tests.guide.worlds import InNamespaces
from tests.support.dns_server import DnsServer
from tests.support.real_etcd import required

HOW = "apt-get install dnsmasq-base"

_FILES = ("--cert-file", str(TLS / "server.pem"), "--key-file", str(TLS / "server.key"))


def my_etcd(guide: Guide) -> Started:
    """The cluster that the guide's custom discovery URL is a key of: a member, bundled like the others, with TLS."""
    url, peer = guide.world.listening("myetcd.local"), "http://10.0.1.20:2380"
    process = guide.run_on(
        "myetcd",
        ETCD02,
        *("--name", "myetcd", "--listen-client-urls", url, "--advertise-client-urls", url, *_FILES),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
        *("--initial-cluster", f"myetcd={peer}"),
    )
    process.wait_for_line("published {Name:myetcd")
    return process


def discovery_service(guide: Guide) -> Started:
    """In the place of the public service, which is gone."""
    url = guide.world.listening("discovery.etcd.io")
    process = guide.run_on("discovery", ETCD02, "discovery-service", "--listen-client-urls", url, *_FILES)
    process.wait_for_line("discovery service on")
    return process


@contextmanager
def name_server(guide: Guide, zone: str) -> Iterator[None]:
    """Answers the machines' questions from these lines of a zone file: dnsmasq on a machine of its own, where there is
    one, else a server in this process."""
    machine = guide.world.machine("dns")
    address, port = guide.world.dns_server()
    zone = machine.here(zone)
    binary = shutil.which("dnsmasq", path=f"{os.environ['PATH']}:/usr/sbin")
    if isinstance(guide.world, InNamespaces) and (binary or os.environ.get("CI")):
        options = [
            *_OPTIONS,
            f"--listen-address={address}",
            f"--port={port}",
            *map(_option, zone.splitlines()),
        ]
        server = required(Path(binary) if binary else None, HOW, "dnsmasq")
        process = guide.run_on("dns", str(server), *options)
        process.wait_for_line("started")
        yield
        return
    with machine.inside(), DnsServer(zone, address, port):
        yield


_OPTIONS = (
    *("--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--pid-file=", "--user=root"),
    *("--bind-interfaces", "--except-interface=lo", "--no-hosts", "--no-resolv", "--local=/example.com/"),
    "--local-ttl=300",
)


def _option(record: str) -> str:
    """A record of a zone file, as dnsmasq takes it on its command line."""
    match record.split():
        case [name, _, "IN", "A", address]:
            return f"--host-record={name.strip('.')},{address}"
        case [name, _, "IN", "SRV", priority, weight, port, target]:
            return f"--srv-host={name.strip('.')},{target.strip('.')},{port},{priority},{weight}"
    raise ValueError(record)
