"""Heartbeat and election time: carried to their 2.x names and bent, as little as possible, to 2.x's rules."""

from __future__ import annotations

from compat.settings import Given
from compat.translate.draft import Draft

RATIO = 5
"""2.x wants election-timeout >= 5 x heartbeat-interval."""
LONGEST_ELECTION = 50_000
"""Milliseconds, from 2.1.2 on."""

DEFAULT_HEARTBEAT_04, DEFAULT_HEARTBEAT, DEFAULT_ELECTION = 50, 100, 1000
"""Milliseconds: 0.4's heartbeat, and 2.x's pair."""


def translate_timing(draft: Draft) -> None:
    old_heartbeat = _unless_new_given(draft, "peer-heartbeat-interval", "heartbeat-interval")
    old_election = _unless_new_given(draft, "peer-election-timeout", "election-timeout")
    if old_heartbeat is None and old_election is None:
        return
    if not (_is_usable(draft, old_heartbeat) and _is_usable(draft, old_election)):
        return
    heartbeat = _number(old_heartbeat or draft.given.get("heartbeat-interval"))
    election = _number(old_election or draft.given.get("election-timeout"))
    if not heartbeat:
        # 2.x's heartbeat, unless only 0.4's own is short enough for the election time that was asked for.
        heartbeat = DEFAULT_HEARTBEAT if election >= RATIO * DEFAULT_HEARTBEAT else DEFAULT_HEARTBEAT_04
    bent_heartbeat = min(heartbeat, LONGEST_ELECTION // RATIO)
    bent_election = min(max(election or DEFAULT_ELECTION, RATIO * bent_heartbeat), LONGEST_ELECTION)
    if "heartbeat-interval" not in draft.given and (old_heartbeat or bent_heartbeat != DEFAULT_HEARTBEAT):
        draft.put("heartbeat-interval", str(bent_heartbeat), old_heartbeat)
    if "election-timeout" not in draft.given and (old_election or bent_election != DEFAULT_ELECTION):
        draft.put("election-timeout", str(bent_election), old_election or old_heartbeat)
    if bent_heartbeat != heartbeat or (election and bent_election != election):
        _say_bent(draft, (old_election or old_heartbeat), heartbeat, election, bent_heartbeat, bent_election)


def _say_bent(
    draft: Draft, about: Given | None, heartbeat: int, election: int, bent_heartbeat: int, bent_election: int
) -> None:
    rule = (
        f"etcd 2.x wants -election-timeout to be at least {RATIO} times -heartbeat-interval, "
        f"and at most {LONGEST_ELECTION} ms"
    )
    draft.say(
        "timing-bent",
        about,
        f"heartbeat {heartbeat} ms and election {election or DEFAULT_ELECTION} ms became {bent_heartbeat} and "
        f"{bent_election} ms: {rule}",
        "set the same pair on every member of the cluster",
    )


def _unless_new_given(draft: Draft, old: str, new: str) -> Given | None:
    given = draft.given.get(old)
    if given is None or new not in draft.given:
        return given
    draft.say("new-wins", given, f"{given.origin.name} is passed over: --{new} is given too", "remove it")
    return None


def _is_usable(draft: Draft, given: Given | None) -> bool:
    """Below 1 ms nothing would ever be sent, and 2.3.8 divides by it; a bare flag has no number and counts as none."""
    if given is None or not given.value or _number(given) > 0:
        return True
    draft.say(
        "invalid-value",
        given,
        f'invalid value "{given.value}" for {given.origin.name}: not a whole number of milliseconds above 0',
        "write a number of milliseconds, for example 100",
    )
    return False


def _number(given: Given | None) -> int:
    """Milliseconds; 0 when none was given, or none that can be read (which is reported where it was read)."""
    try:
        return int(given.value) if given is not None else 0
    except ValueError:
        return 0
