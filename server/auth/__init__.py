"""Who may do what: users, roles and patterns of keys, as etcd 2.3 keeps them under ``/2`` of the key space.

The contract of this room:

- No socket, no file, no event loop, no thread. What takes long (bcrypt) or goes through the log is awaited;
  the caller that connects this package to a member passes in how.
- The records in the key space are etcd 2.3.8's to the byte, so a data directory can change hands.
- A refusal is an :class:`AuthError` with the status and the words that etcd has for it, or the key space's own
  EtcdError where etcd passes that on.

Facts come from etcd 2.3.8 as it runs and from its ``Documentation/auth_api.md``.
"""

from server.auth.accounts import Accounts
from server.auth.basic import parse_basic
from server.auth.decode import DecodeError
from server.auth.errors import AuthError
from server.auth.passwords import hash_password, is_password_of
from server.auth.records import GUEST, ROOT, Permissions, Role, User, role_from_json, user_from_json

__all__ = [
    "GUEST",
    "ROOT",
    "Accounts",
    "AuthError",
    "DecodeError",
    "Permissions",
    "Role",
    "User",
    "hash_password",
    "is_password_of",
    "parse_basic",
    "role_from_json",
    "user_from_json",
]
