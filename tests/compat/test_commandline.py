import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.commandline import OWN_FLAGS, CommandLine, canonical, read_command_line
from compat.flags04 import BY_SHORT, FLAGS
from server.config import SETTINGS


def read(line: str) -> CommandLine:
    return read_command_line(shlex.split(line), OWN_FLAGS)


def told(line: str) -> list[str]:
    return [item.code for item in read(line).findings]


def test_old_and_new_flags_mix() -> None:
    line = read("-addr 1.2.3.4:1 --debug -n m1 -cluster-active-size 3 -v")
    assert [(item.name, item.value, item.origin.name) for item in line.given] == [
        ("addr", "1.2.3.4:1", "-addr"),
        ("debug", "true", "--debug"),
        ("name", "m1", "-n"),
        ("cluster-active-size", "3", "-cluster-active-size"),
        ("v", "true", "-v"),
    ]
    assert told("-n m1") == ["deprecated-name"]
    assert str(line.findings[0].message) == "[deprecated] use -name, not -n"


def test_canonical() -> None:
    assert canonical("C") == "peers"
    assert canonical("name") == "name"


def test_own_flags_are_not_settings() -> None:
    line = read("--engine=/usr/bin/etcd -print-config -name m")
    assert line.own == {"engine": "/usr/bin/etcd", "print-config": "true"}
    assert [item.name for item in line.given] == ["name"]


def test_without_own_flags_they_are_unknown() -> None:
    (said,) = read_command_line(["--engine=x"]).findings
    assert (said.code, said.message) == ("unknown-setting", "flag provided but not defined: -engine")


@pytest.mark.parametrize(
    ("line", "wants"),
    [
        ("-version", True),
        ("--version=1", True),
        ("-version=false", False),
        ("-version -version=0", False),
        ("-name x", False),
    ],
)
def test_version(line: str, wants: bool) -> None:
    assert read(line).wants_version is wants
    assert "version" not in [item.name for item in read(line).given]


@pytest.mark.parametrize("line", ["-h", "--help", "-name x -help", "-help=false"])
def test_help(line: str) -> None:
    assert read(line).wants_help


@pytest.mark.parametrize(
    ("line", "code", "text", "place"),
    [
        ("-nope", "unknown-setting", "flag provided but not defined: -nope", "-nope"),
        ("--nope=3", "unknown-setting", "flag provided but not defined: -nope", "--nope"),
        (
            "-name m -addr bad",
            "invalid-value",
            'invalid value "bad" for flag -addr: address bad: missing port in address',
            "-addr",
        ),
        (
            "-listen-client-urls a:1",
            "invalid-value",
            'invalid value "a:1" for flag -listen-client-urls: URL scheme must be http or https: a:1',
            "-listen-client-urls",
        ),
        (
            "-snapshot-count=-1",
            "invalid-value",
            'invalid value "-1" for flag -snapshot-count: parse error',
            "-snapshot-count",
        ),
        ("-debug=yes", "invalid-value", 'invalid boolean value "yes" for -debug: parse error', "-debug"),
        ("-version=x", "invalid-value", 'invalid boolean value "x" for -version: parse error', "-version"),
        # Names that only 0.4 has are held to 0.4's types.
        ("-vvv=x", "invalid-value", 'invalid boolean value "x" for -vvv: parse error', "-vvv"),
        ("-f=x", "invalid-value", 'invalid boolean value "x" for -f: parse error', "-f"),
        ("-m x", "invalid-value", 'invalid value "x" for flag -m: parse error', "-m"),
        (
            "-http-read-timeout x",
            "invalid-value",
            'invalid value "x" for flag -http-read-timeout: parse error',
            "-http-read-timeout",
        ),
        (
            "-snapshotCount 1.5",
            "invalid-value",
            'invalid value "1.5" for flag -snapshotCount: parse error',
            "-snapshotCount",
        ),
        ("-name", "invalid-value", "flag needs an argument: -name", "-name"),
        ("---name m", "invalid-value", "bad flag syntax: ---name", "---name"),
    ],
)
def test_a_word_that_etcd_refuses_is_one_finding_in_its_words(
    line: str, code: str, text: str, place: str
) -> None:
    found = read(line)
    assert not found.given
    (said,) = found.findings
    assert (said.code, said.message) == (code, text)
    assert said.origin is not None
    assert said.origin.name == place


@pytest.mark.parametrize(
    "flag", [flag for flag in FLAGS if flag.in_238 == "ignored"], ids=lambda flag: flag.name
)
def test_what_2_3_8_ignores_it_ignores_with_any_value(flag: object) -> None:
    name = getattr(flag, "name", "")
    assert not [item for item in read(f"-{name}=anything").findings if item.severity == "error"]


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "-name a x",
        "-debug true",
        "-name a -- x",
        "-name a -",
        "-cluster-active-size x",
        "-peer-heartbeat-interval x",
        "-v -max-result-buffer many",
    ],
)
def test_stray_words_are_refused(line: str) -> None:
    said = read(line).findings[-1]
    word = line.split()[-1]
    assert said.code == "stray-words"
    assert said.message == f"error verifying flags, '{word}' is not a valid flag. See 'etcd --help'."


@pytest.mark.parametrize(
    "line", ["-snapshot true", "-addr 1.2.3.4:1 x -nope", "-v -- x", "-n m true", "-config f x", "-v true"]
)
def test_stray_words_on_a_line_of_0_4_are_ignored_with_all_that_follows(line: str) -> None:
    found = read(line)
    assert "words-ignored" in [item.code for item in found.findings]
    assert found.rest


def test_the_value_of_an_ignored_flag_is_its_own_word_as_in_0_4() -> None:
    assert told("-cluster-active-size 3 -max-result-buffer 5 -v") == []
    assert [item.value for item in read("-peer-heartbeat-interval 0x10").given] == ["0x10"]


def test_config_is_seen_where_0_4_saw_it() -> None:
    line = read("-config f -name x")
    assert line.config_file is not None
    assert line.config_file.value == "f"
    assert told("-name x -config f") == ["config-not-seen"]
    assert read("-name x -config f").config_file is None
    assert told("-config=") == []


@pytest.mark.parametrize("line", ["--enable-v2", "--enable-v2=false -name x", "--auto-tls --log-level debug"])
def test_flags_of_later_releases_are_read(line: str) -> None:
    found = read(line)
    assert not found.findings
    assert found.given


def test_a_template_cannot_be_judged() -> None:
    words = ["-listen-client-urls", "$URLS", "-m", "$M", "-snapshot-count", "${N:-5}"]
    assert [item.code for item in read_command_line(words, template=True).findings] == ["deprecated-name"]
    assert read_command_line(words).findings[0].severity == "error"


WORDS = [
    f"-{name}"
    for name in [*BY_SHORT, *(flag.name for flag in FLAGS), *(setting.name for setting in SETTINGS)]
]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(WORDS),
            st.sampled_from(WORDS).map(lambda word: word + "="),
            st.text(max_size=6),
            st.sampled_from(["1", "true", "--", "h:1", "http://h:1"]),
        ),
        max_size=6,
    )
)
def test_nothing_escapes(words: list[str]) -> None:
    found = read_command_line(words)
    errors = [item for item in found.findings if item.severity == "error"]
    assert len(errors) <= 1
