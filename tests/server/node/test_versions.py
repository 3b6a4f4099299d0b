"""What a leader makes of the versions its members say they are."""

import pytest

from server.node.versions import is_of_2


@pytest.mark.parametrize(
    ("cluster", "said", "expected"),
    [
        ("2.3.0", [], True),
        ("2.2.0", ["2.3.8", "2.2.5"], True),
        ("2.3.0", ["2.3.8", None], True),  # it never answered
        ("2.3.0", ["2.3.8", "what?"], True),
        ("2.3.0", ["2.3.8", "3.0.17"], False),
        ("2.3.0", ["3.5.1"], False),
        ("2.3.0", ["10.0.0"], False),
        ("3.0.0", [], False),
        ("3.5.0", ["3.5.0"], False),
        ("2.3.0", None, False),  # nobody was asked
        (None, ["2.3.8"], False),
        (None, [], False),
    ],
)
def test_whether_all_members_are_of_2(
    cluster: str | None, said: list[str | None] | None, expected: bool
) -> None:
    assert is_of_2(cluster, said) is expected
