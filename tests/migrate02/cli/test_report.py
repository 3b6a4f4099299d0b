"""How findings are reported: in lines, for programs, and in a summary."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from migrate02.cli.exits import DONE, REFUSED, RESIDUE, WOULD_CHANGE
from tests.migrate02.running import convert, migrate02, on_a_terminal
from tests.migrate02.trees import OLD, plant


def test_findings_of_several_files_come_worst_first_and_the_totals_last(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {"a.env": OLD, "b.env": OLD + "ETCD_CLUSTER_ACTIVE_SIZE=3\n", "c.env": "ETCD_ADDR=h\n"},
    )
    run = convert("--check", tmp_path)
    severities = [line.partition("[")[0] for line in run.err.splitlines() if "[" in line]
    assert severities == sorted(severities, key=["error", "review", "info"].index)
    assert {"error", "review", "info"} == set(severities)
    assert run.err.splitlines()[-1] == "3 files: 2 converted (1 needs your attention), 0 unchanged, 1 refused"


def twelve(root: Path) -> Path:
    """Twelve machines that are set up alike, each with its own name and addresses."""
    unit = (
        "[Unit]\nDescription=etcd\n[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd "
        "-name node{0} -addr 10.0.1.1{0}:4001 -bind-addr 0.0.0.0 -peer-addr 10.0.1.1{0}:7001 "
        "-peers 10.0.1.101:7001,10.0.1.102:7001 -data-dir /var/lib/etcd -max-result-buffer 100 -snapshot\n"
    )
    for number in range(1, 13):
        name = f"fleet/node{number:02}/etc/systemd/system/etcd.service"
        plant(root, {name: unit.format(f"{number:02}")})
    return root


@pytest.mark.parametrize("columns", [80, 100])
def test_a_check_of_twelve_equal_units_fits_one_screen(tmp_path: Path, columns: int) -> None:
    said = on_a_terminal(["convert", "--check", "fleet"], twelve(tmp_path), columns)
    lines = said.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= columns
    assert lines[-1] == "12 files: 12 converted (12 need your attention), 0 unchanged, 0 refused"


def test_every_finding_is_told_in_full_where_that_is_asked_for(tmp_path: Path) -> None:
    short = convert("--check", "fleet", cwd=twelve(tmp_path))
    assert "every finding in full: -v" in short.err
    run = convert("--check", "-v", "fleet", cwd=tmp_path)
    assert set(run.codes) == set(short.codes)
    assert len(run.codes) >= 12 * len(short.codes)
    assert all(f"fleet/node{number:02}/" in run.err for number in range(1, 13))


@pytest.mark.parametrize(
    ("words", "severities", "totals"),
    [
        ([], ["error", "info", "review"], True),
        (["--severity", "review"], ["error", "review"], True),
        (["--severity", "error"], ["error"], True),
        (["-q"], ["error"], False),
    ],
    ids=str,
)
def test_less_is_told_where_that_is_asked_for_and_the_status_is_the_same(
    tmp_path: Path, words: list[str], severities: list[str], totals: bool
) -> None:
    plant(tmp_path, {"a.env": OLD + "ETCD_CLUSTER_ACTIVE_SIZE=3\n", "c.env": "ETCD_ADDR=h\n"})
    run = convert("--check", *words, tmp_path)
    assert sorted({line.partition("[")[0] for line in run.err.splitlines() if "[" in line}) == severities
    assert (run.status, "2 files: " in run.err) == (REFUSED, totals)
    assert convert(*words, tmp_path / "a.env").status == RESIDUE
    found = json.loads(convert("--output", "sarif", "--severity", "review", tmp_path).out)["runs"][0]
    assert {result["level"] for result in found["results"]} == {"error", "warning"}


def test_a_quiet_write_says_nothing(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD})
    assert convert("--write", "-q", tmp_path) == (DONE, "", "")
    assert "ETCD_ADVERTISE_CLIENT_URLS" in (tmp_path / "a.env").read_text()


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=str,
)
def test_colour_is_for_terminals_that_want_it(
    tmp_path: Path, environment: dict[str, str], coloured: bool
) -> None:
    plant(tmp_path, {"a.env": OLD})
    raw = on_a_terminal(["convert", "--check", "a.env"], tmp_path, 80, environment, plain=False)
    assert ("\x1b[36minfo\x1b[0m[" in raw) is coloured
    assert "\x1b" not in convert("--check", "a.env", cwd=tmp_path).err


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
