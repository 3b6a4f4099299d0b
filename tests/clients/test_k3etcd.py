"""k3etcd runs against the bundled server as against a real etcd: same results, same exceptions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import k3etcd
import pytest
from k3etcd.client import EtcdKeysResult

from tests.clients.accounts import Account, compare, first
from tests.clients.side_by_side import Pair, Side
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Member
from tests.support.real_etcd import HOW_34, etcd34, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]


def connect(side: Side, **options: Any) -> k3etcd.Client:
    return k3etcd.Client(**{"host": "127.0.0.1", "port": side.port, "read_timeout": 20, **options})


class K3Account(Account):
    """Of the exceptions, which carry the whole answer, keeps its status, type, indices and body."""

    def __init__(self, side: Side) -> None:
        super().__init__(side, EtcdKeysResult)

    def text(self, error: Exception) -> str:
        (told,) = error.args[:1]
        if not isinstance(told, dict):
            return str(told)
        headers = told["headers"]
        index = f"Index: {headers['x-etcd-index']}" if "x-etcd-index" in headers else ""
        return f"{told['status']} {told['message']} {headers.get('content-type')} {index} {told['response']}"


def files(client: k3etcd.Client, it: Account) -> None:
    it.saw(client.set, "/a", "one")
    it.saw(client.get, "/a")
    it.saw(client.read, "a")
    it.saw(client.read, "/a", quorum=True)
    it.saw(client.write, "/a", "two", ttl=1000)
    it.saw(client.read, "/a")
    it.saw(client.write, "/a", "")
    it.saw(client.write, "/a")
    it.saw(client.write, "/a b/é", "ünï &=;+%41 €")
    it.saw(client.read, "/a b/é")
    it.note(str(["/a" in client, "/nowhere" in client]))
    it.saw(client.delete, "/a")
    it.failed(k3etcd.EcodeKeyNotFound, client.delete, "/a")
    it.failed(k3etcd.EcodeKeyNotFound, client.get, "/a")


def conditions(client: k3etcd.Client, it: Account) -> None:
    made = it.saw(client.write, "/a", "one", prevExist=False)
    it.failed(k3etcd.EcodeNodeExist, client.write, "/a", "two", prevExist=False)
    it.saw(client.test_and_set, "/a", "two", prevValue="one")
    it.failed(k3etcd.EcodeTestFailed, client.test_and_set, "/a", "three", prevValue="one")
    it.failed(k3etcd.EcodeTestFailed, client.test_and_set, "/a", "three", prevIndex=made.modifiedIndex)
    it.saw(client.test_and_set, "/a", "three", prevIndex=made.modifiedIndex + 1, ttl=1000)
    it.failed(k3etcd.EcodeKeyNotFound, client.test_and_set, "/nowhere", "x", prevValue="y")
    it.failed(k3etcd.EcodeKeyNotFound, client.write, "/nowhere", "x", prevExist=True)
    read = it.saw(client.read, "/a")
    read.value = "four"
    it.saw(client.update, read)
    it.failed(k3etcd.EcodeTestFailed, client.update, read)
    it.failed(k3etcd.EcodeTestFailed, client.test_and_delete, "/a", prevValue="one")
    it.failed(k3etcd.EcodeTestFailed, client.test_and_delete, "/a", prevIndex=made.modifiedIndex)
    it.saw(client.test_and_delete, "/a", prevValue="four")


def directories(client: k3etcd.Client, it: Account) -> None:
    it.saw(client.mkdir, "/dir")
    it.failed(k3etcd.EcodeNotFile, client.mkdir, "/dir")
    it.failed(k3etcd.EcodeNodeExist, client.mkdir, "/dir", prevExist=False)
    it.saw(client.mkdir, "/dir", ttl=1000, prevExist=True)
    it.saw(client.set, "/dir/b/c", "x")
    it.saw(client.set, "/dir/a", "x")
    it.saw(client.lsdir, "/dir", sorted=True)
    it.saw(client.rlsdir, "/dir", sorted=True)
    it.saw(lambda: sorted(leaf.key for leaf in client.rlsdir("/").leaves))
    it.failed(k3etcd.EcodeNotFile, client.delete, "/dir")
    it.failed(k3etcd.EcodeDirNotEmpty, client.deldir, "/dir")
    it.saw(client.mkdir, "/dir/empty")
    it.saw(client.deldir, "/dir/empty")
    it.saw(client.rdeldir, "/dir")
    it.failed(k3etcd.EcodeKeyNotFound, client.rdeldir, "/dir")
    it.saw(client.set, "/file", "x")
    it.failed(k3etcd.EcodeNotDir, client.set, "/file/below", "x")
    it.failed(k3etcd.EcodeRootROnly, client.set, "/", "x")
    for value in ("first", "second"):
        it.saw(client.write, "/queue", value, append=True)
    it.saw(client.lsdir, "/queue", sorted=True)


def bad_values(client: k3etcd.Client, it: Account) -> None:
    it.failed(k3etcd.EcodeTTLNaN, client.write, "/a", "x", ttl="long")
    it.failed(k3etcd.EcodeIndexNaN, client.write, "/a", "x", prevIndex="one")
    it.failed(k3etcd.EcodeInvalidField, client.write, "/a", "x", prevExist="perhaps")
    it.failed(k3etcd.EcodePrevValueRequired, client.write, "/a", "x", prevValue="")
    it.failed(k3etcd.EcodeInvalidField, client.read, "/a", sorted="perhaps")
    it.failed(k3etcd.EcodeKeyNotFound, client.read, "/a")


def time_to_live(client: k3etcd.Client, it: Account) -> None:
    it.saw(client.set, "/gone", "x", ttl=4)
    made = it.saw(client.set, "/refreshed", "x", ttl=4)
    it.saw(client.refresh, "/refreshed", 1000)
    it.failed(k3etcd.EcodeKeyNotFound, client.refresh, "/nowhere", 1000)
    it.failed(k3etcd.EtcdException, client.refresh, "/refreshed")
    it.saw(client.watch, "/gone", waitindex=made.modifiedIndex + 1)
    it.failed(k3etcd.EcodeKeyNotFound, client.read, "/gone")
    it.saw(client.read, "/refreshed")


def watches(client: k3etcd.Client, it: Account) -> None:
    it.failed(k3etcd.EtcdReadTimeoutError, client.watch, "/a", timeout=0.3)
    with it.meanwhile(client.watch, "/a"):
        made = it.saw(client.set, "/a", "one")
    it.saw(client.watch, "/a", waitindex=made.modifiedIndex)
    with it.meanwhile(client.watch, "/a"):
        it.saw(client.delete, "/a")
    with it.meanwhile(client.watch, "/dir", recursive=True):
        it.saw(client.set, "/dir/deep/a", "x")

    def events(count: int, *args: Any, **named: Any) -> list[Any]:
        return first(count, client.eternal_watch(*args, **named))

    start = it.side.index()
    with it.meanwhile(events, 3, "/dir", recursive=True):
        it.saw(client.set, "/dir/b", "x")
        it.saw(client.set, "/dir/c", "x")
        last = it.saw(client.rdeldir, "/dir")
    until = it.saw(
        lambda: first(9, client.eternal_watch("/dir", start + 1, until=last.modifiedIndex, recursive=True))
    )
    assert len(until) == 3


def forgotten_history(client: k3etcd.Client, it: Account) -> None:
    made = it.saw(client.set, "/a", "x")
    for number in range(1001):
        it.side.process.put("/b", str(number))
    it.saw(client.watch, "/a", waitindex=made.modifiedIndex)
    it.failed(k3etcd.EtcdWatchError, client.read, "/a", wait=True, waitIndex=made.modifiedIndex)


def about_the_cluster(client: k3etcd.Client, it: Account) -> None:
    it.saw(lambda: client.machines)
    it.saw(lambda: client.members)
    it.saw(lambda: client.leader)
    it.saw(lambda: [client.names, client.ids, client.clienturls, client.peerurls])
    it.saw(lambda: {name: client.st_self[name] for name in ("id", "name", "state")})
    before = client.st_store
    client.set("/a", "x")
    client.test_and_set("/a", "y", prevValue="x")
    client.delete("/a")
    after = client.st_store
    it.saw(lambda: {name: after[name] - before[name] for name in before if not name.startswith("gets")})
    it.saw(client.del_member, "abc")
    it.saw(client.change_peerurls, "abc", "http://127.0.0.1:1")
    it.failed(k3etcd.EtcdException, client.add_member, "nonsense")


SCENARIOS: list[Callable[[k3etcd.Client, Account], None]] = [
    files,
    conditions,
    directories,
    bad_values,
    time_to_live,
    watches,
    forgotten_history,
    about_the_cluster,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario.__name__))
def test_k3etcd_sees_no_difference(both: Pair, scenario: Callable[[k3etcd.Client, Account], None]) -> None:
    def tell(side: Side) -> Account:
        it = K3Account(side)
        scenario(connect(side), it)
        return it

    compare(both, tell)


def test_k3etcd_takes_it_for_etcd_2_3(both: Pair) -> None:
    assert connect(both.ours).version == {"etcdserver": "2.3.8", "etcdcluster": "2.3.0"}


def test_a_client_with_several_hosts_goes_on_with_the_one_that_answers(both: Pair) -> None:
    (nobody,) = free_ports(1)

    def tell(side: Side) -> Account:
        it = K3Account(side)
        client = connect(side, host=(("127.0.0.1", nobody), ("127.0.0.1", side.port)))
        it.saw(client.set, "/a", "one")
        it.saw(lambda: client.base_uri)
        return it

    compare(both, tell)


def test_a_client_outlives_a_restart_of_the_server(tmp_path: Path) -> None:
    etcd = str(required(etcd34(), HOW_34))

    def tell(member: Member, start: Callable[[], Any]) -> list[Any]:
        with start() as process:
            client = k3etcd.Client(port=member.client_port, read_timeout=PATIENCE)
            seen = [client.set("/a", "one").value, client.get("/a").value]
            process.stop()
            with pytest.raises(k3etcd.NoMoreMachineError):
                client.get("/a")
        with start():
            return [*seen, client.get("/a").value, client.set("/a", "two").action, client.get("/a").value]

    ours, real = Member(tmp_path / "ours"), Member(tmp_path / "real")
    expected = tell(real, lambda: real.start_real(etcd, "--enable-v2"))
    assert tell(ours, ours.start) == expected


def test_the_address_of_a_member_is_changed(own_pair: Pair) -> None:
    def tell(side: Side) -> Account:
        it = K3Account(side)
        client = connect(side)
        it.saw(client.change_peerurls, side.member_id, "http://127.0.0.1:2", "http://127.0.0.1:1")
        it.saw(lambda: client.members)
        it.failed(k3etcd.EtcdException, client.add_member, "http://127.0.0.1:1")
        it.saw(client.add_member, "http://127.0.0.1:3")
        it.saw(lambda: sorted(client.names))
        return it

    compare(own_pair, tell)


def test_users_roles_and_what_they_may(own_pair: Pair) -> None:
    def tell(side: Side) -> Account:
        it = K3Account(side)
        root, anybody = connect(side), connect(side)
        it.saw(root.create_root, "pw")
        it.failed(k3etcd.EtcdException, root.disable_auth, "pw")
        it.saw(lambda: root.enable_auth("pw"))
        it.failed(k3etcd.EtcdException, root.enable_auth, "pw")
        it.failed(k3etcd.EcodeInscientPermissions, root.enable_auth, "wrong")
        it.saw(root.create_role, "editor", "pw", {"read": ["/docs/*"], "write": ["/docs/*"]})
        it.saw(root.create_role, "empty", "pw")
        it.failed(k3etcd.EtcdException, root.create_role, "editor", "pw")
        it.saw(root.create_user, "alice", "secret", "pw", ["editor"])
        it.saw(root.create_user, "bob", "secret", "pw")
        it.failed(k3etcd.EtcdException, root.create_user, "alice", "secret", "pw", ["editor"])
        it.saw(root.get_user, "alice", "pw")
        it.saw(root.get_user, None, "pw")
        it.saw(root.get_user, "root", "pw")
        it.failed(k3etcd.EcodeKeyNotFound, root.get_user, "eve", "pw")
        it.saw(root.get_role, "editor", "pw")
        it.saw(root.get_role, None, "pw")
        it.failed(k3etcd.EcodeKeyNotFound, root.get_role, "nothing", "pw")
        it.saw(root.grant_user_roles, "bob", "pw", ["editor", "empty"])
        it.failed(k3etcd.EtcdException, root.grant_user_roles, "bob", "pw", ["editor"])
        it.saw(root.revoke_user_roles, "bob", "pw", ["empty"])
        it.failed(k3etcd.EtcdException, root.revoke_user_roles, "bob", "pw", ["empty"])
        it.saw(root.grant_role_permissions, "empty", "pw", {"read": ["/b", "/a"]})
        it.failed(k3etcd.EtcdException, root.grant_role_permissions, "empty", "pw", {"read": ["/a"]})
        it.saw(root.revoke_role_permissions, "empty", "pw", {"read": ["/a"]})
        it.failed(k3etcd.EtcdException, root.revoke_role_permissions, "empty", "pw", {"read": ["/c"]})
        it.saw(root.revoke_role_permissions, "guest", "pw", {"read": ["/*"], "write": ["/*"]})
        it.failed(k3etcd.EcodeInscientPermissions, anybody.set, "/docs/a", "x")
        it.failed(k3etcd.EcodeInscientPermissions, anybody.get, "/docs/a")
        it.failed(k3etcd.EcodeInscientPermissions, anybody.create_root, "mine")
        it.failed(k3etcd.EcodeInscientPermissions, anybody.add_member, "http://127.0.0.1:1")
        alice = connect(side, basic_auth_account="alice:secret")
        it.saw(alice.set, "/docs/a", "x")
        it.saw(alice.get, "/docs/a")
        it.failed(k3etcd.EcodeInscientPermissions, alice.set, "/other", "x")
        it.failed(k3etcd.EcodeInscientPermissions, connect(side, basic_auth_account="alice:x").get, "/docs/a")
        it.saw(root.delete_user, "alice", "pw")
        it.failed(k3etcd.EcodeKeyNotFound, root.delete_user, "alice", "pw")
        it.failed(k3etcd.EcodeInscientPermissions, alice.get, "/docs/a")
        it.failed(k3etcd.EtcdException, root.delete_user, "root", "pw")
        it.saw(root.delete_role, "editor", "pw")
        it.failed(k3etcd.EcodeKeyNotFound, root.delete_role, "editor", "pw")
        it.failed(k3etcd.EtcdException, root.delete_role, "root", "pw")
        it.failed(k3etcd.EcodeKeyNotFound, root.get_user, "bob", "pw")
        it.saw(root.disable_auth, "pw")
        it.saw(anybody.get, "/docs/a")
        return it

    own_pair.ours.base, own_pair.real.base = own_pair.ours.index(), own_pair.real.index()
    compare(own_pair, tell)
