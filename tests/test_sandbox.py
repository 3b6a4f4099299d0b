"""What is run in a sandbox can do nothing to this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import sandbox
from tests.support.sandbox import Done, File, Job


@pytest.fixture(autouse=True)
def _sandbox_can_be_made() -> None:
    if sandbox.trouble():
        pytest.skip(sandbox.trouble())


def run(script: str, **others: Any) -> Done:
    (done,) = sandbox.run(Job(["/bin/bash", "-c", script])._replace(**others))
    return done


def test_a_script_is_nobody_and_cannot_become_root() -> None:
    assert run("echo $UID $EUID").output == b"1000 1000\n"


def test_nothing_of_this_machine_is_seen() -> None:
    assert set(run("cd /; echo *").output.split()) <= {b"bin", b"dev", b"lib", b"lib64", b"usr", b"output"}


def test_nothing_of_this_machine_is_changed(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    done = run(f"echo x > {tmp_path}/new; echo x > /new; : > /bin/bash")
    assert list(tmp_path.iterdir()) == []
    assert b"/bin/bash: Read-only file system" in done.output
    assert done.files == {"/new": b"x\n"}


def test_there_is_no_network() -> None:
    assert b"Network is unreachable" in run("exec 3<>/dev/tcp/192.0.2.1/80").output


def test_there_is_nothing_on_standard_input() -> None:
    assert run("read word; echo $?").output == b"1\n"


def test_no_process_of_this_machine_is_reached() -> None:
    """Its parent is the first process that there is, which no signal of its own reaches, and there is no other."""
    assert run("echo $PPID; kill -9 $PPID; kill -9 -1 || echo none").output.endswith(b"none\n")
    assert run("echo $PPID").output == b"1\n"


def test_what_runs_in_the_background_is_waited_for() -> None:
    assert run("{ for i in {1..20000}; do :; done; echo later > /later; } & exit 3") == Done(
        3, False, b"", {"/later": b"later\n"}
    )


def test_all_that_was_started_ends_when_the_time_is_up() -> None:
    done = run("while :; do :; done & while :; do :; done", seconds=1)
    assert (done.status, done.timed_out) == (-9, True)


def test_a_bomb_of_processes_and_a_large_file_meet_their_limits() -> None:
    assert run("bomb() { bomb | bomb & }; bomb", seconds=2).files == {}
    done = run("while echo 0123456789012345678901234567890123456789; do :; done > /large")
    assert len(done.files["/large"]) == 1 << 20


def test_bytes_go_in_and_come_out_as_they_are() -> None:
    data = bytes(range(1, 256)).replace(b"\r", b"")
    done = run(
        'IFS= read -rd "" text < /in; printf %s "$text" > /out',
        files={"/in": File(data)},
        environment={"LC_ALL": "C"},
    )
    assert done.files == {"/out": data}


def test_a_program_that_this_machine_has_not_is_named() -> None:
    with pytest.raises(sandbox.SandboxError, match="no such-a-program on this machine"):
        run("", programs=["such-a-program"])
