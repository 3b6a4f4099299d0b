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
    """A member ready to run. ``local`` is itself, with the name and client URLs that it will publish.

    ``remotes`` are the other members of a cluster that it joins: its answers go to them until its own log lists the
    members. ``v3_data`` is the v3 data that an earlier run of the member has seen.
    """

    local: Member
    store: Store
    members: Members
    raft: Raft
    disk: Disk
    metrics: MemberMetrics = field(default_factory=MemberMetrics)
    remotes: tuple[Member, ...] = ()
    v3_data: V3Data | None = None
