"""What etcd 2.x refuses to see together. The one place where an old and a new setting are held against each other."""

from __future__ import annotations

from compat.codes import BOOTSTRAPS_GIVEN, BOTH_GIVEN
from compat.flags04 import ADVERTISED_OF, OLD_AND_NEW
from compat.settings import FLAG, Given
from compat.translate.draft import Draft

BOOTSTRAPS = ("initial-cluster", "discovery", "discovery-srv")


def refuse_several_bootstraps(draft: Draft) -> None:
    """2.x checks this first. An empty value counts when it came by flag, not when by variable (2.3.8, seen)."""
    found = [given for name in BOOTSTRAPS if (given := draft.given.get(name)) and _is_set(given)]
    if len(found) < 2:
        return
    where = " and ".join(str(given.origin) for given in found)
    draft.say(BOOTSTRAPS_GIVEN, found[0], where=where)


def refuse_old_beside_new(draft: Draft) -> None:
    """``Set only one of flags``: whatever the values, and wherever each came from (2.0.13 and 2.3.8, seen)."""
    for new_name, old_name in OLD_AND_NEW:
        new = draft.given.get(new_name)
        old = draft.given.get(old_name)
        by = ""
        if old is None and old_name in ADVERTISED_OF:
            old = draft.given.get(ADVERTISED_OF[old_name])
            by = f" (-{ADVERTISED_OF[old_name]} alone also sets -{old_name})"
        if new is None or old is None:
            continue
        draft.say(
            BOTH_GIVEN, old, old_at=str(old.origin), new_at=str(new.origin), new=new_name, old=old_name, by=by
        )


def _is_set(given: Given) -> bool:
    return bool(given.value) or given.origin.kind == FLAG
