"""A misspelt command, option, value or setting is met with the one that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate02.cli.exits import REFUSED
from tests.migrate02.running import convert, migrate02


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("convrt x", "convert"),
        ("v2store chek x", "check"),
        ("data inspct x", "inspect"),
        ("convert --chekc x", "--check"),
        ("convert --tagret=2.3 x", "--target"),
        ("convert x --wirte", "--write"),
        ("convert --to flag x", "flags"),
        ("convert --format systmd x", "systemd"),
        ("convert --select no-counterprt x", "no-counterpart"),
        ("plan --lvie http://x", "--live"),
    ],
)
def test_what_was_meant_is_in_the_message(line: str, meant: str) -> None:
    run = migrate02(*line.split())
    assert (run.status, run.out, len(run.err.splitlines())) == (REFUSED, "", 1)
    assert f"; did you mean {meant}?" in run.err


@pytest.mark.parametrize(
    "line", ["nonsense", "convert --zzz x", "convert --to 17 x", "data zzz y", "convert -addr x"]
)
def test_nothing_is_guessed_where_nothing_is_like_it(line: str) -> None:
    run = migrate02(*line.split())
    assert (run.status, "did you mean" in run.err) == (REFUSED, False)


def test_a_directory_that_is_called_like_a_command_is_one(tmp_path: Path) -> None:
    (tmp_path / "inspekt").mkdir()
    assert "did you mean" not in migrate02("data", "inspekt", "new", cwd=tmp_path).err


def test_a_misspelt_flag_or_key_is_met_with_the_right_one(tmp_path: Path) -> None:
    (error, *_) = convert("--", "etcd", "-adr", "10.0.0.1:4001").err.splitlines()
    assert error == (
        "error[unknown-setting] flag -adr: flag provided but not defined: -adr "
        "-> Did you mean -addr? See 'etcd02 -help'."
    )
    (tmp_path / "etcd.conf").write_text(
        'name = "a"\nadrr = "10.0.0.1:4001"\n[peer]\nadres = "10.0.0.1:7001"\n'
    )
    found = [line for line in convert(tmp_path / "etcd.conf").err.splitlines() if "never-read" in line]
    assert [line.partition(" -> ")[2].partition(" Then")[0] for line in found] == [
        "Did you mean addr?",
        "Did you mean peer.addr?",
    ]


@pytest.mark.parametrize(
    "line", ["plan --live {}", "import --live {} --to http://x", "import --snapshot x --to {}"]
)
def test_an_address_without_its_scheme_is_told_as_such(line: str) -> None:
    run = migrate02(*line.format("127.0.0.1:4001").split())
    assert run.status == REFUSED
    assert ": 127.0.0.1:4001 lacks http://; write http://127.0.0.1:4001 (see " in run.err


def test_an_unknown_host_is_told_in_words() -> None:
    run = migrate02("plan", "--live", "http://nowhere.invalid:4001")
    assert "its host is not known: " in run.err
    assert "Errno" not in run.err
