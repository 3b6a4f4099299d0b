"""What roles allow, and what grants and revocations make of users and roles."""

import pytest

from server.auth import AuthError, Permissions, Role, User
from server.auth.records import Names, Patterns


def kv(read: Names = None, write: Names = None) -> Permissions:
    return Permissions(Patterns(read, write))


@pytest.mark.parametrize(
    ("pattern", "key", "one", "all_below"),
    [
        ("/a", "/a", True, False),
        ("/a", "/a/", False, False),
        ("/a", "/ab", False, False),
        ("/a*", "/a", True, True),
        ("/a*", "/ab/c", True, True),
        ("/pub/*", "/pub", False, False),
        ("/pub/*", "/pub/", True, True),
        ("*", "", True, True),
        ("/*", "", False, False),
        ("/*", "/", True, True),
        ("/a*b", "/a*b", True, False),
        ("/a*b", "/axb", False, False),
        ("/é*", "/éa", True, True),
        ("/\ufffd*", "/\udcff", False, False),
        ("", "", False, False),
        ("", "/a", False, False),
    ],
)
def test_what_a_pattern_stands_for(pattern: str, key: str, one: bool, all_below: bool) -> None:
    reader, writer = Role("r", kv((pattern,))), Role("r", kv(None, (pattern,)))
    assert reader.allows(key, write=False, recursive=False) == one
    assert reader.allows(key, write=False, recursive=True) == all_below
    assert writer.allows(key, write=True, recursive=False) == one
    assert not reader.allows(key, write=True, recursive=False)
    assert not writer.allows(key, write=False, recursive=False)


def test_the_role_root_may_do_everything() -> None:
    assert Role("root").allows("", write=True, recursive=True)


@pytest.mark.parametrize(
    ("grant", "revoke", "read", "write"),
    [
        (kv(("/b", "/a")), None, ("/a", "/b", "/z"), ()),
        (kv(None, ("/w",)), None, ("/z",), ("/w",)),
        (None, kv(("/z",)), (), ()),
        (None, kv(("/unknown",), ("/unknown",)), ("/z",), ()),
        (kv(("/a",)), kv(("/a", "/z")), (), ()),
        (Permissions(), None, ("/z",), ()),
        (None, None, ("/z",), None),
    ],
)
def test_granting_and_revoking_permissions(
    grant: Permissions | None, revoke: Permissions | None, read: Names, write: Names
) -> None:
    """Lists come out in order, and empty where they were none, as soon as anything is granted or revoked."""
    assert Role("r", kv(("/z",)), grant=kv()).changed(grant, revoke) == Role("r", kv(read, write))


@pytest.mark.parametrize(
    ("grant", "message"),
    [
        (kv(("/a",)), "auth: Granting duplicate read permission /a"),
        (kv(("/new", "/new")), "auth: Granting duplicate read permission /new"),
        (kv(None, ("%s",)), "auth: Granting duplicate write permission %s"),
    ],
)
def test_a_permission_is_not_granted_twice(grant: Permissions, message: str) -> None:
    with pytest.raises(AuthError) as caught:
        Role("r", kv(("/a",), ("%s",))).changed(grant, None)
    assert (caught.value.status, caught.value.message) == (409, message)


@pytest.mark.parametrize(
    ("held", "grant", "revoke", "roles"),
    [
        (None, None, None, ()),
        (("b",), ("c", "a"), None, ("a", "b", "c")),
        (("b",), None, ("b",), ()),
        (("b",), ("a",), ("a", "b"), ()),
        (("z", "a", "z"), None, None, ("a", "z")),
    ],
)
def test_granting_and_revoking_roles(held: Names, grant: Names, revoke: Names, roles: Names) -> None:
    assert User("u", "old", held).changed("", grant, revoke) == User("u", "old", roles)


def test_a_new_hash_takes_the_place_of_the_old() -> None:
    assert User("u", "old", ()).changed("new", None, None).password == "new"


@pytest.mark.parametrize(
    ("grant", "revoke", "message"),
    [
        (("a",), None, "auth: Granting duplicate role a for user u"),
        (("n", "n"), None, "auth: Granting duplicate role n for user u"),
        (None, ("n",), "auth: Revoking ungranted role n for user u"),
        (None, ("a", "a"), "auth: Revoking ungranted role a for user u"),
        # etcd formats these two messages twice
        (None, ("100%",), "auth: Revoking ungranted role 100%!f(MISSING)or user u"),
        (
            None,
            ("% d|%-5x|%+é|%!",),
            "auth: Revoking ungranted role %!d(MISSING)|%!x(MISSING)|%!é(MISSING)|%!!(MISSING) for user u",
        ),
        (None, ("%s%5.2d%%",), "auth: Revoking ungranted role %!s(MISSING)%!d(MISSING)% for user u"),
    ],
)
def test_roles_are_neither_granted_twice_nor_revoked_unheld(
    grant: Names, revoke: Names, message: str
) -> None:
    with pytest.raises(AuthError) as caught:
        User("u", "h", ("a",)).changed("", grant, revoke)
    assert (caught.value.status, caught.value.message) == (409, message)


def test_the_user_root_has_the_role_root_whatever_is_stored() -> None:
    assert User("root", roles=("a",)).with_root_role().roles == ("a", "root")
    assert User("root").with_root_role().roles == ("root",)
    assert User("root", roles=("root", "a")).with_root_role().roles == ("root", "a")
    assert User("bob").with_root_role() == User("bob")
