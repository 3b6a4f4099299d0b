"""``migrate02 explain``: every code and every setting has its story."""

from __future__ import annotations

import pytest

from compat import flags04, flags2x
from migrate02.cli.exits import DONE, REFUSED
from migrate02.errortexts import ERROR_TEXTS, ErrorText
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
        "migrate02 explain: -adr is neither a finding's code nor a setting of etcd; did you mean -addr?\n"
    )
    assert run.out.startswith("-addr in etcd 0.4\n")


ZAP_JSON = (
    '{"level":"panic","ts":"2026-11-28T10:00:00.000Z","caller":"etcdserver/apply_v2.go:31",'
    '"msg":"detected disallowed v2 WAL for stage --v2-deprecation=write-only","method":"QGET"}'
)
BOOTSTRAP = (
    '{"level":"error","caller":"etcdserver/bootstrap.go:409","msg":"illegal v2store content",'
    '"error":"detected disallowed custom content in v2store for stage --v2-deprecation=write-only"}'
)
OF_37 = "panic: unmarshal should never fail (proto:\u00a0cannot parse invalid wire-format data)"
NOT_CAPABLE = (
    '{"level":"warn","msg":"retrying","error":"rpc error: code = Unavailable desc = etcdserver: not capable"}'
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (ZAP_JSON, ["detected disallowed v2 WAL for stage"]),
        (ZAP_JSON.replace('"', r"\""), ["detected disallowed v2 WAL for stage"]),
        (BOOTSTRAP, ["detected disallowed custom content", "illegal v2store content"]),
        ("2026-11-28 PANIC etcdserver/server.go:1128 illegal v2store content", ["illegal v2store content"]),
        (
            '"detected disallowed custom\n  content in v2store"',
            ["detected disallowed custom content in v2store"],
        ),
        ("DETECTED DISALLOWED V2 WAL", ["detected disallowed v2 WAL"]),
        (OF_37, ["unmarshal should never fail"]),
        (OF_37.replace("\u00a0", r"\u00a0"), ["unmarshal should never fail"]),
        (NOT_CAPABLE, ["etcdserver: not capable"]),
        ("Error: detected custom content in v2store", ["detected custom content in v2store"]),
        ("Error: detected custom v2 content in WAL records", ["detected custom v2 content in WAL records"]),
        (
            "Error: detected custom v2 content in both v2store and WAL records",
            ["detected custom v2 content in both v2store and WAL records"],
        ),
        (
            "cluster cannot be downgraded (current version: 3.4.23",
            ["invalid downgrade; server version is lower"],
        ),
        (
            "database file (/d/member/snap/db index 5) does not match with snapshot (index 9)",
            ["database file ("],
        ),
        ("panic: tocommit(9) is out of range [lastIndex(5)].", ["tocommit("]),
        ("v2 WAL for stage", ["detected disallowed v2 WAL for stage"]),
        ("invalid downgrade", ["invalid downgrade; server version is lower"]),
    ],
)
def test_an_error_of_etcd_is_found_in_what_was_pasted(line: str, said: list[str]) -> None:
    run = migrate02("explain", line)
    assert (run.status, run.err) == (DONE, "")
    assert run.out.count("  said by  ") == len(said)
    stories = run.out.split("\n\n")
    for story, text in zip(stories, said, strict=True):
        assert story.startswith(text)
        assert story.rstrip().endswith("docs/v2-leftovers.md")


@pytest.mark.parametrize("row", ERROR_TEXTS, ids=lambda row: row.text)
def test_every_error_text_is_told_with_what_to_do(row: ErrorText) -> None:
    run = migrate02("explain", row.text)
    assert (run.status, run.err) == (DONE, "")
    assert run.out.count("  said by  ") == 1
    assert [line.strip() for line in run.out.splitlines() if line.startswith("    ") and line[4] != " "] == [
        *row.todo
    ]
    assert max(map(len, run.out.splitlines())) <= 100


def test_a_line_that_was_pasted_without_quotes_is_one_line() -> None:
    words = ["detected", "disallowed", "v2", "WAL", "for", "stage", "--v2-deprecation=write-only"]
    run = migrate02("explain", *words)
    assert (run.status, run.err) == (DONE, "")
    assert run.out == migrate02("explain", " ".join(words)).out


def test_errors_of_etcd_stand_beside_codes_and_flags() -> None:
    run = migrate02("explain", "peers", "not capable", "--v2-deprecation=write-only")
    assert (run.status, run.err) == (DONE, "")
    at = [
        run.out.index(words)
        for words in ("peers (error)", "etcdserver: not capable", "--v2-deprecation in etcd")
    ]
    assert at == sorted(at)


@pytest.mark.parametrize(
    "words",
    [
        "etcdserver: invalid downgrade target version",
        "some other line of a log",
        "of",
        "",
        '"',
        ".*",
        "nowhere-to-be-found",
        "etcdserver: request timed out",
    ],
)
def test_what_is_none_of_them_is_answered_as_before(words: str) -> None:
    run = migrate02("explain", words)
    assert run.status == REFUSED
    assert run.out == ""
    assert f"{words} is neither a finding's code nor a setting of etcd; migrate02 explain lists" in run.err


@pytest.mark.parametrize(
    ("word", "listed", "unlisted"),
    [
        ("standby", ["standby-unknown ", "standby-found ", "-cluster-active-size "], ["peers "]),
        ("peer", ["peers ", "-peer-addr ", "--listen-peer-urls ", "unknown-peer "], ["-addr "]),
        ("PEER", ["peers "], []),
        ("WAL", ["--wal-dir ", "'detected disallowed v2 WAL for stage "], []),
        ("coreos", ["unit-renamed "], []),
    ],
)
def test_a_word_lists_what_is_about_it(word: str, listed: list[str], unlisted: list[str]) -> None:
    run = migrate02("explain", word)
    assert (run.status, run.err) == (DONE, "")
    first, *lines = run.out.splitlines()
    assert first == f"{word} is in these; for more: migrate02 explain NAME"
    assert all(any(line.startswith(name) for line in lines) for name in listed)
    assert not any(line.startswith(name) for line in lines for name in unlisted)
    assert max(map(len, lines)) <= 100


def test_every_name_that_a_word_lists_is_explained() -> None:
    for line in migrate02("explain", "peer").out.splitlines()[1:]:
        assert migrate02("explain", line.split()[0]).status == DONE


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("-per-addr", "-peer-addr"),
        ("peerz", "peers"),
        ("ETCD_ADRR", "ETCD_ADDR"),
        ("--listen-client-url", "--listen-client-urls"),
        ("no-counterprt", "no-counterpart"),
    ],
)
def test_a_misspelt_name_is_met_with_the_right_one(word: str, meant: str) -> None:
    run = migrate02("explain", word)
    assert (run.status, run.out) == (REFUSED, "")
    assert run.err.endswith(f"; did you mean {meant}?\n")
