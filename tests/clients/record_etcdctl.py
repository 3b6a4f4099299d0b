"""Records ``fixtures/etcdctl-2.3.8`` anew: ``python -m tests.clients.record_etcdctl ETCD ETCDCTL [STORY...]``, both 2.3.8."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.clients.etcdctl02_told import PATIENT, RECORDED, comparable, recording, settled
from tests.clients.side_by_side import Side
from tests.clients.stories import Teller
from tests.support.process import Member


def main(etcd: str, etcdctl: str, *names: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(shutil.copy(etcdctl, Path(folder) / "etcdctl"))
        for name in names or RECORDED:
            member = Member(Path(folder) / name)
            with member.start_real(etcd) as process:
                while process.request("GET", "/v2/auth/users").status != 200:
                    time.sleep(0.1)  # a new etcd 2.3 takes a while before it knows users
                side = Side(process, member.peer_port)
                side.start_over()
                recording(name).write_text(
                    "".join(f"{line}\n" for line in _told(side, program, RECORDED[name]))
                )


def _told(side: Side, program: Path, story: str) -> list[str]:
    def plain(printed: str) -> str:
        return comparable(printed.replace(str(program), "etcdctl"))

    told = Teller(side, program, PATIENT, {"ETCDCTL_ENDPOINTS": side.url}, plain).tell(story)
    return [settled(line) for line in told.transcript]


if __name__ == "__main__":
    main(*sys.argv[1:])
