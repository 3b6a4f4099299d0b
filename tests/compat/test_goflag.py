import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.goflag import BOOL, FALSE, MAYBE, TRUE, VALUE, Flag, FlagError, HelpAsked, first_pass, parse

KINDS = {"name": VALUE, "addr": VALUE, "debug": BOOL, "version": BOOL, "size": MAYBE, "s": VALUE}


def check(name: str, value: str) -> str:
    if KINDS[name] == BOOL:
        return "" if value in TRUE | FALSE else "parse error"
    if name == "size":
        return "" if value.isdigit() else "parse error"
    return "no good" if value == "bad" else ""


def values(*words: str) -> list[tuple[str, str | None]]:
    return [(flag.name, flag.value) for flag in parse(words, KINDS, check).flags]


@pytest.mark.parametrize(
    ("words", "flags", "rest"),
    [
        (["-name", "a"], [("name", "a")], []),
        (["--name", "a"], [("name", "a")], []),
        (["-name=a"], [("name", "a")], []),
        (["--name=a"], [("name", "a")], []),
        (["-name=a=b"], [("name", "a=b")], []),
        (["-name="], [("name", "")], []),
        (["-name", "-debug"], [("name", "-debug")], []),
        (["-name", "--"], [("name", "--")], []),
        (["-name", "a", "-name", "b"], [("name", "a"), ("name", "b")], []),
        (["-debug"], [("debug", "true")], []),
        (["-debug=F"], [("debug", "F")], []),
        (["-debug", "true"], [("debug", "true")], ["true"]),
        (["-debug", "-name", "a"], [("debug", "true"), ("name", "a")], []),
        (["x", "-debug"], [], ["x", "-debug"]),
        (["-debug", "-", "-name", "a"], [("debug", "true")], ["-", "-name", "a"]),
        (["-debug", "--", "-name", "a"], [("debug", "true")], ["-name", "a"]),
        (["--"], [], []),
        (["", "-debug"], [], ["", "-debug"]),
        ([], [], []),
    ],
)
def test_reads_as_2_3_8_reads(words: list[str], flags: list[tuple[str, str | None]], rest: list[str]) -> None:
    parsed = parse(words, KINDS, check)
    assert [(flag.name, flag.value) for flag in parsed.flags] == flags
    assert parsed.rest == rest


@pytest.mark.parametrize(
    ("words", "text", "position"),
    [
        (["---name", "a"], "bad flag syntax: ---name", 0),
        (["-=x"], "bad flag syntax: -=x", 0),
        (["--=x"], "bad flag syntax: --=x", 0),
        (["-nope"], "flag provided but not defined: -nope", 0),
        (["--nope=1"], "flag provided but not defined: -nope", 0),
        (["-Name", "a"], "flag provided but not defined: -Name", 0),
        (["-debug", "-name"], "flag needs an argument: -name", 1),
        (["-debug=yes"], 'invalid boolean value "yes" for -debug: parse error', 0),
        (["-debug="], 'invalid boolean value "" for -debug: parse error', 0),
        (["-addr", "bad"], 'invalid value "bad" for flag -addr: no good', 0),
        (["-addr", "bad", "-h"], 'invalid value "bad" for flag -addr: no good', 0),
        (["-name", "a", "-nope", "-addr", "bad"], "flag provided but not defined: -nope", 2),
    ],
)
def test_refuses_in_the_words_of_go_from_left_to_right(words: list[str], text: str, position: int) -> None:
    with pytest.raises(FlagError) as refused:
        parse(words, KINDS, check)
    assert str(refused.value) == text
    assert refused.value.position == position


@pytest.mark.parametrize("word", ["-h", "--help", "-help=false", "-h=x"])
def test_help_ends_the_reading(word: str) -> None:
    with pytest.raises(HelpAsked):
        parse(["-debug", word, "-nope"], KINDS, check)


def test_a_program_may_have_a_help_flag_of_its_own() -> None:
    assert parse(["-h", "x"], {"h": VALUE}).flags == [Flag("h", "-h", "x", 0, 2)]


def test_the_word_after_an_ignored_flag_is_its_value_if_0_4_took_it() -> None:
    assert values("-size", "3", "-debug") == [("size", "3"), ("debug", "true")]
    assert values("-size=anything") == [("size", "anything")]
    assert values("-size", "-debug") == [("size", None), ("debug", "true")]
    assert values("-size") == [("size", None)]
    assert parse(["-size", "x"], KINDS, check).rest == ["x"]


def test_positions_count_words() -> None:
    parsed = parse(["-name", "a", "--debug", "-size", "3", "x"], KINDS, check)
    assert [(flag.spelled, flag.position) for flag in parsed.flags] == [
        ("-name", 0),
        ("--debug", 2),
        ("-size", 3),
    ]
    assert parsed.rest_position == 5


@given(
    st.lists(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(
                ["-name", "--debug", "-size", "-", "--", "-name=", "-debug=x", "-h", "3", "---", "-s"]
            ),
        )
    )
)
def test_nothing_but_its_own_errors_escapes(words: list[str]) -> None:
    try:
        parsed = parse(words, KINDS, check)
    except (FlagError, HelpAsked):
        return
    assert parsed.rest == words[parsed.rest_position :]
    assert all(words[flag.position].startswith(flag.spelled) for flag in parsed.flags)
    assert all(flag.value is not None or flag.name == "size" for flag in parsed.flags)


@given(st.lists(st.text(max_size=8)))
def test_the_first_pass_never_fails(words: list[str]) -> None:
    found = first_pass(words, "config")
    assert found is None or found.name == "config"


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        # Each compared with what the real 0.4.9 read (its name became the data directory's).
        ("-config f", "f"),
        ("-config=f", "f"),
        ("--config f", "f"),
        ("--config=f", "f"),
        ("-name=x -config f", "f"),
        ("-name x -config f", None),
        ("-v -config f", "f"),
        ("-v=true -config f", "f"),
        ("-snapshot -config f", "f"),
        ("-f -config f", "f"),
        ("-config f -config g", "g"),
        ("-config=f -config=g", "g"),
        ("-config f -data-dir d", "f"),
        ("-data-dir d -config f", None),
        ("-- -config f", None),
        ("- -config f", None),
        ("x -config f", None),
        ("-cors= -config f", "f"),
        ("-config=", ""),
        ("-config", None),
        ("-v -config", None),
        ("-peer-heartbeat-interval=5 -config f", "f"),
        ("-config g -name x -config f", "g"),
        ("---config f", None),
        ("-config f x", "f"),
    ],
)
def test_the_first_pass_sees_config_where_0_4_9_saw_it(line: str, seen: str | None) -> None:
    found = first_pass(line.split(), "config")
    assert (found.value if found else None) == seen
