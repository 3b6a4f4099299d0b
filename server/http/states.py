"""What a connection is at, as a server sees it: the table of its states.

A connection serves one request after the other, as Go does. Nothing of a request is read before the answer to the one
before it is given, so one state says all that there is to say of both directions. Only that the client has ended its
half (``Connection.ended``) stands beside it: it changes nothing but what happens once its bytes are used up.

One request goes this way::

    WAITING ─HEAD─▶ ASKED ─WANTED─▶ READING ──WHOLE, CUT─▶ OWING ─ANSWERED─▶ WAITING
                      ├─HELD─────▶ DRAINING ──WHOLE, CUT─▶  ╷ ╷ ╷
                      └─ANSWERED, LAST, BEGUN: as OWING     │ │ └─LAST─▶ CLOSING, LINGERING
                                    SENDING ──FINISHED────▶ ╵ │
                                            ◀─BEGUN───────────╵

- WAITING: for the head of a request to come whole.
- ASKED: the handler has the head, and has not said what it wants. If there is a body, nothing of it has been read, and
  a client that waits for our word (``Expect: 100-continue``) has not got it.
- READING: the handler wants the body. It is over when it is WHOLE, or CUT: broken, too long, too slow, or no more of it
  wanted. What is left of a body that was cut is never read, so the connection ends with the answer.
- OWING: there is nothing to read any more, and the answer is not given whole.
- DRAINING: the answer is there, and a little body that nobody wanted is not. It is read first, so that the connection
  can go on; as with Go, what is longer, or waits for our word, is not read, and the connection ends.
- SENDING: the head of an answer is out, and its body comes in pieces.
- CLOSING: all is said, and the connection is to be closed once it is sent.
- LINGERING: the same, but the client may still be sending. A connection that is closed with bytes unread is reset,
  which may destroy the answer on its way: so it is closed some time later.
- GONE: there is no connection any more.

Everything can be LOST. What the table does not have is a mistake of who drives the connection, never of a client, and
raises ``LocalProtocolError``.
"""

from collections.abc import Mapping
from typing import Final

WAITING: Final = 0
ASKED: Final = 1
READING: Final = 2
OWING: Final = 3
DRAINING: Final = 4
SENDING: Final = 5
CLOSING: Final = 6
LINGERING: Final = 7
GONE: Final = 8

STATES = ["WAITING", "ASKED", "READING", "OWING", "DRAINING", "SENDING", "CLOSING", "LINGERING", "GONE"]

HEAD: Final = 0
"""The head of a request has come whole."""
REFUSED: Final = 1
"""What has come is no request, and was answered."""
WANTED: Final = 2
"""The handler wants the body."""
WHOLE: Final = 3
"""The body has come."""
CUT: Final = 4
"""No more of the body is read."""
HELD: Final = 5
"""The answer is there, but the body first."""
ANSWERED: Final = 6
"""The answer is given, and another request may follow."""
LAST: Final = 7
"""The answer is given, and the connection ends with it."""
LAST_UNREAD: Final = 8
"""The same, with bytes of the client unread."""
BEGUN: Final = 9
"""The head of the answer is given."""
SENT: Final = 10
"""A piece of the answer is given."""
FINISHED: Final = 11
"""The last piece is given."""
BROKEN: Final = 12
"""The answer ends before its end."""
STOPPED: Final = 13
"""Nobody waits for an answer (any more): the client, or the server, ends it."""
LOST: Final = 14
"""The connection is lost, or was broken off."""

INPUTS = [
    "HEAD",
    "REFUSED",
    "WANTED",
    "WHOLE",
    "CUT",
    "HELD",
    "ANSWERED",
    "LAST",
    "LAST_UNREAD",
    "BEGUN",
    "SENT",
    "FINISHED",
    "BROKEN",
    "STOPPED",
    "LOST",
]

_ENDS = {LAST: CLOSING, LAST_UNREAD: LINGERING}

TRANSITIONS: Mapping[int, dict[int, int]] = {
    WAITING: {HEAD: ASKED, REFUSED: LINGERING, STOPPED: CLOSING},
    ASKED: {WANTED: READING, HELD: DRAINING, ANSWERED: WAITING, BEGUN: SENDING, STOPPED: CLOSING, **_ENDS},
    READING: {WHOLE: OWING, CUT: OWING},
    OWING: {ANSWERED: WAITING, BEGUN: SENDING, STOPPED: CLOSING, **_ENDS},
    DRAINING: {WHOLE: OWING, CUT: OWING},
    SENDING: {SENT: SENDING, FINISHED: OWING, BROKEN: CLOSING},
    CLOSING: {},
    LINGERING: {},
    GONE: {},
}
"""By state and input, the next state; besides, LOST leads from everywhere to GONE."""

WIDTH: Final = 15
"""Inputs that there are."""

NEVER: Final = 255


def _flat() -> bytes:
    assert len(INPUTS) == WIDTH
    rows = [TRANSITIONS[state] | {LOST: GONE} for state in range(len(STATES))]
    return bytes(row.get(what, NEVER) for row in rows for what in range(WIDTH))


NEXT = _flat()
"""The same, for quick looks: at ``state * WIDTH + input``, or NEVER."""


class LocalProtocolError(Exception):
    """Something was asked of a connection that it cannot do in the state that it is in."""

    def __init__(self, state: int, what: int) -> None:
        super().__init__(f"{INPUTS[what]} while {STATES[state]}")
