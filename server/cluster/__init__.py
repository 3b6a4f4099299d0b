"""Who the members are: their ids, the table of them, and how a cluster begins.

Reads the key space and writes members into it, since that is where etcd keeps them; touches no file and no
socket (host names are looked up through a function passed in).
"""

from server.cluster.bootstrap import BootstrapError, initial_members, refuse_what_needs_others
from server.cluster.ids import cluster_id, id_text, member_id, parse_id, runtime_member_id
from server.cluster.members import ChangeRefused, Member, MemberError, Members, Refusal

__all__ = [
    "BootstrapError",
    "ChangeRefused",
    "Member",
    "MemberError",
    "Members",
    "Refusal",
    "cluster_id",
    "id_text",
    "initial_members",
    "member_id",
    "parse_id",
    "refuse_what_needs_others",
    "runtime_member_id",
]
