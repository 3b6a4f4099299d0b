"""Who the members are: their ids, the table of them, how a cluster begins and how a member joins one.

Reads the key space and writes members into it, since that is where etcd keeps them; touches no file and no
socket (host names are looked up and other members asked through functions passed in).
"""

from server.cluster.bootstrap import (
    BootstrapError,
    Founding,
    found,
    initial_members,
    refuse_what_needs_others,
)
from server.cluster.ids import cluster_id, id_text, member_id, parse_id, runtime_member_id
from server.cluster.join import Joining, join
from server.cluster.members import ChangeRefusal, ChangeRefused, Member, MemberError, Members
from server.cluster.remote import AskPeer, PeerAnswer, PeerUnreachable, RunningCluster

__all__ = [
    "AskPeer",
    "BootstrapError",
    "ChangeRefusal",
    "ChangeRefused",
    "Founding",
    "Joining",
    "Member",
    "MemberError",
    "Members",
    "PeerAnswer",
    "PeerUnreachable",
    "RunningCluster",
    "cluster_id",
    "found",
    "id_text",
    "initial_members",
    "join",
    "member_id",
    "parse_id",
    "refuse_what_needs_others",
    "runtime_member_id",
]
