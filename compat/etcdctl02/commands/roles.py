"""``role``: what may be read and written under which paths."""

from __future__ import annotations

from compat.etcdctl02.call import Call
from compat.etcdctl02.commands.auth import Auth, listed_in, no_words, one_word, part_of
from compat.etcdctl02.errors import BAD_ARGUMENTS, Stop
from compat.etcdctl02.gotext import canonical_path

_ROLES = "roles"
_NO_RIGHTS: dict[str, object] = {"kv": {"read": None, "write": None}}
_GIVEN_BY = {"read": ("read",), "write": ("write",), "readwrite": ("read", "write")}
"""What each of the options of ``grant`` and ``revoke`` is about."""


def show(call: Call) -> None:
    no_words(call)
    call.console.out("".join(f"{role.get('role', '')}\n" for role in Auth(call).listed(_ROLES)))


def get(call: Call) -> None:
    name = one_word(call, "role name")
    role = Auth(call).get(_ROLES, name)
    rights = part_of(role, "permissions", "kv")
    call.console.out(
        f"Role: {role.get('role', '')}\nKV Read:\n{_paths(rights, 'read')}KV Write:\n{_paths(rights, 'write')}"
    )


def _paths(rights: dict[str, list[str]], right: str) -> str:
    return "".join(f"\t{path}\n" for path in listed_in(rights, right, str))


def add(call: Call) -> None:
    name = one_word(call, "role name")
    auth = Auth(call)
    if auth.exists(_ROLES, name):
        raise Stop(BAD_ARGUMENTS, f"Role {name} already exists\n")
    auth.create(_ROLES, name, _record(name))
    call.console.out(f"Role {name} created\n")


def remove(call: Call) -> None:
    name = one_word(call, "role name")
    Auth(call).remove(_ROLES, name)
    call.console.out(f"Role {name} removed\n")


def grant(call: Call) -> None:
    _change_rights(call, "grant", "granted")


def revoke(call: Call) -> None:
    _change_rights(call, "revoke", "revoked")


def _change_rights(call: Call, change: str, changed: str) -> None:
    path = call.options.text("path")
    if not path:
        raise Stop(BAD_ARGUMENTS, "No path specified; please use `-path`\n")
    if canonical_path(path) != path:
        raise Stop(BAD_ARGUMENTS, f"Not canonical path; please use `-path={canonical_path(path)}`\n")
    chosen = [option for option in _GIVEN_BY if call.options.switch(option)]
    if len(chosen) != 1:
        raise Stop(BAD_ARGUMENTS, "Please specify exactly one of -read, -write or -readwrite\n")
    name = one_word(call, "role name")
    auth = Auth(call)
    before = auth.get(_ROLES, name)
    rights = {right: [path] if right in _GIVEN_BY[chosen[0]] else None for right in ("read", "write")}
    after = auth.change(_ROLES, name, {**_record(name), change: {"kv": rights}})
    if after == before:
        call.console.out(f"Role unchanged; already {changed}")
    call.console.out(f"Role {name} updated\n")


def _record(name: str) -> dict[str, object]:
    return {"role": name, "permissions": _NO_RIGHTS}
