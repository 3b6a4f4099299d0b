"""The directories of one cluster together: whether they are of one, and where its cleaning stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from migrate02.datadir.member3x import Member3x
from migrate02.v2store.cleaning import Cleaning
from migrate02.v2store.traffic import Kind, kinds_in
from server.cluster.ids import id_text


@dataclass(slots=True)
class Standing:
    """``lines`` say how it stands; ``left`` is what a person has to do before 3.6 is safe."""

    lines: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def differing_clusters(members: Sequence[Member3x]) -> list[str]:
    """In words, that these are not the members of one cluster, each once; empty if they are."""
    said = []
    if len({member.log.metadata.cluster_id for member in members}) > 1:
        said.append(
            "these directories are of different clusters: "
            + ", ".join(f"{member.path} of {id_text(member.log.metadata.cluster_id)}" for member in members)
        )
    seen: dict[int, Path] = {}
    for member in members:
        own = member.log.metadata.node_id
        other = seen.setdefault(own, member.path)
        if other != member.path:
            said.append(f"{other} and {member.path} are of the same member {id_text(own)}")
    return said


def standing(plans: Sequence[Cleaning]) -> Standing:
    """Of the members that were cleaned by these plans."""
    found = Standing()
    kinds = {kind for plan in plans for kind in kinds_in(plan.member.entries, plan.version)}
    others = ", ".join(missing_members([plan.member for plan in plans]))
    if not others:
        found.lines.append("Safe to start 3.6 now: all members of the cluster are clean.")
    elif Kind.SYNC in kinds or any(plan.dropped.with_ttl for plan in plans):
        found.left.append(
            f"a v2 key has a TTL: as long as {others} are not clean too, they write requests of v2 into this log. "
            "Stop all members, clean all their directories, and only then start them; or clean this one again at the "
            "end"
        )
    else:
        found.lines += [
            f"Members whose directories were not given: {others}.",
            "Safe to start 3.6 now on what is clean, one member after the other. A member that falls far behind, and "
            "is brought up to date by one that is not clean, has to be cleaned again.",
        ]
    if kinds & {Kind.HEALTH, Kind.READ, Kind.KEY}:
        found.lines.append(
            "Members of 3.5 that run with --enable-v2 write requests of v2 at each probe of /health, and a member of "
            "3.6 dies of one: take the flag away on all of them first."
        )
    return found


def missing_members(members: Sequence[Member3x]) -> list[str]:
    """The names, or ids, of those that the databases know and that are not among these."""
    given = {member.log.metadata.node_id for member in members}
    known: dict[int, str] = {}
    for member in members:
        if member.database is not None:
            names = member.database.names
            known |= {number: names.get(number, id_text(number)) for number in member.database.members}
    return [name for number, name in sorted(known.items()) if number not in given]
