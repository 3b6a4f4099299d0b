"""python-etcd runs against the bundled server as against a real etcd: same results, same exceptions."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import etcd
import etcd.auth
import pytest

from tests.clients.accounts import Account, compare, first
from tests.clients.side_by_side import Pair, Side
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Member
from tests.support.real_etcd import HOW_34, etcd34, required

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_etcd,
    pytest.mark.filterwarnings("ignore:The .warn. method is deprecated:DeprecationWarning"),  # in etcd.lock
]


def connect(side: Side, **options: Any) -> etcd.Client:
    return etcd.Client(**{"host": "127.0.0.1", "port": side.port, "read_timeout": 20, **options})


def account(side: Side) -> Account:
    return Account(side, etcd.EtcdResult)


def files(client: etcd.Client, it: Account) -> None:
    it.saw(client.write, "/a", "one")
    it.saw(client.read, "/a")
    it.saw(client.get, "a")
    it.saw(client.set, "/a", "two")
    it.saw(client.write, "/a", "")
    it.saw(client.write, "/a", None)
    it.saw(client.write, "/a", 3)
    it.saw(client.write, "/b", "with ttl", ttl=1000)
    it.saw(client.read, "/b")
    it.saw(client.write, "/é", "ünï €")
    it.saw(client.read, "/é")
    it.saw(client.write, "/a b", "&=;+%41 \n")
    it.saw(client.read, "/a b")
    it.saw(client.write, "/deep/er/key", "x")
    it.note(str(["/a" in client, "/deep" in client, "/nowhere" in client]))
    it.saw(client.read, "/a", quorum=True)
    it.saw(client.delete, "/a")
    it.failed(etcd.EtcdKeyNotFound, client.read, "/a")
    it.failed(etcd.EtcdKeyNotFound, client.delete, "/a")
    it.saw(client.write, "/a", "back")
    it.saw(client.pop, "/a")
    it.failed(etcd.EtcdKeyNotFound, client.pop, "/a")


def conditions(client: etcd.Client, it: Account) -> None:
    made = it.saw(client.write, "/a", "one", prevExist=False)
    it.failed(etcd.EtcdAlreadyExist, client.write, "/a", "two", prevExist=False)
    it.saw(client.write, "/a", "two", prevExist=True)
    it.failed(etcd.EtcdKeyNotFound, client.write, "/nowhere", "x", prevExist=True)
    it.saw(client.test_and_set, "/a", "three", "two")
    it.failed(etcd.EtcdCompareFailed, client.test_and_set, "/a", "four", "two")
    it.failed(etcd.EtcdKeyNotFound, client.test_and_set, "/nowhere", "x", "y")
    it.saw(client.test_and_set, "/a", "four", "three", ttl=1000)
    now = it.saw(client.read, "/a")
    it.saw(client.write, "/a", "five", prevIndex=now.modifiedIndex)
    it.failed(etcd.EtcdCompareFailed, client.write, "/a", "six", prevIndex=made.modifiedIndex)
    it.failed(etcd.EtcdCompareFailed, client.write, "/a", "six", prevIndex=made.modifiedIndex, prevValue="x")
    it.saw(client.write, "/a", "six", prevIndex=0)
    read = it.saw(client.read, "/a")
    read.value = "seven"
    it.saw(client.update, read)
    it.failed(etcd.EtcdCompareFailed, client.update, read)
    it.failed(etcd.EtcdCompareFailed, client.delete, "/a", prevValue="x")
    it.failed(etcd.EtcdCompareFailed, client.delete, "/a", prevIndex=made.modifiedIndex)
    it.saw(client.delete, "/a", prevValue="seven")
    it.failed(etcd.EtcdKeyNotFound, client.delete, "/a", prevValue="seven")
    made = it.saw(client.write, "/a", "again")
    it.saw(client.delete, "/a", prevIndex=made.modifiedIndex)


def directories(client: etcd.Client, it: Account) -> None:
    it.saw(client.write, "/dir", None, dir=True)
    it.failed(etcd.EtcdNotFile, client.write, "/dir", None, dir=True)
    it.failed(etcd.EtcdNotFile, client.write, "/dir", "x")
    it.failed(etcd.EtcdNotFile, client.write, "/dir", "x", prevValue="y")
    it.saw(client.write, "/dir", None, dir=True, prevExist=True, ttl=1000)
    directory = it.saw(client.read, "/dir")
    it.saw(client.update, directory)
    for name in ("b", "a", "_hidden", "deep/er/c"):
        it.saw(client.write, f"/dir/{name}", name)
    it.saw(client.write, "/dir/empty", None, dir=True)
    it.saw(client.read, "/dir", sorted=True)
    it.saw(client.read, "/dir", sorted=True, recursive=True)
    it.saw(client.read, "/dir/_hidden")
    it.saw(client.read, "/", sorted=True, recursive=True)
    it.saw(lambda: [leaf.key for leaf in client.read("/dir", sorted=True, recursive=True).leaves])
    it.saw(lambda: [leaf.key for leaf in client.read("/dir/empty").children])
    it.failed(etcd.EtcdNotFile, client.delete, "/dir")
    it.failed(etcd.EtcdDirNotEmpty, client.delete, "/dir", dir=True)
    it.saw(client.delete, "/dir/empty", dir=True)
    it.saw(client.delete, "/dir", recursive=True)
    it.failed(etcd.EtcdKeyNotFound, client.read, "/dir/a")
    it.saw(client.write, "/file", "x")
    it.failed(etcd.EtcdNotDir, client.write, "/file/below", "x")
    it.failed(etcd.EtcdNotDir, client.read, "/file/below")
    it.saw(client.write, "/file", None, dir=True)
    it.failed(etcd.EtcdRootReadOnly, client.write, "/", None, dir=True)
    it.failed(etcd.EtcdRootReadOnly, client.write, "/", "x")
    it.failed(etcd.EtcdRootReadOnly, client.delete, "/", recursive=True)


def appended(client: etcd.Client, it: Account) -> None:
    for value in ("first", "second", "third"):
        it.saw(client.write, "/queue", value, append=True)
    it.saw(client.write, "/queue", "with ttl", append=True, ttl=1000)
    it.saw(client.write, "/queue", None, append=True, dir=True)
    it.saw(client.read, "/queue", sorted=True, recursive=True)
    it.saw(client.write, "/file", "x")
    it.failed(etcd.EtcdNotDir, client.write, "/file", "x", append=True)


def bad_values(client: etcd.Client, it: Account) -> None:
    it.saw(client.write, "/a", "x")
    it.failed(etcd.EtcdValueError, client.write, "/a", "x", ttl="long")
    it.failed(etcd.EtcdValueError, client.write, "/a", "x", prevIndex="one")
    it.failed(etcd.EtcdValueError, client.write, "/a", "x", prevExist="perhaps")
    it.failed(etcd.EtcdValueError, client.write, "/a", "x", prevValue="")
    it.failed(etcd.EtcdValueError, client.read, "/a", recursive="perhaps")
    it.failed(etcd.EtcdValueError, client.read, "/a", wait=True, waitIndex="one")
    it.failed(etcd.EtcdValueError, client.delete, "/a", prevIndex="one")
    it.failed(etcd.EtcdException, client.api_execute, "/v2/nothing", "GET")
    it.failed(etcd.EtcdException, client.api_execute, "/v2/keys/a", "PATCH")
    it.saw(client.read, "/a")


def time_to_live(client: etcd.Client, it: Account) -> None:
    it.saw(client.write, "/gone", "x", ttl=5)
    it.saw(client.write, "/dir", None, dir=True, ttl=5)
    it.saw(client.write, "/dir/a", "goes with it")
    it.saw(client.write, "/refreshed", "x", ttl=5)
    it.saw(client.refresh, "/refreshed", 1000)
    it.saw(client.read, "/refreshed")
    it.failed(etcd.EtcdKeyNotFound, client.refresh, "/nowhere", 1000)
    it.failed(etcd.EtcdException, client.write, "/refreshed", "x", refresh=True, ttl=1000)
    it.failed(etcd.EtcdException, client.write, "/refreshed", None, refresh=True)
    it.saw(client.write, "/kept", "x", ttl=5)
    it.saw(client.write, "/kept", "for ever")
    with it.meanwhile(client.watch, "/watched"):
        it.saw(client.write, "/watched", "x", ttl=5)
    made = client.read("/watched")
    it.saw(client.watch, "/watched", index=made.modifiedIndex + 1)
    it.saw(lambda: sorted(leaf.key for leaf in client.read("/", recursive=True).leaves))


def watches(client: etcd.Client, it: Account) -> None:
    it.failed(etcd.EtcdWatchTimedOut, _timing_out(client), "/a", timeout=0.2)
    with it.meanwhile(client.watch, "/a"):
        it.saw(client.write, "/b", "other")
        made = it.saw(client.write, "/a", "one")
    acts: list[Callable[[], object]] = [
        lambda: client.write("/a", "two"),
        lambda: client.write("/a", "three", prevExist=True),
        lambda: client.test_and_set("/a", "four", "three"),
        lambda: client.delete("/a", prevValue="four"),
        lambda: client.write("/a", "five", prevExist=False),
        lambda: client.delete("/a"),
    ]
    for act in acts:
        with it.meanwhile(client.watch, "/a"):
            act()
    with it.meanwhile(client.watch, "/dir", recursive=True):
        client.write("/dir/deep/a", "below")
    with it.meanwhile(client.watch, "/dir/deep/a"):
        client.delete("/dir", recursive=True)
    it.saw(client.watch, "/a", index=made.modifiedIndex)
    it.saw(client.watch, "/a", index=made.modifiedIndex + 1)
    it.saw(client.watch, "/", index=made.modifiedIndex, recursive=True)
    it.failed(etcd.EtcdWatchTimedOut, _timing_out(client), "/a", index=it.side.index() + 5, timeout=0.2)


def _timing_out(client: etcd.Client) -> Callable[..., Any]:
    """``watch``, with nothing but its type left of the exception: its text names an object in memory."""

    def watch(*args: Any, **named: Any) -> Any:
        try:
            return client.watch(*args, **named)
        except etcd.EtcdWatchTimedOut:
            raise etcd.EtcdWatchTimedOut("timed out") from None

    return watch


def eternal_watches(client: etcd.Client, it: Account) -> None:
    def events(count: int, *args: Any, **named: Any) -> list[Any]:
        return first(count, client.eternal_watch(*args, **named))

    start = it.side.index()
    with it.meanwhile(events, 4, "/dir", recursive=True):
        client.write("/dir/a", "one")
        client.write("/other", "x")
        client.write("/dir/b", "two", ttl=1000)
        client.delete("/dir/a")
        client.delete("/dir", recursive=True)
    it.saw(events, 3, "/dir", index=start + 1, recursive=True)
    with it.meanwhile(events, 2, "/short"):
        client.write("/short", "lived", ttl=1)


def forgotten_history(client: etcd.Client, it: Account) -> None:
    made = client.write("/a", "x")
    for number in range(1001):
        client.write("/b", str(number))
    it.failed(etcd.EtcdEventIndexCleared, client.watch, "/a", index=made.modifiedIndex)
    it.saw(client.watch, "/b", index=made.modifiedIndex + 2)


def about_the_cluster(client: etcd.Client, it: Account) -> None:
    it.saw(lambda: client.machines)
    it.saw(lambda: client.members)
    it.saw(lambda: client.leader)
    it.saw(lambda: client.leader_stats)
    it.saw(lambda: {name: client.stats[name] for name in ("id", "name", "state")})
    it.saw(lambda: client.stats["leaderInfo"]["leader"])
    before = client.store_stats
    client.write("/a", "x")
    client.write("/a", "x", prevExist=True)
    client.write("/b", "x", prevExist=False)
    client.test_and_set("/a", "y", "x")
    client.delete("/b", prevValue="x")
    client.delete("/a")
    for _ in range(2):
        it.failed(etcd.EtcdKeyNotFound, client.delete, "/a")
        it.failed(etcd.EtcdKeyNotFound, client.write, "/a", "x", prevExist=True)
        it.failed(etcd.EtcdKeyNotFound, client.test_and_set, "/a", "x", "y")
    after = client.store_stats
    it.saw(lambda: {name: after[name] - before[name] for name in before if not name.startswith("gets")})


def locks(client: etcd.Client, it: Account) -> None:
    mine, theirs = etcd.Lock(client, "job"), etcd.Lock(connect(it.side), "job")
    it.saw(mine.acquire, blocking=True, lock_ttl=1000)
    it.saw(lambda: (mine.is_acquired, theirs.is_acquired))
    it.saw(lambda: mine.lock_key)
    it.saw(theirs.acquire, blocking=False)
    it.saw(mine.acquire, blocking=False, lock_ttl=1000)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(theirs.acquire)
        it.side.wait_for_watchers(1)
        mine.release()
        it.note(f"after the release: {waiting.result(PATIENCE)}")
    it.saw(lambda: (mine.is_acquired, theirs.is_acquired))
    theirs.release()
    mine.release()
    it.saw(lambda: (mine.is_acquired, theirs.is_acquired))
    with etcd.Lock(client, "job") as held:
        it.saw(lambda: held.is_acquired)
    it.saw(lambda: held.is_acquired)
    brief = etcd.Lock(client, "brief")
    it.saw(brief.acquire, lock_ttl=1)
    it.saw(etcd.Lock(connect(it.side), "brief").acquire, lock_ttl=1000)
    it.saw(lambda: brief.is_acquired)


def elections(client: etcd.Client, it: Account) -> None:
    """One key with a TTL; who makes it leads, refreshes it, and is followed when it no longer does."""
    it.saw(client.write, "/leader", "first", ttl=5, prevExist=False)
    it.failed(etcd.EtcdAlreadyExist, client.write, "/leader", "second", ttl=5, prevExist=False)
    it.saw(client.test_and_set, "/leader", "first", "first", ttl=5)
    it.saw(client.refresh, "/leader", 4, prevValue="first")
    it.failed(etcd.EtcdCompareFailed, client.refresh, "/leader", 4, prevValue="second")
    it.saw(client.watch, "/leader", index=it.side.index() + 1)
    it.saw(client.write, "/leader", "second", ttl=1000, prevExist=False)


SCENARIOS: list[Callable[[etcd.Client, Account], None]] = [
    files,
    conditions,
    directories,
    appended,
    bad_values,
    time_to_live,
    watches,
    eternal_watches,
    forgotten_history,
    about_the_cluster,
    locks,
    elections,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario.__name__))
def test_python_etcd_sees_no_difference(both: Pair, scenario: Callable[[etcd.Client, Account], None]) -> None:
    def tell(side: Side) -> Account:
        it = account(side)
        scenario(connect(side), it)
        return it

    compare(both, tell)


def test_python_etcd_takes_it_for_etcd_2_3(both: Pair) -> None:
    client = connect(both.ours)
    assert client.version == "2.3.8"
    assert client.cluster_version == "2.3.0"


def test_a_client_with_several_hosts_goes_on_with_the_one_that_answers(both: Pair) -> None:
    (nobody,) = free_ports(1)

    def tell(side: Side) -> Account:
        it = account(side)
        hosts = (("127.0.0.1", nobody), ("127.0.0.1", side.port))
        client = connect(side, host=hosts, allow_reconnect=True)
        it.saw(client.write, "/a", "one")
        it.saw(client.read, "/a")
        it.saw(lambda: client.base_uri)
        return it

    compare(both, tell)


def test_another_cluster_id_than_expected_is_told(both: Pair) -> None:
    def tell(side: Side) -> Account:
        it = account(side)
        client = connect(side, expected_cluster_id="abc")
        it.failed(etcd.EtcdClusterIdChanged, client.read, "/")
        it.saw(client.read, "/")
        it.failed(etcd.EtcdKeyNotFound, client.read, "/nowhere")
        return it

    compare(both, tell)


def test_a_client_outlives_a_restart_of_the_server(tmp_path: Path) -> None:
    etcd_binary = str(required(etcd34(), HOW_34))

    def tell(member: Member, start: Callable[[], Any]) -> list[Any]:
        with start() as process:
            client = etcd.Client(port=member.client_port, read_timeout=PATIENCE)
            seen = [client.write("/a", "one").value, client.read("/a").value]
            process.stop()
            with pytest.raises(etcd.EtcdConnectionFailed):
                client.read("/a")
        with start():
            seen += [client.read("/a").value, client.write("/a", "two").action, client.read("/a").value]
        return seen

    ours, real = Member(tmp_path / "ours"), Member(tmp_path / "real")
    expected = tell(real, lambda: real.start_real(etcd_binary, "--enable-v2"))
    assert tell(ours, ours.start) == expected


@pytest.mark.parametrize("before", ["nothing", "a request for the members"])
def test_a_watch_breaks_off_when_the_server_stops(own_pair: Pair, before: str) -> None:
    """An empty answer in good order would be no JSON to the client; so it knows that it has to connect anew."""
    for side in (own_pair.real, own_pair.ours):
        client = connect(side, per_host_pool_size=1)
        if before != "nothing":
            assert client.members
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(client.watch, "/a")
            side.wait_for_watchers(1)
            assert side.process.stop() == -signal.SIGTERM
            with pytest.raises(etcd.EtcdConnectionFailed, match="ProtocolError"):
                watching.result(20)
        assert "Traceback" not in side.process.log, side.process.log


def test_users_roles_and_what_they_may(own_pair: Pair) -> None:
    def tell(side: Side) -> Account:
        it = account(side)
        nobody = connect(side)
        nobody.write("/open", "x")
        root = etcd.auth.EtcdUser(nobody, "root")
        root.password = "pw"
        root.write()
        it.saw(lambda: root.names)
        as_root = connect(side, username="root", password="pw")
        auth = etcd.auth.Auth(as_root)
        it.saw(lambda: auth.active)
        auth.active = True
        it.saw(lambda: auth.active)
        it.saw(lambda: etcd.auth.Auth(nobody).active)
        it.failed(etcd.EtcdInsufficientPermissions, etcd.auth.EtcdUser(nobody, "root").read)
        it.failed(etcd.EtcdInsufficientPermissions, etcd.auth.EtcdUser(nobody, "eve").write)
        it.saw(nobody.read, "/open")

        role = etcd.auth.EtcdRole(as_root, "editor")
        role.grant("/docs/*", "RW")
        role.grant("/open", "R")
        role.write()
        role.read()
        it.saw(lambda: role.acls)
        it.saw(lambda: [each["role"] for each in role.names])
        role.revoke("/open", "R")
        role.grant("/more/*", "W")
        role.write()
        role.read()
        it.saw(lambda: role.acls)

        user = etcd.auth.EtcdUser(as_root, "alice")
        user.password = "secret"
        user.roles = ["editor"]
        user.write()
        it.saw(lambda: sorted(user.roles))
        it.failed(etcd.EtcdKeyNotFound, etcd.auth.EtcdUser(as_root, "bob").read)
        it.failed(etcd.EtcdKeyNotFound, etcd.auth.EtcdUser(as_root, "bob").delete)
        it.failed(etcd.EtcdKeyNotFound, etcd.auth.EtcdRole(as_root, "nothing").read)

        guest = etcd.auth.EtcdRole(as_root, "guest")
        guest.read()
        it.saw(lambda: guest.acls)
        guest.revoke("/*", "RW")
        guest.write()
        it.failed(etcd.EtcdInsufficientPermissions, nobody.read, "/open")
        it.failed(etcd.EtcdInsufficientPermissions, nobody.write, "/open", "y")

        alice = connect(side, username="alice", password="secret")
        it.saw(alice.write, "/docs/a", "hers")
        it.saw(alice.read, "/docs/a")
        it.saw(alice.write, "/more/a", "hers")
        it.failed(etcd.EtcdInsufficientPermissions, alice.read, "/more/a")
        it.failed(etcd.EtcdInsufficientPermissions, alice.write, "/open", "y")
        it.failed(etcd.EtcdInsufficientPermissions, alice.delete, "/docs", recursive=True)
        with it.meanwhile(alice.watch, "/docs/a"):
            alice.delete("/docs/a")
        wrong = connect(side, username="alice", password="wrong")
        it.failed(etcd.EtcdInsufficientPermissions, wrong.read, "/docs/a")

        changed = etcd.auth.EtcdUser(as_root, "alice")
        changed.password = "new"
        it.failed(TypeError, changed.write)  # the client takes roles for names, and etcd answers with objects
        user.delete()
        carol = etcd.auth.EtcdUser(as_root, "carol")
        for password in ("first", "second"):
            carol.password = password
            carol.write()
        as_carol = connect(side, username="carol", password="second")
        it.failed(etcd.EtcdInsufficientPermissions, as_carol.read, "/open")
        it.failed(etcd.EtcdInsufficientPermissions, etcd.auth.EtcdRole(as_carol, "guest").read)
        role.delete()
        it.failed(etcd.EtcdKeyNotFound, user.read)
        auth.active = False
        it.saw(nobody.read, "/open")
        return it

    own_pair.ours.base, own_pair.real.base = own_pair.ours.index(), own_pair.real.index()
    compare(own_pair, tell)


def test_a_lock_that_is_waited_for_in_vain_does_not_stay(both: Pair) -> None:
    """A lock's key goes with its time to live while somebody else watches it."""

    def tell(side: Side) -> Account:
        it = account(side)
        client = connect(side)
        first = etcd.Lock(client, "job")
        it.saw(first.acquire, lock_ttl=1)
        second = etcd.Lock(connect(side), "job")
        it.saw(second.acquire, lock_ttl=1000)
        deadline = time.monotonic() + PATIENCE
        while first.is_acquired:
            assert time.monotonic() < deadline
        it.saw(lambda: (first.is_acquired, second.is_acquired))
        return it

    compare(both, tell)
