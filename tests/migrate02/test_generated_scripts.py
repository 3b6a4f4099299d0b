"""Scripts made from an allow-list, converted, and run before and after: 2.x is given what 0.4 was given, or it is reported.

More of them: ``make soak-convert``.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.findings import Finding
from tests.migrate02.generated import converted, tried
from tests.migrate02.grammar import ADDRESSES, FEATURES, LAYERS, QUOTES, Plan, made_of, plans, stacks
from tests.support import sandbox


@pytest.fixture(scope="module")
def in_a_sandbox() -> None:
    if sandbox.trouble():
        pytest.skip(sandbox.trouble())


@pytest.mark.usefixtures("in_a_sandbox")
@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_by_itself_is_converted_right(feature: str) -> None:
    found = tried(made_of(feature).script())
    assert found.wrong == []
    assert found.converted, found.text


STACKS = [pair for pair in itertools.product(LAYERS, LAYERS) if made_of(*pair).can_be]


@pytest.mark.parametrize("layers", STACKS, ids=" in ".join)
def test_each_layer_in_each_other_is_converted(layers: tuple[str, str]) -> None:
    conversion = converted(made_of(*layers).script().text)
    assert conversion.changed, conversion.findings
    assert not conversion.left_alone, conversion.findings


@pytest.mark.usefixtures("in_a_sandbox")
@settings(max_examples=60)
@given(plan=plans())
def test_2x_is_given_what_04_was_given(plan: Plan) -> None:
    assert tried(plan.script()).wrong == []


# Of one start with no other setting around it: what is in the layers becomes what it would become by itself.

_INNER = st.builds(
    Plan,
    address=st.sampled_from(tuple(ADDRESSES)),
    quotes=st.sampled_from(tuple(QUOTES)),
    wrapper=st.sampled_from(("none", "exec", "env", "chpst")),
    equals=st.booleans(),
    continued=st.booleans(),
)
_READ_STACKS = stacks(most=3).filter(lambda names: Plan(names).can_be)


@settings(max_examples=100)
@given(inner=_INNER, names=_READ_STACKS)
def test_a_start_in_layers_becomes_what_it_becomes_by_itself(inner: Plan, names: tuple[str, ...]) -> None:
    plan = dataclasses.replace(inner, layers=names)
    alone = converted(inner.script().text)
    within = converted(plan.script().text)
    assert within.text is not None
    assert plan.innermost(within.text) == alone.text
    assert without_places(within.findings) == without_places(alone.findings)


def without_places(findings: Sequence[Finding]) -> Counter[tuple[str, str, str]]:
    return Counter((one.code, one.message, one.remedy) for one in findings)


@given(text=st.text(alphabet="ab $`'\"\\\\\n!{}%#"), name=st.sampled_from(tuple(LAYERS)))
def test_what_a_layer_writes_it_reads(text: str, name: str) -> None:
    assert LAYERS[name].inside(LAYERS[name].around(f"{text}\n", 0), 0) == f"{text}\n"
