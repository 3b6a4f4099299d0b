"""Reports for other programs: each as its readers want it, with fingerprints that stay, and nothing of passwords."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from migrate02.cli.convert import OF_MACHINES
from migrate02.cli.exits import REFUSED, WOULD_CHANGE
from migrate02.cli.machines import MACHINES
from tests.migrate02.running import convert
from tests.migrate02.trees import OLD, plant

ROOT = Path(__file__).parents[3]
FILES = {
    "a.env": OLD + "ETCD_CLUSTER_ACTIVE_SIZE=3\n",
    "b.env": "ETCD_ADDR=h\n",
    "c.sh": "#!/bin/sh\netcd --advertise-client-urls http://a:2379\n",
}


def printed(kind: str, tree: Path, *words: str) -> str:
    run = convert("--output", kind, *words, ".", cwd=tree)
    assert run.err == ""
    return run.out


def results(tree: Path) -> list[dict[str, Any]]:
    log: dict[str, Any] = json.loads(printed("sarif", tree, "--check"))
    found: list[dict[str, Any]] = log["runs"][0]["results"]
    return found


def fingerprints(tree: Path) -> list[str]:
    return [str(result["partialFingerprints"]["finding/v1"]) for result in results(tree)]


def test_the_help_names_all_kinds() -> None:
    assert tuple(MACHINES) == OF_MACHINES


def test_a_fingerprint_is_one_findings_and_stays_when_lines_move(tmp_path: Path) -> None:
    plant(tmp_path, FILES)
    before = fingerprints(tmp_path)
    assert len(set(before)) == len(before)
    (tmp_path / "a.env").write_text("# new\n\n" + FILES["a.env"])
    assert fingerprints(tmp_path) == before


def test_every_rule_of_sarif_leads_to_a_page(tmp_path: Path) -> None:
    plant(tmp_path, FILES)
    driver = json.loads(printed("sarif", tmp_path, "--check"))["runs"][0]["tool"]["driver"]
    assert "would-change" in {rule["id"] for rule in driver["rules"]}
    for rule in driver["rules"]:
        page = rule["helpUri"].removeprefix(driver["informationUri"] + "/")
        name, _, section = page.partition("#")
        assert (ROOT / name).exists()
        assert not section or f"## {section.replace('-', ' ').capitalize()}\n" in (ROOT / name).read_text()


def test_gitlab_gets_what_its_code_quality_reports_need(tmp_path: Path) -> None:
    plant(tmp_path, FILES)
    report = json.loads(printed("gitlab", tmp_path, "--check"))
    assert len(report) == len(results(tmp_path))
    for finding in report:
        assert set(finding) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert finding["severity"] in ("info", "minor", "major", "critical", "blocker")
    (lost,) = (finding for finding in report if finding["check_name"] == "no-counterpart")
    assert (lost["location"], lost["severity"]) == ({"path": "a.env", "lines": {"begin": 5}}, "major")


def test_junit_has_a_suite_a_file_and_a_failure_for_what_needs_attention(tmp_path: Path) -> None:
    plant(tmp_path, FILES)
    top = ElementTree.fromstring(printed("junit", tmp_path, "--check"))
    suites = {suite.get("name"): suite for suite in top}
    assert set(suites) == {"a.env", "b.env", "c.sh"}
    failed = {name: [case.get("type") for case in suite.iter("failure")] for name, suite in suites.items()}
    assert failed == {"a.env": ["no-counterpart", "would-change"], "b.env": ["invalid-value"], "c.sh": []}
    for one in (top, *top):
        assert int(one.get("tests", "")) == len(list(one.iter("testcase"))) > 0
        assert int(one.get("failures", "")) == len(list(one.iter("failure")))


@pytest.mark.parametrize("kind", OF_MACHINES)
def test_a_file_that_would_change_is_told_by_check_alone(tmp_path: Path, kind: str) -> None:
    plant(tmp_path, {"a.env": OLD})
    assert "still written for etcd 0.4" in printed(kind, tmp_path, "--check")
    assert "still written for etcd 0.4" not in printed(kind, tmp_path)
    assert convert("--check", "--output", kind, tmp_path).status == WOULD_CHANGE


@pytest.mark.parametrize("kind", OF_MACHINES)
def test_no_password_and_no_odd_byte_gets_out(tmp_path: Path, kind: str) -> None:
    name = b"<&\"'\xff\x01.env".decode("utf-8", "surrogateescape")
    (tmp_path / name).write_text("ETCD_ADDR=http://user:geheim<&@h\x01:4001\nETCD_VERBOSE=\x02\n")
    out = printed(kind, tmp_path, "--check")
    assert "geheim" not in out
    assert out.isprintable() or set(filter(lambda mark: not mark.isprintable(), out)) == {"\n"}
    if kind == "junit":
        ElementTree.fromstring(out)


@pytest.mark.parametrize("kind", OF_MACHINES)
@pytest.mark.parametrize("other", ["--json", "--diff"])
def test_two_kinds_of_output_are_refused(tmp_path: Path, kind: str, other: str) -> None:
    run = convert(other, "--output", kind, tmp_path)
    assert (run.status, len(run.err.splitlines())) == (REFUSED, 1)


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (["--select", "would-change"], {"would-change"}),
        (["--select", "no-counterpart"], {"no-counterpart"}),
        (["--ignore", "would-change", "--severity", "review"], {"no-counterpart"}),
    ],
    ids=str,
)
def test_a_file_that_would_change_is_a_finding_like_others(
    tmp_path: Path, words: list[str], codes: set[str]
) -> None:
    plant(tmp_path, {"a.env": FILES["a.env"]})
    report = json.loads(printed("gitlab", tmp_path, "--check", *words))
    assert {finding["check_name"] for finding in report} == codes
