"""What is expected here is what Go 1.19 printed."""

import pytest

from compat.etcdctl02.gotext import (
    as_uint64,
    canonical_path,
    clean_path,
    escaped_form,
    escaped_path,
    json_of,
    quoted,
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain é €", '"plain é €"'),
        ('"\\\n\r\t', r'"\"\\\n\r\t"'),
        ("\b\f\x00\x1f\x7f", '"\\u0008\\u000c\\u0000\\u001f\x7f"'),
        ("<a>&b", r'"\u003ca\u003e\u0026b"'),
        ("\u2028\u2029", r'"\u2028\u2029"'),
        ("\\b", r'"\\b"'),
        ("a\udcffb", '"a\ufffdb"'),
    ],
)
def test_texts_in_json(text: str, written: str) -> None:
    assert json_of(text) == written


def test_json_keeps_the_order_of_names() -> None:
    assert (
        json_of({"user": "a", "roles": None, "grant": ["x", "y"]})
        == '{"user":"a","roles":null,"grant":["x","y"]}'
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("value=a b", '"value=a b"'),
        ('{"a":1}\\', r'"{\"a\":1}\\"'),
        ("\a\b\f\n\r\t\v\x00\x7f", r'"\a\b\f\n\r\t\v\x00\x7f"'),
        ("é€\u00a0\u200b\U000e0001", '"é€\\u00a0\\u200b\\U000e0001"'),
        ("\udcff", r'"\xff"'),
    ],
)
def test_quoted_texts(text: str, written: str) -> None:
    assert quoted(text) == written


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("", "/"),
        ("/", "/"),
        ("a", "/a"),
        ("//a//b/", "/a/b/"),
        ("/a/../../b", "/b"),
        ("/a/./b/.", "/a/b"),
        ("/a/..", "/"),
        ("/../", "/"),
    ],
)
def test_paths_are_made_canonical(path: str, canonical: str) -> None:
    assert canonical_path(path) == canonical


def test_a_cleaned_path_has_no_slash_at_the_end() -> None:
    assert clean_path("/v2//auth/users/a/") == "/v2/auth/users/a"


def test_urls_are_escaped() -> None:
    assert escaped_path("/a b/?#%+&=:@;$,é*'()") == "/a%20b/%3F%23%25+&=:@;$,%C3%A9%2A%27%28%29"
    assert escaped_form({"value": "a b&=é\udcff~", "ttl": "5"}) == "ttl=5&value=a+b%26%3D%C3%A9%FF~"


def test_negative_numbers_wrap_around() -> None:
    assert as_uint64(-1) == 2**64 - 1
