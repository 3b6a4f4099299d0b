"""The states of a connection, as a server sees it, and the table of their transitions.

A connection serves one request after the other, as Go does. Nothing of a request is read before the answer to the one
before it is given, so one state is enough for both directions. There is only one flag beside it, that the client has
ended its half (``Connection.ended``): it only matters once all received bytes are used up.

One request takes this way::

    WAITING ─HEAD─▶ ASKED ─WANTED─▶ READING ──WHOLE, CUT─▶ OWING ─ANSWERED─▶ WAITING
                      ├─HELD─────▶ DRAINING ──WHOLE, CUT─▶  ╷ ╷ ╷
                      └─ANSWERED, LAST, BEGUN: as OWING     │ │ └─LAST─▶ CLOSING, LINGERING
                                    SENDING ──FINISHED────▶ ╵ │
                                            ◀─BEGUN───────────╵

- WAITING: the head of a request is not complete.
- ASKED: the handler has the head, and has not decided yet. If there is a body, nothing of it has been read, and a
  client that waits for a 100 Continue (``Expect: 100-continue``) has not got it.
- READING: the body is read for the handler. It is over when it is WHOLE, or CUT: broken, too long, too slow, or no more
  of it needed. The rest of a body that was cut is never read, so the connection ends with the answer.
- OWING: nothing more is read, and the answer is not complete.
- DRAINING: the answer is there, and a short body without a reader has not come yet. It is read first, so that the
  connection can continue; as with Go, a longer one, or one that waits for a 100 Continue, is not read, and the
  connection ends.
- SENDING: the head of an answer was written, and its body comes in pieces.
- CLOSING: everything was written, and the connection is closed once it is sent.
- LINGERING: the same, but the client may still be sending. A connection that is closed with unread bytes is reset,
  which may destroy the answer on its way: so it is closed some time later.
- GONE: the connection does not exist any more.

Every state can end with LOST. An input that the table does not have is a mistake of the connection's driver, never of a
client, and raises ``LocalProtocolError``.
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
"""The states, numbered as rows of ``NEXT``. From CLOSING on, a connection is over."""

STATES = ["WAITING", "ASKED", "READING", "OWING", "DRAINING", "SENDING", "CLOSING", "LINGERING", "GONE"]

HEAD: Final = 0
"""The head of a request is complete."""
REFUSED: Final = 1
"""The bytes are not a request, and were refused."""
WANTED: Final = 2
"""The handler asks for the body."""
WHOLE: Final = 3
"""The body has come."""
CUT: Final = 4
"""No more of the body is read."""
HELD: Final = 5
"""The answer is there, but the body must be read first."""
ANSWERED: Final = 6
"""The answer is given, and another request may follow."""
LAST: Final = 7
"""The answer is given, and the connection ends with it."""
LAST_UNREAD: Final = 8
"""The same, with unread bytes of the client."""
BEGUN: Final = 9
"""The head of an answer in pieces is written."""
SENT: Final = 10
"""A piece of the answer is written."""
FINISHED: Final = 11
"""The last piece is written."""
BROKEN: Final = 12
"""The answer was broken off."""
STOPPED: Final = 13
"""The client or the server ends the connection, and no client waits for an answer."""
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
"""The next state, by state and input. In addition, LOST leads from every state to GONE."""

WIDTH: Final = 15
"""How many inputs there are."""

NEVER: Final = 255
"""In ``NEXT``, an input that the table does not have: a byte that is not a state."""


def _flat() -> bytes:
    assert len(INPUTS) == WIDTH
    rows = [TRANSITIONS[state] | {LOST: GONE} for state in range(len(STATES))]
    return bytes(row.get(what, NEVER) for row in rows for what in range(WIDTH))


NEXT = _flat()
"""The same as bytes, which are quicker to look up: the next state at ``state * WIDTH + input``, or NEVER."""


class LocalProtocolError(Exception):
    """A connection was asked for something that is not possible in its state."""

    def __init__(self, state: int, what: int) -> None:
        super().__init__(f"{INPUTS[what]} while {STATES[state]}")
