"""Passwords and their bcrypt hashes.

Both functions take tens of milliseconds of a core and let go of the GIL meanwhile: call them in a thread.
"""

from __future__ import annotations

import re

COST = 10
"""The logarithm of the rounds, which etcd 2.3.8 takes from Go's library."""

MOST_EVEN = 14
"""The highest cost, about a second, to which the work for other hashes is raised. None that etcd has written has more
than COST."""

_SIGNIFICANT = 72
"""Bytes of a password that bcrypt looks at. The library refuses longer ones; etcd 2.3.8 ignores the rest."""

_NOBODY = "$2a$%02d$......................"
"""Where a hash of nobody's begins: with a cost and a salt."""

_COST = re.compile(r"\$2[abxy]\$(\+?[0-9]{1,9})\$", re.ASCII)


def hash_password(password: bytes) -> str:
    """A hash with a new salt, in the form ``$2a$10$...`` that etcd writes."""
    import bcrypt  # late, as below: most members have no users

    return bcrypt.hashpw(password[:_SIGNIFICANT], bcrypt.gensalt(COST, prefix=b"2a")).decode("ascii")


def cost_of(hashed: str) -> int:
    """The cost of a hash; 0 for what is none."""
    found = _COST.match(hashed)
    return int(found[1]) if found else 0


def is_password_of(hashed: str, password: bytes, cost: int | None = None) -> bool:
    """Whether the hash is that of the password; False also for a hash that is none, as "" for a user that is not there.

    The work is that of one hash of ``cost``, which is COST if it is not given, whatever the answer is; or that of
    ``hashed`` if it has a higher one. What is left to do is done for nobody. So the time does not tell whether there
    is such a user.
    """
    import bcrypt

    cost = COST if cost is None else cost
    password = password[:_SIGNIFICANT]
    try:
        fits = bcrypt.checkpw(password, hashed.encode("utf-8", "surrogateescape"))
        missing = range(cost_of(hashed), cost)  # 2**a + 2**a + 2**(a+1) + ... + 2**(b-1) rounds are 2**b
    except ValueError:
        fits = False
        missing = range(cost, cost + 1)
    for each in missing:
        bcrypt.hashpw(password, (_NOBODY % each).encode())
    return fits
