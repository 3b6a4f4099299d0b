"""What each release of etcd makes of what is left of v2. Pure; facts measured with 3.5.33, 3.6.14 and 3.7.1."""

from __future__ import annotations

from dataclasses import dataclass

RELEASES = ("3.5", "3.6", "3.7")

CLEAN = "No custom content found in both v2store and WAL records."
IN_SNAPSHOT = "detected custom content in v2store"
IN_LOG = "detected custom v2 content in WAL records"
IN_BOTH = "detected custom v2 content in both v2store and WAL records"
_SENTENCES = {(False, False): CLEAN, (True, False): IN_SNAPSHOT, (False, True): IN_LOG, (True, True): IN_BOTH}

SNAPSHOT_REFUSED = "detected disallowed custom content in v2store for stage --v2-deprecation=write-only"
LOG_REFUSED = "detected disallowed v2 WAL for stage --v2-deprecation=write-only"
MEMBERS_REFUSED = "unmarshal should never fail (proto: cannot parse invalid wire-format data)"


@dataclass(slots=True, frozen=True)
class Facts:
    """What the verdicts depend on.

    ``in_snapshot`` and ``in_log`` are etcdutl's; ``odd_in_log`` is why 3.6 dies of a request that etcdutl accepts, in
    words. ``behind_marker`` counts all requests of v2 behind the newest marker, which is where 3.7 begins;
    ``is_of_36`` that the cluster has come to 3.6 already.
    """

    in_snapshot: bool
    in_log: bool
    odd_in_log: str
    behind_marker: int
    has_emptied_accounts: bool
    is_of_36: bool

    @property
    def stops_36(self) -> bool:
        return self.in_snapshot or self.in_log or bool(self.odd_in_log)


@dataclass(slots=True, frozen=True)
class Verdict:
    """Whether a release starts on the directory as it is, and in words how that shows."""

    release: str
    starts: bool
    why: str


def stops(facts: Facts, release: str) -> bool:
    """Whether what is left of v2 is in the way to a release: on the way to 3.7 what 3.6 refuses is, too."""
    refused = {verdict.release for verdict in verdicts(facts) if not verdict.starts}
    return release in refused or (release == "3.7" and not facts.is_of_36 and "3.6" in refused)


def sentence(in_snapshot: bool, in_log: bool) -> str:
    """What ``etcdutl check v2store`` of 3.5.33 prints."""
    return _SENTENCES[in_snapshot, in_log]


def verdicts(facts: Facts) -> list[Verdict]:
    return [_on_35(facts), _on_36(facts), _on_37(facts)]


def _on_35(facts: Facts) -> Verdict:
    if facts.is_of_36:
        return Verdict("3.5", True, "only as a downgrade that was enabled with etcdctl")
    if facts.in_snapshot:
        return Verdict("3.5", True, "but not with --v2-deprecation=write-only or write-only-drop-data")
    return Verdict("3.5", True, "")


def _on_36(facts: Facts) -> Verdict:
    panics = (
        f"panic: {LOG_REFUSED}" if facts.in_log else f"panic: {facts.odd_in_log}" if facts.odd_in_log else ""
    )
    if facts.in_snapshot:
        more = f"; with --v2-deprecation=write-only-skip-check, {panics}" if panics else ""
        return Verdict("3.6", False, SNAPSHOT_REFUSED + more)
    if panics:
        return Verdict("3.6", False, panics)
    if facts.has_emptied_accounts:
        return Verdict("3.6", True, "from 3.6.3 on: 3.6.0 to 3.6.2 refuse the emptied accounts of v2")
    return Verdict("3.6", True, "")


def _on_37(facts: Facts) -> Verdict:
    if facts.behind_marker:
        return Verdict("3.7", False, f"panic: {MEMBERS_REFUSED}")
    if facts.is_of_36:
        return Verdict("3.7", True, "")
    if facts.stops_36:
        return Verdict("3.7", True, "but 3.6, which has to come before it, does not")
    return Verdict("3.7", True, "after 3.6, which has to come before it")
