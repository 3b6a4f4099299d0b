"""What a plan has to say of nodes and clusters: codes, their stories and texts."""

from __future__ import annotations

from compat.codes import INVALID_VALUE, V2_DATA
from compat.findings import ERROR, INFO, REVIEW, Code
from migrate02.convert.findings import ENVIRONMENT_ELSEWHERE, STANDBY_UNKNOWN

NOT_LIVE = Code(
    "not-live",
    ERROR,
    "a cluster that does not tell who is in it",
    "plan --live asks a node of 0.4 for the cluster's members: at its peer port under /v2/admin/machines, at its "
    "client port under /v2/keys/_etcd/machines. The URL given does not answer like that: nobody is there, it is "
    "no etcd, or it is of 2.x already.",
)
NO_ANSWER = NOT_LIVE.text(
    "{url}: no member of etcd 0.4 answers there: {reason}",
    "Give a client URL (port 4001) or a peer URL (port 7001) of one.",
)

MEMBERS_DIFFER = Code(
    "members-differ",
    REVIEW,
    "members that do not agree",
    "Members of one cluster tell different things: a name that is not the registered one, or an index far from the "
    "others'. One may belong to another cluster, or have fallen behind. Settle it before anything is stopped.",
)
TOO_MANY = MEMBERS_DIFFER.text(
    "{count} members, and an active size of {size}: 0.4 is about to turn some away.",
    "Wait until it has, and ask again.",
)
ANOTHER_NAME = MEMBERS_DIFFER.text(
    "{url} is registered for {name} and calls itself {said}.",
    "Find out whose address it is before anything is stopped.",
)
FAR_BEHIND = MEMBERS_DIFFER.text(
    "The members' indexes are far apart: {indexes}",
    "Ask again. If one stays behind, do not use its data.",
)
NO_ACTIVE_SIZE = MEMBERS_DIFFER.text(
    "No member reports the cluster's active size (/v2/keys/_etcd/config).",
    "Ask again when one is up.",
)
ADDRESS_DIFFERS = MEMBERS_DIFFER.text(
    "-{setting} of {name}: the files say {here}, and the running cluster says {there}.",
    "The plan uses the files. Change them if the running cluster is right.",
)

MEMBER_DOWN = Code(
    "member-down",
    REVIEW,
    "a member that does not answer",
    "0.4 keeps a member in its list for as long as -cluster-remove-delay says. One that is gone for good should "
    "be removed before, or left out of the plan; one that is only down should be brought back, so that its data "
    "is there.",
)
DOES_NOT_ANSWER = MEMBER_DOWN.text(
    "{name} does not answer at {url}/v2/stats/self.",
    "Start it, or remove it from the cluster and ask again.",
)

HALF_KNOWN = Code(
    "half-known",
    REVIEW,
    "a node of which only the addresses are known",
    "A running cluster tells the names of its members and the URLs they advertise. Where a member listens, where "
    "it keeps its data, its certificates and its timing stand in its own configuration: add them to its start "
    "line.",
)
STANDBY_WITHOUT_NAME = HALF_KNOWN.text(
    "{url} is a standby and does not report its name: it is called {name} here.",
    "A proxy may have any name; its own is best.",
)
ONLY_ADDRESSES = HALF_KNOWN.text(
    "{name} does not report where it listens (used: what it advertises) and where it keeps its data.",
    "Add its directory, and what else its own configuration says; or give its files too.",
)
ONLY_PEER_URL = HALF_KNOWN.text(
    "Of {name} only its peer URL is known, from --member.",
    "Add its client URLs and its data directory.",
)

NO_URL = INVALID_VALUE.text(
    "{name} is registered with {url}, which 2.x does not accept as a URL.",
    "Give its files too, with an address as HOST:PORT.",
)

