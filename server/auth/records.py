"""Users and roles: as they are stored in the key space and in requests, what changes them, and what they allow.
Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from server.auth.decode import Decoder, decode, optional, structure, text, texts
from server.auth.errors import auth_error
from server.store.gojson import quote

ROOT = "root"
"""The user that must exist while auth is on, and the role that may do everything."""

GUEST = "guest"
"""The role of those who do not say who they are."""

Names = tuple[str, ...] | None
"""None is a list that was never given, ``null`` in JSON. It differs from an empty one, as it does in etcd."""

_VERB = re.compile(r"%[ #0+-]*[0-9]*(?:\.[0-9]*)?(.?)", re.DOTALL)


@dataclass(slots=True, frozen=True)
class Patterns:
    """Of keys: one that ends in ``*`` stands for all that begin so, any other for that key alone."""

    read: Names = None
    write: Names = None


@dataclass(slots=True, frozen=True)
class Permissions:
    kv: Patterns = field(default_factory=Patterns)

    def __bool__(self) -> bool:
        return bool(self.kv.read or self.kv.write)

    def to_json(self) -> str:
        return f'{{"kv":{{"read":{_names_json(self.kv.read)},"write":{_names_json(self.kv.write)}}}}}'


@dataclass(slots=True, frozen=True)
class Role:
    """``grant`` and ``revoke`` are what a request asks for. When they come empty with a new role, etcd stores them
    too, and shows them from then on."""

    role: str = ""
    permissions: Permissions = field(default_factory=Permissions)
    grant: Permissions | None = None
    revoke: Permissions | None = None

    def to_json(self) -> str:
        members = [f'"role":{quote(self.role)}', f'"permissions":{self.permissions.to_json()}']
        if self.grant is not None:
            members.append(f'"grant":{self.grant.to_json()}')
        if self.revoke is not None:
            members.append(f'"revoke":{self.revoke.to_json()}')
        return "{" + ",".join(members) + "}"

    def allows(self, key: str, *, write: bool, recursive: bool) -> bool:
        """Whether who has the role may read or write ``key``; with ``recursive`` all that is below it as well, for
        which only patterns that stand for many keys count."""
        if self.role == ROOT:
            return True
        patterns = self.permissions.kv.write if write else self.permissions.kv.read
        for pattern in patterns or ():
            if pattern.endswith("*"):
                if key.startswith(pattern[:-1]):
                    return True
            elif pattern and pattern == key and not recursive:
                return True
        return False

    def changed(self, grant: Permissions | None, revoke: Permissions | None) -> Role:
        """Raises AuthError for what is granted already; what is revoked need not have been granted."""
        kv = self.permissions.kv
        if grant is not None:
            read = _granted(kv.read, grant.kv.read, "read")
            kv = Patterns(read, _granted(kv.write, grant.kv.write, "write"))
        if revoke is not None:
            kv = Patterns(_without(kv.read, revoke.kv.read), _without(kv.write, revoke.kv.write))
        return Role(self.role, Permissions(kv))


@dataclass(slots=True, frozen=True)
class User:
    """``password`` is the bcrypt hash in a stored user, the password itself in a request; ``grant`` and ``revoke`` are
    what a request asks for."""

    user: str = ""
    password: str = ""
    roles: Names = None
    grant: Names = None
    revoke: Names = None

    def to_json(self) -> str:
        members = [f'"user":{quote(self.user)}']
        if self.password:
            members.append(f'"password":{quote(self.password)}')
        members.append(f'"roles":{_names_json(self.roles)}')
        if self.grant:
            members.append(f'"grant":{_names_json(self.grant)}')
        if self.revoke:
            members.append(f'"revoke":{_names_json(self.revoke)}')
        return "{" + ",".join(members) + "}"

    def with_root_role(self) -> User:
        """The user root has the role root, whatever is stored."""
        if self.user != ROOT or ROOT in (self.roles or ()):
            return self
        return replace(self, roles=(*(self.roles or ()), ROOT))

    def changed(self, password: str, grant: Names, revoke: Names) -> User:
        """With that hash, if there is one. Raises AuthError for roles granted twice, and those revoked that were not
        held."""
        held = set(self.roles or ())
        for role in grant or ():
            if role in held:
                raise auth_error(409, _go_format(f"Granting duplicate role {role} for user {self.user}"))
            held.add(role)
        for role in revoke or ():
            if role not in held:
                raise auth_error(409, _go_format(f"Revoking ungranted role {role} for user {self.user}"))
            held.remove(role)
        return User(self.user, password or self.password, tuple(sorted(held)))


_PERMISSIONS: Decoder[Permissions] = structure(kv=structure(read=texts, write=texts))
_ASKED = optional(_PERMISSIONS, Permissions())
_ROLE: Decoder[Role] = structure(role=text, permissions=_PERMISSIONS, grant=_ASKED, revoke=_ASKED)
_USER: Decoder[User] = structure(user=text, password=text, roles=texts, grant=texts, revoke=texts)


def role_from_json(data: bytes) -> Role:
    """Raises DecodeError."""
    return decode(data, _ROLE, Role())


def user_from_json(data: bytes) -> User:
    """Raises DecodeError."""
    return decode(data, _USER, User())


def _names_json(names: Names) -> str:
    return "null" if names is None else "[" + ",".join(map(quote, names)) + "]"


def _granted(held: Names, further: Names, kind: str) -> tuple[str, ...]:
    patterns = set(held or ())
    for pattern in further or ():
        if pattern in patterns:
            raise auth_error(409, f"Granting duplicate {kind} permission {pattern}")
        patterns.add(pattern)
    return tuple(sorted(patterns))


def _without(held: Names, fewer: Names) -> tuple[str, ...]:
    return tuple(sorted(set(held or ()).difference(fewer or ())))


def _go_format(message: str) -> str:
    """Two messages go through Go's Sprintf once more than they should, which shows when a name has a percent sign."""

    def missing(match: re.Match[str]) -> str:
        verb = match[1]
        return "%" if verb == "%" else f"%!{verb}(MISSING)" if verb else "%!(NOVERB)"

    return _VERB.sub(missing, message)
