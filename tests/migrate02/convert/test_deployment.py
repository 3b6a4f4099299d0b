"""Trees: what is walked, which files make up one configuration, how findings are told, and the way back."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shlex
from pathlib import Path

import pytest
import yaml

from compat.findings import CODES
from migrate02.cli.exits import DONE, REFUSED, RESIDUE, WOULD_CHANGE
from migrate02.cli.progress import on_terminal
from tests.migrate02.running import convert, migrate02

OLD = "ETCD_NAME=m1\nETCD_ADDR=10.0.0.9:4001\nETCD_PEER_ADDR=10.0.0.9:7001\nETCD_DATA_DIR=/d\n"
UNIT = "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -peer-addr 10.0.0.1:7001\n"


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def converted(root: Path, *words: str) -> set[str]:
    """The files that would change."""
    run = convert("--json", *words, root)
    return {
        str(Path(item["file"]).relative_to(root)) for item in json.loads(run.out)["files"] if item["changed"]
    }


# What is walked.


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


# Which files make up one configuration.


def test_a_unit_and_its_environment_file_are_one_configuration(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "m1/etc/systemd/system/etcd.service": UNIT,
            "m1/etc/default/etcd": "ETCD_NAME=m1\nETCD_ADDR=10.0.0.1:4001\nETCD_PEER_ADDR=10.0.0.7:7001\n",
        },
    )
    run = convert("--write", tmp_path)
    assert run.status == DONE
    unit = (tmp_path / "m1/etc/systemd/system/etcd.service").read_text()
    assert "--initial-cluster m1=http://10.0.0.1:7001" in unit
    environment = (tmp_path / "m1/etc/default/etcd").read_text()
    assert "ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.1:4001" in environment
    assert "# 0.4: ETCD_PEER_ADDR=10.0.0.7:7001" in environment  # the flag had the last word
    assert "PEER_URLS" not in environment


def joined(nodes: int, more: str = "") -> dict[str, str]:
    """The environment files of a cluster."""
    return {
        f"m{n}.env": f"ETCD_NAME=m{n}\nETCD_ADDR=10.0.0.{n}:4001\nETCD_PEER_ADDR=10.0.0.{n}:7001\n"
        f"ETCD_DATA_DIR=/d\nETCD_PEERS=10.0.0.1:7001\n{more}"
        for n in range(1, nodes + 1)
    }


@pytest.mark.parametrize(
    ("nodes", "more", "said"),
    [
        (4, "ETCD_CLUSTER_ACTIVE_SIZE=3\n", "4 nodes, and an active size of 3: 1 stood by"),
        (
            5,
            "ETCD_CLUSTER_ACTIVE_SIZE=1\n",
            "5 nodes, and an active size of 3: 2 stood by",
        ),  # 0.4 takes no less
        (10, "", "10 nodes, and an active size of 9: 1 stood by"),
    ],
)
def test_a_list_of_more_members_than_voted_asks_who_stood_by(
    tmp_path: Path, nodes: int, more: str, said: str
) -> None:
    plant(tmp_path, joined(nodes, more))
    run = convert("--check", tmp_path)
    assert run.codes.count("standby-unknown") == nodes
    assert said in run.err
    assert "migrate02 plan --live URL, or --standby NAME" in run.err
    assert convert("--write", tmp_path).status == RESIDUE
    told = convert("--check", "--initial-cluster", "m1=http://10.0.0.1:7001", tmp_path / "m1.env")
    assert "standby-unknown" not in told.codes


@pytest.mark.parametrize(("nodes", "more"), [(3, "ETCD_CLUSTER_ACTIVE_SIZE=3\n"), (9, "")])
def test_a_list_of_as_many_members_as_voted_asks_nothing(tmp_path: Path, nodes: int, more: str) -> None:
    plant(tmp_path, joined(nodes, more))
    run = convert("--check", tmp_path)
    assert run.codes.count("members-from-files") == nodes
    assert "standby-unknown" not in run.codes


def test_files_that_are_named_together_are_one_configuration_too(tmp_path: Path) -> None:
    plant(tmp_path, {"etcd.service": UNIT, "etcd": OLD})
    alone = convert("--check", tmp_path / "etcd.service")
    assert "environment-elsewhere" in alone.codes
    both = convert("--check", tmp_path / "etcd.service", tmp_path / "etcd")
    assert "environment-elsewhere" not in both.codes


def test_an_environment_file_of_another_machine_is_not_taken(tmp_path: Path) -> None:
    plant(tmp_path, {"m1/etc/systemd/system/etcd.service": UNIT, "m2/etc/default/etcd": OLD})
    assert "environment-elsewhere" in convert("--check", tmp_path).codes


def test_a_unit_takes_04s_own_file_without_naming_it(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "etc/systemd/system/etcd.service": "[Service]\nExecStart=/usr/bin/etcd -name m1\n",
            "etc/etcd/etcd.conf": 'name = "other"\naddr = "10.0.0.1:4001"\ndata_dir = "/d"\n',
        },
    )
    assert convert("--write", tmp_path).status == DONE
    unit = (tmp_path / "etc/systemd/system/etcd.service").read_text()
    assert "EnvironmentFile=/etc/etcd/etcd.conf\nExecStart=/usr/bin/etcd -name m1 --" in unit
    environment = (tmp_path / "etc/etcd/etcd.conf").read_text()
    assert 'ETCD_ADVERTISE_CLIENT_URLS="http://10.0.0.1:4001"' in environment
    assert "ETCD_NAME" not in environment


def test_a_script_gets_the_settings_of_04s_own_file_as_flags(tmp_path: Path) -> None:
    text = 'addr = "10.0.0.1:4001"\ndata_dir = "/d"\n'
    plant(tmp_path, {"run": "#!/bin/sh\nexec etcd -config /srv/etcd.conf -v\n", "srv/etcd.conf": text})
    run = convert("--write", tmp_path)
    assert "file-moved" in run.codes
    script = (tmp_path / "run").read_text()
    assert "--advertise-client-urls http://10.0.0.1:4001" in script
    assert "-config" not in script
    assert (tmp_path / "srv/etcd.conf").read_text() == text


def test_a_file_that_belongs_to_a_refused_one_stays_with_it(tmp_path: Path) -> None:
    unit = UNIT.replace("-peer-addr", "-bind-addr nowhere:at:all -peer-addr")
    plant(tmp_path, {"etc/systemd/system/etcd.service": unit, "etc/default/etcd": OLD})
    assert convert("--write", tmp_path).status == REFUSED
    assert (tmp_path / "etc/default/etcd").read_text() == OLD
    assert (tmp_path / "etc/systemd/system/etcd.service").read_text() == unit


def test_an_environment_file_that_two_units_need_differently_is_left(tmp_path: Path) -> None:
    other = "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -addr 10.0.0.3:4003\n"
    plant(
        tmp_path,
        {
            "etc/systemd/system/a.service": UNIT,
            "etc/systemd/system/b.service": other,
            "etc/default/etcd": OLD,
        },
    )
    run = convert("--write", tmp_path)
    assert run.status == RESIDUE
    assert run.codes.count("shared-settings") == 3
    assert (tmp_path / "etc/default/etcd").read_text() == OLD


def test_defaults_that_a_script_takes_in_are_converted_with_it(tmp_path: Path) -> None:
    script = "#!/bin/sh\n. /etc/default/etcd\nset -a\nexec etcd -data-dir /d $OPTS\n"
    plant(
        tmp_path,
        {"etc/init.d/etcd": script, "etc/default/etcd": 'OPTS="-name m1 -addr 10.0.0.1:4001"\nX=1\n'},
    )
    assert convert("--write", tmp_path).status == DONE
    assert "--advertise-client-urls http://10.0.0.1:4001" in (tmp_path / "etc/default/etcd").read_text()
    assert (tmp_path / "etc/init.d/etcd").read_text() == script


def test_flags_in_a_variable_of_an_environment_file_are_converted_with_the_unit(tmp_path: Path) -> None:
    unit = "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -data-dir /d $ETCD_OPTS\n"
    options = 'ETCD_NAME=m1\nETCD_OPTS="-addr 10.0.0.1:4001 -v"\nETCD_PEER_ADDR=10.0.0.1:7001\n'
    plant(tmp_path, {"etc/systemd/system/etcd.service": unit, "etc/default/etcd": options})
    run = convert("--write", tmp_path)
    assert (run.status, "flags-elsewhere" in run.codes) == (DONE, False)
    environment = (tmp_path / "etc/default/etcd").read_text()
    assert (
        'ETCD_OPTS="--listen-client-urls http://[::]:4001 --advertise-client-urls http://10.0.0.1:4001'
        in environment
    )
    assert "--debug=true" in environment
    assert "ETCD_INITIAL_ADVERTISE_PEER_URLS=http://10.0.0.1:7001\n" in environment
    assert (tmp_path / "etc/systemd/system/etcd.service").read_text() == unit


def test_a_node_on_2x_is_no_member_of_a_cluster_of_04(tmp_path: Path) -> None:
    """It has no address of 0.4's, not even the default one."""
    plant(
        tmp_path,
        {
            "a.env": "ETCD_NAME=a\nETCD_ADDR=127.0.0.1:4001\nETCD_PEER_ADDR=127.0.0.1:7001\nETCD_DATA_DIR=/a\n",
            "b.env": "ETCD_NAME=b\nETCD_ADDR=127.0.0.1:4002\nETCD_PEER_ADDR=127.0.0.1:7002\nETCD_DATA_DIR=/b\n"
            "ETCD_PEERS=127.0.0.1:7001\n",
            "c.env": "ETCD_NAME=c\nETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:2379\n",
        },
    )
    assert convert("--write", tmp_path).status == DONE
    members = "a=http://127.0.0.1:7001,b=http://127.0.0.1:7002"
    assert f"ETCD_INITIAL_CLUSTER={members}" in (tmp_path / "b.env").read_text().replace('"', "")


