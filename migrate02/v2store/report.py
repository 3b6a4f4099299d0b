"""All there is to say of what is left of v2 in the directory of one member."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from migrate02.datadir.errors import DataError
from migrate02.datadir.member3x import Member3x, read_member
from migrate02.v2store.content import Content, SnapshotFormatError, content_of
from migrate02.v2store.traffic import Kind, Tally, count_requests, first_version, request_in
from migrate02.v2store.verdicts import Facts, Verdict, sentence, stops, verdicts
from server.raft.types import EntryType
from server.storage.codec import decode_conf_change
from server.storage.errors import CodecError
from server.storage.etcd3.log import normal_entries


@dataclass(slots=True)
class Report:
    """One member's directory. ``name`` is the member's, empty when the database does not tell it; ``trouble`` what
    could not be read. ``notes`` are facts a person should know."""

    path: Path
    name: str
    member_id: int
    cluster_id: int
    version: str
    snapshot_index: int
    database_index: int | None
    committed_index: int
    last_index: int
    content: Content
    tallies: list[Tally]
    facts: Facts
    trouble: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """etcdutl's."""
        return sentence(self.facts.in_snapshot, self.facts.in_log)

    @property
    def verdicts(self) -> list[Verdict]:
        return verdicts(self.facts)

    def stops(self, release: str) -> bool:
        """Whether what is left of v2 is in the way to a release."""
        return stops(self.facts, release)

    def has(self, *kinds: Kind) -> bool:
        return any(tally.kind in kinds for tally in self.tallies)


def report_on(path: Path, wal_dir: Path | None = None) -> Report:
    """Reads a directory. Raises DataError."""
    return report(read_member(path, wal_dir))


def report(member: Member3x) -> Report:
    """Raises DataError for a snapshot or a log with something that no etcd writes."""
    try:
        content = content_of(member.chosen.snapshot.data) if member.chosen.snapshot else Content()
        own = member.log.metadata.node_id
        tallies = count_requests(
            member.entries, own, member.committed_index, known_ids(member), content.version
        )
        behind_marker = _behind_newest_marker(member)
    except SnapshotFormatError as error:
        raise DataError(f"its key space of v2 cannot be read: {error}", member.chosen.path) from error
    except CodecError as error:
        raise DataError(error.message, member.wal) from error
    database = member.database
    facts = Facts(
        in_snapshot=bool(content.custom),
        in_log=any(tally.is_custom for tally in tallies),
        odd_in_log=next((tally.trouble for tally in tallies if tally.trouble), ""),
        behind_marker=behind_marker,
        has_emptied_accounts=content.has_emptied_accounts,
        is_of_36=database is not None and _release(database.version) >= (3, 6),
    )
    return Report(
        path=member.path,
        name=database.names.get(own, "") if database is not None else "",
        member_id=own,
        cluster_id=member.log.metadata.cluster_id,
        version=database.version if database is not None else "",
        snapshot_index=member.snapshot_index,
        database_index=database.index if database is not None else None,
        committed_index=member.committed_index,
        last_index=member.last_index,
        content=content,
        tallies=tallies,
        facts=facts,
        trouble=member.trouble,
        notes=list(_notes(member, content)),
    )


def known_ids(member: Member3x) -> set[int]:
    """Of all that are members, were, or become it in the log; whoever has no database is given the benefit."""
    known = {member.log.metadata.node_id}
    if member.database is not None:
        known |= member.database.members.keys() | member.database.removed
    for entry in member.entries:
        if entry.type is EntryType.CONF_CHANGE:
            known.add(decode_conf_change(entry.data).node_id)
    return known


def _behind_newest_marker(member: Member3x) -> int:
    """3.7 begins behind the newest valid marker, whether its .snap file is there or not."""
    begins = max((marker.index for marker in member.log.valid_markers()), default=0)
    behind = [entry for entry in member.entries if entry.index > begins]
    return sum(request_in(entry) is not None for entry in normal_entries(behind))


def _notes(member: Member3x, content: Content) -> Iterator[str]:
    for error in member.chosen.damaged:
        yield f"{error}; a start renames it and takes an older one"
    end = member.log.end
    if end.follows:
        yield (
            f"{end.segment.path}, byte {end.offset}: behind the last whole record: {end.follows}; a start of 3.5 "
            "repairs that, or a member is writing here"
        )
    begins_at = content.version or first_version(member.entries)
    if begins_at.startswith("2."):
        yield (
            f"a start reads the cluster's version {begins_at} first; from there 3.5 takes no step to 3.x, and answers "
            "no call of v3 (etcdserver: not capable): see migrate02 explain 'not capable'"
        )


def _release(version: str) -> tuple[int, ...]:
    numbers = version.removeprefix("v").split(".")[:2]
    return tuple(int(number) for number in numbers if number.isdecimal())
