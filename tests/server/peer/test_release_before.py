"""A cluster of members of this release and of the one before, which differ in the order of expiry."""

import asyncio

import pytest

from server.store import Event
from tests.support.memory_members import MemoryMember, loopback, until, url_of
from tests.support.release_before import StoreOfBefore

FUTURE = 4_000_000_000_000_000_000
"""Unix nanoseconds at which the keys expire, all at once, when the leader says that it is so late."""
KEYS = [f"/1/k{n * 7 % 30:02d}" for n in range(30)]


@pytest.mark.interpreted
@pytest.mark.parametrize("leading", [0, 2], ids=["ours", "theirs"])
def test_keys_that_expire_at_once_leave_the_same_key_space_at_all_members(leading: int) -> None:
    async def play() -> None:
        socks = [loopback() for _ in range(3)]
        urls = {f"m{n}": url_of(sock) for n, sock in enumerate(socks)}
        members = [
            MemoryMember(name, urls, sock, store=StoreOfBefore() if name == "m2" else None)
            for name, sock in zip(urls, socks, strict=True)
        ]
        try:
            for member in members:
                await member.start()
            leader = members[leading]
            await until(lambda: len(list(leader.members)) == 3, "it knows all members")
            leader.campaign()
            await until(lambda: leader.is_leader, "it leads")
            for path in KEYS:
                leader.propose(path=path, value="v", expiration=FUTURE)
            leader.propose(path="/1/stays", value="v", expiration=FUTURE + 1)
            leader.propose(method="SYNC", time=FUTURE)
            written = await leader.propose(path="/1/after", value="v")
            assert isinstance(written, Event)
            for member in members:
                await until(lambda member=member: member.has("/after", "v"))  # type: ignore[misc]
            assert len({(member.store.index, tuple(_tree(member))) for member in members}) == 1
            expired = [_expired(member) for member in members]
            assert expired[0] == expired[1] == sorted(KEYS)
            assert expired[2] == KEYS
            assert all(member.error is None for member in members)
        finally:
            for member in members:
                await member.stop()

    asyncio.run(play())


def _tree(member: MemoryMember) -> list[tuple[object, ...]]:
    files = member.store.freeze().files.values()
    return sorted((node.key, node.value, node.modified_index, node.created_index) for node in files)


def _expired(member: MemoryMember) -> list[str]:
    """In the order of the events."""
    events = member.store.freeze().history.events
    return [event.node.key for event in events if event is not None and event.action == "expire"]
