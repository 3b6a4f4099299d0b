"""How many files a second migrate02 converts: a generated tree of small files, checked and then written.

    python bench/convert_tree.py [--files N] [--rounds N]

The first tree has 0.4's TOML files, environment files and command lines in the proportions of 2 : 2 : 1; the second
units, scripts, cloud-configs, lists of containers and environment files, as many of each. Prints wall time and CPU
time, user and system apart, of ``convert --check TREE`` and ``convert --write TREE`` in a process of their own, start
included, the least of all rounds. The goal is 1500 files a second of CPU time on one core. System time is mostly the
file system's: of writing, the price of making a file and of linking its original; TMPDIR says where the trees are made.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

GOAL = 1500

TOML = """\
# member {n}
name = "m{n}"
addr = "10.0.{a}.{b}:4001"        # clients
bind_addr = "0.0.0.0"
data_dir = "/var/lib/etcd"
snapshot_count = 20000

[peer]
addr = "10.0.{a}.{b}:7001"
heartbeat_interval = 100
election_timeout = 500
"""
ENV = """\
# member {n}
ETCD_NAME=m{n}
ETCD_ADDR="10.0.{a}.{b}:4001"
ETCD_PEER_ADDR="10.0.{a}.{b}:7001"
ETCD_DATA_DIR=/var/lib/etcd
ETCD_SNAPSHOTCOUNT=20000
GOMAXPROCS=2
"""
COMMAND = """\
exec /usr/bin/etcd -name m{n} \\
  -addr 10.0.{a}.{b}:4001 -peer-addr 10.0.{a}.{b}:7001 \\
  -data-dir /var/lib/etcd -cluster-active-size 5
"""
UNIT = """\
[Unit]
Description=member {n}
After=network.target

[Service]
User=etcd
Environment=GOMAXPROCS=2
ExecStart=/usr/bin/etcd -name m{n} \\
  -addr 10.0.{a}.{b}:4001 -peer-addr 10.0.{a}.{b}:7001 \\
  -data-dir /var/lib/etcd -cluster-active-size 5
Restart=always

[Install]
WantedBy=multi-user.target
"""
SCRIPT = """\
#!/bin/sh
# member {n}
OPTS="-addr 10.0.{a}.{b}:4001 -data-dir /var/lib/etcd"
case "$1" in
  start) exec /usr/bin/etcd -name m{n} $OPTS -peer-addr 10.0.{a}.{b}:7001 ;;
  *) echo "usage: $0 start" >&2; exit 1 ;;
esac
"""
CLOUD_CONFIG = """\
#cloud-config
coreos:
  etcd:
    name: m{n}
    addr: 10.0.{a}.{b}:4001
    peer-addr: 10.0.{a}.{b}:7001
  units:
    - name: etcd.service
      command: start
"""
CONTAINERS = """\
etcd:
  image: coreos/etcd
  ports:
    - "4001:4001"
  command: -name m{n} -addr 10.0.{a}.{b}:4001 -peer-addr 10.0.{a}.{b}:7001
web:
  image: example/web
"""
TREES = {
    "settings": (TOML, ENV, TOML, ENV, COMMAND),
    "in place": (UNIT, SCRIPT, CLOUD_CONFIG, CONTAINERS, ENV),
}


def generate(root: Path, files: int, kinds: tuple[str, ...]) -> None:
    for n in range(files):
        directory = root / f"{n // 100:03}"
        directory.mkdir(exist_ok=True)
        text = kinds[n % len(kinds)].format(n=n, a=n // 250 % 250, b=n % 250 + 1)
        (directory / f"etcd-{n}.conf").write_text(text)


class Times(NamedTuple):
    """Seconds."""

    wall: float
    user: float
    system: float

    @property
    def cpu(self) -> float:
        return self.user + self.system


def measure(root: Path, option: str) -> Times:
    """One run over the tree."""
    script = Path(sysconfig.get_path("scripts")) / "migrate02"
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(script), "convert", option, str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode not in (1, 2):
        raise SystemExit(f"migrate02 convert {option} ended with {done.returncode}")
    user = after.children_user - before.children_user
    return Times(wall, user, after.children_system - before.children_system)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    times: dict[tuple[str, str], list[Times]] = {
        (tree, option): [] for tree in TREES for option in ("--check", "--write")
    }
    # Removed all at the end: ext4 makes files more slowly for a while where many were removed.
    with tempfile.TemporaryDirectory() as directory:
        for turn in range(args.rounds):
            for tree, kinds in TREES.items():
                root = Path(directory, f"{turn} {tree}")
                root.mkdir()
                generate(root, args.files, kinds)
                for option in ("--check", "--write"):
                    times[tree, option].append(measure(root, option))
    met = True
    for (tree, option), found in times.items():
        best = min(found, key=lambda run: run.cpu)
        met = met and args.files / best.cpu >= GOAL
        print(
            f"{tree}, {option}: {args.files} files in {best.wall:.2f} s, CPU {best.user:.2f} s user and "
            f"{best.system:.2f} s system: {args.files / best.wall:.0f} files/s of wall time, "
            f"{args.files / best.cpu:.0f} of CPU time"
        )
    print(f"goal: {GOAL} files/s of CPU time; {'met' if met else 'NOT met'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
