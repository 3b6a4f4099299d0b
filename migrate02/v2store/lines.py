"""The shell's lines of a runbook for a cluster of 3.5 or 3.6. Pure.

How etcd is stopped and started is not known: those lines are comments that say whose work it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from migrate02.plan.commands import word
from migrate02.v2store.planned import ClusterMember, PlannedCluster


def directory(member: ClusterMember) -> str:
    """One to fill in where it was not given."""
    return member.path or f"DATA-DIR-OF-{member.name}"


def stop(member: ClusterMember) -> str:
    return f"# stop the member {member.name} (for example: systemctl stop etcd)"


def start(member: ClusterMember, release: str) -> str:
    return f"# put etcd {release} in place, and start the member {member.name} (for example: systemctl start etcd)"


def v2store(command: str, *members: ClusterMember, options: str = "") -> str:
    """A command of ``migrate02 v2store`` for these directories. They have a log of their own place only alone."""
    more = [options] if options else []
    if len(members) == 1 and members[0].wal_dir:
        more.append(f"--wal-dir {_operand(members[0].wal_dir)}")
    return " ".join(["migrate02 v2store", command, *more, *(_operand(directory(each)) for each in members)])


def checks(cluster: PlannedCluster, release: str) -> list[str]:
    """Of all directories that were given."""
    options = "--for 3.7" if release == "3.7" else ""
    return [v2store("check", *cluster.given, options=options)]


def clean(member: ClusterMember) -> str:
    return v2store("clean", member, options="--write")


def clean_where_needed(member: ClusterMember, release: str) -> str:
    options = "--for 3.7" if release == "3.7" else ""
    return f"{v2store('check', member, options=options)} || {clean(member)}"


def client_urls(members: Sequence[ClusterMember]) -> list[str]:
    """Each once."""
    return list(dict.fromkeys(member.client_url for member in members if member.client_url))


def etcdctl(cluster: PlannedCluster, command: str, *, of_all: bool = True) -> str:
    """Asks all members, or one. Where no address is known etcdctl asks the one it has by default for the others'."""
    urls = client_urls(cluster.members)
    if not urls:
        return f"etcdctl {command}{' --cluster' if of_all else ''}"
    return f"etcdctl --endpoints {word(','.join(urls if of_all else urls[:1]))} {command}"


def health(cluster: PlannedCluster) -> list[str]:
    return [etcdctl(cluster, "endpoint health"), etcdctl(cluster, "endpoint status -w table")]


def member_list(cluster: PlannedCluster) -> str:
    return etcdctl(cluster, "member list -w table", of_all=False)


def _operand(path: str) -> str:
    """A word that is no option."""
    return word(f"./{path}" if path.startswith("-") else path)
