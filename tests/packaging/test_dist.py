"""What ``make dist`` made: complete, and at work in environments that have nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from tests.support.pip import QUICKLY
from tests.support.ports import free_ports
from tests.support.process import PATIENCE

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
GENERATED = ("share/man/man1/migrate02.1", "share/bash-completion/completions/etcd02")
QUICK = {**os.environ, **QUICKLY}
COMPILED = "from server.process import is_compiled; print(is_compiled())"


def built(pattern: str) -> Path:
    found = list(DIST.glob(pattern))
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("nothing in dist; make dist builds it")
    (only,) = found
    return only


def pip(*words: str | Path) -> str:
    """Of this interpreter: an environment without one of its own is made at once."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, words)]
    done = subprocess.run(pip, env=QUICK, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_sdist_has_what_a_build_and_its_tests_of_the_package_need() -> None:
    with tarfile.open(built("*.tar.gz")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.py", "pyproject.toml", "packaging/backend.py", "packaging/systemd/etcd02.service"} <= names
    assert not any(name.endswith((".so", ".c")) for name in names)


@pytest.mark.parametrize("pattern", ["*-py3-none-any.whl", "*-cp*.whl"])
def test_a_wheel_has_man_pages_and_completion_and_no_tests(pattern: str) -> None:
    with zipfile.ZipFile(built(pattern)) as archive:
        names = archive.namelist()
    assert all(any(name.endswith(f".data/data/{wanted}") for name in names) for wanted in GENERATED)
    assert {name.partition("/")[0].partition("-")[0].partition("__")[0] for name in names} <= {
        "compat", "migrate02", "server", *(name.partition("__")[0] for name in names if name.endswith(".so"))
    }  # fmt: skip
    assert any(name.endswith(".so") for name in names) is not pattern.startswith("*-py3")


def test_pip_takes_the_compiled_wheel_where_both_fit(tmp_path: Path) -> None:
    built("*-cp*.whl")
    pip("download", "--quiet", "--no-deps", "--no-index", "--find-links", DIST, "-d", tmp_path, "migrate02")
    (taken,) = tmp_path.iterdir()
    assert "-cp" in taken.name
    where = tmp_path / "other"
    platform = ["--platform", "manylinux2014_s390x", "--only-binary", ":all:"]
    pip(
        "download", "-q", "--no-deps", "--no-index", "--find-links", DIST, *platform, "-d", where, "migrate02"
    )
    (taken,) = where.iterdir()
    assert taken.name.endswith("-py3-none-any.whl")


@pytest.mark.slow
@pytest.mark.parametrize(("pattern", "compiled"), [("*-py3-none-any.whl", False), ("*-cp*.whl", True)])
def test_a_wheel_works_in_an_environment_of_its_own(tmp_path: Path, pattern: str, compiled: bool) -> None:
    wheel = built(pattern)
    environment = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    pip("--python", python, "install", "--quiet", "-c", ROOT / "constraints.txt", wheel)

    def run(*command: str) -> str:
        program = environment / "bin" / command[0]
        done = subprocess.run(
            [program, *command[1:]], cwd=tmp_path, env=QUICK, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("python", "-c", COMPILED) == f"{compiled}\n"
    (tmp_path / "old.conf").write_text('name = "m1"\naddr = "10.0.1.10:4001"\n')
    assert 'ETCD_NAME="m1"' in run("migrate02", "convert", "old.conf")
    assert "etcd Version: 2.3" in run("etcd02", "--version")
    assert "2.3" in run("etcdctl02", "--version")
    client, peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    urls = ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
    with subprocess.Popen(
        [environment / "bin" / "etcd02", *urls], cwd=tmp_path, env=QUICK, stderr=subprocess.DEVNULL
    ) as server:
        try:
            ask: list[str | Path] = [
                environment / "bin" / "etcdctl02",
                "--endpoints",
                client,
                "set",
                "/message",
                "hello",
            ]
            assert _in_the_end(ask) == b"hello\n"
        finally:
            server.terminate()
            server.wait(PATIENCE)


def _in_the_end(command: list[str | Path]) -> bytes:
    """What it prints, once it succeeds."""
    deadline = time.monotonic() + PATIENCE
    while (done := subprocess.run(command, env=QUICK, capture_output=True, check=False)).returncode:
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.2)
    return done.stdout
