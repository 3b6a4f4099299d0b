"""Arguments as a JSON list."""

from __future__ import annotations

import json

import pytest

from migrate02.formats.document import UnusableInput
from tests.migrate02.formats.readers import converted, document, read


def test_settings_are_given_with_the_program_or_without() -> None:
    for words in (["/usr/bin/etcd", "-name", "m1"], ["-name=m1"]):
        found = document("args-json", json.dumps(words))
        assert [(item.name, item.value) for item in found.given] == [("name", "m1")]
    assert found.program == ()


@pytest.mark.parametrize("text", ["[]", "[1]", '{"a": 1}', '["a"', "[" * 10_000, '["a", ["b"]]'])
def test_what_is_no_list_of_texts_is_not_its(text: str) -> None:
    assert read("args-json", text).is_empty


def test_words_of_another_program_are_refused() -> None:
    with pytest.raises(UnusableInput, match="not of etcd"):
        read("args-json", '["consul", "-name", "m1"]')


def test_it_stays_a_list() -> None:
    words = json.loads(converted('["/usr/bin/etcd", "-name", "m1", "-addr", "10.0.0.9:4001"]\n'))
    assert words[0] == "/usr/bin/etcd"
    assert all(isinstance(word, str) for word in words)
