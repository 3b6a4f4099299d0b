"""What no configuration is: pipes, sockets, devices, files without an end, odd names."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from migrate02.cli.convert import OF_MACHINES
from migrate02.cli.exits import DONE, REFUSED
from migrate02.files import reading as files
from tests.migrate02.running import convert, migrate02
from tests.migrate02.work import limited

OLD = "ETCD_NAME=m1\nETCD_ADDR=10.0.0.9:4001\nETCD_PEER_ADDR=10.0.0.9:7001\nETCD_DATA_DIR=/d\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "defaults").write_text(OLD)
    return tmp_path / "node"


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def make_device(path: Path) -> None:
    os.mknod(path, 0o020666, os.makedev(1, 5))  # /dev/zero


OTHERS = {"pipe": make_pipe, "socket": make_socket, "device": make_device}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_file_is_refused_under_etcds_name_and_the_rest_is_converted(tree: Path, kind: str) -> None:
    try:
        OTHERS[kind](tree / "etcd.conf")
    except PermissionError:
        pytest.skip("only root makes devices")
    run = convert("--write", tree)
    assert run.status == REFUSED
    assert f"error[unusable-input] {tree}/etcd.conf: a " in run.err
    assert f"{kind}: it is not read in a folder -> Leave it out with --exclude" in run.err
    assert "ETCD_LISTEN_CLIENT_URLS" in (tree / "defaults").read_text()
    assert convert("--check", "--exclude", "etcd.conf", tree).status == DONE


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_is_no_file_is_reported_under_another_name(tree: Path, kind: str) -> None:
    OTHERS[kind](tree / "control")
    run = convert("--write", tree)
    assert run.status == DONE
    assert f"info[not-a-file] {tree}/control: a " in run.err
    assert "not-a-file" in migrate02("plan", tree).err


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_file_that_becomes_something_else_after_it_was_found_is_not_waited_for(
    tree: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    regular = os.lstat(tree / "defaults")
    if kind == "pipe":
        os.mkfifo(tree / "etcd.conf")
    else:
        (tree / "etcd.conf").symlink_to("/dev/zero")
    with monkeypatch.context() as patched:
        patched.setattr(os, "lstat", lambda path: regular)
        with pytest.raises(files.Unreadable):
            files.read_text(str(tree / "etcd.conf"), named=False)


def test_a_pipe_that_is_named_is_read(tree: Path) -> None:
    os.mkfifo(tree / "control")
    writer = threading.Thread(target=lambda: (tree / "control").write_text(OLD))
    writer.start()
    run = convert(tree / "control")
    writer.join()
    assert run.status == DONE
    assert "ETCD_LISTEN_CLIENT_URLS" in run.out


@pytest.mark.parametrize("words", [["/dev/zero"], ["-"]])
def test_what_never_ends_is_read_as_far_as_the_limit(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if words == ["-"]:
        read, written = os.pipe()

        def pour() -> None:
            with open(written, "wb", buffering=0) as pipe:
                try:
                    while True:
                        pipe.write(b"ETCD_NAME=a\n" * 1000)
                except BrokenPipeError:
                    return

        threading.Thread(target=pour, daemon=True).start()
        command = [sys.executable, "-m", "migrate02", "convert", "-"]
        done = subprocess.run(command, stdin=read, capture_output=True, text=True, timeout=60, check=False)
        os.close(read)
        status, err = done.returncode, done.stderr
    else:
        run = convert(*words)
        status, err = run.status, run.err
    assert status == REFUSED
    assert err.count("\n") == 1
    assert f"larger than {files.MAX_BYTES} bytes" in err


def test_a_file_of_20_gigabytes_is_one_line(tree: Path) -> None:
    with open(tree / "big", "wb") as file:
        file.truncate(20 << 30)
    run = convert(tree / "big")
    assert (run.status, run.err.count("\n")) == (REFUSED, 1)
    assert f"larger than {files.MAX_BYTES} bytes" in run.err


def test_a_text_that_is_too_large_is_refused_in_a_folder_under_etcds_name_alone(tree: Path) -> None:
    text = "ETCD_NAME=a\n" + "#" * files.MAX_BYTES
    (tree / "big").write_text(text)
    (tree / "etcd.log").write_text(text)
    (tree / "etcd").write_bytes(b"\x7fELF\0" + bytes(files.MAX_BYTES))
    assert convert("--check", "--exclude", "defaults", tree).err.count("larger") == 0
    (tree / "etcd.env").write_text(text)
    run = convert(tree)
    assert run.status == REFUSED
    assert run.err.count("larger than") == 1
    assert f"{tree}/etcd.env: larger than {files.MAX_BYTES} bytes" in run.err


def test_a_pipe_for_a_gitignore_ignores_nothing(tree: Path) -> None:
    os.mkfifo(tree / ".gitignore")
    assert convert("--write", tree).status == DONE
    assert "ETCD_LISTEN_CLIENT_URLS" in (tree / "defaults").read_text()


def test_links_that_go_round_are_not_followed(tree: Path) -> None:
    (tree / "round").symlink_to(tree)
    (tree / "up").symlink_to("..")
    run = convert("--write", tree)
    assert (run.status, run.err.count(": written")) == (DONE, 1)


NAME = "etcd-\x1b[2J\n\r\udcff\u202e.env"
SHOWN = "etcd-\\x1b[2J\\n\\r\\xff\\u202e.env"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--json"],
        ["--diff"],
        ["--check"],
        ["-v"],
        *(["--output", kind] for kind in OF_MACHINES),
        ["--write"],
    ],
    ids=" ".join,
)
def test_a_name_does_nothing_to_a_terminal(tree: Path, words: list[str]) -> None:
    """Files are named as they are; what is said of them is one line of plain characters."""
    (tree / NAME).write_text(OLD)
    run = convert(*words, tree)
    assert run.status in (DONE, 1)
    assert (run.out + run.err).encode()
    assert "\x1b" not in run.out + run.err
    assert "\u202e" not in run.err
    assert all(
        line.startswith(("info[", "review[", str(tree), "every finding in full", "2 ", "to put"))
        for line in run.err.splitlines()
    )
    assert SHOWN in run.err or "--output" in words


def test_a_name_that_is_not_there_is_one_line() -> None:
    for words in (["convert"], ["undo"], ["data", "inspect"], ["data", "export"], ["plan"], ["explain"]):
        run = migrate02(*words, "/nowhere\n\x1b[2J")
        assert "\x1b" not in run.out + run.err
        assert run.err.count("\n") <= 2


DEEP = 100_000
BOMB = "x0: &x0 [a, b]\n" + "".join(f"x{at + 1}: &x{at + 1} [*x{at}, *x{at}]\n" for at in range(60))
MERGES = "x0: &x0 {a: b}\n" + "".join(f"x{at + 1}: &x{at + 1} {{<<: [*x{at}, *x{at}]}}\n" for at in range(60))
COMPOSE = "services:\n  etcd:\n    image: etcd:0.4.9\n    command: -addr 10.0.0.9:4001\n"
NESTED = {
    "lists in YAML": ("etcd.yml", "name: m1\nlisten-client-urls: " + "[" * DEEP + "]" * DEEP),
    "maps in YAML": ("etcd.yml", "name: m1\nlisten-client-urls: " + "{a: " * DEEP),
    "dashes in YAML": ("etcd.yml", "name: m1\nlisten-client-urls:\n  " + "- " * DEEP + "a\n"),
    "aliases in YAML": ("etcd.yml", f"{BOMB}name: *x60\n"),
    "merges in YAML": ("etcd.yml", f"{MERGES}name: m1\n"),
    "lists in a service": ("compose.yml", COMPOSE + "    a: " + "[" * DEEP),
    "aliases in a service": ("compose.yml", COMPOSE + f"{BOMB}y: *x60\n"),
    "aliases of containers": (
        "pod.yml",
        "kind: List\nimage: etcd\nx0: &x0\n  containers: [{image: etcd, args: [-addr=10.0.0.9:4001]}]\n"
        + "".join(f"x{at + 1}: &x{at + 1} {{a: *x{at}, b: *x{at}}}\n" for at in range(60)),
    ),
    "a million lists": ("etcd.yml", "name: m1\nlisten-client-urls: " + "[" * 1_000_000),
    "JSON": ("etcd.json", "[" * DEEP + '"etcd"' + "]" * DEEP),
    "a Dockerfile": ("Dockerfile", "FROM etcd:0.4.9\nCMD " + "[" * DEEP + "]" * DEEP + "\n"),
    "TOML": ("etcd.conf", 'addr = "10.0.0.9:4001"\npeers = ' + "[" * DEEP + "]" * DEEP + "\n"),
    "maps in TOML": ("etcd.conf", 'addr = "10.0.0.9:4001"\npeers = ' + "{a=" * DEEP + "\n"),
    "parts of a key in TOML": ("etcd.conf", 'addr = "10.0.0.9:4001"\na' + ".a" * DEEP + " = 1\n"),
    "variables": (
        "run",
        '#!/bin/sh\nO0="-name a"\n'
        + "".join(f'O{at + 1}="-v $O{at}"\n' for at in range(5000))
        + "etcd $O5000\n",
    ),
    "variables that double": (
        "run",
        "#!/bin/sh\nO0=-v\n"
        + "".join(f'O{at + 1}="$O{at} $O{at}"\n' for at in range(60))
        + "etcd -name a $O60\n",
    ),
    "names that double": (
        "run",
        "#!/bin/sh\nO0=a\n" + "".join(f"O{at + 1}=$O{at}$O{at}\n" for at in range(60)) + "$O60/etcd -v\n",
    ),
    "parentheses": ("run", "#!/bin/sh\netcd -addr 10.0.0.9:4001 -name " + "$(" * DEEP + "\n"),
    "substitutions in a quote": ("run", '#!/bin/sh\netcd -addr 10.0.0.9:4001 -name "' + "$(a)" * 40 + "\n"),
    "names of an image": (
        "compose.yml",
        COMPOSE + "  b:\n    image: etcd" + "_a" * 60 + "!\n    command: -addr 10.0.0.9:4001\n",
    ),
    "statements of a line": ("compose.yml", COMPOSE + "{% if a %}" * 40 + "x\n"),
    "open templates": ("run", "#!/bin/sh\netcd -addr 10.0.0.9:4001 -name " + "{{ " * DEEP + "\n"),
    "texts in texts": (
        "user-data",
        "".join(
            "  " * at + ("#cloud-config\n" + "  " * at + "write_files:\n" + "  " * at + "- content: |\n")
            for at in range(60)
        )
        + "  " * 60
        + "ETCD_ADDR=10.0.0.9:4001\n",
    ),
    "blanks": ("run", "#!/bin/sh\netcd -addr 10.0.0.9:4001" + " " * (1 << 20) + "x\n"),
    "one long line": ("run", "#!/bin/sh\netcd -addr 10.0.0.9:4001 -name " + "a" * (1 << 20) + "\n"),
}


@pytest.mark.parametrize("what", NESTED)
def test_what_is_nested_or_left_open_without_measure_is_told_in_a_line(tmp_path: Path, what: str) -> None:
    """No fault, no wait: refused, left alone or converted, whichever it is."""
    name, text = NESTED[what]
    (tmp_path / name).write_text(text)
    with limited(30):
        run = convert("--check", tmp_path / name)
    assert run.status in (DONE, 1, 2, REFUSED)
    assert "Traceback" not in run.err
    assert run.err.count("\n") <= 6
