"""``migrate02 v2store check`` on recorded directories: what etcdutl and real 3.6 said of the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate02.v2store.report import report_on
from tests.migrate02.running import migrate02
from tests.support.datadirs35 import NAMES, facts, unpack


@pytest.mark.parametrize("name", NAMES)
def test_says_what_etcdutl_says_and_what_each_release_did(name: str, tmp_path: Path) -> None:
    before = facts(name)["before"]
    for number, path in enumerate(unpack(name, tmp_path)):
        report = report_on(path)
        said = before["etcdutl_3.5.33_check"][number]
        assert report.sentence == (said["stdout"] or said["stderr"].removeprefix("Error: ")).strip()
        starts = {verdict.release: verdict.starts for verdict in report.verdicts}
        for release, ran in (("3.6", "etcd_3.6.14"), ("3.7", "etcd_3.7.1")):
            if ran in before:
                assert starts[release] == before[ran][number]["started"], (path, release)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_line_is_etcdutls_and_the_status_says_whether_36_starts(name: str, tmp_path: Path) -> None:
    said = facts(name)["before"]["etcdutl_3.5.33_check"][0]
    run = migrate02("v2store", "check", unpack(name, tmp_path)[0])
    first = run.out.splitlines()[0]
    assert first == (said["stdout"] or said["stderr"].removeprefix("Error: ")).strip()
    assert run.status == said["exit"]
    assert run.err == ""


def test_the_plan_of_a_cleaning_names_the_folder_that_was_asked_for(tmp_path: Path) -> None:
    (path,) = unpack("ttl", tmp_path, cut=True)
    assert f"go to {path}.v2store-backup" in migrate02("v2store", "clean", path).out
    asked = migrate02("v2store", "clean", "--backup", tmp_path / "kept", path)
    assert f"go to {tmp_path}/kept/m0" in asked.out
    assert not (tmp_path / "kept").exists()