# How findings are told.


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


def test_the_hook_for_pre_commit_fails_on_04_and_passes_on_2x(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((Path(__file__).parents[3] / ".pre-commit-hooks.yaml").read_text())
    program, *words = shlex.split(hook["entry"])
    assert (program, hook["pass_filenames"]) == ("migrate02", False)
    plant(tmp_path, {"etcd.env": OLD, "README.md": "etcd -addr 10.0.0.1:4001\n", "x.py": "print('etcd')\n"})
    assert migrate02(*words, cwd=tmp_path).status == WOULD_CHANGE
    migrate02("convert", "--write", ".", cwd=tmp_path)
    assert migrate02(*words, cwd=tmp_path).status == DONE


def test_the_bar_is_shown_when_there_is_something_to_wait_for_and_wiped_off() -> None:
    stream = io.StringIO()
    now = [0.0]
    show = on_terminal(stream, lambda: now[0])
    show("reading", 1, 100)
    assert stream.getvalue() == ""
    now[0] = 1.0
    show("reading", 50, 100)
    assert stream.getvalue() == "\rreading [###############...............] 50 of 100"
    now[0] = 1.01
    show("reading", 51, 100)
    show("reading", 100, 100)
    assert stream.getvalue().endswith("50 of 100\r\x1b[K")


# The way back.


def test_undo_goes_back_one_run_at_a_time(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD})
    convert("--write", tmp_path)
    first = (tmp_path / "a.env").read_text()
    plant(tmp_path, {"b.env": OLD})
    convert("--write", tmp_path)
    assert migrate02("undo", tmp_path).status == DONE
    assert ((tmp_path / "a.env").read_text(), (tmp_path / "b.env").read_text()) == (first, OLD)
    assert migrate02("undo", tmp_path).status == DONE
    assert (tmp_path / "a.env").read_text() == OLD
    assert migrate02("undo", tmp_path).status == REFUSED


