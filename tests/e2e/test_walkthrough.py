"""The walkthroughs of ``docs`` are run as they stand: every command, and what it says against what the page says it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.etcd3 import RELEASES, binary_of
from tests.support.ports import free_ports
from tests.support.real_etcd import HOW_35, etcdctl35, required

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TO_2X, TO_3 = ROOT / "docs" / "walkthrough.md", ROOT / "docs" / "gateway-walkthrough.md"
PATIENCE = 120
"""Seconds for the whole page."""

_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_PORT = re.compile(r"(?<=:)2(?:[47]00[1-4]|23(?:79|80))\b")
_MARK = "=== next command of the page ==="


class Said(NamedTuple):
    """A command of the page and the output that stands below it; ``...`` in that is anything, up to the line's end."""

    command: str
    output: str

    def pattern(self) -> re.Pattern[str]:
        return re.compile(".*".join(map(re.escape, self.output.split("..."))))


def read_page(text: str) -> list[Said]:
    said = []
    for block in _CONSOLE.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            said.append(Said(command, output))
    return said


def with_ports(text: str, ports: Mapping[str, int]) -> str:
    return _PORT.sub(lambda found: str(ports[found[0]]), text)


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, dict[str, int]]:
    """What the page takes from the repository, at ports that are free."""
    names = [f"2{kind}00{node}" for kind in (4, 7) for node in (1, 2, 3, 4)] + ["22379", "22380"]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    fixtures = tmp_path / "repository" / "fixtures"
    shutil.copytree(ROOT / "fixtures" / "walkthrough", fixtures / "walkthrough")
    for path in filter(Path.is_file, (fixtures / "walkthrough").rglob("*")):
        path.write_text(with_ports(path.read_text(), ports))
    (fixtures / "datadirs04").mkdir()
    shutil.copy(ROOT / "fixtures" / "datadirs04" / "s-standby.tar.gz", fixtures / "datadirs04")
    return tmp_path / "repository", ports


def test_the_page_to_2x_is_true(repository: tuple[Path, dict[str, int]], tmp_path: Path) -> None:
    run_page(TO_2X, repository, tmp_path)


@pytest.mark.real_etcd
@pytest.mark.parametrize("release", RELEASES)
def test_the_page_to_an_etcd_3_is_true(
    repository: tuple[Path, dict[str, int]], tmp_path: Path, release: str
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "etcd").symlink_to(binary_of(release))
    (programs / "etcdctl").symlink_to(required(etcdctl35(), HOW_35))
    run_page(TO_3, repository, tmp_path, f"{programs}:")


def run_page(path: Path, repository: tuple[Path, dict[str, int]], tmp_path: Path, programs: str = "") -> None:
    """``programs`` are folders before those of the ``PATH``."""
    root, ports = repository
    page = read_page(with_ports(path.read_text(), ports))
    assert len(page) > 25
    folder = tmp_path / "afternoon"
    folder.mkdir()
    environ = {
        "PATH": f"{programs}{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "REPO": str(root),
    }
    script = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT", "exec 2>&1"]
    for said in page:
        script += [said.command, f"echo '{_MARK}'"]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    outputs = done.stdout.split(f"{_MARK}\n")
    for said, output in zip(page, outputs, strict=False):
        assert said.pattern().fullmatch(output), (
            f"$ {said.command}\n{output}\nand the page has:\n{said.output}"
        )
    assert len(outputs) == len(page) + 1, done.stdout[-2000:]
