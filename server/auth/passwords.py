"""Passwords and their bcrypt hashes.

Both functions take tens of milliseconds of a core and let go of the GIL meanwhile: call them in a thread.
"""

from __future__ import annotations

import bcrypt

COST = 10
"""The logarithm of the rounds, which etcd 2.3.8 takes from Go's library."""

_SIGNIFICANT = 72
"""Bytes of a password that bcrypt looks at. The library refuses longer ones; etcd 2.3.8 passes over the rest."""


def hash_password(password: bytes) -> str:
    """A hash with a new salt, in the form ``$2a$10$...`` that etcd writes."""
    return bcrypt.hashpw(password[:_SIGNIFICANT], bcrypt.gensalt(COST, prefix=b"2a")).decode("ascii")


def is_password_of(hashed: str, password: bytes) -> bool:
    """Whether the hash is that of the password; False also for a hash that is none."""
    try:
        return bcrypt.checkpw(password[:_SIGNIFICANT], hashed.encode("utf-8", "surrogateescape"))
    except ValueError:
        return False