NAME_UNKNOWN = Code(
    "name-unknown",
    ERROR,
    "a node whose name is not known",
    "0.4 took the host's name where no -name was given, and files do not always tell whose host they are for. "
    "2.x wants the names of all members in --initial-cluster, without = and , in them. The member keeps the name "
    "it had: it is what its data says.",
)
NO_SUCH_NODE = NAME_UNKNOWN.text(
    "No node is called {name}.",
    "Give one of {names}.",
)
NO_NAME = NAME_UNKNOWN.text(
    "The node has no name in its files.",
    "Give it one with -name, as it was called in 0.4: its host's name where nothing was set.",
)
NAME_FILLED_IN = NAME_UNKNOWN.text(
    "The node's name, {name}, is filled in when it starts, and --initial-cluster lists it.",
    "Write its name out with -name.",
)
NAME_UNLISTABLE = NAME_UNKNOWN.text(
    "The name {name} cannot stand in --initial-cluster, where = and , separate.",
    "Give it another name.",
)

UNKNOWN_PEER = Code(
    "unknown-peer",
    ERROR,
    "a peer that no file describes",
    "-peers names an address that is no described node's own. If it is a member, --initial-cluster without it is "
    "wrong on all the others, so nothing is planned: give plan its files, or say --member NAME=URL. If the node "
    "is long gone, say --gone HOST:PORT.",
)
NOBODY_VOTES = UNKNOWN_PEER.text(
    "All of {names} are standbys: nobody is a member.",
    "Give the files of the members too.",
)
CLIENT_ADDRESS = UNKNOWN_PEER.text(
    "{peer} in -peers of {nodes} is the client address of {owner}, not its peer address.",
    "Write {address}.",
)
NOBODYS_ADDRESS = UNKNOWN_PEER.text(
    "{peer} in -peers of {nodes} is the address of no node that is described here.",
    "Give its files too, or --member NAME=http://{peer}. If it is gone, give --gone {peer}.",
)
GONE_FROM_NOWHERE = UNKNOWN_PEER.text(
    "--gone {address}: no node has it in -peers.",
    "{hint}",
)

SHARED_FILE = Code(
    "shared-file",
    REVIEW,
    "a file that sets up nodes of several clusters",
    "One file starts nodes of more than one cluster: a Procfile, a script, a unit with two starts. It is converted as "
    "a whole, so these clusters change together. Each has its own runbook; carry them out side by side, every step of "
    "all of them before the next one, so that none of them still runs 0.4 when the file is converted.",
)
SETS_UP_SEVERAL = SHARED_FILE.text(
    "This sets up nodes of several clusters: {clusters}.",
    "Carry out their runbooks side by side, step by step.",
)

STANDBY_FOUND = Code(
    "standby-found",
    INFO,
    "a standby, by what the running cluster says",
    "The files describe the node as one of the cluster, and the running cluster does not list it as a member: it "
    "stands by, with no data of its own, or was removed. 2.x has no standbys, so the plan makes it a proxy.",
)
STANDS_BY = STANDBY_FOUND.text(
    "{name} is no member of the running cluster: it is a standby, and becomes a proxy.",
)

ALREADY_2X = Code(
    "already-2x",
    INFO,
    "set up for 2.x already",
    "Something in the configuration is known to 2.x alone, and nothing to 0.4 alone. A plan leaves it out.",
)
OF_2X = ALREADY_2X.text(
    "It is set up for 2.x already, so it is in no plan.",
)
SERVES_V2 = V2_DATA.text(
    "--enable-v2 is on: what v2 leaves in the data directory stays there, and etcd 3.6 refuses to start on it.",
    "Before the upgrade to 3.6, run: migrate02 v2store check {directory} (see docs/v2-leftovers.md).",
)

MAY_SET_MORE = ENVIRONMENT_ELSEWHERE.text(
    "The start also reads {path}, which was not given.",
    "Add that file to the plan.",
)
PEERS_ELSEWHERE = ENVIRONMENT_ELSEWHERE.text(
    "{path} names the nodes that it joined through, and was not given.",
    "Add that file to the plan, or --together when all nodes are one cluster.",
)

