"""Lines of the log that would come again and again, said once in a while. Pure: the time is passed in."""

from collections.abc import Hashable

_REMEMBERED = 1000


class Sparing:
    """Lets the first of a kind through, and then one every ``silence`` seconds."""

    def __init__(self, silence: float) -> None:
        self._silence = silence
        self._said: dict[Hashable, float] = {}
        self._left_out: dict[Hashable, int] = {}

    def __call__(self, kind: Hashable, now: float) -> str | None:
        """What to add to a line of this kind that is to be said now: how many like it were left out; None if it is not
        to be said."""
        said = self._said.get(kind)
        if said is not None and now - said < self._silence:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return None
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
            self._left_out.clear()
        self._said[kind] = now
        count = self._left_out.pop(kind, 0)
        return (
            f" ({count} more like this in the last {now - said:.0f}s)" if said is not None and count else ""
        )

    def forget(self, kind: Hashable) -> None:
        """The next line of this kind is news again."""
        self._said.pop(kind, None)
        self._left_out.pop(kind, None)
