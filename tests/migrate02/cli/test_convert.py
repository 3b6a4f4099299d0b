"""Exit statuses, options and their combinations, odd inputs: what a person at the command line sees."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from migrate02.cli.convert_arguments import OURS_ALONE
from migrate02.cli.exits import DONE, REFUSED, RESIDUE, WOULD_CHANGE
from tests.migrate02.running import ROOT, convert, migrate02

OLD = 'name = "m1"\naddr = "10.0.0.9:4001"\n[peer]\naddr = "10.0.0.9:7001"\n'
NAMELESS = 'addr = "10.0.0.9:4001"\n'
NEW = "ETCD_NAME=m1\nETCD_LISTEN_CLIENT_URLS=http://10.0.0.9:2379\n"
PEERS = 'name = "m1"\npeers = ["10.0.0.1:7001"]\n'
REFUSED_BY_ETCD = 'name = "m1"\naddr = "http://10.0.0.9:4001"\n'


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write(tmp_path / "etcd.conf", OLD)


@pytest.mark.parametrize(
    ("text", "plain", "check", "allow"),
    [
        (OLD, DONE, WOULD_CHANGE, DONE),
        (NAMELESS, RESIDUE, WOULD_CHANGE, DONE),
        (NEW, DONE, DONE, DONE),
        ("ETCD_NAME=m1\n", RESIDUE, RESIDUE, DONE),
        (PEERS, RESIDUE, WOULD_CHANGE, DONE),
        (REFUSED_BY_ETCD, REFUSED, REFUSED, REFUSED),
        ("", DONE, DONE, DONE),
    ],
    ids=["old", "residue", "new", "unclear", "peers", "refused", "empty"],
)
def test_exit_status(tmp_path: Path, text: str, plain: int, check: int, allow: int) -> None:
    path = write(tmp_path / "input", text)
    assert convert(path).status == plain
    assert convert("--check", path).status == check
    assert convert("--check", "--allow-residue", path).status == (check if check != RESIDUE else DONE)
    assert convert("--allow-residue", path).status == allow
    assert convert("--diff", path).status == plain
    assert convert("--json", path).status == plain
    assert convert("--write", path).status == plain


@pytest.mark.parametrize(
    ("texts", "status"),
    [((OLD, NEW), 0), ((OLD, NAMELESS), 2), ((OLD, NAMELESS, REFUSED_BY_ETCD), 3)],
    ids=["done", "residue", "refused"],
)
def test_the_highest_status_of_several_files_counts(
    tmp_path: Path, texts: tuple[str, ...], status: int
) -> None:
    paths = [write(tmp_path / str(number), text) for number, text in enumerate(texts)]
    run = convert(*paths)
    assert run.status == status
    assert run.err.splitlines()[-1].startswith(f"{len(texts)} files: ")


def test_results_of_several_files_are_told_apart(tmp_path: Path) -> None:
    one, two = (write(tmp_path / name, OLD.replace("m1", name)) for name in ("one", "two"))
    lines = convert(one, two).out.splitlines()
    assert [line for line in lines if line.startswith(("# ==>", "ETCD_NAME"))] == [
        f"# ==> {one} <==",
        'ETCD_NAME="one"',
        f"# ==> {two} <==",
        'ETCD_NAME="two"',
    ]


def test_check_prints_nothing_but_findings(old: Path) -> None:
    run = convert("--check", old)
    assert run.out == ""
    assert all(line.startswith("info[") for line in run.err.splitlines())
    assert old.read_text() == OLD


def test_check_and_diff_show_what_would_change(old: Path) -> None:
    run = convert("--check", "--diff", old)
    assert run.status == WOULD_CHANGE
    assert '-name = "m1"\n' in run.out
    assert '+ETCD_NAME="m1"\n' in run.out


def test_diff_of_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    assert "\\ No newline at end of file\n" in convert("--diff", write(tmp_path / "x", OLD.rstrip("\n"))).out


def test_json_has_one_shape_for_one_file_for_several_and_for_directories(old: Path) -> None:
    (only,) = json.loads(convert("--json", old).out)["files"]
    assert (only["file"], only["changed"], only["refused"]) == (str(old), True, False)
    assert only["config"]["listen-client-urls"] == ["http://[::]:4001"]
    assert {"code", "severity", "setting", "origin", "line", "message", "remedy"} == set(only["findings"][0])
    other = write(old.parent / "other.conf", OLD)
    for inputs in ((old, other), (old.parent,)):
        found = json.loads(convert("--json", *inputs).out)
        assert [item["file"] for item in found["files"]] == [str(old), str(other)]
    (empty,) = json.loads(convert("--json", write(old.parent / "other", "")).out)["files"]
    assert empty["config"] == {}


def test_json_and_write_go_together(old: Path) -> None:
    assert json.loads(convert("--json", "--write", old).out)["summary"]["converted"] == 1
    assert old.read_text().startswith("ETCD_NAME")


def test_json_of_an_empty_directory(tmp_path: Path) -> None:
    run = convert("--json", tmp_path)
    assert (run.status, json.loads(run.out)["files"]) == (DONE, [])


def test_standard_input(old: Path) -> None:
    from_stdin = convert("-", stdin=OLD.encode())
    assert from_stdin.out == convert(old).out
    assert "standard input:2: " in from_stdin.err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "nothing to convert"),
        (["--"], "nothing to convert"),
        (["x", "--", "etcd"], "not both"),
        (["--write", "-"], "--write needs a file"),
        (["--write", "--", "etcd"], "--write needs a file"),
        (["--write", "--check", "x"], "argument --check: not allowed with argument --write"),
        (["--json", "--diff", "x"], "argument --diff: not allowed with argument --json"),
        (["--write", "--to", "args-json", "x"], "lose the file's comments"),
        (["--to", "toml", "x"], "argument --to: invalid choice: 'toml'"),
        (["--to", "yaml", "--target", "2.3", "x"], "etcd 2.3 reads no configuration file"),
        (["--target", "1.0", "x"], "argument --target: etcd 1.0 is not known here"),
        (["--target", "new", "x"], "argument --target: new is no version of etcd"),
        (["--from", "2", "x"], "argument --from: invalid choice: '2'"),
        (["--initial-cluster", "m1", "x"], 'argument --initial-cluster: "m1" has no NAME=URL form'),
        (
            ["--", "etcd", "-addr", "10.0.0.9:4001", "--to", "env"],
            "--to is after --; put options of convert before it",
        ),
        (["--hostname"], "argument --hostname: expected one argument (see migrate02 convert --help)"),
        (["--check=yes", "x"], "argument --check: ignored explicit argument"),
        (["--bogus", "x"], "unrecognized arguments: --bogus"),
        (["-addr", "10.0.0.9:4001"], "unrecognized arguments: -addr"),
    ],
)
def test_bad_usage_is_told_in_one_line(argv: list[str], words: str) -> None:
    run = migrate02("convert", *argv)
    assert (run.status, run.out, len(run.err.splitlines())) == (REFUSED, "", 1)
    assert run.err.startswith("migrate02 convert: ")
    assert words in run.err


def test_options_may_stand_anywhere_before_the_words(old: Path) -> None:
    other = write(old.parent / "other.conf", OLD)
    both = convert(old, "--to", "flags", other, "--target=3.4")
    assert both.out.count("--enable-v2=true") == 2


def test_help_names_every_option() -> None:
    out = migrate02("convert", "--help").out
    assert all(f" {name} " in out for name in (*OURS_ALONE, "--initial-cluster"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x7fELF\0\0", "a binary file"),
        (b'name = "m1"\naddr = \n', ":2: broken TOML: Invalid value, at column 8"),
        (b'name = "m1', ":1: broken TOML: "),
        (b"name = \xff\n", ":1: a binary file, or a text that is not UTF-8"),
        (b'name = "m1"\n\x01\n', "a binary file"),
        (bytes(range(1, 256)), "a binary file"),
        (b'ETCD_NAME="m1\n', ":1: ETCD_NAME: a quote is not closed"),
        (b'ETCD_NAME="m1" x\n', ":1: ETCD_NAME: x is behind the closing quote"),
        (b'etcd -name "m1\n', ":1: not a command line: a quote is not closed"),
        (b"ls -l\n", ":1: a command line of ls, not of etcd"),
        (b"name: [\n", "broken YAML"),
    ],
)
def test_an_unusable_file_is_told_in_one_line(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "input"
    path.write_bytes(data)
    run = convert(path)
    assert (run.status, run.out, len(run.err.splitlines())) == (REFUSED, "", 1)
    assert run.err.startswith(f"error[unusable-input] {path}")
    assert words in run.err


@pytest.mark.parametrize("path", ["/nonexistent/etcd.conf", "/dev/null/x", "a\0b", "x" * 300])
def test_a_file_that_cannot_be_opened_is_told_in_one_line(path: str) -> None:
    run = convert(path)
    assert (run.status, run.out, len(run.err.splitlines())) == (REFUSED, "", 1)


def test_a_file_that_may_not_be_read_is_told(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    run = convert(old)
    assert (run.status, run.err) == (
        REFUSED,
        f"error[cannot-read] {old}: Permission denied -> Run it as a user who has the right, or give the right to "
        "this one.\n",
    )


def test_a_file_too_large_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(5 << 20)
    assert "larger than" in convert(path).err


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["etcd", "-addr", "10.0.0.9:4001"], "etcd"),
        (["/opt/bin/etcd", "-addr", "10.0.0.9:4001"], "/opt/bin/etcd"),
        (["-addr", "10.0.0.9:4001"], "etcd"),
        (["exec", "etcd", "-addr=10.0.0.9:4001"], "exec etcd"),
    ],
)
def test_a_command_line_after_two_dashes(words: list[str], first: str) -> None:
    run = convert("--to", "flags", "--", *words)
    assert run.status == RESIDUE
    assert run.out.startswith(f"{first} \\\n  --name node1 \\\n")


def test_a_command_line_in_one_word_is_split() -> None:
    in_words = convert("--", "etcd", "-name", "m1", "-addr", "10.0.0.9:4001")
    assert convert("--", "etcd -name m1 -addr 10.0.0.9:4001") == in_words
    assert in_words.status == DONE


def test_variables_before_the_command_are_read_and_flags_win() -> None:
    words = ["etcd", "-name", "m1", "-addr", "10.0.0.9:4001"]
    plain = convert("--", *words)
    assert convert("--", "ETCD_NAME=m2", *words) == plain
    assert convert("--", "env", "ETCD_NAME=m1", "etcd", *words[3:]).out == "env " + plain.out
    assert convert("--", "TZ=UTC", "ETCD_NAME=m1", "etcd", *words[3:]).out == "TZ=UTC " + plain.out
    refused = convert("--", "ETCD_PEER_ADDR=x", *words)
    assert (refused.status, refused.out, refused.codes) == (REFUSED, "", ["invalid-value"])


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ("m2=http://10.0.0.9:7001", 'couldn\'t find local name "m1" in the initial cluster configuration'),
        (
            "m1=http://10.0.0.9:7002",
            "--initial-cluster must include m1=http://10.0.0.9:7001 "
            "given --initial-advertise-peer-urls=http://10.0.0.9:7001",
        ),
    ],
)
def test_an_initial_cluster_without_this_member_is_refused(old: Path, members: str, words: str) -> None:
    run = convert("--initial-cluster", members, old)
    assert (run.status, run.out, run.codes) == (REFUSED, "", ["settings-clash"])
    assert words in run.err
    assert convert("--initial-cluster", members, "--member-has-data", old).status == DONE


@pytest.mark.parametrize(
    "members", ["m1=http://10.0.0.9:7001,m2=http://10.0.0.8:7001", "m1=http://host:7001"]
)
def test_an_initial_cluster_that_may_be_right_is_taken(old: Path, members: str) -> None:
    assert convert("--initial-cluster", members, old).status == DONE


def test_a_directory_tells_what_holds_settings_but_is_not_converted(tmp_path: Path) -> None:
    write(tmp_path / "run.sh", "#!/usr/bin/env python\nos.system('etcd -peer-addr 10.0.0.9:7001')\n")
    write(tmp_path / "main.tf", 'user_data = "etcd -peer-addr ${ip}:7001"\n')
    write(tmp_path / "README.md", "Start it with etcd -peer-addr 10.0.0.9:7001.\n")
    write(tmp_path / "other.sh", "#!/bin/sh\necho etcd\n")
    run = convert(tmp_path)
    assert (run.status, run.out, run.codes) == (RESIDUE, "", ["not-converted"] * 2)


def test_a_directory_converts_every_kind_of_file(tmp_path: Path) -> None:
    files = {
        "10-etcd.conf": '[Service]\nEnvironment="ETCD_ADDR=10.0.0.9:4001"\n',
        "cloud.yaml": "#cloud-config\ncoreos:\n  etcd:\n    addr: $private_ipv4:4001\n",
        "etcd.upstart": "start on x\nexec /usr/bin/etcd -addr 10.0.0.9:4001\n",
        "run.sh": "#!/bin/sh\nexec etcd -addr $IP:4001\n",
    }
    for name, text in files.items():
        write(tmp_path / name, text)
    run = convert("--write", tmp_path)
    assert run.status == DONE
    for name, text in files.items():
        assert (tmp_path / ".migrate02" / "0001" / "files" / name).read_text() == text
        converted = (tmp_path / name).read_text()
        assert "4001" in converted
        assert not re.search(r"(?i)\b(?:etcd_)?addr\b", converted)


def test_a_host_name_that_was_given_is_not_this_machines(tmp_path: Path) -> None:
    path = write(tmp_path / "etcd.conf", NAMELESS)
    assert "--name is node1, as given" in convert(path).err
    assert ", this machine's" in migrate02("convert", path).err


def test_a_directory_without_anything_of_etcds_is_told(tmp_path: Path) -> None:
    assert convert(tmp_path) == (DONE, "", f"no etcd configuration found in {tmp_path}\n")


def test_the_summary_counts_every_input_once(tmp_path: Path) -> None:
    paths = [write(tmp_path / str(n), text) for n, text in enumerate((OLD, NAMELESS, NEW, REFUSED_BY_ETCD))]
    assert convert(*paths).err.splitlines()[-1] == (
        "4 files: 2 converted (1 needs your attention), 1 unchanged, 1 refused"
    )


def test_initial_cluster_goes_into_no_file_that_sets_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "versions.env", "ETCD_VERSION=0.4.9\n")
    assert convert("--initial-cluster", "m1=http://10.0.0.9:7001", "--check", path).status == DONE


def test_two_dashes_inside_the_command_line_are_its_own() -> None:
    """etcd 2.x takes a lone -- at the end."""
    run = convert("--", "etcd", "--name", "m1", "--listen-client-urls", "http://10.0.0.9:2379", "--")
    assert (run.status, run.err) == (DONE, "")


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--json", "--diff", "--to=flags"])
def test_a_reader_that_goes_away_gets_no_traceback(old: Path, option: str) -> None:
    read, written = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "migrate02", "convert", option, str(old)],
        stdout=written,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(written)
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr
    assert b"Broken pipe" not in done.stderr


@pytest.mark.slow
def test_a_full_disk_behind_standard_output_is_told(old: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "migrate02", "convert", str(old)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == REFUSED
    assert done.stderr.decode().splitlines()[-1] == "migrate02: standard output: No space left on device"


@pytest.mark.slow
def test_a_closed_standard_input_is_told() -> None:
    command = ["/bin/sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "migrate02", "convert", "-"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == REFUSED
    assert done.stderr == b"error[unusable-input] standard input: closed\n"


@pytest.mark.slow
def test_bytes_go_out_as_they_came_in_whatever_the_locale() -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    text = b'# M\xfcnchen \xe4\xb8\x96\nname = "m\xe4\xb8\x96"\naddr = "10.0.0.9:4001"\n'
    done = subprocess.run(
        [sys.executable, "-m", "migrate02", "convert", "-"],
        input=text,
        env=environment,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == DONE
    assert done.stdout.startswith(b'# M\xfcnchen \xe4\xb8\x96\nETCD_NAME="m\xe4\xb8\x96"\n')


def test_the_page_and_the_help_say_the_same_of_status_3() -> None:
    text = " ".join(migrate02("convert", "--help").out.split())
    said = "refused, or could not be read or written; that file was not changed, nor the other files of the same node"
    assert f"3 {said}" in text
    assert f"| 3 | {said}." in (ROOT / "docs" / "convert.md").read_text()
