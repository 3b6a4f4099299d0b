"""``migrate02 undo``: its command line. What it puts back is tested with the backups."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate02.cli.exits import DONE, REFUSED
from tests.migrate02.running import convert, migrate02
from tests.migrate02.trees import OLD, plant


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "the following arguments are required: DIR"),
        (["--force"], "the following arguments are required: DIR"),
        (["a", "b"], "unrecognized arguments: b"),
        (["--what", "a"], "unrecognized arguments: --what"),
    ],
)
def test_bad_usage_is_one_line(argv: list[str], words: str) -> None:
    run = migrate02("undo", *argv)
    assert (run.status, run.out) == (REFUSED, "")
    assert run.err == f"migrate02 undo: {words} (see migrate02 undo --help)\n"


def test_a_directory_without_a_backup_is_refused_in_one_line(tmp_path: Path) -> None:
    run = migrate02("undo", tmp_path)
    assert (run.status, run.out, len(run.err.splitlines())) == (REFUSED, "", 1)
    assert run.err.startswith("migrate02 undo: ")


@pytest.mark.parametrize("before", [True, False])
def test_the_option_may_stand_on_either_side(tmp_path: Path, before: bool) -> None:
    path = tmp_path / "etcd.conf"
    path.write_text('name = "m1"\naddr = "10.0.0.9:4001"\n')
    convert("--write", tmp_path)
    path.write_text("changed since\n")
    assert migrate02("undo", tmp_path).status == REFUSED
    words: list[str | Path] = ["--force", tmp_path]
    run = migrate02("undo", *(words if before else reversed(words)))
    assert run.status == DONE
    assert path.read_text().startswith("name = ")


def test_of_a_single_file_it_says_where_the_original_is(tmp_path: Path) -> None:
    plant(tmp_path, {"a b.env": OLD})
    path = tmp_path / "a b.env"
    assert convert("--write", path).status == 0
    for named in (path, f"{path}.0.4"):
        run = migrate02("undo", named)
        assert run.status == REFUSED
        assert f"the original of {path} is {path}.0.4. To put it back: mv '{path}.0.4' '{path}'" in run.err
    path.write_text(OLD)
    assert convert("--write", path).status == 0
    assert f"is {path}.0.4.1. " in migrate02("undo", path).err


def test_of_a_file_in_a_tree_it_names_the_tree(tmp_path: Path) -> None:
    plant(tmp_path, {"m1/a.env": OLD})
    assert convert("--write", tmp_path).status == 0
    run = migrate02("undo", tmp_path / "m1/a.env")
    assert (run.status, run.err.endswith(f"goes back as a whole: migrate02 undo {tmp_path}\n")) == (
        REFUSED,
        True,
    )


def test_what_was_never_written_is_said_plainly(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD})
    assert "no original of it is beside it" in migrate02("undo", tmp_path / "a.env").err
    assert "there is no such directory" in migrate02("undo", tmp_path / "nowhere").err
    run = migrate02("undo", tmp_path)
    assert (run.status, "nothing was written there with convert --write" in run.err) == (REFUSED, True)
