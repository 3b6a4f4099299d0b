"""Heartbeat and election time: carried to their 2.x names and bent, as little as possible, to 2.x's rules."""

from __future__ import annotations

from compat.codes import BENT, NEW_GIVEN, NO_MILLISECONDS
from compat.settings import Given
from compat.translate.draft import Draft
from compat.values import go_int

RATIO = 5
"""2.x wants election-timeout >= 5 x heartbeat-interval."""
LONGEST_ELECTION = 50_000
"""Milliseconds, from 2.1.2 on."""

DEFAULT_HEARTBEAT_04, DEFAULT_HEARTBEAT, DEFAULT_ELECTION = 50, 100, 1000
"""Milliseconds: 0.4's heartbeat, and 2.x's pair."""


def translate_timing(draft: Draft) -> None:
    old_heartbeat = _carried(draft, "peer-heartbeat-interval", "heartbeat-interval")
    old_election = _carried(draft, "peer-election-timeout", "election-timeout")
    if old_heartbeat is None and old_election is None:
        return
    fixed_heartbeat = _number(draft.given.get("heartbeat-interval"))
    fixed_election = _number(draft.given.get("election-timeout"))
    heartbeat = fixed_heartbeat or _number(old_heartbeat)
    election = fixed_election or _number(old_election) or DEFAULT_ELECTION
    if not heartbeat:
        # 2.x's heartbeat, unless only 0.4's own is short enough for the election time that was asked for.
        heartbeat = DEFAULT_HEARTBEAT if election >= RATIO * DEFAULT_HEARTBEAT else DEFAULT_HEARTBEAT_04
    longest_heartbeat = max(1, (fixed_election or LONGEST_ELECTION) // RATIO)
    bent_heartbeat = fixed_heartbeat or min(heartbeat, longest_heartbeat)
    bent_election = fixed_election or min(max(election, RATIO * bent_heartbeat), LONGEST_ELECTION)
    if not fixed_heartbeat and (old_heartbeat or bent_heartbeat != DEFAULT_HEARTBEAT):
        draft.put("heartbeat-interval", str(bent_heartbeat), old_heartbeat)
    if not fixed_election and (old_election or bent_election != DEFAULT_ELECTION):
        draft.put("election-timeout", str(bent_election), old_election or old_heartbeat)
    if (bent_heartbeat, bent_election) != (heartbeat, election):
        _say_bent(
            draft, old_election or old_heartbeat, (heartbeat, election), (bent_heartbeat, bent_election)
        )
        return
    for given, new in ((old_heartbeat, "heartbeat-interval"), (old_election, "election-timeout")):
        if given is not None:
            draft.say_carried(given, new, draft.config[new])


def _say_bent(draft: Draft, about: Given | None, asked: tuple[int, int], bent: tuple[int, int]) -> None:
    rule = (
        f"etcd 2.x wants -election-timeout to be at least {RATIO} times -heartbeat-interval, "
        f"and at most {LONGEST_ELECTION} ms"
    )
    draft.say(
        BENT,
        about,
        asked_heartbeat=str(asked[0]),
        asked_election=str(asked[1]),
        heartbeat=str(bent[0]),
        election=str(bent[1]),
        rule=rule,
    )


def _carried(draft: Draft, old: str, new: str) -> Given | None:
    """The old setting, if it is one to carry over.

    Below 1 ms nothing would ever be sent, and 2.3.8 divides by it.
    """
    given = draft.given.get(old)
    if given is None:
        return None
    if new in draft.given:
        draft.say(NEW_GIVEN, given, new=new)
        return None
    if _number(given) > 0:
        return given
    draft.say(NO_MILLISECONDS, given, new=new)
    return None


def _number(given: Given | None) -> int:
    """Milliseconds; 0 when none was given, or none that can be read."""
    return (go_int(given.value) or 0) if given is not None else 0