def test_backups_are_kept_out_of_version_control(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD})
    convert("--write", tmp_path)
    assert (tmp_path / ".migrate02" / ".gitignore").read_text() == "*\n"


def test_undo_leaves_what_was_changed_since(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD, "b.env": OLD})
    convert("--write", tmp_path)
    (tmp_path / "a.env").write_text("mine\n")
    run = migrate02("undo", tmp_path)
    assert run.status == REFUSED
    assert "a.env: changed since it was converted; the original is " in run.err
    assert ((tmp_path / "a.env").read_text(), (tmp_path / "b.env").read_text()) == ("mine\n", OLD)
    (tmp_path / "a.env").unlink()
    assert migrate02("undo", tmp_path).status == DONE
    assert (tmp_path / "a.env").read_text() == OLD


def test_undo_keeps_bytes_that_are_no_utf_8_and_line_ends(tmp_path: Path) -> None:
    data = OLD.replace("\n", "\r\n").encode() + b"# \xff\r\n"
    (tmp_path / "a.env").write_bytes(data)
    convert("--write", tmp_path)
    assert (tmp_path / "a.env").read_bytes() != data
    migrate02("undo", tmp_path)
    assert (tmp_path / "a.env").read_bytes() == data


@pytest.mark.parametrize("damage", ["gone", "cut", "manifest"])
def test_undo_with_a_damaged_backup_changes_nothing(tmp_path: Path, damage: str) -> None:
    plant(tmp_path, {"a.env": OLD})
    convert("--write", tmp_path)
    written = (tmp_path / "a.env").read_text()
    folder = tmp_path / ".migrate02" / "0001"
    if damage == "gone":
        (folder / "files" / "a.env").unlink()
    elif damage == "cut":
        (folder / "files" / "a.env").write_text(OLD[:10])
    else:
        (folder / "manifest.json").write_text("{")
    assert migrate02("undo", tmp_path).status == REFUSED
    assert (tmp_path / "a.env").read_text() == written


def test_nothing_is_written_when_no_backup_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, {"a.env": OLD, "b.env": OLD})

    def mkdir(*_args: object, **_more: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "mkdir", mkdir)
    run = convert("--write", tmp_path)
    monkeypatch.undo()
    assert run.status == REFUSED
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.env": OLD, "b.env": OLD}
