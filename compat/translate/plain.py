"""The settings that take one rule each: copied, renamed, made explicit, or dropped with a word about it."""

from __future__ import annotations

from shlex import quote

from compat.codes import (
    CA_ALONE,
    CHANGES_NOTHING,
    DEBUG_SAYS_IT,
    HALF_A_PAIR,
    HOST_NAME_TAKEN,
    LEFT_OUT,
    NEW_GIVEN,
    NOW_READ,
    OLD_DATA,
)
from compat.flags04 import BY_NAME, CLIENT_AUTH, DEBUG, DROP, FLAGS, Flag04
from compat.goflag import TRUE
from compat.settings import VARIABLE, Given
from compat.translate.draft import ERA_04, Draft

_PAIRS = (("", "addr"), ("peer-", "peer-addr"))
_OWN_RULE = frozenset(("name", "data-dir"))
_OF_CLIENT_AUTH = tuple(flag for flag in FLAGS if flag.fate == CLIENT_AUTH)
_OF_VERBOSITY = tuple(flag for flag in FLAGS if flag.fate == DEBUG)


def translate_name(draft: Draft) -> None:
    """0.4 took the host name; 2.x would say ``default``."""
    given = draft.given.get("name")
    if given is not None and (given.value or draft.era != ERA_04):
        draft.put("name", given.value, given)
    elif draft.era == ERA_04:
        name = draft.around.hostname
        draft.put("name", name)
        why = (
            "0.4.9 refused -data-dir without -name ('Name cannot be blank')"
            if "data-dir" in draft.given
            else "No -name was set, so 0.4 used the host name"
        )
        whose = "as given" if draft.around.hostname_given else "this machine's"
        draft.say(HOST_NAME_TAKEN, given, setting="name", why=why, name=name, whose=whose)


def translate_data_dir(draft: Draft) -> None:
    """0.4's default, NAME.etcd in the working directory, is 2.x's too; written out because it hangs on the name."""
    given = draft.given.get("data-dir")
    if given is not None and (given.value or draft.era != ERA_04):
        draft.put("data-dir", given.value, given)
    elif draft.era == ERA_04:
        draft.put("data-dir", f"{draft.config['name']}.etcd", given)
    if draft.era == ERA_04 and not draft.around.is_this_machine and not draft.around.member_has_data:
        directory = draft.config["data-dir"]
        draft.say(OLD_DATA, given, setting="data-dir", directory=directory, quoted=quote(directory))


def copy_settings(draft: Draft) -> None:
    """What has the same name, or is 2.x's own, passes through; half a TLS pair does not."""
    halves = _refuse_half_pairs(draft)
    for given in draft.given.values():
        old = BY_NAME.get(given.name)
        if given.name in _OWN_RULE or given.name in halves:
            continue
        if old is None or (
            old.fate == "copy" and not (given.name == "discovery" and _empty_discovery(draft, given))
        ):
            draft.put(given.name, given.value, given)
            if given.origin.name == "ETCD_SNAPSHOTCOUNT":
                draft.say_carried(given, given.name, given.value)
            elif old is not None and _is_new_variable(given, old) and draft.era == ERA_04:
                _say_it_takes_effect(draft, given)


def _is_new_variable(given: Given, old: Flag04) -> bool:
    """2.x's variable for a setting that 0.4 read from another one, or from none."""
    return given.origin.kind == VARIABLE and given.origin.name != old.variable


def _say_it_takes_effect(draft: Draft, given: Given) -> None:
    if draft.around.is_this_machine:
        return  # it was converted before, and is no news at each start
    draft.say(NOW_READ, given)


def _empty_discovery(draft: Draft, given: Given) -> bool:
    return draft.era == ERA_04 and not given.value


def _refuse_half_pairs(draft: Draft) -> frozenset[str]:
    """In 0.4 half a pair meant plain http, silently; 2.x refuses it, so the half is left out."""
    if draft.era != ERA_04:
        return frozenset()
    halves = set()
    for prefix, address in _PAIRS:
        names = (f"{prefix}cert-file", f"{prefix}key-file")
        present = [draft.given[name] for name in names if draft.value(name)]
        if len(present) != 1:
            continue
        given = present[0]
        missing = names[1] if given.name == names[0] else names[0]
        halves.add(given.name)
        draft.say(HALF_A_PAIR, given, name=given.name, missing=missing, address=address)
    return frozenset(halves)


def translate_client_auth(draft: Draft) -> None:
    """A CA file asked for client certificates by itself in 0.4; 2.1 split that in two settings."""
    for flag in _OF_CLIENT_AUTH:
        given = draft.given.get(flag.name)
        if given is None:
            continue
        prefix = flag.name.removesuffix("ca-file")
        trusted, auth = flag.becomes
        if draft.era != ERA_04:
            draft.put(flag.name, given.value, given)
        elif draft.has_pair(prefix):
            draft.put(trusted, given.value, given)
            draft.put(auth, "true", given)
        elif given.value:
            draft.say(CA_ALONE, given, prefix=prefix, trusted=trusted, auth=auth)


def translate_verbosity(draft: Draft) -> None:
    for flag in _OF_VERBOSITY:
        given = draft.given.get(flag.name)
        if given is None:
            continue
        if given.value not in TRUE:
            draft.say(CHANGES_NOTHING, given)
        elif "debug" in draft.given:
            draft.say(NEW_GIVEN, given, new="debug")
        elif "debug" in draft.config:
            draft.say(DEBUG_SAYS_IT, given)
        else:
            draft.put("debug", "true", given)
            draft.say_carried(given, "debug", "true")


def drop_what_has_no_counterpart(draft: Draft) -> None:
    for given in draft.given.values():
        flag = BY_NAME.get(given.name)
        if flag is None or flag.fate != DROP:
            continue
        if not given.value or given.value in flag.harmless:
            draft.say(CHANGES_NOTHING, given)
        else:
            draft.say(LEFT_OUT, given, reason=flag.dropped, remedy=flag.remedy)
