"""The pages that are looked at: each as an operator would get it, from ``migrate02 plan --html`` or ``v2store plan``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.migrate02.running import migrate02
from tests.support.datadirs35 import unpack

ROOT = Path(__file__).parents[2]
FLEET = Path("fixtures", "fleet")
_MACHINE = ROOT / "fixtures" / "walkthrough" / "n1"

INFRA = [FLEET / f"infra{at}" for at in (1, 2, 3)]


def fleet() -> str:
    return migrate02("plan", "--html", FLEET, cwd=ROOT).out


def three_with_a_proxy() -> str:
    """The ports move, so that it has every kind of step."""
    return migrate02("plan", "--html", "--ports", "both", "--standby", "infra3", *INFRA, cwd=ROOT).out


def with_problems() -> str:
    """Two nodes with one name, an address that is no node's, one that is filled in later, and a cluster that is fine."""
    with tempfile.TemporaryDirectory() as folder:
        _machines(
            Path(folder),
            {
                "m1/a": "-name a -addr 10.0.1.10:4001 -peer-addr 10.0.1.10:7001 -peers 10.0.1.11:7001",
                "m2/a": "-name a -addr 10.0.1.11:4001 -peer-addr 10.0.1.11:7001 -peers 10.0.1.10:7001,10.0.1.19:7001",
                "m3/c": "-name c -addr $HOST_IP:4001 -peer-addr $HOST_IP:7001 -peers 10.0.1.10:7001",
                "m4/d": "-name d -addr 10.0.2.10:4001 -peer-addr 10.0.2.10:7001 -bind-addr 127.0.0.1:4001",
            },
        )
        return migrate02("plan", "--html", ".", cwd=Path(folder)).out


def twelve() -> str:
    """Nine members and three standbys, set up like one of the walkthrough's."""
    with tempfile.TemporaryDirectory() as folder:
        for at in range(1, 13):
            for source in filter(Path.is_file, _MACHINE.rglob("*")):
                name = f"etcd-{at:02}.example.com"
                target = Path(folder) / name / str(source.relative_to(_MACHINE)).replace("etcd-n1", "etcd")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(_set_up(source.read_text(), name, f"10.20.30.{at}"))
        standbys = [word for at in (10, 11, 12) for word in ("--standby", f"etcd-{at}.example.com")]
        return migrate02("plan", "--html", *standbys, ".", cwd=Path(folder)).out


def v2store() -> str:
    with tempfile.TemporaryDirectory() as folder:
        return migrate02("v2store", "plan", "--html", *unpack("three", Path(folder), cut=True)).out


PAGES: dict[str, Callable[[], str]] = {
    "fleet": fleet,
    "three": three_with_a_proxy,
    "problems": with_problems,
    "twelve": twelve,
    "v2store": v2store,
}


def _machines(folder: Path, starts: dict[str, str]) -> None:
    for machine, flags in starts.items():
        unit = folder / machine / "etc" / "systemd" / "system" / "etcd.service"
        unit.parent.mkdir(parents=True)
        unit.write_text(f"[Service]\nExecStart=/usr/bin/etcd {flags} -data-dir /var/lib/etcd\n")


def _set_up(text: str, name: str, host: str) -> str:
    peers = "10.20.30.1:7001,10.20.30.2:7001"
    replaced = (
        ("NAME=n1", f"NAME={name}"),
        ("data/n1", "/var/lib/etcd"),
        ("localhost:24001", f"{host}:4001"),
        ("localhost:27001", f"{host}:7001"),
        ("127.0.0.1", host),
        ("etcd-n1", "etcd"),
        ("ACTIVE_SIZE=3", f"ACTIVE_SIZE=9\nETCD_PEERS={peers}"),
    )
    for old, new in replaced:
        text = text.replace(old, new)
    return text
