"""The users and roles of a cluster in its key space, and what administrators do to them.

    /2/enabled       true or false
    /2/users/NAME    {"user":NAME,"password":HASH,"roles":[...]}
    /2/roles/NAME    {"role":NAME,"permissions":{"kv":{"read":[...],"write":[...]}}}

Nothing is kept in memory but whether the directories are there: the key space changes through the log, a snapshot or
another member's write, and each question looks there. The questions are asked as often, and in the order, as etcd 2.3.8
asks them, since ``/v2/stats/store`` counts them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Protocol

from server.auth import passwords
from server.auth.decode import DecodeError
from server.auth.errors import AuthError, auth_error
from server.auth.records import GUEST, ROOT, Patterns, Permissions, Role, User, role_from_json, user_from_json
from server.log import NOTICE
from server.storage.requests import StoreRequest
from server.store import ErrorCode, EtcdError, Event, Store
from server.store.paths import clean

logger = logging.getLogger(__name__)

_TOP = "/2"
_ENABLED = f"{_TOP}/enabled"
_USERS = f"{_TOP}/users"
_ROLES = f"{_TOP}/roles"

_NO_RECORD = (AuthError, EtcdError, DecodeError)
"""Whatever is the matter with it."""

_EVERYTHING = Permissions(Patterns(("/*",), ("/*",)))


class ReplicatedStore(Protocol):
    """What is needed of a member: its key space, the time in Unix nanoseconds, and its log."""

    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Callable[[], int]: ...
    def propose(self, request: StoreRequest, /) -> Awaitable[Event | None]: ...


class Accounts:
    """``hash_password`` gives the bcrypt hash of a password, without holding anybody up meanwhile.

    What a name does not lead to raises AuthError 404. All that writes may raise EtcdError, 300 when the log takes
    nothing; whatever reads a record may raise DecodeError, for one that no etcd has written.
    """

    def __init__(self, member: ReplicatedStore, hash_password: Callable[[bytes], Awaitable[str]]) -> None:
        self._member = member
        self._hash_password = hash_password
        self._has_directories = False

    # Whether it counts

    def is_enabled(self) -> bool:
        """Whether auth is on. Asked for at every request, so it costs a lookup in a dict."""
        return self._member.store.peek(_ENABLED) == b"true"

    async def enable(self) -> None:
        """Raises AuthError 409 when it is on already, or there is no user root."""
        if self.is_enabled():
            raise auth_error(409, "already enabled")
        try:
            self.user(ROOT)
        except _NO_RECORD:
            raise auth_error(409, "No root user available, please create one") from None
        try:
            self.role(GUEST)
        except _NO_RECORD:
            logger.info("no guest role access found, creating default")
            await self.create_role(Role(GUEST, _EVERYTHING))
        await self._write(_ENABLED, "true", exists=True)
        logger.log(NOTICE, "auth: enabled auth")

    async def disable(self) -> None:
        """Raises AuthError 409 when it is off already."""
        if not self.is_enabled():
            raise auth_error(409, "already disabled")
        await self._write(_ENABLED, "false", exists=True)
        logger.log(NOTICE, "auth: disabled auth")

    # Users

    def user_names(self) -> list[str]:
        """In order."""
        return self._names(_USERS)

    def user(self, name: str) -> User:
        record = self._read(_USERS, name)
        if record is None:
            raise auth_error(404, f"User {name} does not exist.")
        return user_from_json(record).with_root_role()

    def password_cost(self) -> int:
        """What the check of any password has to cost, that of a user who is not there too: as much as the most costly
        one of those who are."""
        records = self._member.store.tree.values_in(_USERS)
        costs = map(_cost_in, records)
        return max((passwords.COST, *(cost for cost in costs if cost <= passwords.MOST_EVEN)))

    async def create_or_update_user(self, wanted: User) -> tuple[User, bool]:
        """The user, and whether it is new: for requests that name no roles at all."""
        try:
            self.user(wanted.user)
        except _NO_RECORD:
            return await self.create_user(wanted), True
        return await self.update_user(wanted), False

    async def create_user(self, wanted: User) -> User:
        """Raises AuthError 400 without a password, 409 if the user is there."""
        user = wanted.with_root_role()
        if not user.password:
            raise auth_error(400, f"Cannot create user {user.user} with an empty password")
        user = User(user.user, await self._hash_password(user.password.encode()), user.roles)
        try:
            await self._write(f"{_USERS}/{user.user}", user.to_json(), exists=False)
        except EtcdError as error:
            if error.code == ErrorCode.KEY_EXISTS:
                raise auth_error(409, f"User {user.user} already exists.") from None
            raise
        logger.log(NOTICE, "created user %s", user.user)
        return user

    async def update_user(self, wanted: User) -> User:
        """A new password, roles granted and revoked. Raises AuthError 409 as :meth:`User.changed` does, 400 if nothing
        changes."""
        old = self.user(wanted.user)
        hashed = await self._hash_password(wanted.password.encode()) if wanted.password else ""
        user = old.changed(hashed, wanted.grant, wanted.revoke)
        if user == old:
            raise auth_error(400, "User not updated. Use grant/revoke/password to update the user.")
        await self._write(f"{_USERS}/{user.user}", user.to_json(), exists=True)
        logger.log(NOTICE, "updated user %s", user.user)
        return user

    async def delete_user(self, name: str) -> None:
        """Raises AuthError 403 for root while auth is on."""
        if self.is_enabled() and name == ROOT:
            raise auth_error(403, "Cannot delete root user while auth is enabled.")
        try:
            await self._delete(f"{_USERS}/{name}")
        except EtcdError as error:
            if error.code == ErrorCode.KEY_NOT_FOUND:
                raise auth_error(404, f"User {name} does not exist") from None
            raise
        logger.log(NOTICE, "deleted user %s", name)

    # Roles

    def role_names(self) -> list[str]:
        """In order, root among them."""
        return sorted((ROOT, *self._names(_ROLES)))

    def role(self, name: str) -> Role:
        if name == ROOT:
            return Role(ROOT, _EVERYTHING)
        record = self._read(_ROLES, name)
        if record is None:
            raise auth_error(404, f"Role {name} does not exist.")
        return role_from_json(record)

    async def create_role(self, role: Role) -> None:
        """Raises AuthError 403 for root, 409 if the role is there."""
        _refuse_root(role.role)
        try:
            await self._write(f"{_ROLES}/{role.role}", role.to_json(), exists=False)
        except EtcdError as error:
            if error.code == ErrorCode.KEY_EXISTS:
                raise auth_error(409, f"Role {role.role} already exists.") from None
            raise
        logger.log(NOTICE, "created new role %s", role.role)

    async def update_role(self, wanted: Role) -> Role:
        """Permissions granted and revoked. Raises AuthError 403 for root, 409 as :meth:`Role.changed` does, 400 if
        nothing changes."""
        _refuse_root(wanted.role)
        old = self.role(wanted.role)
        role = old.changed(wanted.grant, wanted.revoke)
        if role == old:
            raise auth_error(400, "Role not updated. Use grant/revoke to update the role.")
        await self._write(f"{_ROLES}/{role.role}", role.to_json(), exists=True)
        logger.log(NOTICE, "updated role %s", role.role)
        return role

    async def delete_role(self, name: str) -> None:
        """Raises AuthError 403 for root."""
        _refuse_root(name)
        try:
            await self._delete(f"{_ROLES}/{name}")
        except EtcdError as error:
            if error.code == ErrorCode.KEY_NOT_FOUND:
                raise auth_error(404, f"Role {name} doesn't exist.") from None
            raise
        logger.log(NOTICE, "deleted role %s", name)

    # The key space

    def _get(self, path: str) -> Event:
        return self._member.store.get(path, now=self._member.clock())

    def _names(self, directory: str) -> list[str]:
        try:
            listing = self._get(directory)
        except EtcdError as error:
            if error.code == ErrorCode.KEY_NOT_FOUND:
                return []
            raise
        return sorted(node.key.rpartition("/")[2] for node in listing.node.nodes or ())

    def _read(self, directory: str, name: str) -> bytes | None:
        """The record of that name, None if there is none.

        A name comes from a client's Authorization header, too, and etcd 2.3.8 follows one like ``../../1/a`` to a key
        that any client may have written, a user that it invents. Here such a name is nobody's.
        """
        path = clean(f"{directory}/{name}")
        if not path.startswith(directory + "/"):
            return None
        try:
            return self._get(path).node.value
        except EtcdError as error:
            if error.code == ErrorCode.KEY_NOT_FOUND:
                return None
            raise

    async def _write(self, path: str, value: str, *, exists: bool) -> None:
        await self._make_directories()
        record = value.encode()
        await self._member.propose(StoreRequest(method="PUT", path=path, val=record, prev_exist=exists))

    async def _delete(self, path: str) -> None:
        await self._make_directories()
        await self._member.propose(StoreRequest(method="DELETE", path=path, prev_exist=True))

    async def _make_directories(self) -> None:
        """Once in the life of a process, as in etcd, where the entries in the log look exactly like this."""
        if self._has_directories:
            return
        for path in (_TOP, f"{_USERS}/", f"{_ROLES}/"):
            await self._create(StoreRequest(method="PUT", path=path, dir=True, prev_exist=False))
        await self._create(StoreRequest(method="PUT", path=_ENABLED, val=b"false", prev_exist=False))
        self._has_directories = True

    async def _create(self, request: StoreRequest) -> None:
        try:
            await self._member.propose(request)
        except EtcdError as error:
            if error.code != ErrorCode.KEY_EXISTS:
                raise


@lru_cache(4096)
def _cost_in(record: bytes) -> int:
    try:
        return passwords.cost_of(user_from_json(record).password)
    except DecodeError:
        return 0


def _refuse_root(role: str) -> None:
    if role == ROOT:
        raise auth_error(403, f"Cannot modify role {role}: is root role.")
