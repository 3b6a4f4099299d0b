"""The tests of the API that ask a running server run twice: of a member, and of a gateway to an etcd in memory."""

import re
from collections.abc import Iterator

import pytest

from tests.support.served import through_a_gateway

ASKING = (
    "test_auth",
    "test_auth_work",
    "test_http_client",
    "test_keys_utf8",
    "test_listings",
)
"""Modules."""

OTHERWISE = {
    "`/v2/members`": (
        r"test_members|test_the_peer_port_serves_who|test_another_user_with_the_role_root_administers"
        r"|test_every_path_answers_as_etcd\[.*/v2/stats/leader|test_stats_of_the_member_itself"
    ),
    "a key of more than 99 components": r"test_the_longest_and_the_deepest_key_are_taken",
}
"""Tests that say what a gateway does otherwise, by the row of the table in docs/gateway.md."""


@pytest.fixture
def served_by(request: pytest.FixtureRequest) -> Iterator[None]:
    token = through_a_gateway.set(request.param == "gateway")
    yield
    through_a_gateway.reset(token)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in ASKING:
        metafunc.fixturenames.insert(0, "served_by")
        metafunc.parametrize("served_by", ["member", "gateway"], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if _is_otherwise(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _is_otherwise(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    if callspec is None or callspec.params.get("served_by") != "gateway":
        return False
    return any(re.match(pattern, item.name) for pattern in OTHERWISE.values())
