"""The steps that bring the members to the next release, cleaned where that is needed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrate02.plan.step import Step
from migrate02.v2store import lines
from migrate02.v2store.planned import CLEAN, TO_CLEAN, ClusterMember, PlannedCluster

_WHILE_ONE_IS_STOPPED = {
    1: "The cluster is down while its only member is stopped. ",
    2: "Of two members none may be missing: the cluster takes no writes while one is stopped. ",
}
_OTHERWISE = "The other members go on meanwhile. "

_WHY = {
    TO_CLEAN: "clean adds a snapshot without v2 and leaves the v3 keys alone. It copies the files that it changes to "
    "DIR.v2store-backup, or into the folder of --backup, and prints the lines of the way back.",
    CLEAN: (
        "Its directory needs no cleaning as it is now. The others' do, and members write to each other's logs, so look "
        "again when it is stopped: cleaning it does no harm."
    ),
}
_WHY_UNKNOWN = "Its directory was not given, so it is looked at when the member is stopped."

_SNAPSHOT_OF_OTHERS = (
    " A member of 3.6 that has fallen far behind is sent the leader's snapshot, and dies of one that is not clean "
    "(illegal v2store content): clean it again, or start it with --v2-deprecation=write-only-skip-check (3.6.13 or "
    "later) until all are cleaned."
)
_SMALL_SNAPSHOT_COUNT = (
    " Without clean: restart the member on 3.6 with --snapshot-count=2, until check --for 3.7 finds nothing after some "
    "writes; then restart it without that."
)


def members(cluster: PlannedCluster) -> Iterator[Step]:
    if cluster.is_clean:
        yield _all_are_clean(cluster)
    elif cluster.stops_as_a_whole:
        yield _all_at_once(cluster)
    else:
        to_clean_first = sorted(cluster.members, key=lambda member: member.state == CLEAN)
        for at, member in enumerate(to_clean_first):
            yield _one(cluster, member, is_first=at == 0)


def _all_are_clean(cluster: PlannedCluster) -> Step:
    target = cluster.target
    run: list[str] = []
    for member in cluster.members:
        run += [lines.stop(member), lines.clean_where_needed(member, target), lines.start(member, target)]
    return Step(
        f"Start the member as {target}"
        if len(cluster.members) == 1
        else f"Start the members as {target}, one by one",
        _WHILE_ONE_IS_STOPPED.get(cluster.voters, _OTHERWISE)
        + "Nothing has to be cleaned; check looks once more when a member is stopped, and only if it finds something "
        "is clean run.",
        tuple(run),
        tuple(lines.health(cluster)),
        _see(cluster),
        back_in_words=_back(cluster, cluster.members),
    )


def _one(cluster: PlannedCluster, member: ClusterMember, *, is_first: bool) -> Step:
    target = cluster.target
    cleans = member.state == TO_CLEAN
    why = _WHY.get(member.state, _WHY_UNKNOWN)
    if is_first:
        why = _WHILE_ONE_IS_STOPPED.get(cluster.voters, _OTHERWISE) + why
        why += (
            _SMALL_SNAPSHOT_COUNT
            if cluster.is_of_36
            else _SNAPSHOT_OF_OTHERS
            if len(cluster.members) > 1
            else ""
        )
    return Step(
        f"{member.name}: stop it, {'clean' if cleans else 'check'} its directory, start it as {target}",
        why,
        (
            lines.stop(member),
            lines.clean(member) if cleans else lines.clean_where_needed(member, target),
            lines.start(member, target),
        ),
        tuple(lines.health(cluster)),
        _see(cluster),
        back_in_words=_back(cluster, [member]),
    )


def _all_at_once(cluster: PlannedCluster) -> Step:
    target = cluster.target
    return Step(
        f"Stop all members, clean all directories, start all as {target}",
        "A v2 key has, or had, a TTL: while one lives the leader writes a request of v2 to the logs of all members "
        f"twice a second, and a member of {target} dies of it. So no member may run before all are cleaned; the "
        "cluster is down meanwhile. For one directory alone clean warns of the others: they come next. If the cluster "
        "may not be down, go round twice: first stop, clean and start each member on "
        f"{cluster.source} again, one by one; when all are done, no v2 key is left. Then make this plan again.",
        (
            *map(lines.stop, cluster.members),
            *map(lines.clean, cluster.members),
            *(lines.start(member, target) for member in cluster.members),
        ),
        tuple(lines.health(cluster)),
        f"every member is healthy and runs {target}",
        back_in_words=_back(cluster, cluster.members),
    )


def _see(cluster: PlannedCluster) -> str:
    if len(cluster.members) == 1:
        return f"the member is healthy and runs {cluster.target}"
    return (
        f"the member is healthy, runs {cluster.target}, and its raft index keeps up with the others'; only then go on "
        "to the next one"
    )


def _back(cluster: PlannedCluster, those: Sequence[ClusterMember]) -> str:
    ids = "".join(f"; {member.name} has the id {member.id}" for member in those if member.id != member.name)
    again = (
        "make the cluster anew from the backup of the v3 keys (etcdutl snapshot restore)"
        if len(cluster.members) == 1
        else f"remove the member and add it anew, empty (etcdctl member remove, then add{ids})"
    )
    return (
        "Back: as long as the member has not been started since clean, the lines that clean printed put its backup "
        "back. If "
        f"{cluster.target} does not start, start {cluster.source} on the directory: a cleaned one is good for it, too. "
        "Once the member has run, never put that backup back: the member would lose entries that it has acknowledged "
        f"(tocommit is out of range). If it must be replaced then, {again}."
    )
