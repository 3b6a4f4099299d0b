"""``migrate02 explain``: every code and every setting has its story."""

from __future__ import annotations

import pytest

from compat import flags04, flags2x
from migrate02.cli.exits import DONE, REFUSED
from migrate02.findings import CODES
from tests.migrate02.running import migrate02


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str) -> None:
    run = migrate02("explain", code)
    assert (run.status, run.err) == (DONE, "")
    assert run.out.startswith(f"{code} (")
    assert len(run.out.splitlines()) >= 3
    assert max(map(len, run.out.splitlines())) <= 100


def names_of_04() -> list[str]:
    found = []
    for flag in flags04.FLAGS:
        found += [f"-{flag.name}", f"--{flag.name}", *(f"-{short}" for short in flag.short)]
        found += [name for name in (flag.toml, flag.variable, *flag.never_read) if name]
    return [name for name in found if name not in ("-h", "--help")]  # which ask for help here, too


@pytest.mark.parametrize("name", names_of_04())
def test_every_name_of_04_is_explained(name: str) -> None:
    run = migrate02("explain", name)
    assert (run.status, run.err) == (DONE, "")
    assert " in etcd 0.4\n" in run.out or name in CODES


@pytest.mark.parametrize("flag", flags2x.FLAGS, ids=lambda flag: flag.name)
def test_every_flag_of_later_releases_is_explained(flag: flags2x.Flag2x) -> None:
    for name in (f"--{flag.name}", flag.variable):
        run = migrate02("explain", name)
        assert (run.status, run.err) == (DONE, "")
        assert flag.name in run.out


def test_a_flag_tells_what_becomes_of_it() -> None:
    out = migrate02("explain", "-peer-addr").out
    assert "becomes --initial-advertise-peer-urls" in out
    assert "--initial-advertise-peer-urls in etcd 2.x and later" in out
    assert "still understood" in out


@pytest.mark.parametrize("name", ["-dns-server", "ETCD_DNS_SERVER", "discovery-timeout", "--legacy-api"])
def test_what_only_the_bundled_server_has_is_explained(name: str) -> None:
    run = migrate02("explain", name)
    assert run.status == 0
    assert "of the bundled server, in no etcd" in run.out


def test_explain_lists_the_codes() -> None:
    lines = migrate02("explain").out.splitlines()
    assert [line.split()[0] for line in lines] == list(CODES)
    assert migrate02("explain", "--list").out.splitlines() == lines


def test_explain_says_what_it_does_not_know() -> None:
    run = migrate02("explain", "-adr", "-addr")
    assert run.status == REFUSED
    assert run.err == (
        "migrate02 explain: -adr is neither a finding's code nor a setting of etcd; migrate02 explain lists the codes\n"
    )
    assert run.out.startswith("-addr in etcd 0.4\n")
