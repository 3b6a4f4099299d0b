"""What has to be added to a member's files so that nothing of v2 is left where 3.6 and 3.7 look. Pure.

Let C be the database's index. The members are replayed to C; a marker of a snapshot at C goes to the end of the log,
and the snapshot itself holds the members and nothing else of v2. Whoever starts begins with it, and looks at no entry
before. Entries behind C that a release would die of are added again without their data: such an entry changes nothing
of v3, and every leader begins its term with one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate02.datadir.errors import DataError
from migrate02.datadir.keyspace3x import KeySpace
from migrate02.datadir.member3x import Member3x
from migrate02.datadir.membership3x import MembershipError
from migrate02.v2store.content import CLUSTER, USERS, Content, SnapshotFormatError, content_in
from migrate02.v2store.report import known_ids
from migrate02.v2store.traffic import is_refused, request_in
from server.cluster.ids import id_text
from server.cluster.members import VERSION
from server.raft.types import EMPTY_HARD_STATE, Entry, HardState
from server.storage.codec import encode_entry, encode_hard_state
from server.storage.errors import CodecError
from server.storage.etcd3.additions import encode_records
from server.storage.etcd3.database import Database
from server.storage.etcd3.log import normal_entries
from server.storage.etcd3.messages import Marker, SnapshotOf3x, encode_marker
from server.storage.etcd3.snapfiles import encode_file, file_name
from server.storage.records import RecordType
from server.store import FrozenStore, Store
from server.store.history import History
from server.store.node import Directory

RESTART = "start the etcd that wrote it once more, stop it again, and repeat this"


@dataclass(slots=True)
class Cleaning:
    """What is to be done to one member. ``records`` go behind the log's last one; ``again`` are the entries in them,
    those in ``blanked`` (by index) without their data. ``dropped`` is what of v2 goes, ``keys`` the key space that is
    written out before, ``version`` the cluster's before the member's entries.

    Nothing is to be done where ``snapshot`` is None.
    """

    member: Member3x
    index: int
    term: int
    dropped: Content
    store: Store
    version: str = ""
    snapshot: SnapshotOf3x | None = None
    hard_state: HardState | None = None
    marker: Marker | None = None
    again: list[Entry] = field(default_factory=list)
    blanked: list[int] = field(default_factory=list)
    records: bytes = b""
    snapshot_bytes: int = 0

    @property
    def has_keys(self) -> bool:
        return bool(self.dropped.keys or self.dropped.hidden or self.dropped.empty_directories)

    @property
    def file_name(self) -> str:
        assert self.snapshot is not None
        return file_name(self.snapshot)


def plan_cleaning(member: Member3x) -> Cleaning:
    """Raises DataError for a directory that must not be touched, with the reason and the way on."""
    database = _check(member)
    try:
        space = KeySpace(member.chosen.snapshot)
        version = (space.store.peek(VERSION) or b"").decode("utf-8", "replace")
        for entry in member.entries:
            if entry.index > database.index:
                break
            space.apply(entry)
        _check_members(member, space, database)
        snapshot = SnapshotOf3x(
            space.index,
            space.term,
            space.membership.conf_state,
            _members_alone(space.store.freeze()).encode(),
        )
        blanked = _to_blank(member, database.index)
        for entry in member.entries:
            if entry.index > database.index:
                _apply_if_possible(space, entry, blanked)
    except (MembershipError, SnapshotFormatError) as error:
        raise DataError(str(error), member.path) from error
    except CodecError as error:
        raise DataError(error.message, member.wal) from error
    dropped = content_in(space.store.freeze())
    plan = Cleaning(member, snapshot.index, snapshot.term, dropped, space.store, version)
    if _is_clean(member, plan):
        return plan
    plan.snapshot = snapshot
    plan.snapshot_bytes = len(encode_file(snapshot))
    plan.blanked = blanked
    _add_records(plan, snapshot)
    return plan


def _apply_if_possible(space: KeySpace, entry: Entry, blanked: list[int]) -> None:
    """An entry that is blanked may be one that nobody could apply."""
    try:
        space.apply(entry)
    except MembershipError:
        if entry.index not in blanked:
            raise


def _check(member: Member3x) -> Database:
    database, log = member.database, member.log
    if database is None:
        raise DataError(member.trouble, member.path)
    if log.end.follows == "a record that was not written whole":
        raise DataError(
            f"the log's last record was not written whole: {RESTART}", log.end.segment.path, log.end.offset
        )
    if log.hard_state == EMPTY_HARD_STATE:
        raise DataError(f"its log has no hard state, as if it never had a leader: {RESTART}", member.wal)
    if not member.snapshot_index <= database.index <= member.last_index or database.index == 0:
        raise DataError(
            f"its database is at index {database.index}, but the snapshot is of {member.snapshot_index} and the "
            f"log ends with {member.last_index}: database and log are not of the same time. Restore this member from a "
            "backup, or remove it from the cluster and add it again with an empty directory",
            member.path,
        )
    return database


def _check_members(member: Member3x, space: KeySpace, database: Database) -> None:
    replayed = {number: set(one.peer_urls) for number, one in space.membership.members.items()}
    known = {number: set(urls) for number, urls in database.members.items()}
    learners = {number for number, one in space.membership.members.items() if one.is_learner}
    if replayed == known and learners == database.learners:
        return
    if replayed.keys() == known.keys():
        differing = [
            id_text(number)
            for number in sorted(known)
            if replayed[number] != known[number] or (number in learners) != (number in database.learners)
        ]
        raise DataError(
            f"its database does not have the peer URLs of {', '.join(differing)} as they were changed, or still has a "
            "learner that was promoted. 3.5.1 to 3.5.19 do not write such changes into the database, and 3.6 believes "
            "the database (membership: too many learner members in cluster). The newest 3.5 puts that right when it "
            "starts: start it on all members, stop this one again, and repeat this",
            member.path,
        )
    only = [id_text(number) for number in sorted(known.keys() - replayed.keys())]
    missing = [id_text(number) for number in sorted(replayed.keys() - known.keys())]
    said = "; ".join(
        text
        for text in (
            f"only the database knows {', '.join(only)}" if only else "",
            f"only the log knows {', '.join(missing)}" if missing else "",
        )
        if text
    )
    raise DataError(
        f"the members of the database are not those of the log ({said}). Members that were removed long ago may have "
        "come back into the database: 3.5.26 and later clean that up when they start. Start that release on it, stop "
        "it again, and repeat this",
        member.path,
    )


def _members_alone(frozen: FrozenStore) -> FrozenStore:
    """Only what is below ``/0``, an empty ``/1``, and no history. The index stays: it never goes back for a client."""

    def is_kept(path: str) -> bool:
        return path == CLUSTER or path.startswith(CLUSTER + "/")

    files = {path: file for path, file in frozen.files.items() if is_kept(path)}
    directories = {path: directory for path, directory in frozen.directories.items() if is_kept(path)}
    top = frozen.directories["/"]
    directories["/"] = Directory(
        "/", top.modified_index, top.created_index, None, dict.fromkeys((CLUSTER, USERS))
    )
    directories[USERS] = Directory(USERS, 0, 0)
    return FrozenStore(files, directories, History(), frozen.index, frozen.stats_json)


def _to_blank(member: Member3x, index: int) -> list[int]:
    known = known_ids(member)
    return [
        entry.index
        for entry in normal_entries(member.entries)
        if entry.index > index and (request := request_in(entry)) is not None and is_refused(request, known)
    ]


def _is_clean(member: Member3x, plan: Cleaning) -> bool:
    """Whether neither a release nor a person would find anything of v2, and the newest marker names the members, as
    3.7 wants it."""
    newest = max(member.log.valid_markers(), key=lambda marker: marker.index, default=None)
    return (
        newest is not None
        and newest.conf_state is not None
        and plan.dropped == Content(version=plan.dropped.version)
        and not any(request_in(entry) for entry in normal_entries(member.entries))
    )


def _add_records(plan: Cleaning, snapshot: SnapshotOf3x) -> None:
    log = plan.member.log
    records: list[tuple[RecordType, bytes]] = []
    if log.hard_state.commit < plan.index:
        plan.hard_state = log.hard_state._replace(commit=plan.index)
        records.append((RecordType.STATE, encode_hard_state(plan.hard_state)))
    marker = Marker(plan.index, plan.term, snapshot.conf_state)
    if marker not in log.valid_markers():
        plan.marker = marker
        records.append((RecordType.SNAPSHOT, encode_marker(marker)))
    if plan.blanked:
        plan.again = [
            Entry(entry.term, entry.index) if entry.index in plan.blanked else entry
            for entry in plan.member.entries
            if entry.index >= plan.blanked[0]
        ]
        records += [(RecordType.ENTRY, encode_entry(entry)) for entry in plan.again]
    plan.records = encode_records(records, log.end.crc)
