"""A project's own settings for ``convert``: where they are found, what they do, and that a slip in them is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate02.cli.configured import _KEYS
from migrate02.cli.exits import DONE, REFUSED, RESIDUE, WOULD_CHANGE
from tests.migrate02.running import convert
from tests.migrate02.trees import OLD, plant

ROOT = Path(__file__).parents[3]
LOST = OLD + "ETCD_CLUSTER_ACTIVE_SIZE=3\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    plant(tmp_path, {"deploy/a.env": LOST, "legacy/b.env": LOST})
    return tmp_path


def configure(project: Path, text: str) -> None:
    (project / ".migrate02.toml").write_text(text)


def told(project: Path, *words: str, inside: str = ".") -> list[str]:
    """The files that have one finding, which everybody has who does not configure it away."""
    lines = convert("--check", "--output", "github", *words, ".", cwd=project / inside).out.splitlines()
    return [
        line.partition("file=")[2].partition(",")[0] for line in lines if "title=no-counterpart::" in line
    ]


BOTH = ["deploy/a.env", "legacy/b.env"]


def test_without_a_section_everything_is_told(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.other]\nname = "x"\n')
    assert told(project) == BOTH


@pytest.mark.parametrize(
    ("name", "heading"), [(".migrate02.toml", ""), ("pyproject.toml", "[tool.migrate02]\n")]
)
def test_the_nearest_section_of_the_repository_counts(project: Path, name: str, heading: str) -> None:
    (project / name).write_text(heading + 'ignore = ["no-counterpart"]\n')
    assert told(project) == []
    assert told(project, inside="deploy") == []
    (project / "deploy" / ".migrate02.toml").write_text("")
    assert told(project, inside="deploy") == ["a.env"]


def test_nothing_above_a_repository_counts(project: Path) -> None:
    configure(project, 'ignore = ["no-counterpart"]\n')
    (project / "deploy" / ".git").mkdir()
    assert told(project, inside="deploy") == ["a.env"]


def test_the_target_is_written_for_and_the_command_line_has_the_last_word(project: Path) -> None:
    configure(project, 'target = "3.5"\n')
    run = convert("--to", "flags", "deploy/a.env", cwd=project)
    assert "--enable-v2" in run.out
    run = convert("--to", "flags", "--target", "2.3", "deploy/a.env", cwd=project)
    assert "--enable-v2" not in run.out
    assert convert("--to", "yaml", "--target", "2.3", "deploy/a.env", cwd=project).status == REFUSED


def test_findings_are_selected_and_ignored(project: Path) -> None:
    configure(project, 'select = ["carried-over"]\n')
    assert told(project) == []
    assert told(project, "--select", "no-counterpart") == BOTH
    configure(project, 'ignore = ["no-counterpart"]\n')
    assert told(project, "--ignore", "carried-over") == BOTH


def test_paths_are_left_out_below_the_folder_of_the_section(project: Path) -> None:
    configure(project, 'exclude = ["legacy/"]\n')
    assert told(project) == BOTH[:1]
    assert convert("--check", ".", cwd=project / "legacy").status == DONE
    assert convert("--check", "b.env", cwd=project / "legacy").status == WOULD_CHANGE, "a named one is read"


def test_a_finding_is_ignored_below_a_path(project: Path) -> None:
    configure(project, '[per-path-ignores]\n"legacy/**" = ["no-counterpart"]\n')
    assert told(project) == BOTH[:1]
    assert convert("b.env", cwd=project / "legacy").status == DONE
    assert convert("a.env", cwd=project / "deploy").status == RESIDUE


def test_what_refuses_a_file_is_told_all_the_same(project: Path) -> None:
    configure(project, '[per-path-ignores]\n"*" = ["invalid-value"]\n')
    plant(project, {"c.env": "ETCD_ADDR=h\n"})
    assert convert("c.env", cwd=project).codes[0] == "invalid-value"


def test_another_file_can_be_named_and_an_empty_one_too(project: Path) -> None:
    configure(project, 'ignore = ["no-counterpart"]\n')
    assert told(project, "--config", "/dev/null") == BOTH
    (project / "own.toml").write_text('exclude = ["deploy"]\n')
    assert told(project, "--config", "own.toml") == BOTH[1:]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('ignor = ["x"]', "did you mean ignore?"),
        ("per_path_ignores = {}", "did you mean per-path-ignores?"),
        ("zzz = 1", "unknown key zzz; the keys are target, select"),
        ('ignore = ["no-counterpar"]', "ignore: no-counterpar is no finding's code"),
        ('ignore = "no-counterpart"', "ignore has to be a list of texts"),
        ("target = 2.3", 'target has to be text in quotes, such as "2.3"'),
        ('target = "1.0"', "target: "),
        ("per-path-ignores = []", "per-path-ignores has to be a table"),
        ('[per-path-ignores]\n"a" = "b"', "per-path-ignores: a has to be a list"),
        ("a = [", "broken TOML"),
    ],
)
def test_a_slip_is_told_in_one_line(project: Path, text: str, words: str) -> None:
    configure(project, text)
    run = convert("deploy/a.env", cwd=project)
    assert (run.status, run.out) == (REFUSED, "")
    (line,) = run.err.splitlines()
    assert line.startswith("migrate02 convert: .migrate02.toml: ")
    assert words in line


@pytest.mark.parametrize(
    "text", ["tool = 1\n# tool.migrate02\n", "[tool]\nmigrate02 = 1\n# tool.migrate02\n"]
)
def test_a_section_that_is_no_table_is_told(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(text)
    run = convert("deploy/a.env", cwd=project)
    assert (run.status, len(run.err.splitlines())) == (REFUSED, 1)


def test_a_file_that_is_not_there_is_told(project: Path) -> None:
    run = convert("--config", "nowhere.toml", "deploy/a.env", cwd=project)
    assert (run.status, len(run.err.splitlines())) == (REFUSED, 1)


def test_the_page_documents_every_key() -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    assert all(f"| `{key}` |" in page for key in _KEYS)
