import pytest

from compat.etcdctl02.arguments import (
    NUMBER,
    SECONDS,
    SWITCH,
    TEXT,
    TEXTS,
    Option,
    read,
    read_command,
    read_number,
    read_seconds,
)

OPTIONS = (
    Option(("sort",), SWITCH, ""),
    Option(("quorum",), SWITCH, "", later="q"),
    Option(("output", "o"), TEXT, "", "simple"),
    Option(("ttl",), NUMBER, "", "0"),
    Option(("timeout",), SECONDS, "", "1s"),
    Option(("roles",), TEXTS, ""),
)


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["a", "b"], ["a", "b"]),
        (["--sort", "a"], ["a"]),
        (["a", "--sort"], ["a"]),
        (["a", "--ttl", "5", "b"], ["b", "a"]),
        (["a", "b", "--ttl=5", "c", "d"], ["c", "d", "a", "b"]),
        (["--", "a", "-b"], ["a", "-b"]),
        (["a", "--", "-b"], ["a", "--", "-b"]),
        (["a", "--sort", "b", "--", "-c"], ["b", "a", "--", "-c"]),
        (["-"], ["-"]),
    ],
)
def test_options_and_what_follows_them_are_read_before_what_stands_in_front(
    words: list[str], arguments: list[str]
) -> None:
    line = read_command(words, OPTIONS)
    assert (line.words, line.complaint) == (arguments, "")


def test_the_programs_own_options_end_at_the_first_word() -> None:
    line = read(["-o", "json", "get", "--sort"], OPTIONS)
    assert line.given.text("output") == "json"
    assert line.words == ["get", "--sort"]
    assert not line.given.switch("sort")


def test_an_option_has_its_default_until_it_is_given_and_the_last_one_counts() -> None:
    line = read_command(["--ttl", "5", "--ttl", "0x10", "--roles", "a", "--roles", "b,c"], OPTIONS)
    assert line.given.number("ttl") == 16
    assert line.given.seconds("timeout") == 1
    assert line.given.text("output") == "simple"
    assert line.given.texts("roles") == ["a", "b,c"]


@pytest.mark.parametrize(("word", "on"), [("--sort", True), ("--sort=T", True), ("--sort=0", False)])
def test_a_switch_takes_a_value_only_after_an_equals_sign(word: str, on: bool) -> None:
    assert read_command([word], OPTIONS).given.switch("sort") is on


def test_a_name_of_a_later_release_is_taken() -> None:
    assert read_command(["-q"], OPTIONS).given.switch("quorum")


@pytest.mark.parametrize(
    "words", [["--no"], ["--ttl"], ["--ttl", "x"], ["--sort=x"], ["---a"], ["--timeout", "5"]]
)
def test_what_cannot_be_read_is_complained_of(words: list[str]) -> None:
    assert read_command(words, OPTIONS).complaint == "Incorrect Usage.\n\n"


def test_of_two_complaints_the_program_has_the_one_about_names_first_and_a_command_the_other() -> None:
    words = ["-o", "a", "--output", "b", "--no"]
    assert read(words, OPTIONS, "\n").complaint == "Cannot use two forms of the same flag: o output\n"
    assert read_command(words, OPTIONS).complaint == "Incorrect Usage.\n\n"


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("-1", -1), ("+7", 7), ("0x1F", 31), ("017", 15), ("0o17", 15), ("0b11", 3), ("1_000", 1000)],
)
def test_numbers_are_written_as_in_go(text: str, number: int) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["", "1.5", " 1", "08", "0x", "--1", "9223372036854775808"])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whichever)
        read_number(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("5s", 5),
        ("1m30s", 90),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("250ms", 0.25),
        ("-2s", -2),
        ("1us", 1e-6),
    ],
)
def test_durations_are_written_as_in_go(text: str, seconds: float) -> None:
    assert read_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1s5", "1 s", "1d", "-"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whichever)
        read_seconds(text)
