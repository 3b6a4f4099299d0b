"""The container file: a linter finds nothing, and its steps lead to a server that passes its own health check.

No container runtime is needed: the steps are carried out below a folder of this test, by what stands in the file.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.pip import QUICKLY
from tests.support.ports import free_ports
from tests.support.process import PATIENCE

ROOT = Path(__file__).parents[2]
FILE = ROOT / "Dockerfile"
STEPS = [
    (word, re.sub(r"\\\n", "", rest).strip())
    for word, rest in re.findall(
        r"^([A-Z]+) ((?:.*\\\n)*.*)$", re.sub(r"^#.*\n", "", FILE.read_text(), flags=re.M), re.M
    )
]
"""Every instruction with its words."""


def last(word: str) -> str:
    return [rest for name, rest in STEPS if name == word][-1]


def test_a_linter_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("no hadolint in this environment")
    done = subprocess.run([linter, FILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_is_small_has_no_root_and_no_secret() -> None:
    assert last("FROM").endswith("-slim")
    assert last("USER") == "10001:10001"
    assert last("STOPSIGNAL") == "SIGTERM"
    assert last("VOLUME") == last("WORKDIR") == "/var/lib/etcd"
    assert not re.search(r"secret|password|token", re.sub(r"#.*", "", FILE.read_text()), re.IGNORECASE)


def _taken_in() -> set[str]:
    """What .dockerignore lets through: all is left out, but for some names."""
    first, *rest = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")
    ]
    assert first == "*"
    return {line.removeprefix("!") for line in rest if line.startswith("!")}


def _run_of(stage: str) -> str:
    return next(rest for name, rest in STEPS if name == "RUN" and stage in rest)


@pytest.mark.slow
def test_its_steps_lead_to_a_server_that_is_healthy_and_stops(tmp_path: Path) -> None:
    """But for the compiler and the user: the pure build, by who runs the test."""
    (tmp_path / "src").mkdir()
    for name in filter(lambda name: (ROOT / name).exists(), _taken_in()):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / "src" / name)
    here = {"/src": f"{tmp_path}/src", "/opt": f"{tmp_path}/opt", "/var/lib/etcd": f"{tmp_path}/data"}
    client, peer = free_ports(2)

    def placed(text: str) -> str:
        for path, place in here.items():
            text = re.sub(rf"(?<![\w.-]){path}\b", place, text)
        return text.replace(":2379", f":{client}")

    environment = {**os.environ, **QUICKLY, "MIGRATE02_COMPILE": "never"}
    step = placed(_run_of("pip install")).replace("python -m venv", f"{sys.executable} -m venv")
    subprocess.run(["sh", "-ec", step], env=environment, check=True, capture_output=True)
    name, _, path = placed(last("ENV")).partition("=")
    environment[name] = path.replace("$PATH", environment["PATH"])
    command = [*json.loads(placed(last("CMD"))), "--listen-peer-urls", f"http://127.0.0.1:{peer}"]
    check = ast.literal_eval(placed(last("HEALTHCHECK")).partition(" CMD ")[2])
    (tmp_path / "data").mkdir()
    with subprocess.Popen(command, env=environment, cwd=tmp_path / "data", stderr=subprocess.PIPE) as server:
        try:
            assert _passes(check, environment)
            asked = ["etcdctl02", "--endpoints", f"http://127.0.0.1:{client}", "set", "/a", "b"]
            assert subprocess.run(asked, env=environment, capture_output=True, check=False).stdout == b"b\n"
        finally:
            server.send_signal(signal.Signals[last("STOPSIGNAL")])
            _, log = server.communicate(timeout=PATIENCE)
        assert server.returncode == -signal.SIGTERM, log.decode()
    assert not _passes(check, environment, patience=0)
    tools = subprocess.run(["migrate02", "--version"], env=environment, capture_output=True, check=False)
    assert tools.returncode == 0


def _passes(check: list[str], environment: dict[str, str], patience: float = PATIENCE) -> bool:
    deadline = time.monotonic() + patience
    while subprocess.run(check, env=environment, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_commands_of_the_pages_about_it_are_those_of_the_image() -> None:
    """Nothing in front of the words of a command: an image with an ENTRYPOINT would have it."""
    assert "ENTRYPOINT" not in dict(STEPS)
    assert shlex.split(last("CMD").strip("[]").replace(",", " "))[0] == "etcd02"
