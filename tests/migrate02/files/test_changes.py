"""Which real files are behind the paths that somebody named."""

from __future__ import annotations

from pathlib import Path

from migrate02.files import changes
from tests.migrate02.files.planted import NEW_FIRST_LINE, OLD_TOML, names
from tests.migrate02.running import convert


def test_a_link_is_followed(old_toml: Path) -> None:
    link = old_toml.with_name("link.conf")
    link.symlink_to(old_toml.name)
    assert convert("--write", link).status == 0
    assert link.is_symlink()
    assert old_toml.read_text().startswith(NEW_FIRST_LINE)
    assert old_toml.with_name("etcd.conf.0.4").read_text() == OLD_TOML


def test_two_paths_of_one_file_are_written_once(old_toml: Path) -> None:
    link = old_toml.with_name("link.conf")
    link.symlink_to(old_toml.name)
    assert convert("--write", old_toml, link, old_toml.parent).status == 0
    assert names(old_toml.parent) == {"etcd.conf", "link.conf", ".migrate02"}


def test_files_of_one_node_that_are_named_twice_are_one_node(tmp_path: Path) -> None:
    """By another path the same file is another conversion: they are written together all the same."""
    first = [changes.Change(str(tmp_path / name), b"", b"", "one") for name in "ab"]
    again = [changes.Change(f"{tmp_path}/./{name}", b"", b"", "two") for name in "bc"]
    jobs = changes.jobs_of([*first, *again])
    assert {job.node for job in jobs.values()} == {"one"}
    assert len(set(jobs.values())) == 3
