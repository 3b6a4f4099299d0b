"""The guide's table of flags from 0.4 to 2.0, row by row, as ``etcd02`` takes them."""

import json
from pathlib import Path

import pytest

from compat.etcd02 import main
from tests.guide.examples import FLAGS, Flag

KEPT = [row for row in FLAGS.values() if row.new]
REFUSED = [row for row in FLAGS.values() if not row.new]
OLD, NEW = "10.0.1.10:1234", "http://10.0.1.10:5678"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def start(*flags: str) -> int:
    return main(["etcd02", *flags, "--print-config"], {}, "/nonexistent")


@pytest.mark.guide("flag-peer-addr", "flag-addr", "flag-peer-bind-addr", "flag-bind-addr")
@pytest.mark.parametrize("row", KEPT, ids=lambda row: row.old)
def test_an_old_flag_makes_the_only_url_of_the_new_one(row: Flag, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(f"-{row.old}", OLD) == 0
    assert json.loads(capsys.readouterr().out)[row.new] == [f"http://{OLD}"]


@pytest.mark.guide("flag-peer-addr", "flag-addr", "flag-peer-bind-addr", "flag-bind-addr")
@pytest.mark.parametrize("row", KEPT, ids=lambda row: row.old)
def test_both_flags_are_an_error(row: Flag, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(f"-{row.old}", OLD, f"--{row.new}", NEW) == 1
    said = capsys.readouterr()
    assert not said.out
    assert f"Set only one of flags -{row.new} and -{row.old}." in said.err


@pytest.mark.guide("flag-peers", "flag-peers-file")
@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.old)
def test_a_flag_without_a_new_one_points_to_initial_cluster(
    row: Flag, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(f"-{row.old}", OLD) == 2
    said = capsys.readouterr().err
    assert f'invalid value "{OLD}" for flag -{row.old}: flag "-{row.old}" is no longer supported.' in said
    assert "The --initial-cluster flag provides a similar concept with different semantics" in said
