"""The steps before the first member is stopped: a copy of all data, the flag of v2, the v2 keys. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from migrate02.plan.commands import word
from migrate02.plan.step import Step
from migrate02.v2store import lines
from migrate02.v2store.planned import PlannedCluster

KEYS, KEYS_FOR_V3 = "v2-keys.jsonl", "v2-keys.sh"

_WITH_TLS = " Here and below, give etcdctl and curl what your clients have (--cacert, --cert and --key)."
_ONE_RELEASE = {
    "3.5": (
        "All members should run one release of 3.5, best the newest. With one before 3.5.26, members that were removed "
        "long ago may still be in the database (zombie members), and with one before 3.5.20 a promoted learner or a "
        "changed peer URL may not be there; clean refuses such a directory."
    ),
    "3.6": "All members should run one release of 3.6, best the newest.",
}


def begin(cluster: PlannedCluster) -> Iterator[Step]:
    snapshot = f"before-{cluster.target}.db"
    tls = any(url.startswith("https:") for url in lines.client_urls(cluster.members))
    yield Step(
        "Make a backup of the v3 keys, and see that all members are well",
        "The backup is the way back when all else fails. It has the v3 keys, and nothing of v2. "
        + _ONE_RELEASE[cluster.source]
        + (_WITH_TLS if tls else ""),
        (lines.etcdctl(cluster, f"snapshot save {snapshot}", of_all=False),),
        (
            f"etcdutl snapshot status {snapshot} -w table",
            *lines.health(cluster),
            *lines.checks(cluster, cluster.target),
        ),
        f"the backup has as many keys as you expect, every member is healthy and runs the same release of "
        f"{cluster.source}, and check says what this plan says",
        back_in_words="Back: nothing has changed yet.",
    )


def turn_flag_off(cluster: PlannedCluster) -> Iterator[Step]:
    """3.6 has no such flag."""
    if cluster.is_of_36:
        return
    why = (
        "With the flag, each probe of /health at a member of 3.5 writes a request of v2 to the logs of all members. A "
        "member that is on 3.6 already dies of the first one."
    )
    see = "404 from every member: the API of v2 is off. 200 means that the flag is still there"
    check = tuple(
        f"curl -s -o /dev/null -w '%{{http_code}}\\n' {word(url.rstrip('/') + '/v2/keys')}"
        for url in lines.client_urls(cluster.members)
    )
    if not cluster.had_requests:
        yield Step("See that --enable-v2 is off on every member", why, check=check, see=see)
        return
    yield Step(
        "Take --enable-v2 away from every member, and restart them one by one",
        f"The logs have {cluster.had_requests}. {why} Probes leave the same with 3.4.0 to 3.4.28, where there is no "
        "flag to take away: then only look.",
        tuple(
            f"# {member.name}: take away --enable-v2, ETCD_ENABLE_V2 or enable-v2, then restart the member "
            "(for example: systemctl restart etcd)"
            for member in cluster.members
        ),
        (*check, *lines.health(cluster)),
        f"{see}. Every member is healthy before the next one is restarted",
        back_in_words="Back: set the flag again, and restart the member.",
    )


def export_keys(cluster: PlannedCluster) -> Iterator[Step]:
    source = cluster.exports_from
    if source is None:
        return
    export, for_v3 = lines.v2store("export", source), lines.v2store("export", source, options="--as etcdctl")
    yield Step(
        "Write the v2 keys out",
        f"etcd {cluster.target} has no v2 keys, and clean takes them away. Keep them if anybody may still want them. "
        f"{KEYS_FOR_V3} holds lines of etcdctl that put them into v3: read it, and run it if you want the keys there. "
        "For a server that has the API of v2, say --as v2 instead. clean writes the keys out once more, "
        "beside its backup.",
        (f"{export} > {KEYS}", f"{for_v3} > {KEYS_FOR_V3}"),
        (f"head {KEYS} {KEYS_FOR_V3}",),
        "the keys that your v2 clients know",
        (f"rm {KEYS} {KEYS_FOR_V3}",),
    )
