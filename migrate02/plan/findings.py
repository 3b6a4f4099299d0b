"""What a plan has to say of nodes and clusters: codes, their stories and texts."""

from __future__ import annotations

from compat.codes import INVALID_VALUE, V2_DATA
from compat.findings import ERROR, INFO, REVIEW, Code
from migrate02.convert.findings import ENVIRONMENT_ELSEWHERE, STANDBY_UNKNOWN

NOT_LIVE = Code(
    "not-live",
    ERROR,
    "a cluster that does not report its members",
    "plan --live asks a node of 0.4 for the cluster's members: at its peer port under /v2/admin/machines, at its "
    "client port under /v2/keys/_etcd/machines. The URL did not answer like that: nothing runs there, it is not an "
    "etcd, or it is 2.x already.",
)
NO_ANSWER = NOT_LIVE.text(
    "{url}: no member of etcd 0.4 answers there: {reason}",
    "Give a client URL (port 4001) or a peer URL (port 7001) of one.",
)

MEMBERS_DIFFER = Code(
    "members-differ",
    REVIEW,
    "members that do not agree",
    "Members of one cluster report different things: a name that is not the registered one, or an index far from the "
    "others'. One may belong to another cluster, or be behind. Find the reason before you stop anything.",
)
TOO_MANY = MEMBERS_DIFFER.text(
    "{count} members, and an active size of {size}: 0.4 is about to turn some away.",
    "Wait until it has, and ask again.",
)
ANOTHER_NAME = MEMBERS_DIFFER.text(
    "{url} is registered for {name} and calls itself {said}.",
    "Find out which node has this address before you stop anything.",
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
    "0.4 keeps a member in its list for the time in -cluster-remove-delay. If the member is lost, remove it first, "
    "or do not include it in the plan. If it is only down, start it again, so that you have its data.",
)
DOES_NOT_ANSWER = MEMBER_DOWN.text(
    "{name} does not answer at {url}/v2/stats/self.",
    "Start it, or remove it from the cluster and ask again.",
)

HALF_KNOWN = Code(
    "half-known",
    REVIEW,
    "a node with only its addresses known",
    "A running cluster reports the names of its members and the URLs they advertise. Where a member listens, where "
    "it keeps its data, its certificates and its timing are in its own configuration: add them to its start line.",
)
STANDBY_WITHOUT_NAME = HALF_KNOWN.text(
    "{url} is a standby and does not report its name; the plan calls it {name}.",
    "A proxy may have any name; the old one is best.",
)
ONLY_ADDRESSES = HALF_KNOWN.text(
    "{name} does not report where it listens (used: what it advertises), nor where it keeps its data.",
    "Add its directory and its other settings, or give its files too.",
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
    "0.4 used the host name if there was no -name, and files do not always say for which host they are. 2.x needs "
    "the names of all members in --initial-cluster, without = and , in them. The member keeps its old name, because "
    "its data has that name.",
)
NO_SUCH_NODE = NAME_UNKNOWN.text(
    "No node is called {name}.",
    "Give one of {names}.",
)
NO_NAME = NAME_UNKNOWN.text(
    "The node has no name in its files.",
    "Set -name to its name in 0.4: the host name, if nothing was set.",
)
NAME_FILLED_IN = NAME_UNKNOWN.text(
    "The node's name, {name}, is filled in when it starts, and --initial-cluster lists it.",
    "Write its name out with -name.",
)
NAME_UNLISTABLE = NAME_UNKNOWN.text(
    "The name {name} is not possible in --initial-cluster, where = and , are separators.",
    "Give it another name.",
)

UNKNOWN_PEER = Code(
    "unknown-peer",
    ERROR,
    "a peer that no file describes",
    "-peers has an address that belongs to no described node. If that node is a member, --initial-cluster without it "
    "would be wrong on all the others, so there is no plan: give plan its files, or --member NAME=URL. If the node "
    "no longer exists, give --gone HOST:PORT.",
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
    "{peer} in -peers of {nodes} is not the address of any node described here.",
    "Give its files too, or --member NAME=http://{peer}. If it no longer exists, give --gone {peer}.",
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
    "a standby, as the running cluster reports",
    "The files describe the node as part of the cluster, but the running cluster does not list it as a member: it is "
    "a standby, without data, or it was removed. 2.x has no standbys, so the plan makes it a proxy.",
)
STANDS_BY = STANDBY_FOUND.text(
    "{name} is not a member of the running cluster: it is a standby, and becomes a proxy.",
)

