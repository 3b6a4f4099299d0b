"""One cluster as its runbook sees it: its members, and what each of their directories holds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from compat.findings import REVIEW, Finding

CLEAN, TO_CLEAN, UNKNOWN = "nothing to clean", "to be cleaned", "not known"
"""What becomes of a member's directory; ``UNKNOWN`` where it was not given."""


class ClusterMember(NamedTuple):
    """``name`` is its id where the name is not known, ``path`` empty where its directory was not given; ``holds`` says
    in words what is left of v2 there."""

    name: str
    id: str
    path: str
    state: str
    holds: str = ""
    wal_dir: str = ""
    client_url: str = ""
    is_learner: bool = False


class PlannedCluster(NamedTuple):
    """``version`` is the cluster's, empty if it is not known. ``exports_from`` is the directory that goes furthest,
    empty where there are no v2 keys. ``had_requests`` are words for what looks like --enable-v2, ``has_ttl`` says that
    a v2 key has, or had, a TTL."""

    id: str
    version: str
    is_of_36: bool
    members: tuple[ClusterMember, ...]
    exports_from: ClusterMember | None = None
    had_requests: str = ""
    has_ttl: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def source(self) -> str:
        """The release that the members run now."""
        return "3.6" if self.is_of_36 else "3.5"

    @property
    def target(self) -> str:
        return "3.7" if self.is_of_36 else "3.6"

    @property
    def given(self) -> Sequence[ClusterMember]:
        return [member for member in self.members if member.path]

    @property
    def is_clean(self) -> bool:
        """As far as is known."""
        return all(member.state != TO_CLEAN for member in self.members)

    @property
    def stops_as_a_whole(self) -> bool:
        """With a TTL the leader writes to the logs of all members all the time, of those that are clean too."""
        return self.has_ttl and not self.is_of_36 and not self.is_clean and len(self.members) > 1

    @property
    def voters(self) -> int:
        return sum(not member.is_learner for member in self.members)

    @property
    def needs_review(self) -> bool:
        return any(finding.severity == REVIEW for finding in self.findings)
