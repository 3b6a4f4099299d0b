"""Where findings are, for a person: many places in few words."""

from __future__ import annotations

import pytest

from migrate02.cli.places import places


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([("a", 0)], "a"),
        ([("a", 3)], "a:3"),
        ([("a", 3), ("a", 5), ("a", 3)], "a:3,5"),
        ([("a", 1), ("a", 2), ("a", 3), ("a", 4)], "a:1,2,3,..."),
        ([("a", 3), ("b", 4)], "a:3, b:4"),
        ([("a", 1), ("b", 2), ("c", 3), ("d", 4)], "a:1, b:2, c:3 and 1 more file"),
        ([("a", 1), ("b", 1)], "a:1, b:1"),
        ([("x/a", 1), ("x/b", 1)], "x/{a,b}:1"),
        ([("x/1/e", 5), ("x/2/e", 5), ("x/3/e", 5), ("x/4/e", 5)], "x/{1,2,3,...}/e:5"),
        ([("x/1/e", 5), ("x/2/e", 6)], "x/1/e:5, x/2/e:6"),
        ([("x/a,b/e", 5), ("x/c/e", 5)], "x/a,b/e:5, x/c/e:5"),
        ([("x/e", 5), ("x/y/e", 5)], "x/e:5, x/y/e:5"),
        ([("/a/b/e", 0), ("/a/c/e", 0)], "/a/{b,c}/e"),
    ],
    ids=str,
)
def test_places_are_shortened_as_a_shell_would_expand_them(found: list[tuple[str, int]], said: str) -> None:
    assert places(found) == said
