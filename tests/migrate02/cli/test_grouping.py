"""What is the same in many files is said once, and nothing else is."""

from __future__ import annotations

from compat.codes import INVALID_VALUE
from compat.findings import INFO, REVIEW, Code, Finding, Text
from compat.settings import FILE, FLAG, Origin
from migrate02.cli.grouping import grouped, lines
from migrate02.formats.findings import LEFT_ALONE

SAME = Code("no-counterpart", REVIEW, "a title", "a story").text(
    "{given} is removed: {reason}.", "Look at {given}."
)
KNOWN = Code("port-added", INFO, "a title", "a story").text("{value} has no port.")
REFUSAL = INVALID_VALUE.text("{reason}", "{remedy}")


def found(text: Text, file: str, line: int = 1, **fields: str) -> Finding:
    return text.finding("x", Origin(FILE, file, file, line), **fields)


def told(*findings: Finding) -> list[str]:
    return lines(grouped(findings))


def test_one_finding_is_told_as_ever() -> None:
    one = found(SAME, "a", given="-x", reason="r")
    assert told(one) == [str(one)]


def test_the_same_words_are_told_once_with_their_places() -> None:
    assert told(*(found(SAME, name, given="-x", reason="r") for name in "ab")) == [
        "review[no-counterpart] 2 files: a:1, b:1: -x is removed: r. -> Look at -x."
    ]


def test_what_is_in_no_file_is_told_each_by_itself_and_never_twice() -> None:
    down, other = (SAME.finding("x", Origin(FLAG, "--live"), given=name, reason="r") for name in "ab")
    assert told(down, other, down) == [str(down), str(other)]


def test_values_of_a_node_are_those_of_the_first_and_that_is_said() -> None:
    said = told(*(found(SAME, name, given=f"-{name}", reason="r") for name in "ab"))
    assert said == ["review[no-counterpart] 2 files: a:1, b:1; the first: -a is removed: r. -> Look at -a."]


def test_another_reason_is_another_finding() -> None:
    said = told(*(found(LEFT_ALONE, name, reason=f"of {name}", remedy="Look.") for name in "ab"))
    assert [line.partition(": ")[2] for line in said] == ["of a -> Look.", "of b -> Look."]


def test_errors_are_the_same_only_when_their_words_are() -> None:
    said = told(*(found(REFUSAL, name, reason=f"bad {name}", remedy="") for name in "ab"))
    assert len(said) == 2
    assert len(told(*(found(REFUSAL, name, reason="bad", remedy="") for name in "ab"))) == 1


def test_of_what_is_to_be_done_the_sentences_are_kept_that_all_have() -> None:
    text = Code("no-counterpart", REVIEW, "a title", "").text("m", "Look at {given}. Then start it.")
    (said,) = told(*(found(text, name, given=name) for name in "ab"))
    assert said.endswith(": m -> Then start it.")
    text = Code("no-counterpart", REVIEW, "a title", "").text("m", "Look at {given}.")
    (said,) = told(*(found(text, name, given=name) for name in "ab"))
    assert said.endswith(": m -> For the first: Look at a.")


def test_what_leaves_nothing_to_do_is_counted_where_it_is_in_many_files() -> None:
    few = [found(KNOWN, name, value="v") for name in "ab"]
    assert told(*few) == ["info[port-added] 2 files: a:1, b:1: v has no port."]
    many = [found(KNOWN, name, line, value="v") for name in "abc" for line in (1, 2)]
    assert told(*many) == ["info[port-added] 6 findings in 3 files: a bind address without a port"]


def test_the_worst_comes_first_then_what_is_found_most_often() -> None:
    said = told(
        found(KNOWN, "a", value="v"),
        found(SAME, "a", given="-x", reason="one"),
        found(SAME, "a", given="-x", reason="two"),
        found(SAME, "b", given="-x", reason="two"),
        found(REFUSAL, "c", reason="bad", remedy=""),
    )
    assert [line.partition("[")[0] for line in said] == ["error", "review", "review", "info"]
    assert "two" in said[1]
