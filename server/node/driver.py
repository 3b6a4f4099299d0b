"""Drives the turns of a member: begins one for everything that arrived in a pass of the event loop, saves and sends
what the turn asks for, and continues when that is done. No task, event or future is made for it.

The order is that of etcd 2.3's raft loop: a leader's messages leave before the save, because they depend on nothing
that is not on disk yet, and its heartbeats leave during a long save; a follower's answers leave after it. Committed
entries are applied while the thread saves, or while a save in place waits for the messages to leave.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from server.node.logwriter import LogWriter
from server.node.turn import Turn
from server.raft import Message, Raft, Ready
from server.raft.log import MAX_BATCH_ENTRIES

PASSES_TO_SOCKETS = 2
"""Passes of the event loop after which messages are written to their sockets: the streams take them in the first, and
write at its end. Fewer would hold them up for the time of the save, more would delay the save."""


class Ways(Protocol):
    """Where messages to the other members go."""

    def send(self, messages: list[Message]) -> None: ...


class Driver:
    """``install`` begins to install a leader's snapshot, and must have ``finished`` called when that is done.
    ``advanced`` is called after each turn, ``fail`` with an error after which the member cannot continue."""

    def __init__(
        self,
        raft: Raft,
        turn: Turn,
        writer: LogWriter,
        ways: Ways,
        *,
        install: Callable[[Ready], object],
        advanced: Callable[[], object],
        fail: Callable[[Exception], object],
    ) -> None:
        self._raft = raft
        self._turn = turn
        self._writer = writer
        self._ways = ways
        self._install = install
        self._advanced = advanced
        self._fail = fail
        self._call_soon: Callable[..., object] | None = None
        self._begun = False
        """Whether a turn begins with the next pass of the loop."""
        self._in_flight: Ready | None = None
        """The ready that is being saved or installed."""

    def settle(self) -> None:
        """Takes turns until there is nothing to do, and saves in place: before ``start``, when no client is served yet.
        Raises StorageError, CannotApply, LogError."""
        while self._in_flight is None and self._turn.propose():
            self._do(self._raft.ready(), in_place=True)

    def start(self, call_soon: Callable[..., object]) -> None:
        """From now on ``wake`` begins turns. ``call_soon`` is the event loop's."""
        self._call_soon = call_soon

    def stop(self) -> None:
        """No turn begins or continues any more."""
        self._call_soon = None

    def wake(self) -> None:
        """There may be something to do: begins a turn in the next pass of the loop."""
        if not self._begun and self._call_soon is not None:
            self._begun = True
            self._call_soon(self._pass)

    def finished(self, ready: Ready) -> None:
        """A leader's snapshot was installed, and everything that came with it was saved and sent."""
        self._in_flight = None
        self._advance(ready)
        self.wake()

    def _pass(self) -> None:
        self._begun = False
        if self._call_soon is None:
            return
        try:
            if self._in_flight is not None:
                if early := self._raft.early_messages():
                    self._ways.send(early)
                return
            self._take_turns()
        except Exception as error:
            self._fail(error)

    def _take_turns(self) -> None:
        while self._turn.propose():
            ready = self._raft.ready()
            self._do(ready, in_place=False)
            if self._in_flight is not None:
                return
            if len(ready.committed) >= MAX_BATCH_ENTRIES:
                self.wake()  # there is more to do, once others have had their turn
                return

    def _do(self, ready: Ready, *, in_place: bool) -> None:
        if ready.snapshot is not None:
            self._in_flight = ready
            self._install(ready)
            return
        sent = ready.send_first and bool(ready.messages)
        if sent:
            self._ways.send(ready.messages)
        state = self._writer.begin(ready)
        quick = in_place or not ready.must_sync or self._writer.writes_in_place(ready.entries)
        if ready.must_sync and not in_place and (sent or not quick):
            self._in_flight = ready
            tell = partial(self._saved, ready)
            if quick:
                self._writer.put_off(state, ready.entries, tell)
                self._save_after(PASSES_TO_SOCKETS)
            else:
                self._writer.hand_over(state, ready.entries, tell)
            self._turn.apply(ready.committed)
            return
        if ready.must_sync:
            self._writer.write(state, ready.entries)
        self._send_last(ready)
        self._turn.apply(ready.committed)
        self._advance(ready)

    def _save_after(self, passes: int) -> None:
        """Makes the save that was put off after so many more passes of the loop."""
        if self._call_soon is None:
            return
        if passes:
            self._call_soon(self._save_after, passes - 1)
        else:
            self._writer.save_put_off()

    def _saved(self, ready: Ready, error: BaseException | None) -> None:
        """The content of a ready is on disk; or ``error`` says why it is not."""
        self._in_flight = None
        if self._call_soon is None:
            return
        try:
            if error is not None:
                raise error
            self._send_last(ready)
            self._advance(ready)
            self._take_turns()
        except Exception as failure:
            self._fail(failure)

    def _send_last(self, ready: Ready) -> None:
        if ready.messages and not ready.send_first:
            self._ways.send(ready.messages)

    def _advance(self, ready: Ready) -> None:
        self._raft.advance(ready)
        self._advanced()
