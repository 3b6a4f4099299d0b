"""What a node is made of."""

from dataclasses import dataclass, field

from server.cluster.members import Member, Members
from server.metrics import MemberMetrics
from server.node.disk import Disk
from server.raft import Raft
from server.storage.v3 import V3Data
from server.store.store import Store


@dataclass(slots=True)
class OpenedMember:
    """A member ready to run. ``local`` is itself, with the name and client URLs it will publish.

    ``remotes`` are the other members of a cluster that it joins: whom to answer to until its own log tells.
    ``v3_data`` is what an earlier life of the member has seen of it.
    """

    local: Member
    store: Store
    members: Members
    raft: Raft
    disk: Disk
    metrics: MemberMetrics = field(default_factory=MemberMetrics)
    remotes: tuple[Member, ...] = ()
    v3_data: V3Data | None = None
