"""Users and roles in the key space: the entries that reach the log, and what is said to who asks."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from server.auth import Accounts, AuthError, Permissions, Role, User, is_password_of
from server.auth.records import Patterns
from server.storage.requests import StoreRequest
from server.store import EtcdError, Event, Store, apply_request


class FakeMember:
    """A log that takes everything at once, or nothing while ``fault`` is set; remembers what it was given."""

    def __init__(self) -> None:
        self.store = Store()
        self.log: list[StoreRequest] = []
        self.fault: EtcdError | None = None

    @property
    def clock(self) -> Callable[[], int]:
        return lambda: 0

    async def propose(self, request: StoreRequest) -> Event | None:
        if self.fault is not None:
            raise self.fault
        self.log.append(request)
        return apply_request(self.store, request, 0)

    def written(self) -> dict[str, bytes | None]:
        """What the entries wrote or deleted, last of all."""
        return {each.path: None if each.method == "DELETE" else each.val for each in self.log}


async def fake_hash(password: bytes) -> str:
    return f"hash of {password.decode()}"


@pytest.fixture
def member() -> FakeMember:
    return FakeMember()


@pytest.fixture
def accounts(member: FakeMember) -> Accounts:
    return Accounts(member, fake_hash)


def do(*steps: Awaitable[object]) -> list[object]:
    """What came of each step: its result, or its refusal."""

    async def run() -> list[object]:
        outcomes: list[object] = []
        for step in steps:
            try:
                outcomes.append(await step)
            except (AuthError, EtcdError) as error:
                outcomes.append(error)
        return outcomes

    return asyncio.run(run())


def refusal(status: int, message: str) -> object:
    class Same:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, AuthError) and (other.status, other.message) == (status, message)

        def __repr__(self) -> str:
            return f"AuthError({status}, {message!r})"

    return Same()


READ_A = Permissions(Patterns(("/a",)))


def test_the_first_write_makes_the_directories_as_etcd_does(member: FakeMember, accounts: Accounts) -> None:
    do(accounts.create_role(Role("r")), accounts.create_role(Role("s")))
    assert [(each.method, each.path, each.val, each.dir, each.prev_exist) for each in member.log] == [
        ("PUT", "/2", b"", True, False),
        ("PUT", "/2/users/", b"", True, False),
        ("PUT", "/2/roles/", b"", True, False),
        ("PUT", "/2/enabled", b"false", False, False),
        ("PUT", "/2/roles/r", b'{"role":"r","permissions":{"kv":{"read":null,"write":null}}}', False, False),
        ("PUT", "/2/roles/s", b'{"role":"s","permissions":{"kv":{"read":null,"write":null}}}', False, False),
    ]


def test_directories_that_are_there_are_left_as_they_are(member: FakeMember, accounts: Accounts) -> None:
    do(accounts.create_user(User("root", "p")), accounts.enable())
    again = Accounts(member, fake_hash)
    assert do(again.create_role(Role("r"))) == [None]
    assert again.is_enabled()
    assert accounts.user("root").password == "hash of p"


def test_a_user_is_stored_with_its_hash(member: FakeMember, accounts: Accounts) -> None:
    do(
        accounts.create_user(User("bob", "p", ("r",))),
        accounts.create_user(User("root", "q")),
        accounts.update_user(User("bob", grant=("a",))),
    )
    written = member.written()
    assert written["/2/users/bob"] == b'{"user":"bob","password":"hash of p","roles":["a","r"]}'
    assert written["/2/users/root"] == b'{"user":"root","password":"hash of q","roles":["root"]}'
    assert member.log[-1].prev_exist is True


def test_creating_or_updating_a_user(accounts: Accounts) -> None:
    assert do(
        accounts.create_or_update_user(User("u")),
        accounts.create_or_update_user(User("u", "p")),
        accounts.create_or_update_user(User("u")),
        accounts.create_or_update_user(User("u")),
        accounts.create_or_update_user(User("u", "q")),
        accounts.create_user(User("u", "p", ("r",))),
    ) == [
        refusal(400, "auth: Cannot create user u with an empty password"),
        (User("u", "hash of p"), True),
        (User("u", "hash of p", ()), False),  # the list of roles was none, and is empty now
        refusal(400, "auth: User not updated. Use grant/revoke/password to update the user."),
        (User("u", "hash of q", ()), False),
        refusal(409, "auth: User u already exists."),
    ]


def test_what_is_not_there(accounts: Accounts) -> None:
    assert (accounts.user_names(), accounts.role_names()) == ([], ["root"])
    assert do(
        accounts.update_user(User("u", "p")),
        accounts.delete_user("u"),
        accounts.update_role(Role("r", grant=READ_A)),
        accounts.delete_role("r"),
    ) == [
        refusal(404, "auth: User u does not exist."),
        refusal(404, "auth: User u does not exist"),
        refusal(404, "auth: Role r does not exist."),
        refusal(404, "auth: Role r doesn't exist."),
    ]


def test_names_are_in_order_and_hidden_ones_are_not_listed(accounts: Accounts) -> None:
    do(*(accounts.create_user(User(name, "p")) for name in ("b", "_hidden", "é", "a", "B")))
    do(*(accounts.create_role(Role(name)) for name in ("z", "a", "_hidden")))
    assert accounts.user_names() == ["B", "a", "b", "é"]
    assert accounts.role_names() == ["a", "root", "z"]
    assert accounts.user("_hidden").user == "_hidden"


def test_the_role_root_is_built_in(accounts: Accounts) -> None:
    everything = Permissions(Patterns(("/*",), ("/*",)))
    assert accounts.role("root") == Role("root", everything)
    forbidden = refusal(403, "auth: Cannot modify role root: is root role.")
    assert (
        do(
            accounts.create_role(Role("root")),
            accounts.update_role(Role("root", grant=READ_A)),
            accounts.delete_role("root"),
        )
        == [forbidden] * 3
    )


def test_a_role_changes_by_grants_and_revocations(accounts: Accounts) -> None:
    assert do(
        accounts.create_role(Role("r", READ_A)),
        accounts.create_role(Role("r")),
        accounts.update_role(Role("r", revoke=Permissions(Patterns(("/unknown",))))),
        accounts.update_role(Role("r", revoke=Permissions(Patterns(("/unknown",))))),
        accounts.update_role(Role("r", grant=READ_A)),
        accounts.update_role(Role("r", revoke=READ_A)),
        accounts.delete_role("r"),
    ) == [
        None,
        refusal(409, "auth: Role r already exists."),
        Role("r", Permissions(Patterns(("/a",), ()))),
        refusal(400, "auth: Role not updated. Use grant/revoke to update the role."),
        refusal(409, "auth: Granting duplicate read permission /a"),
        Role("r", Permissions(Patterns((), ()))),
        None,
    ]


def test_enabling_wants_a_user_root_and_makes_a_role_for_guests(
    member: FakeMember, accounts: Accounts
) -> None:
    assert do(
        accounts.disable(), accounts.enable(), accounts.create_user(User("root", "p")), accounts.enable()
    ) == [
        refusal(409, "auth: already disabled"),
        refusal(409, "auth: No root user available, please create one"),
        User("root", "hash of p", ("root",)),
        None,
    ]
    assert accounts.is_enabled()
    written = member.written()
    assert written["/2/enabled"] == b"true"
    assert (
        written["/2/roles/guest"] == b'{"role":"guest","permissions":{"kv":{"read":["/*"],"write":["/*"]}}}'
    )
    assert do(accounts.enable(), accounts.delete_user("root"), accounts.disable()) == [
        refusal(409, "auth: already enabled"),
        refusal(403, "auth: Cannot delete root user while auth is enabled."),
        None,
    ]
    assert not accounts.is_enabled()
    assert do(accounts.delete_user("root")) == [None]


def test_a_role_for_guests_that_is_there_stays(accounts: Accounts) -> None:
    do(
        accounts.create_user(User("root", "p")),
        accounts.create_role(Role("guest", READ_A)),
        accounts.enable(),
    )
    assert accounts.role("guest") == Role("guest", READ_A)


def test_whether_it_is_on_follows_the_key_space_wherever_it_was_written(
    member: FakeMember, accounts: Accounts
) -> None:
    for value, on in ((b"true", True), (b"false", False), (b"nonsense", False)):
        asyncio.run(member.propose(StoreRequest(method="PUT", path="/2/enabled", val=value)))
        assert accounts.is_enabled() == on


def test_records_that_etcd_wrote_are_understood(member: FakeMember, accounts: Accounts) -> None:
    """Values from the log of an etcd 2.3.8."""
    for path, value in {
        "/2/enabled": b"true",
        "/2/users/root": b'{"user":"root","password":"$2a$10$c4anVKgMsu3wcB/lQ0P/EuJNpIQnkr8OuXj3F2TA4Unb.w0wG2IWG",'
        b'"roles":["root"]}',
        "/2/users/n\u00e9": '{"user":"n\u00e9","password":"$2a$10$x","roles":null}'.encode(),
        "/2/roles/r": rb'{"role":"r","permissions":{"kv":{"read":["/a*","/b\u003c"],"write":[]}}}',
    }.items():
        asyncio.run(member.propose(StoreRequest(method="PUT", path=path, val=value)))
    assert accounts.is_enabled()
    assert is_password_of(accounts.user("root").password, b"pw")
    assert accounts.user("n\u00e9") == User("n\u00e9", "$2a$10$x")
    assert accounts.role("r") == Role("r", Permissions(Patterns(("/a*", "/b<"), ())))


@pytest.mark.parametrize(
    "name", ["../../1/forged", "../roles/r", "../enabled", "..", ".", "", "/", "x/..", "../users"]
)
def test_a_name_leads_nowhere_else(member: FakeMember, accounts: Accounts, name: str) -> None:
    """A client may write a key that looks like a user, and must not become that user."""
    do(accounts.create_user(User("root", "p")), accounts.create_role(Role("r")))
    forged = User("evil", "hash of p", ("root",)).to_json().encode()
    asyncio.run(member.propose(StoreRequest(method="PUT", path="/1/forged", val=forged)))
    with pytest.raises(AuthError, match="does not exist"):
        accounts.user(name)
    with pytest.raises(AuthError, match="does not exist"):
        accounts.role(name.replace("roles", "users"))


def test_the_refusals_of_the_key_space_come_through(member: FakeMember, accounts: Accounts) -> None:
    do(accounts.create_role(Role("a")))
    with pytest.raises(EtcdError) as caught:
        accounts.role("a/b")
    assert (caught.value.code, caught.value.cause) == (104, "/2/roles/a")


def test_a_log_that_takes_nothing_fails_each_write_until_it_does(
    member: FakeMember, accounts: Accounts
) -> None:
    member.fault = EtcdError(300, "etcdserver: request timed out")
    assert do(accounts.create_role(Role("r")), accounts.delete_user("u")) == [member.fault] * 2
    member.fault = None
    assert do(accounts.create_role(Role("r"))) == [None]


def test_each_question_counts_as_a_get(member: FakeMember, accounts: Accounts) -> None:
    accounts.is_enabled()
    assert (member.store.stats.gets_success, member.store.stats.gets_fail) == (0, 1)
    do(accounts.create_role(Role("r")))
    accounts.is_enabled()
    accounts.role("r")
    assert (member.store.stats.gets_success, member.store.stats.gets_fail) == (2, 1)
