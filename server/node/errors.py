"""Why a node ends, and what it tells those who then wait."""

STOPPED = "etcdserver: server stopped"

REMOVED = "the member has been permanently removed from the cluster"


class NodeFailed(Exception):
    """The node cannot go on; the process has to end. The message is for the log."""


class MemberRemoved(NodeFailed):
    """The cluster has removed this member: no failure, but the end of it."""
