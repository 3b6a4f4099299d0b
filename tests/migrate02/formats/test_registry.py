"""Every format is a row, a reader, a file of tests and a word in the docs; nothing else has to know of it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate02.formats.format import Format, Text
from migrate02.formats.registry import (
    AMONG_OTHER_THINGS,
    CONTAINERS,
    ENV,
    SETTINGS_ALONE,
    SHELL,
    named,
    names,
    recognised,
)

ROOT = Path(__file__).parents[3]
EVERY = (*SETTINGS_ALONE, *AMONG_OTHER_THINGS)


@pytest.mark.parametrize("format", EVERY, ids=lambda format: str(format.name))
def test_a_format_has_a_reader_tests_and_a_word_in_the_docs(format: Format) -> None:
    module = format.name.replace("-", "")
    assert callable(import_module(f"migrate02.formats.{module}").read)
    assert (Path(__file__).parent / f"test_{module}.py").exists()
    if format.offered:
        assert f"`{format.name}`" in (ROOT / "docs/formats.md").read_text()


@pytest.mark.parametrize("format", EVERY, ids=lambda format: str(format.name))
def test_a_format_is_found_by_some_sign(format: Format) -> None:
    assert format.sign or format.weak_sign


HINTED = [
    *((one.sign, one.hints) for one in EVERY if one.hints),
    *((one.weak_sign, one.weak_hints) for one in EVERY if one.weak_hints),
]


@pytest.mark.parametrize(("sign", "hints"), HINTED)
@given(data=st.data())
def test_every_text_with_a_sign_has_one_of_its_hints(
    sign: str, hints: tuple[str, ...], data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(sign))
    assert any(hint in text for hint in hints)


def test_no_two_formats_have_the_same_name() -> None:
    assert len(names()) == len(set(names()))


def test_a_format_has_other_names_too() -> None:
    assert named("shell") is named("runit") is SHELL
    assert named("kubernetes") is CONTAINERS


def test_a_name_that_none_has_is_an_error() -> None:
    with pytest.raises(LookupError):
        named("ini")


def test_what_is_not_offered_has_no_name_for_a_person() -> None:
    assert "cloud-templates" not in names()


def test_a_format_that_is_sure_stands_before_those_that_may_be() -> None:
    text = Text("set -e\nimage: etcd\n[Service]\n")
    assert [(one.format.name, one.is_sure) for one in recognised(text, AMONG_OTHER_THINGS)] == [
        ("systemd", True),
        ("containers", False),
        ("shell", False),
    ]


def test_a_sign_inside_of_a_here_document_is_none_of_the_file() -> None:
    text = Text("set -e\ncat > /x <<EOF\n[Service]\nEOF\n")
    assert [one.format for one in recognised(text, AMONG_OTHER_THINGS)] == [SHELL]


def test_a_comment_before_a_command_hides_nothing() -> None:
    (found,) = recognised(Text("# a member\n\netcd -name m1\n"), SETTINGS_ALONE)
    assert found.format.name == "command"


def test_a_variable_that_holds_flags_makes_an_environment_file() -> None:
    assert ENV in [one.format for one in recognised(Text('OPTS="-name m1"\n'), SETTINGS_ALONE)]
