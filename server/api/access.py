"""Who may do what over the client API while auth is on: credentials held against users, users against roles.

Answers nothing itself. A password costs tens of milliseconds to check, so that happens in threads; there is no
memory of checks that went well, as there is none in etcd, and so no question of how long one holds, nor any difference
in time between who was checked before and who was not.
"""

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from server.api.node import ServedNode
from server.auth import (
    GUEST,
    ROOT,
    Accounts,
    AuthError,
    DecodeError,
    User,
    hash_password,
    is_password_of,
    parse_basic,
)
from server.http.messages import Request
from server.store import ErrorCode, EtcdError

logger = logging.getLogger(__name__)

_NO_RECORD = (AuthError, EtcdError, DecodeError)


class Access:
    """Asks the ``accounts`` of a node, which it makes. ``enabled`` is the question before all others."""

    def __init__(self, node: ServedNode) -> None:
        self._threads = ThreadPoolExecutor(os.cpu_count(), "passwords")
        self.accounts = Accounts(node, self._hash)
        self.enabled = self.accounts.is_enabled

    async def has_root_role(self, request: Request) -> bool:
        """Whether the request is that of a user with the role root."""
        user = await self._user(request)
        if user is None:
            return False
        if ROOT in (user.roles or ()):
            return True
        target = request.target.decode("latin-1")
        logger.warning("auth: user %s does not have the root role for resource %s.", user.user, target)
        return False

    def guest_may(self, request: Request, key: str) -> bool:
        """Whether a request without credentials may do its method to ``key``. etcd does not ask here whether it is
        recursive."""
        try:
            role = self.accounts.role(GUEST)
        except _NO_RECORD:
            return False
        if role.allows(key, write=_writes(request), recursive=False):
            return True
        logger.warning("auth: invalid access for unauthenticated user on resource %s.", key)
        return False

    async def user_may(self, request: Request, key: str, *, recursive: bool) -> bool:
        """Whether the user that the request says it is may do its method to ``key``, or to all below it. A client that
        is not such a user may not do what a guest may either."""
        user = await self._user(request)
        if user is None:
            return False
        for name in user.roles or ():
            try:
                role = self.accounts.role(name)
            except _NO_RECORD:
                continue
            if role.allows(key, write=_writes(request), recursive=recursive):
                return True
        logger.warning("auth: invalid access for user %s on key %s.", user.user, key)
        return False

    async def check(self, request: Request, key: str, *, recursive: bool = False) -> None:
        """Raises EtcdError 110 when the request may not do its method to ``key``, as it may not over ``/v2/keys``."""
        if not self.enabled():
            return
        if request.headers.get("Authorization"):
            allowed = await self.user_may(request, key, recursive=recursive)
        else:
            allowed = self.guest_may(request, key)
        if not allowed:
            raise EtcdError(ErrorCode.UNAUTHORIZED, "Insufficient credentials")

    async def _user(self, request: Request) -> User | None:
        """The user who has shown the right password."""
        credentials = parse_basic(request.headers.get("Authorization", ""))
        if credentials is None:
            logger.warning("auth: malformed basic auth encoding")
            return None
        name, password = credentials
        user = None
        with suppress(*_NO_RECORD):
            user = self.accounts.user(name)
        # The same work for a user that is not there, lest the time tell who is.
        hashed, cost = "" if user is None else user.password, self.accounts.password_cost()
        loop = asyncio.get_running_loop()
        fits = await loop.run_in_executor(self._threads, is_password_of, hashed, password, cost)
        if user is None:
            logger.warning("auth: no such user: %s.", name)
        elif not fits:
            logger.warning("auth: incorrect password for user: %s.", name)
        return user if fits else None

    async def _hash(self, password: bytes) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, hash_password, password)


def _writes(request: Request) -> bool:
    return request.method not in ("GET", "HEAD")
