"""Standard streams that are closed, full, or without a reader: every command of every program, in real processes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from compat import standard
from migrate02.cli.exits import DONE, REFUSED, RESIDUE, WOULD_CHANGE
from tests.support import datadirs35
from tests.support.datadirs04 import unpack

BIN = Path(sys.executable).parent
UNIT = (
    "[Service]\nExecStart=/usr/bin/etcd -name m1 -addr 10.0.0.9:4001 -peer-addr 10.0.0.9:7001 -data-dir /d\n"
)
KEY = {"key": "/a", "value": "1", "createdIndex": 1, "modifiedIndex": 1}

ALL_CLOSED = "<&- >&- 2>&-"
ALL_FULL = ">/dev/full 2>/dev/full"
SAYING = (("migrate02", RESIDUE), ("migrate02", WOULD_CHANGE))
WAYS = (">&-", "2>&-", "<&-", ">/dev/full", "2>/dev/full", "| true", "2>&1 | head -c 1 >/dev/null")

COMMANDS: dict[str, int] = {
    "migrate02 --version": DONE,
    "migrate02 nonsense": REFUSED,
    "migrate02 convert --help": DONE,
    "migrate02 convert -- etcd -name m1 -addr 10.0.0.9:4001 -peer-addr 10.0.0.9:7001 -data-dir /d": DONE,
    "migrate02 convert {unit}": DONE,
    "migrate02 convert --json {unit}": DONE,
    "migrate02 convert --diff {unit}": DONE,
    "migrate02 convert --output sarif {unit}": DONE,
    "migrate02 undo --help": DONE,
    "migrate02 undo {empty}": REFUSED,
    "migrate02 plan {unit}": DONE,
    "migrate02 plan --html {unit}": DONE,
    "migrate02 data inspect {data}": DONE,
    "migrate02 data export {data}": DONE,
    "migrate02 data verify {data} {data}": DONE,
    "migrate02 v2store check {data35}": WOULD_CHANGE,
    "migrate02 v2store check --json {data35}": WOULD_CHANGE,
    "migrate02 v2store clean {data35}": WOULD_CHANGE,
    "migrate02 v2store export {data35}": DONE,
    "migrate02 v2store export --as etcdctl {data35}": DONE,
    "migrate02 v2store plan {data35}": DONE,
    "migrate02 v2store plan --html {data35}": DONE,
    "migrate02 import --help": DONE,
    "migrate02 explain": DONE,
    "migrate02 explain -peer-addr": DONE,
    "migrate02 discovery --help": DONE,
    "migrate02 srv --help": DONE,
    "etcd02 -version": DONE,
    "etcd02 -help": DONE,
    "etcd02 -print-config": DONE,
    "etcd02 -nonsense": 2,
    "etcd02 discovery-service --help": DONE,
    "etcd02 discovery-service --nonsense": 2,
    "etcdctl02 --help": DONE,
    "etcdctl02 --version": DONE,
    "etcdctl02 help set": DONE,
    "etcdctl02 --peers {url} get /a": DONE,
    "etcdctl02 --peers {url} ls": DONE,
    "etcdctl02 --peers {url} set /a 1": DONE,
    "etcdctl02 --peers {url} set /a": 1,
    "etcdctl02 --peers http://127.0.0.1:1 get /a": 2,
}
"""Each with its exit status when it can say everything."""
OF_EACH_SORT = (
    "migrate02 --version",
    "migrate02 convert --help",
    "migrate02 convert {unit}",
    "migrate02 data export {data}",
    "etcd02 -help",
    "etcdctl02 --help",
    "etcdctl02 --peers {url} set /a",
)

FAILURE = {"migrate02": REFUSED, "etcd02": 1, "etcdctl02": 1}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("standard")
    (folder / "etcd.service").write_text(UNIT)
    (folder / "empty").mkdir()
    server = HTTPServer(("127.0.0.1", 0), _Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {
        "unit": str(folder / "etcd.service"),
        "empty": str(folder / "empty"),
        "data": str(unpack("s-ops", folder) / "solo"),
        "data35": str(datadirs35.unpack("wal-only", folder, cut=True)[0]),
        "url": f"http://127.0.0.1:{server.server_port}",
    }
    server.shutdown()
    server.server_close()


class _Keys(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"action": "get", "node": KEY}).encode()
        if "/members" in self.path:
            body = json.dumps(
                {"members": [{"id": "1", "clientURLs": [f"http://{self.headers['Host']}"]}]}
            ).encode()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


def run(command: str, way: str, places: dict[str, str]) -> tuple[int, str]:
    """The command's own status, not that of what stands behind a pipe, and all that is still seen."""
    words = f"{BIN}/{command.format(**places)}"
    done = subprocess.run(
        ["bash", "-c", f"{words} {way}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        cwd=places["empty"],
        env={"PATH": os.environ["PATH"], "HOSTNAME": "here"},
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def check(command: str, way: str, places: dict[str, str]) -> None:
    status, seen = run(command, way, places)
    assert "Traceback" not in seen
    assert "Exception" not in seen
    usual, program = COMMANDS[command], command.split()[0]
    says_something = usual == DONE or (program, usual) in SAYING
    if "|" in way:
        assert status in (usual, standard.READER_GONE)
    elif ">/dev/full" in way.split() and says_something:
        assert status == FAILURE[program]
    else:
        assert status == usual


@pytest.mark.parametrize("command", [*COMMANDS])
def test_a_command_without_any_stream_ends_with_the_status_of_its_work(
    command: str, places: dict[str, str]
) -> None:
    check(command, ALL_CLOSED, places)


@pytest.mark.parametrize("command", [*COMMANDS])
def test_a_command_that_cannot_say_a_word_fails_without_a_traceback(
    command: str, places: dict[str, str]
) -> None:
    check(command, ALL_FULL, places)


def test_an_input_that_is_closed_is_refused_and_an_empty_one_is_not(places: dict[str, str]) -> None:
    assert run("migrate02 convert -", "<&-", places)[0] == REFUSED
    assert run("migrate02 convert -", "", places)[0] == DONE


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", OF_EACH_SORT)
def test_each_stream_by_itself(command: str, way: str, places: dict[str, str]) -> None:
    check(command, way, places)


def test_files_are_written_whoever_listens(tmp_path: Path, places: dict[str, str]) -> None:
    for at, way in enumerate((ALL_CLOSED, ALL_FULL)):
        unit = tmp_path / f"{at}" / "etcd.service"
        unit.parent.mkdir()
        unit.write_text(UNIT)
        status, seen = run(f"migrate02 convert --write {unit}", way, places)
        assert (status, seen) == (DONE, "")
        assert "--listen-client-urls" in unit.read_text()


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "from compat import standard; standard.prepare(); import os, sys; "
        f"print(os.open({str(tmp_path / 'file')!r}, os.O_CREAT | os.O_WRONLY), file=open({str(tmp_path / 'said')!r}, 'w'))"
    )
    subprocess.run(
        ["bash", "-c", f'exec "$0" -c "$1" {ALL_CLOSED}', sys.executable, code], check=True, timeout=60
    )
    assert int((tmp_path / "said").read_text()) > 2


def test_output_is_said_to_be_lost_once() -> None:
    """What is in a buffer still would fail again when the interpreter ends."""
    with open("/dev/full", "wb") as full:
        raw = standard._Output(full.fileno(), "w", closefd=False)
        with pytest.raises(standard.OutputLost) as lost:
            raw.write(b"a")
        assert str(lost.value) == os.strerror(errno.ENOSPC)
        assert raw.write(b"bc") == 2


def test_all_that_is_written_arrives_where_the_descriptor_does_not_wait() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = os.urandom(1 << 20)
    code = "from compat import standard; standard.prepare(); import sys; sys.stdout.write(sys.stdin.read()); sys.stdout.flush()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=writing)
    os.close(writing)
    assert process.stdin is not None
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.extend(iter(lambda: os.read(reading, 65536), b"")))
    process.stdin.write(data.hex().encode())
    process.stdin.close()
    reader.start()
    assert process.wait(60) == 0
    reader.join()
    os.close(reading)
    assert b"".join(got) == data.hex().encode()
