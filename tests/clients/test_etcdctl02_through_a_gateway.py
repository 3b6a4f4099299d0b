"""etcdctl02 through a gateway to an etcd 3.5 prints what etcdctl 2.3.8 printed of an etcd 2.3.8, from the record.

But for what docs/gateway.md says of members: they have no peer URLs, and do not let themselves be changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.etcdctl02_told import RECORDED, inside, transcript_of_23
from tests.clients.etcdctl_stories import OF_ITS_OWN
from tests.clients.side_by_side import Side, difference
from tests.clients.test_etcdctl02 import etcdctl02, tell
from tests.support.gateway import GatewayMember
from tests.support.real_etcd import HOW_35, etcd35, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

__all__ = ["etcdctl02"]


@pytest.fixture(scope="module")
def shared_side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    yield from _gateway(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def side(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> Iterator[Side]:
    """A gateway, emptied; one of its own for a story that changes too much."""
    if name in OF_ITS_OWN:
        yield from _gateway(tmp_path)
    else:
        yield request.getfixturevalue("shared_side")


def _gateway(directory: Path) -> Iterator[Side]:
    member = GatewayMember(directory / "ours", str(required(etcd35(), HOW_35)), name="m1")
    try:
        with member.start() as process:
            for _ in range(10):  # a member has written about itself and its cluster before its clients come
                process.put("/padding", "x")
            yield Side(process, member.peer_port)
    finally:
        member.keeper.stop()


_CHANGE = re.compile(r"[$] [!~]? ?(-u root:\S+ )?member (add|update|remove) ")
_REACHES_A_MEMBER = ("Updated member", "Added member", "stderr: No such member")
_REFUSED = ["exit status 1", "stderr: client: etcd cluster is unavailable or misconfigured"]
"""What etcdctl makes of any answer from 500 on, and so of 501: it looks for another member."""


def _of_a_gateway(transcript: list[str]) -> list[str]:
    """What is to be expected where the members are gateways."""
    expected: list[str] = []
    for step in re.split(r"\n(?=[$] )", "\n".join(transcript)):
        command, *said = step.split("\n")
        if _CHANGE.match(command) and any(line.startswith(_REACHES_A_MEMBER) for line in said):
            said = _REFUSED
        expected += [command, *(re.sub(r"peerURLs=\S*", "peerURLs=", line) for line in said)]
    return expected


@pytest.mark.parametrize("name", RECORDED)
def test_it_says_what_etcdctl_238_says_of_a_member(etcdctl02: Path, side: Side, name: str) -> None:
    told = tell(etcdctl02, side, RECORDED[name], inside)
    expected = _of_a_gateway(transcript_of_23(name))
    assert told.transcript == expected, difference(told.transcript, expected)
