"""Every example of the guide is walked through, and each test walks in the guide's order."""

import ast
from pathlib import Path

from tests.guide.examples import EXAMPLES, FLAGS

ORDER = [*EXAMPLES, *FLAGS]


def marks() -> list[list[str]]:
    return [
        [ast.literal_eval(argument) for argument in mark.args]
        for path in Path(__file__).parent.glob("test_*.py")
        for function in ast.parse(path.read_text()).body
        if isinstance(function, ast.FunctionDef)
        for mark in function.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.guide"
    ]


def test_every_example_and_every_row_has_a_test() -> None:
    walked = {id for mark in marks() for id in mark}
    assert walked == set(ORDER)


def test_tests_go_by_the_order_of_the_guide() -> None:
    for mark in marks():
        assert mark == sorted(mark, key=ORDER.index)
