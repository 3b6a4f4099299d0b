"""The steps when all members run the next release: a last look, and what 3.7 wants. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from migrate02.plan.step import Step
from migrate02.v2store import lines
from migrate02.v2store.planned import PlannedCluster


def look(cluster: PlannedCluster) -> Iterator[Step]:
    source, target = cluster.source, cluster.target
    yield Step(
        f"See that all is well on {target}",
        f"When all members run {target}, the cluster's version becomes {target}.",
        check=(
            *lines.health(cluster),
            lines.member_list(cluster),
            *lines.checks(cluster, target),
        ),
        see=f"every member is healthy and runs one release of {target}, the list of members is the old one, and "
        "check finds nothing",
        back_in_words=f"Back: once the cluster's version is {target}, {source} does not simply start again. etcdctl "
        "downgrade is meant for that, and has not been tried after clean. The backup of the first step makes a new "
        "cluster (etcdutl snapshot restore), which loses what was written since.",
    )


def before_37(cluster: PlannedCluster) -> Iterator[Step]:
    """For those on 3.6 the whole runbook is about that."""
    if cluster.is_of_36:
        return
    yield Step(
        "Before 3.7: look again",
        "3.7 does not start where any request of v2 is in the log behind the newest snapshot, not even a member's own "
        "name and addresses, which 3.5 writes at each start. 3.6 makes a snapshot only after 10,000 entries, so a "
        "quiet cluster keeps such requests for long. A member that was cleaned on its way to 3.6 seldom has any.",
        (lines.v2store("check", *cluster.given, options="--for 3.7"),),
        see="etcd 3.7 starts. Where it does not, make this plan again when the cluster is on 3.6: each member is then "
        "stopped, cleaned again and started as 3.7, or runs on 3.6 with a small --snapshot-count for a while",
        back_in_words="Back: nothing has changed.",
    )
