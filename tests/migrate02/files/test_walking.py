"""Which files of a tree are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate02.cli.exits import WOULD_CHANGE
from tests.migrate02.running import convert
from tests.migrate02.trees import OLD, plant


def converted(root: Path, *words: str) -> set[str]:
    """The files that would change."""
    run = convert("--json", *words, root)
    return {
        str(Path(item["file"]).relative_to(root)) for item in json.loads(run.out)["files"] if item["changed"]
    }


def test_what_version_control_ignores_is_passed_over(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            ".gitignore": "*.bak\n/build/\n",
            "a/.gitignore": "local.env\n!keep.bak\n",
            "a/etcd.env": OLD,
            "a/local.env": OLD,
            "a/etcd.bak": OLD,
            "a/keep.bak": OLD,
            "build/etcd.env": OLD,
            "b/build/etcd.env": OLD,
            "b/local.env": OLD,
        },
    )
    assert converted(tmp_path) == {"a/etcd.env", "a/keep.bak", "b/build/etcd.env", "b/local.env"}


def test_the_rules_of_the_repository_around_a_directory_hold_in_it(tmp_path: Path) -> None:
    plant(tmp_path, {".gitignore": "secret.env\n", "deploy/secret.env": OLD, "deploy/etcd.env": OLD})
    (tmp_path / ".git").mkdir()
    assert converted(tmp_path / "deploy") == {"etcd.env"}


def test_an_ignored_file_that_is_named_is_converted(tmp_path: Path) -> None:
    plant(tmp_path, {".gitignore": "*.env\n", "etcd.env": OLD})
    assert convert("--check", tmp_path / "etcd.env").status == WOULD_CHANGE


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--include", "*.env"], {"a/x.env", "b/y.env"}),
        (["--include", "a/", "--include", "*.sysconfig"], {"a/x.env", "b/z.sysconfig"}),
        (["--exclude", "b/"], {"a/x.env"}),
        (["--include", "*.env", "--exclude", "b/**"], {"a/x.env"}),
    ],
)
def test_files_can_be_chosen_by_their_paths(tmp_path: Path, words: list[str], wanted: set[str]) -> None:
    plant(tmp_path, {"a/x.env": OLD, "b/y.env": OLD, "b/z.sysconfig": OLD})
    assert converted(tmp_path, *words) == wanted
