"""A script's variables and its starts change together: names follow values, and nothing old is left beside new."""

from pathlib import Path

import pytest

from tests.migrate02.running import Run, convert

NAMES = "ETCD_LISTEN_CLIENT_URLS ETCD_ADVERTISE_CLIENT_URLS"
START = "exec etcd -name a -peer-addr 10.0.0.1:7001"


def converted(tmp_path: Path, *lines: str) -> Run:
    script = tmp_path / "start"
    script.write_text("\n".join(("#!/bin/sh", *lines, "")))
    return convert(script)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ETCD_ADDR=10.0.0.1:4001\nexport ETCD_ADDR", f"export {NAMES}"),
        ("ETCD_ADDR=10.0.0.1:4001; export ETCD_ADDR", f"; export {NAMES}"),
        ("ETCD_ADDR=10.0.0.1:4001 && export ETCD_ADDR", f"&& export {NAMES}"),
        ("FOO=1 ETCD_ADDR=10.0.0.1:4001\nexport FOO ETCD_ADDR ETCD_NAME", f"export FOO {NAMES} ETCD_NAME"),
        ("ETCD_ADDR=10.0.0.1:4001\ndeclare -x ETCD_ADDR", f"declare -x {NAMES}"),
        ("export ETCD_ADDR\nETCD_ADDR=10.0.0.1:4001", f"export {NAMES}"),
        ("ETCD_ADDR=10.0.0.1:4001 ETCD_TRACE=x\nexport ETCD_TRACE ETCD_ADDR", f"export {NAMES}"),
        ("ETCD_ADDR=10.0.0.1:4001 ETCD_TRACE=x\nexport ETCD_ADDR\nexport ETCD_TRACE", "# 0.4: export ETCD_TRACE"),
        ("ETCD_ADDR=10.0.0.1:4001 ETCD_TRACE=x\nexport ETCD_ADDR; export ETCD_TRACE", f"export {NAMES}; :"),
    ],
)  # fmt: skip
def test_names_that_are_exported_follow_what_the_variables_become(
    before: str, after: str, tmp_path: Path
) -> None:
    done = converted(tmp_path, before, START)
    assert after in done.out
    left = [line for line in done.out.splitlines() if "ETCD_ADDR" in line and not line.startswith("#")]
    assert not left
    assert "not-converted" not in done.codes


@pytest.mark.parametrize(
    "lines",
    [
        "[ -n \"$IP\" ] && ETCD_ADDR=$IP:4001\nexport ETCD_ADDR",
        "ETCD_ADDR=10.0.0.1:4001\n[ -n \"$IP\" ] && ETCD_ADDR=$IP:4001\nexport ETCD_ADDR",
        "if [ -n \"$IP\" ]; then\n  export ETCD_ADDR=$IP:4001\nfi",
        ". /etc/default/etcd\nexport ETCD_ADDR",
        "set -a\n[ -n \"$IP\" ] && ETCD_ADDR=$IP:4001",
        ": ${ETCD_ADDR:=10.0.0.1:4001}\nexport ETCD_ADDR",
    ],
)  # fmt: skip
def test_a_start_stays_as_it_is_beside_an_old_variable_that_stays(lines: str, tmp_path: Path) -> None:
    done = converted(tmp_path, lines, START)
    assert done.out == ""  # nothing changes
    assert (done.status, "not-converted" in done.codes) == (2, True)


def test_beside_an_unknown_value_of_a_name_that_stays_nothing_is_added_that_it_may_say(
    tmp_path: Path,
) -> None:
    done = converted(
        tmp_path, ". /etc/default/etcd", "export ETCD_NAME", "exec etcd -peer-addr 10.0.0.1:7001"
    )
    assert "--initial-advertise-peer-urls http://10.0.0.1:7001" in done.out
    assert "--name" not in done.out
    assert "--data-dir" not in done.out


@pytest.mark.parametrize(
    ("inner", "sees_it"),
    [
        ("[program:etcd]\ncommand=/usr/bin/etcd -name a -peer-addr 10.0.0.1:7001", True),
        ("#!/bin/sh\nexec etcd -name a -peer-addr 10.0.0.1:7001", True),
        ("[Service]\nExecStart=/usr/bin/etcd -name a -peer-addr 10.0.0.1:7001", False),
    ],
)
def test_what_a_script_exports_may_reach_a_start_that_it_writes(
    inner: str, sees_it: bool, tmp_path: Path
) -> None:
    done = converted(
        tmp_path, "ETCD_ADDR=$(hostname -i):4001", "export ETCD_ADDR", "cat > /x <<EOF", inner, "EOF"
    )
    assert (done.out == "", "not-converted" in done.codes) == (sees_it, sees_it)


def of_two(ip: str) -> list[str]:
    return [
        ip,
        "etcd -name a -peer-addr $IP:7001 -addr $IP:4001 -data-dir /a &",
        "etcd -name b -peer-addr $IP:7002 -addr $IP:4002 -data-dir /b -peers $IP:7001 &",
    ]


@pytest.mark.parametrize("ip", ["IP=10.0.0.1", "IP=$(hostname -i)", "HOST=10.0.0.1\nIP=${HOST}"])
def test_members_find_each_other_through_a_variable_that_is_set_once(ip: str, tmp_path: Path) -> None:
    done = converted(tmp_path, *of_two(ip))
    assert done.out.count(" --initial-cluster a=http://$IP:7001,b=http://$IP:7002 ") == 2


@pytest.mark.parametrize("ip", ["", "IP=10.0.0.1\nIP=10.0.0.2", "[ -n \"$X\" ] && IP=10.0.0.1"])  # fmt: skip
def test_members_do_not_through_a_variable_that_may_change(ip: str, tmp_path: Path) -> None:
    assert "members-from-files" not in converted(tmp_path, *of_two(ip)).codes


def test_the_same_variable_of_two_scripts_is_two(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("#!/bin/sh\nIP=$(hostname -i)\netcd -name a -peer-addr $IP:7001\n")
    second.write_text("#!/bin/sh\nIP=$(hostname -i)\netcd -name b -peer-addr $IP:7002 -peers $IP:7001\n")
    assert "members-from-files" not in convert(first, second).codes


def test_a_variable_with_a_plain_value_is_written_out_for_another_file(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("#!/bin/sh\nIP=10.0.0.1\netcd -name a -peer-addr $IP:7001\n")
    second.write_text("#!/bin/sh\nIP=10.0.0.2\netcd -name b -peer-addr $IP:7001 -peers 10.0.0.1:7001\n")
    out = convert(first, second).out
    assert "--initial-cluster a=http://$IP:7001,b=http://10.0.0.2:7001" in out
    assert "--initial-cluster a=http://10.0.0.1:7001,b=http://$IP:7001" in out