SAME_ADDRESS = Code(
    "same-address",
    ERROR,
    "two nodes at one address",
    "Two nodes, or both sides of one, advertise the same host and port. Only one of them can listen there, so "
    "one of the files is wrong or out of use. Loopback addresses count only within a cluster: every machine has "
    "its own.",
)
ADDRESS_SHARED = SAME_ADDRESS.text(
    "{address} is {owners}",
    "Give each its own address. If both files are about one node, give only the one that is used.",
)

SAME_NAME = Code(
    "same-name",
    ERROR,
    "two nodes of a cluster with one name",
    "Every member of a cluster has a name of its own: --initial-cluster lists them by it, and two entries of one "
    "name are one member with two addresses. In 0.4 the second node of a name took the place of the first. Where "
    "two files are about the same node, give plan only the one that is used.",
)
NAME_SHARED = SAME_NAME.text(
    "{count} nodes are called {name}: {places}",
    "Give each its own -name. If both files are about one node, give only the one that is used.",
)

UNREACHABLE_ADDRESS = Code(
    "unreachable-address",
    ERROR,
    "an address that others cannot call",
    "A member of a cluster on several machines advertises a loopback address, or a wildcard, to the other "
    "members. 0.4's default for -peer-addr is 127.0.0.1:7001. 2.x puts the address into --initial-cluster, where "
    "it means another machine to everyone who reads it.",
)
UNREACHABLE = UNREACHABLE_ADDRESS.text(
    "{name} advertises {address} to the others, which is {what}.",
    "Set -peer-addr to an address that the other members reach.",
)

MIXED_TLS = Code(
    "mixed-tls",
    REVIEW,
    "some members with TLS and some without",
    "Some nodes of the cluster are called with https and some with http. In 0.4 that was each node's own affair, "
    "and 2.x starts with it as well; but what goes to the others is not protected, and clients need both kinds "
    "of URL.",
)
BOTH_SCHEMES = MIXED_TLS.text(
    "some of the -{setting} are https and some http ({nodes})",
    "Give all members -{prefix}cert-file and -{prefix}key-file, or none.",
)

MIXED_TIMING = Code(
    "mixed-timing",
    REVIEW,
    "members with different heartbeats or election times",
    "Every member of a cluster should have the same pair: one that waits for less than the others send starts "
    "elections all the time.",
)
TIMES_DIFFER = MIXED_TIMING.text(
    "Heartbeat and election time (ms) differ: {nodes}",
    "Set the same pair on every member.",
)

FILLED_IN_LATER = Code(
    "filled-in-later",
    REVIEW,
    "an address that is filled in when the node starts",
    "The address has a variable in it, such as $private_ipv4, that each machine fills in with its own. In "
    "--initial-cluster it would be filled in with the wrong one: all members' addresses stand there, on each of "
    "them.",
)
ADDRESS_FILLED_IN = FILLED_IN_LATER.text(
    "The address of {name} is filled in when it starts: {addresses}",
    "Write out its value here, above all in --initial-cluster.",
)

LISTENS_ELSEWHERE = Code(
    "listens-elsewhere",
    REVIEW,
    "listening at one address and advertising another",
    "The node is bound to one address only, and tells others to call another. That is right where something "
    "forwards from one to the other, a container's published port or NAT, and wrong otherwise.",
)
LISTENS_ON_ANOTHER = LISTENS_ELSEWHERE.text(
    "{name} listens on {heard} only, and advertises {told}.",
    "If nothing forwards from one to the other, bind to {told}.",
)

SIZES_DIFFER = STANDBY_UNKNOWN.text(
    "-cluster-active-size differs ({sizes}); 0.4 used that of the node that came first.",
    "Ask the running cluster (--live {url}), or name each with --standby NAME.",
)
STANDBYS_AMONG_NODES = STANDBY_UNKNOWN.text(
    "{reason}",
    "Ask the running cluster (--live {url}), or name each with --standby NAME.",
)
