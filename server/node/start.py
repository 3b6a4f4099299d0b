"""From a configuration and a data directory to a member ready to run: of a new cluster, of one that it joins, or one
that was here before.

Reads and makes files; opens no socket itself and starts nothing. Order and texts of the checks are etcd 2.3.8's.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from server.cluster.bootstrap import BootstrapError, found
from server.cluster.ids import cluster_id, id_text
from server.cluster.join import join, others_of
from server.cluster.members import Member, MemberError, Members
from server.cluster.remote import AskPeer
from server.cluster.resolved import Resolve
from server.config import Config, parse_urls_map, urls_map_text
from server.metrics import MemberMetrics
from server.node.applier import check_not_newer
from server.node.disk import MemberDisk
from server.node.forcing import force_alone, voters_at_the_end
from server.node.opened import OpenedMember
from server.node.timedfiles import TimedFiles
from server.raft import EMPTY_HARD_STATE, EntryType, HardState, Raft, RaftLog, Snapshot
from server.storage.codec import ConfChange, ConfChangeType, encode_conf_change
from server.storage.datadir import Kind, has_snapshots, has_wal, layout, prepare
from server.storage.errors import DamagedError, OutOfRangeError
from server.storage.files import Files
from server.storage.renewal import begin_anew
from server.storage.snapshots import SnapshotDir
from server.storage.v3 import read_mark
from server.storage.wal import WAL, WalContents, WalMetadata, WalPosition
from server.store.errors import SnapshotFormatError
from server.store.store import Store
from server.version import major_minor

logger = logging.getLogger(__name__)

JOINER = HardState(term=1)
"""The hard state that the log of a joining member begins with: no running cluster is still in this term.

