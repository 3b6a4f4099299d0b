"""Why a node ends, and the error that requests get that still wait then."""

STOPPED = "etcdserver: server stopped"

REMOVED = "the member has been permanently removed from the cluster"


class NodeFailed(Exception):
    """The node cannot continue; the process must end. The message is for the log."""


class MemberRemoved(NodeFailed):
    """The cluster has removed this member. Not a failure, but the member ends."""
