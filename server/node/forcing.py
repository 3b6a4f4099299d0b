"""``--force-new-cluster``: a member continues alone, as if the cluster had agreed to remove all others."""

import logging
from collections.abc import Iterable

from server.cluster.members import Member
from server.node.disk import Disk
from server.raft import Entry, EntryType, HardState
from server.storage.codec import ConfChange, ConfChangeType, decode_conf_change, encode_conf_change

logger = logging.getLogger(__name__)

FORCED_PEER_URLS = ("http://localhost:7001", "http://localhost:2380")
"""The peer URLs that etcd gives a member that --force-new-cluster finds in no list, in this order."""


def force_alone(
    member: int, voters: Iterable[int], state: HardState, entries: list[Entry], disk: Disk
) -> tuple[HardState, list[Entry]]:
    """Drops entries that were not committed, and writes the removal of all other members as committed entries. Returns
    the hard state and the entries as they are then."""
    kept = [entry for entry in entries if entry.index <= state.commit]
    if len(kept) < len(entries):
        logger.info("discarding %d uncommitted WAL entries", len(entries) - len(kept))
    ids = voters_at_the_end(voters, kept)
    changes = [ConfChange(ConfChangeType.REMOVE_NODE, other) for other in sorted(ids - {member})]
    if member not in ids:
        forced = Member(member, peer_urls=FORCED_PEER_URLS)
        changes.append(ConfChange(ConfChangeType.ADD_NODE, member, context=forced.context))
    added = [
        Entry(state.term, state.commit + 1 + n, encode_conf_change(change), EntryType.CONF_CHANGE)
        for n, change in enumerate(changes)
    ]
    disk.save(None, added)
    return state._replace(commit=state.commit + len(added)), kept + added


def voters_at_the_end(voters: Iterable[int], entries: Iterable[Entry]) -> set[int]:
    """The ids of the voters once all the entries are applied; ``voters`` are those before."""
    ids = set(voters)
    for entry in entries:
        if entry.type is EntryType.CONF_CHANGE:
            change = decode_conf_change(entry.data)
            if change.type is ConfChangeType.ADD_NODE:
                ids.add(change.node_id)
            elif change.type is ConfChangeType.REMOVE_NODE:
                ids.discard(change.node_id)
    return ids