A log without it is of a first member whose first save did not reach the disk, and which may begin its cluster again.
etcd's own joiners write nothing: their logs cannot be distinguished from those.
"""


@dataclass(slots=True, frozen=True)
class _Environment:
    """What opening a member needs from outside its directory."""

    resolve: Resolve
    ask: AskPeer
    now: int
    random: Random
    find_again: Callable[[Config], Config]


def open_member(
    config: Config,
    *,
    resolve: Resolve,
    ask: AskPeer,
    now: int,
    random: Random,
    find_again: Callable[[Config], Config] = lambda config: config,
) -> OpenedMember:
    """Opens the member of a data directory, or makes one. ``now`` in unix nanoseconds.

    For an empty directory, the settings must have the first members, also when they come from discovery.
    ``find_again`` adds them for a first start that was cut short after they had been found.

    Raises BootstrapError, StorageError, CannotApply (the cluster has a newer version) and LogError (files that do not
    belong together); then nothing stays open. Errors of ``ask`` other than PeerUnreachable are not caught.
    """
    environment = _Environment(resolve, ask, now, random, find_again)
    data_dir = Path(config.data_dir)
    wal_dir = Path(config.wal_dir) if config.wal_dir else data_dir / "member" / "wal"
    if layout(data_dir) is Kind.OLD_MEMBER or has_wal(wal_dir):
        return _restart(config, environment)
    _warn_of_snapshots(config, data_dir / "member" / "snap", wal_dir)
    if config.initial_cluster_state == "existing":
        return _join(config, environment)
    founding = found(config, resolve=resolve, ask=ask)
    _log_settings(config, initial=True)
    disk = _new_disk(config, WalMetadata(founding.local.id, founding.cluster_id))
    return _begin(config, founding.local, founding.members, founding.cluster_id, disk, random)


def _warn_of_snapshots(config: Config, snap_dir: Path, wal_dir: Path) -> None:
    """Warns of snapshots without a log. Only the log shows whether there was a member, as in etcd, so with a wrong
    directory for it the member would start without any keys, and without a message."""
    if has_snapshots(snap_dir):
        logger.warning(
            "there are snapshots in %s, but no log in %s (%s): this member starts EMPTY, without any of their keys, "
            "and a later start will refuse snapshots that do not belong to its log. If a member was here before, stop "
            "this one, remove the log that it begins, and name the directory of the old log with --wal-dir, or restore "
            "it from a backup; if it should be empty, move the snapshots away",
            snap_dir,
            wal_dir,
            "--wal-dir" if config.wal_dir else "no --wal-dir is given",
        )


def _join(config: Config, environment: _Environment) -> OpenedMember:
    """A member that joins a running cluster. Its log, or a snapshot, comes from the leader."""
    joining = join(config, resolve=environment.resolve, ask=environment.ask)
    local, cluster = joining.local, joining.cluster.id
    _log_settings(config, initial=False)
    disk = _new_disk(config, WalMetadata(local.id, cluster), JOINER)
    logger.info("starting member %s in cluster %s", id_text(local.id), id_text(cluster))
    raft = Raft(
        local.id,
        RaftLog(),
        hard_state=JOINER,
        election_ticks=config.election_ticks,
        random=environment.random,
    )
    return OpenedMember(
        _published(config, local),
        Store(),
        Members(cluster),
        raft,
        disk,
        disk.metrics,
        remotes=joining.others,
    )


def _begin(
    config: Config,
    local: Member,
    members: Iterable[Member],
    cluster: int,
    disk: MemberDisk,
    random: Random,
) -> OpenedMember:
    """A new cluster of these members, ordered by id. The first entries add the members, and are the same at all of
    them; the node writes them with its first save."""
    logger.info("starting member %s in cluster %s", id_text(local.id), id_text(cluster))
    raft = Raft(local.id, RaftLog(), election_ticks=config.election_ticks, random=random)
    additions = [ConfChange(ConfChangeType.ADD_NODE, member.id, context=member.context) for member in members]
    raft.bootstrap([encode_conf_change(addition) for addition in additions])
    return OpenedMember(_published(config, local), Store(), Members(cluster), raft, disk, disk.metrics)


def _restart(config: Config, environment: _Environment) -> OpenedMember:
    wal_dir, snap_dir = prepare(Path(config.data_dir), Path(config.wal_dir) if config.wal_dir else None)
    if config.discovery:
        logger.warning(
            'discovery token ignored since a cluster has already been initialized. Valid log found at "%s"',
            wal_dir,
        )
    snapshots = SnapshotDir(snap_dir)
    snapshot = snapshots.load_newest(leave_out_forged=config.force_new_cluster)
    store = Store()
    if snapshot is not None:
        try:
            store.recover(snapshot.data)
        except SnapshotFormatError as error:
            raise DamagedError(f"recovered store from snapshot error: {error}", snap_dir) from error
        logger.info("recovered store from snapshot at index %d", snapshot.index)
    at = WalPosition() if snapshot is None else WalPosition(snapshot.index, snapshot.term)
    metrics = MemberMetrics()
    wal, contents = _open_log(wal_dir, at, TimedFiles(metrics.log_syncs), force=config.force_new_cluster)
    disk = _disk(config, wal, snapshots, wal_dir, metrics)
    try:
        snapshots.make_sure()
        if snapshot is None and _is_cut_short(contents):
            if config.initial_cluster_state == "existing":
                contents.hard_state = JOINER
                disk.save(contents.hard_state, ())
            elif not _finish_bootstrap(contents, disk):
                return _begin_again(config, contents, disk, environment)
        _log_settings(config, initial=False)
        return _go_on(config, contents, snapshot, store, disk, environment)
    except BaseException:
        wal.close()
        raise


def _open_log(wal_dir: Path, at: WalPosition, files: Files, *, force: bool) -> tuple[WAL, WalContents]:
    """Opens the log. With ``force``, a log that contains a forged message is begun again."""
    try:
        return WAL.open(wal_dir, at, files=files)
    except OutOfRangeError as error:
        if not force:
            raise
        kept = begin_anew(wal_dir, at)
        logger.warning("%s", error)
        logger.warning(
            "began a new log in %s with all that is good in the old one, which is in %s", wal_dir, kept
        )
    return WAL.open(wal_dir, at, files=files)


def _is_cut_short(contents: WalContents) -> bool:
    """Whether the very first save is incomplete: it adds the first members, and its hard state commits them."""
    return contents.hard_state == EMPTY_HARD_STATE and all(
        entry.type is EntryType.CONF_CHANGE and entry.term == 1 for entry in contents.entries
    )


def _finish_bootstrap(contents: WalContents, disk: MemberDisk) -> bool:
    """Writes the hard state that ends a first save. False, with nothing done, when members are missing, too.

    The cluster's id is made of the first members' ids, so the log itself shows whether they are all there.
    """
    added = voters_at_the_end((), contents.entries)
    if not added or cluster_id(added) != contents.metadata.cluster_id:
        return False
    contents.hard_state = HardState(1, 0, len(contents.entries))
    disk.save(contents.hard_state, ())
    return True


def _begin_again(
    config: Config, contents: WalContents, disk: MemberDisk, environment: _Environment
) -> OpenedMember:
    """Begins again after a first start that ended before its first save was complete: nothing of it was used yet.

    Entries of an incomplete list of first members are replaced by those written now. Raises BootstrapError when the
    settings make another member or cluster than the log was begun for.
    """
    config = environment.find_again(config)
    founding = found(config, resolve=environment.resolve, ask=environment.ask)
    local, cluster = founding.local, founding.cluster_id
    if contents.metadata != WalMetadata(local.id, cluster):
        node, of_cluster = (id_text(number) for number in contents.metadata)
        raise BootstrapError(
            "C",
            f"the log holds nothing agreed on yet and was begun for member {node} of cluster {of_cluster}, "
            f"but these settings make member {id_text(local.id)} of cluster {id_text(cluster)}: "
            "start with the settings of the first start (--initial-cluster-state existing if it was to join a cluster "
            f"that runs), or remove {config.data_dir}",
        )
    _log_settings(config, initial=True)
    members = [local] if config.force_new_cluster else founding.members
    return _begin(config, local, members, cluster, disk, environment.random)


def _go_on(
    config: Config,
    contents: WalContents,
    snapshot: Snapshot | None,
    store: Store,
    disk: MemberDisk,
    environment: _Environment,
) -> OpenedMember:
    member, cluster = contents.metadata
    state, entries = contents.hard_state, contents.entries
    if snapshot is None and state.commit == 0:
        # They are of an incomplete save: a complete one commits the first members. No other member knows that they are
        # here; and an incomplete list of first members must not elect a leader.
        entries = []
    voters = () if snapshot is None else snapshot.nodes
    if config.force_new_cluster:
        state, entries = force_alone(member, voters, state, entries, disk)
        logger.info(
            "forcing restart of member %s in cluster %s at commit index %d",
            id_text(member),
            id_text(cluster),
            state.commit,
        )
    else:
        logger.info(
            "restarting member %s in cluster %s at commit index %d",
            id_text(member),
            id_text(cluster),
            state.commit,
        )
    log = RaftLog(
        entries,
        compacted=0 if snapshot is None else snapshot.index,
        compacted_term=0 if snapshot is None else snapshot.term,
        committed=state.commit,
    )
    raft = Raft(
        member,
        log,
        hard_state=state,
        voters=voters,
        election_ticks=config.election_ticks,
        random=environment.random,
    )
    members = Members(cluster)
    try:
        members.recover(store, environment.now)
    except MemberError as error:
        raise DamagedError(
            f"the snapshot's list of members cannot be read: {error}. Restore the data directory from a backup",
            Path(config.data_dir),
        ) from error
    for known in members:
        urls = " ".join(known.peer_urls)
        logger.info(
            "added member %s [%s] to cluster %s from store", id_text(known.id), urls, id_text(cluster)
        )
    if members.version is not None:
        check_not_newer(members.version)
        logger.info("set the cluster version to %s from store", major_minor(members.version))
    knows_nobody = snapshot is None and not entries
    remotes = others_of(config, member, cluster, environment.ask) if knows_nobody else ()
    return OpenedMember(
        _published(config, Member(member)),
        store,
        members,
        raft,
        disk,
        disk.metrics,
        remotes=remotes,
        v3_data=read_mark(Path(config.data_dir) / "member"),
    )


def _published(config: Config, member: Member) -> Member:
    return Member(member.id, config.name, member.peer_urls, config.advertise_client_urls)


def _new_disk(config: Config, metadata: WalMetadata, hard_state: HardState = EMPTY_HARD_STATE) -> MemberDisk:
    """Makes the directories, and a log with nothing but the hard state."""
    wal_dir, snap_dir = prepare(Path(config.data_dir), Path(config.wal_dir) if config.wal_dir else None)
    metrics = MemberMetrics()
    wal = WAL.create(wal_dir, metadata, hard_state=hard_state, files=TimedFiles(metrics.log_syncs))
    return _disk(config, wal, SnapshotDir(snap_dir), wal_dir, metrics)


def _disk(
    config: Config, wal: WAL, snapshots: SnapshotDir, wal_dir: Path, metrics: MemberMetrics
) -> MemberDisk:
    return MemberDisk(
        wal, snapshots, metrics, wal_dir=wal_dir, max_wals=config.max_wals, max_snapshots=config.max_snapshots
    )


def _log_settings(config: Config, *, initial: bool) -> None:
    logger.info("name = %s", config.name)
    if config.force_new_cluster:
        logger.info("force new cluster")
    logger.info("data dir = %s", config.data_dir)
    logger.info("member dir = %s", Path(config.data_dir) / "member")
    if config.wal_dir:
        logger.info("dedicated WAL dir = %s", config.wal_dir)
    logger.info("heartbeat = %dms", config.heartbeat_interval)
    logger.info("election = %dms", config.election_ticks * config.heartbeat_interval)
    logger.info("snapshot count = %d", config.snapshot_count)
    if config.discovery:
        logger.info("discovery URL= %s", config.discovery)
        if config.discovery_proxy:
            logger.info("discovery proxy = %s", config.discovery_proxy)
    logger.info("advertise client URLs = %s", ",".join(config.advertise_client_urls))
    if initial:
        logger.info("initial advertise peer URLs = %s", ",".join(config.initial_advertise_peer_urls))
        logger.info("initial cluster = %s", urls_map_text(parse_urls_map(config.initial_cluster)))
