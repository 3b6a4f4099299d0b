"""``user``: who may come in, with what password and in which roles."""

from __future__ import annotations

from typing import Any

from compat.etcdctl02.call import Call, name_and_password
from compat.etcdctl02.commands.auth import Auth, listed_in, no_words, one_word
from compat.etcdctl02.errors import BAD_ARGUMENTS, Stop

_USERS = "users"
_NEW_PASSWORD = "New password: "


def show(call: Call) -> None:
    no_words(call)
    call.console.out("".join(f"{user.get('user', '')}\n" for user in Auth(call).listed(_USERS)))


def get(call: Call) -> None:
    name = one_word(call, "username")
    user = Auth(call).get(_USERS, name)
    call.console.out(f"User: {user.get('user', '')}\nRoles: {' '.join(_roles(user))}\n")


def _roles(user: dict[str, Any]) -> list[str]:
    """What etcdctl 2.3.8 shows: a server names roles or sends them whole, and then there is a blank more for each."""
    roles = listed_in(user, "roles", str, dict)
    whole = [str(role.get("role", "")) for role in roles if isinstance(role, dict)]
    return [""] * len(whole) + whole if whole else roles


def add(call: Call) -> None:
    """The password may come after the name and a colon; else it is asked for."""
    named = one_word(call, "username")
    auth, name = Auth(call), named.partition(":")[0]
    if auth.exists(_USERS, name):
        raise Stop(BAD_ARGUMENTS, f"User {name} already exists\n")
    _, password = name_and_password(named, _NEW_PASSWORD, call.console)
    auth.start_clock()
    auth.create(_USERS, name, _record(name, password=password))
    call.console.out(f"User {name} created\n")


def passwd(call: Call) -> None:
    name = one_word(call, "username")
    auth = Auth(call)
    auth.get(_USERS, name)
    password = call.console.ask(_NEW_PASSWORD)
    auth.start_clock()
    auth.change(_USERS, name, _record(name, password=password))
    call.console.out("Password updated\n")


def remove(call: Call) -> None:
    name = one_word(call, "username")
    Auth(call).remove(_USERS, name)
    call.console.out(f"User {name} removed\n")


def grant(call: Call) -> None:
    _change_roles(call, "grant")


def revoke(call: Call) -> None:
    _change_roles(call, "revoke")


def _change_roles(call: Call, change: str) -> None:
    roles = call.options.texts("roles")
    if not roles:
        raise Stop(BAD_ARGUMENTS, "No roles specified; please use `-roles`\n")
    name = one_word(call, "username")
    auth = Auth(call)
    auth.get(_USERS, name)
    auth.change(_USERS, name, {**_record(name), change: roles})
    call.console.out(f"User {name} updated\n")


def _record(name: str, password: str = "") -> dict[str, object]:
    """A user as the API takes one; an empty password is none."""
    return {"user": name, **({"password": password} if password else {}), "roles": None}