ALREADY_2X = Code(
    "already-2x",
    INFO,
    "set up for 2.x already",
    "Something in the configuration is known only to 2.x, and nothing only to 0.4. It is not in the plan.",
)
OF_2X = ALREADY_2X.text(
    "It is set up for 2.x already, so it is in no plan.",
)
SERVES_V2 = V2_DATA.text(
    "--enable-v2 is on: v2's data remains in the data directory, and etcd 3.6 refuses to start on it.",
    "Before the upgrade to 3.6, run: migrate02 v2store check {directory} (see docs/v2-leftovers.md).",
)

MAY_SET_MORE = ENVIRONMENT_ELSEWHERE.text(
    "The start also reads {path}, which was not given.",
    "Add that file to the plan.",
)
PEERS_ELSEWHERE = ENVIRONMENT_ELSEWHERE.text(
    "{path} names the nodes that it joined, and was not given.",
    "Add that file to the plan, or --together if all nodes are one cluster.",
)

SAME_ADDRESS = Code(
    "same-address",
    ERROR,
    "two nodes with one address",
    "Two nodes, or the client and the peer side of one, advertise the same host and port. Only one of them can "
    "listen there, so one of the files is wrong or out of use. Loopback addresses count only within a cluster: every "
    "machine has its own.",
)
ADDRESS_SHARED = SAME_ADDRESS.text(
    "{address} is {owners}",
    "Give each its own address. If both files are about one node, give only the one that is used.",
)

SAME_NAME = Code(
    "same-name",
    ERROR,
    "two nodes of a cluster with one name",
    "Every member of a cluster needs its own name: --initial-cluster lists members by name, and two entries with one "
    "name are one member with two addresses. In 0.4 the second node with a name replaced the first. If two files are "
    "about the same node, give plan only the one that is used.",
)
NAME_SHARED = SAME_NAME.text(
    "{count} nodes are called {name}: {places}",
    "Give each its own -name. If both files are about one node, give only the one that is used.",
)

UNREACHABLE_ADDRESS = Code(
    "unreachable-address",
    ERROR,
    "an address that others cannot reach",
    "A member of a cluster on several machines advertises a loopback address, or a wildcard, to the other members. "
    "0.4's default for -peer-addr is 127.0.0.1:7001. 2.x writes the address into --initial-cluster, where it means "
    "another machine for each reader.",
)
UNREACHABLE = UNREACHABLE_ADDRESS.text(
    "{name} advertises {address} to the others, which is {what}.",
    "Set -peer-addr to an address that the other members can reach.",
)

MIXED_TLS = Code(
    "mixed-tls",
    REVIEW,
    "some members with TLS and some without",
    "Some nodes of the cluster use https and some http. 0.4 and 2.x allow this, but traffic to the http nodes is not "
    "protected, and clients need both kinds of URL.",
)
BOTH_SCHEMES = MIXED_TLS.text(
    "some of the -{setting} are https and some http ({nodes})",
    "Give all members -{prefix}cert-file and -{prefix}key-file, or none.",
)

MIXED_TIMING = Code(
    "mixed-timing",
    REVIEW,
    "members with different heartbeats or election times",
    "Every member of a cluster should have the same pair: a member that waits less than the others' interval starts "
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
    "The address has a variable in it, such as $private_ipv4, which each machine replaces with its own value. "
    "--initial-cluster has the addresses of all members, on each of them, so the variable would get the wrong value "
    "there.",
)
ADDRESS_FILLED_IN = FILLED_IN_LATER.text(
    "The address of {name} is filled in when it starts: {addresses}",
    "Write out its value here, above all in --initial-cluster.",
)

LISTENS_ELSEWHERE = Code(
    "listens-elsewhere",
    REVIEW,
    "listening on one address and advertising another",
    "The node listens on one address only, and advertises another one. That is right if something forwards from one "
    "to the other, a container's published port or NAT, and wrong otherwise.",
)
LISTENS_ON_ANOTHER = LISTENS_ELSEWHERE.text(
    "{name} listens on {heard} only, and advertises {told}.",
    "If nothing forwards from one to the other, bind to {told}.",
)

SIZES_DIFFER = STANDBY_UNKNOWN.text(
    "-cluster-active-size differs ({sizes}); 0.4 used the value of the first node.",
    "Ask the running cluster (--live {url}), or name each with --standby NAME.",
)
STANDBYS_AMONG_NODES = STANDBY_UNKNOWN.text(
    "{reason}",
    "Ask the running cluster (--live {url}), or name each with --standby NAME.",
)
