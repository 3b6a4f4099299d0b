"""The script for etcdctl, run by the shells there are: what etcdctl is given."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate02.datadir.listing import Key
from migrate02.v2store.script import etcdctl_script

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
SHELLS = [shell for shell in ("dash", "bash", "ksh", "zsh", "busybox") if shutil.which(shell)]

STAND_IN = r"""#!/bin/sh
# Writes the words it is called with, and its input where a put has no value, in hexadecimal.
say() { od -An -v -tx1 | tr -d ' \n' >>"$SAID"; printf ' ' >>"$SAID"; }
case "$*" in
*'lease grant 666'*) exit 7 ;;
*'lease grant'*) echo "lease 32695410dcc0ca0$4 granted with TTL($4s)" ;;
*'get --keys-only -- /there') echo '{"header":{},"kvs":[{"key":"L3RoZXJl"}],"count":1}' ;;
*get*) echo '{"header":{}}' ;;
put*)
    for word; do printf %s "$word" | say; done
    case $2 in -- ) [ $# -gt 3 ] || say ;; *) [ $# -gt 4 ] || say ;; esac
    echo >>"$SAID"
    ;;
esac
"""


def file(path: str, value: bytes = b"1", expiration: int | None = None) -> Key:
    return Key(path, value, 5, 5, expiration)


def directory(path: str, expiration: int | None = None) -> Key:
    return Key(path, None, 5, 5, expiration)


def script(keys: list[Key], left_out: list[str] | None = None, *, overwrite: bool = False) -> str:
    return "".join(
        etcdctl_script(keys, NOW, "a\nb", left_out if left_out is not None else [], overwrite=overwrite)
    )


def run(text: str, shell: str, where: Path) -> tuple[subprocess.CompletedProcess[bytes], list[list[bytes]]]:
    """How it ended, and the words of each put."""
    (where / "etcdctl").write_text(STAND_IN)
    (where / "etcdctl").chmod(0o755)
    (where / "script").write_text(text)
    said = where / "said"
    said.write_text("")
    done = subprocess.run(
        [shell, *(["sh"] if shell == "busybox" else []), where / "script"],
        env={"PATH": f"{where}:{os.environ['PATH']}", "SAID": str(said), "ETCDCTL_API": "2"},
        capture_output=True,
        check=False,
    )
    puts = [[bytes.fromhex(word) for word in line.split(" ")[:-1]] for line in said.read_text().splitlines()]
    return done, puts


ODD = [
    b"", b"-", b"--lease=1", b"-n", b"$HOME", b"`id`", b"$(id)", b"'", b"''", b'"', b"\\", b"\\n", b"\\\n", b"%", b"%s%d",
    b"\n", b"a\n\n", b"\na", b"a\0b", b"\0", b"\xff\xfe", b"\xc3", b"-\xff", b"%\xff\\", b"'\n'", b"\t", b"\r\n", b"!!", b"*",
    b"# no", "grüße".encode(), "\u202e".encode(), "\U0001f600".encode(), b"1\x01", b"\x017", bytes(range(256)), b"x" * 200_000,
    b"{}", b" ", b"a b", b"~", b"&& false",
]  # fmt: skip


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("shell", SHELLS)
def test_odd_names_and_values_come_as_they_are(shell: str, overwrite: bool, tmp_path: Path) -> None:
    names = [
        "/" + name.decode("utf-8", "surrogateescape")
        for name in ODD
        if name and len(name) < 256 and b"\0" not in name
    ]
    keys = [file(f"/v{number}", value) for number, value in enumerate(ODD)] + [file(name) for name in names]
    done, puts = run(script(keys, overwrite=overwrite), shell, tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert puts == [[b"put", b"--", key.path.encode("utf-8", "surrogateescape"), key.value] for key in keys]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.binary(min_size=1, max_size=20).filter(lambda raw: 0 not in raw), st.binary(max_size=20)
        ),
        min_size=5,
        max_size=10,
    )
)
def test_any_names_and_values_come_as_they_are(pairs: list[tuple[bytes, bytes]]) -> None:
    keys = [file("/" + name.decode("utf-8", "surrogateescape"), value) for name, value in pairs]
    with tempfile.TemporaryDirectory() as where:
        done, puts = run(script(keys, overwrite=True), "sh", Path(where))
    assert (done.returncode, done.stderr) == (0, b"")
    assert puts == [[b"put", b"--", b"/" + name, value] for name, value in pairs]


def test_keys_that_end_together_have_one_lease_and_what_ran_out_is_named(tmp_path: Path) -> None:
    in_a_minute, later, gone = NOW + 60 * SECOND, NOW + 61 * SECOND - 1, NOW - 1
    keys = [
        file("/a", expiration=later),
        directory("/d", in_a_minute),
        file("/d/longer", expiration=later),
        file("/d/x"),
        directory("/e"),
        directory("/e/empty"),
        directory("/gone", gone),
        file("/gone/x", expiration=later),
        file("/ran-out", expiration=gone),
        file("/z", expiration=later),
    ]
    text = script(keys)
    assert text.count("$(grant ") == 2
    assert [line for line in text.splitlines() if line.startswith("# ") and "/" in line] == [
        "# directory, which v3 does not have: /d",
        "# directory, which v3 does not have: /e",
        "# empty directory, which v3 does not have: /e/empty",
        "# ran out at 2027-01-15T07:59:59.999999999Z, left out: /gone",
        "# ran out at 2027-01-15T07:59:59.999999999Z, left out: /gone/x",
        "# ran out at 2027-01-15T07:59:59.999999999Z, left out: /ran-out",
    ]
    done, puts = run(text, "sh", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert puts == [
        [b"put", b"--lease=32695410dcc0ca061", b"--", b"/a", b"1"],
        [b"put", b"--lease=32695410dcc0ca060", b"--", b"/d/longer", b"1"],
        [b"put", b"--lease=32695410dcc0ca060", b"--", b"/d/x", b"1"],
        [b"put", b"--lease=32695410dcc0ca061", b"--", b"/z", b"1"],
    ]


def test_a_key_that_v3_has_stays_and_is_named_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    keys = [file("/a"), file("/there"), file("/z")]
    done, puts = run(script(keys), "sh", tmp_path)
    assert [put[2] for put in puts] == [b"/a", b"/z"]
    assert (done.returncode, done.stderr.decode().splitlines()) == (
        2,
        [
            "not changed, because v3 has this key already: /there",
            "keys not changed, because v3 has them already: 1",
        ],
    )
    done, puts = run(script(keys, overwrite=True), "sh", tmp_path)
    assert (done.returncode, len(puts)) == (0, 3)


def test_it_stops_at_the_first_error(tmp_path: Path) -> None:
    keys = [file("/a"), file("/b", expiration=NOW + 666 * SECOND), file("/c")]
    done, puts = run(script(keys), "sh", tmp_path)
    assert (done.returncode, len(puts)) == (1, 1)
    (tmp_path / "etcdctl").write_text(STAND_IN)
    for failing in ("get", "put"):
        stand_in = STAND_IN.replace('case "$*" in\n', f'case "$*" in\n*{failing}*" /a"*) exit 5 ;;\n')
        (tmp_path / "etcdctl").write_text(stand_in)
        done = subprocess.run(
            ["sh", tmp_path / "script"],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "SAID": str(tmp_path / "said")},
            check=False,
        )
        assert done.returncode != 0
    assert (tmp_path / "said").read_text().count("\n") == 1


def test_a_name_that_no_command_can_have_is_left_out(tmp_path: Path) -> None:
    left_out: list[str] = []
    text = script([file("/a\0b"), file("/c")], left_out)
    assert left_out == ["/a\0b"]
    assert "# a command cannot have this name, left out: /a\\x00b\n" in text
    assert len(run(text, "sh", tmp_path)[1]) == 1


def test_nothing_in_a_name_gets_out_of_a_comment() -> None:
    text = script([directory("/a\nfalse"), file("/b\nfalse", expiration=NOW)])
    assert "\nfalse" not in text
    assert "# The v2 keys of a\\nb," in text
