"""How findings are reported: in lines, for programs, and in a summary."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from migrate02.cli.exits import DONE, REFUSED, RESIDUE, WOULD_CHANGE
from migrate02.findings import CODES
from tests.migrate02.running import convert, migrate02
from tests.migrate02.trees import OLD, plant


def test_the_summary_tells_files_and_findings(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {"a.env": OLD, "b.env": OLD + "ETCD_CLUSTER_ACTIVE_SIZE=3\n", "c.env": "ETCD_ADDR=h\n"},
    )
    lines = convert("--check", tmp_path).err.splitlines()[-3:]
    assert lines == [
        f"1 file: invalid-value: {CODES['invalid-value'].title}",
        f"1 file: no-counterpart: {CODES['no-counterpart'].title}",
        "3 files: 2 converted (1 needs your attention), 0 unchanged, 1 refused",
    ]


def test_sarif_has_a_rule_for_every_code_and_a_place_for_every_finding(tmp_path: Path) -> None:
    plant(tmp_path, {"a b.env": OLD + "ETCD_CLUSTER_ACTIVE_SIZE=3\n"})
    run = convert("--output", "sarif", ".", cwd=tmp_path)
    log = json.loads(run.out)
    (only,) = log["runs"]
    rules = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    assert (log["version"], run.err) == ("2.1.0", "")
    assert {result["ruleId"] for result in only["results"]} == set(rules)
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in only["results"])
    (found,) = (result for result in only["results"] if result["ruleId"] == "no-counterpart")
    place = found["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "a%20b.env"}, "region": {"startLine": 5}}
    assert found["level"] == "warning"


def test_annotations_for_github_name_file_line_and_code(tmp_path: Path) -> None:
    plant(tmp_path, {"a,b.env": OLD + "ETCD_CLUSTER_ACTIVE_SIZE=3\n"})
    lines = convert("--output", "github", ".", cwd=tmp_path).out.splitlines()
    assert all(
        re.match(r"::(?:error|warning|notice) file=[^,:]+,line=\d+,title=[a-z0-9-]+::\S", line)
        for line in lines
    )
    assert any(line.startswith("::warning file=a%2Cb.env,line=5,title=no-counterpart::") for line in lines)


def test_findings_can_be_chosen_and_left_out(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD + "ETCD_CLUSTER_ACTIVE_SIZE=3\nETCD_VERBOSE=true\n"})
    everything = convert(tmp_path)
    assert (everything.status, "carried-over" in everything.codes) == (RESIDUE, True)
    chosen = convert("--select", "carried-over", tmp_path)
    assert (chosen.status, chosen.codes) == (DONE, ["carried-over"])
    without = convert("--ignore", "no-counterpart", tmp_path)
    assert (without.status, "no-counterpart" in without.codes) == (DONE, False)


def test_what_refuses_a_file_is_always_told(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": "ETCD_ADDR=h\n"})
    run = convert("--ignore", "invalid-value", tmp_path)
    assert (run.status, run.codes[0]) == (REFUSED, "invalid-value")


@pytest.mark.parametrize(
    "words",
    [["--output", "xml"], ["--select", "nonsense"], ["--format", "ini"], ["--output", "sarif", "--diff"]],
)
def test_options_that_make_no_sense_are_told_in_one_line(tmp_path: Path, words: list[str]) -> None:
    run = convert(*words, tmp_path)
    assert (run.status, len(run.err.splitlines())) == (REFUSED, 1)


def test_the_hook_for_whole_trees_fails_on_04_and_passes_on_2x(tmp_path: Path) -> None:
    hooks = yaml.safe_load((Path(__file__).parents[3] / ".pre-commit-hooks.yaml").read_text())
    (hook,) = (hook for hook in hooks if hook["id"] == "migrate02-tree")
    program, *words = shlex.split(hook["entry"])
    assert (program, hook["pass_filenames"]) == ("migrate02", False)
    plant(tmp_path, {"etcd.env": OLD, "README.md": "etcd -addr 10.0.0.1:4001\n", "x.py": "print('etcd')\n"})
    assert migrate02(*words, cwd=tmp_path).status == WOULD_CHANGE
    migrate02("convert", "--write", ".", cwd=tmp_path)
    assert migrate02(*words, cwd=tmp_path).status == DONE
