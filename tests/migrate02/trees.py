"""Trees of files to convert."""

from __future__ import annotations

from pathlib import Path

OLD = "ETCD_NAME=m1\nETCD_ADDR=10.0.0.9:4001\nETCD_PEER_ADDR=10.0.0.9:7001\nETCD_DATA_DIR=/d\n"
UNIT = "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -peer-addr 10.0.0.1:7001\n"


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
