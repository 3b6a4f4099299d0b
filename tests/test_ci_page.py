"""What docs/ci.md tells people to put into their CI works there, as far as a machine without their CI can tell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrate02.cli import sarif
from migrate02.cli.exits import DONE, WOULD_CHANGE
from tests.migrate02.running import convert
from tests.migrate02.trees import OLD, plant
from tests.support.pip import QUICKLY

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "ci.md").read_text()
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
BIN = Path(sys.executable).parent


def snippet(heading: str, language: str = "yaml") -> Any:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (text,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return tomllib.loads(text) if language == "toml" else yaml.safe_load(text)


def run(command: str, tree: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{BIN}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-ec", command],
        cwd=tree,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    plant(tmp_path, {"deploy/etcd.env": OLD, "README.md": "# etcd\n"})
    return tmp_path


def test_steps_for_github_fail_and_report(tree: Path) -> None:
    (job,) = snippet("GitHub Actions")["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert steps.pop(0) == f"pip install {project_name()}"
    assert [run(step, tree).returncode for step in steps] == [WOULD_CHANGE, WOULD_CHANGE]
    assert (tree / job["steps"][-1]["with"]["sarif_file"]).stat().st_size
    convert("--write", ".", cwd=tree)
    assert [run(step, tree).returncode for step in steps] == [DONE, DONE]


def test_the_script_for_gitlab_fails_and_reports(tree: Path) -> None:
    (job,) = snippet("GitLab").values()
    steps = list(job["script"])
    assert steps.pop(0) == f"pip install {project_name()}"
    assert run("\n".join(steps), tree).returncode == WOULD_CHANGE
    for report in job["artifacts"]["reports"].values():
        assert "still written for etcd 0.4" in (tree / report).read_text()
    convert("--write", ".", cwd=tree)
    assert run("\n".join(steps), tree).returncode == DONE


def test_changed_files_are_looked_at_by_the_command_of_the_page(tree: Path) -> None:
    (command,) = re.findall(r"^    (git diff .*)", PAGE, re.MULTILINE)
    commit(tree, "first")
    run("git update-ref refs/remotes/origin/main HEAD", tree)
    assert run(command, tree).returncode == DONE
    (tree / "deploy" / "etcd.env").write_text(OLD + "# new\n")
    assert run(command, tree).returncode == 123, "as xargs says that the command failed"


def test_the_section_of_the_page_is_taken(tree: Path) -> None:
    section = snippet("Settings of a project", "toml")
    assert section["tool"]["migrate02"]["per-path-ignores"]
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tree / "pyproject.toml").write_text(text)
    assert convert("--check", ".", cwd=tree).status == WOULD_CHANGE


def project_name() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"])


def test_the_page_names_every_hook_and_the_place_of_the_project() -> None:
    (repository,) = snippet("pre-commit")["repos"]
    assert repository["repo"].startswith(f"{sarif.HOME}/")
    assert {hook["id"] for hook in repository["hooks"]} <= {hook["id"] for hook in HOOKS}
    assert all(f"| `{hook['id']}` |" in PAGE for hook in HOOKS)


LIKELY = (
    "etcd", "deploy/etcd.service", "units/etcd.service.d/10-name.conf", "a/etc/default/etcd", "etc/default/cluster",
    "docker-compose.yml", "k8s/etcd.yaml", "user-data", "cloud-config.txt", "Dockerfile.prod", "Procfile", ".env",
    "etc/init.d/etcd", "sv/store/run", "start.sh", "main.tf", "templates/etcd.conf.j2", "ETCD.CONF",
)  # fmt: skip
UNLIKELY = (
    "README.md",
    "src/main.go",
    "app.py",
    "logo.png",
    "etcd/server.go",
    "index.html",
    "a.css",
    "go.sum",
)


def test_the_hook_is_asked_about_files_that_may_set_up_etcd() -> None:
    (hook,) = (hook for hook in HOOKS if hook["id"] == "migrate02")
    pattern = re.compile(hook["files"])
    assert [name for name in LIKELY if not pattern.search(name)] == []
    assert [name for name in UNLIKELY if pattern.search(name)] == []
    assert hook["require_serial"] is True
    assert hook.get("pass_filenames", True) is True


def commit(tree: Path, message: str) -> str:
    who = "-c user.name=t -c user.email=t@localhost -c core.hooksPath=/dev/null"
    done = run(
        f"git init -q . && git add -A -f . && git {who} commit -qm {message} && git rev-parse HEAD", tree
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_pre_commit_runs_the_hook(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Installed as pre-commit does it, from a repository; this one's, as it is now."""
    project = tmp_path_factory.mktemp("project")
    listed = run("git ls-files -z --cached --others --exclude-standard", ROOT).stdout.split("\0")
    for name in filter(lambda name: (ROOT / name).is_file(), listed):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, project / name)
    config = snippet("pre-commit")
    config["repos"][0] |= {"repo": str(project), "rev": commit(project, "all")}
    (tree / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    commit(tree, "first")
    where = str(tmp_path_factory.mktemp("home"))
    done = run("pre-commit run --all-files", tree, PRE_COMMIT_HOME=where, **QUICKLY)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "exit code: 1" in done.stdout
    assert "deploy/etcd.env" in done.stdout
    convert("--write", ".", cwd=tree)
    commit(tree, "converted")
    done = run("pre-commit run --all-files", tree, PRE_COMMIT_HOME=where, **QUICKLY)
    assert done.returncode == 0, done.stdout + done.stderr
