"""What a translation has to say to a person. Codes are stable; the words may get better.

``CODES`` is the one table of them: severity, one-line title and the whole story that ``migrate02 explain CODE``
tells. A finding adds the setting, where it came from, what happened to it and what to do.
"""

from __future__ import annotations

from typing import NamedTuple

from compat.settings import Origin
from server.printable import shown

ERROR = "error"
"""Refused: nothing is written, nothing starts."""
REVIEW = "review"
"""Converted, but something is left for a person to decide or to do."""
INFO = "info"
"""Worth knowing; nothing to do."""


class Code(NamedTuple):
    severity: str
    title: str
    story: str


class Finding(NamedTuple):
    """One thing to say. ``setting`` is the 0.4 or 2.x flag name without dashes, empty for a whole file."""

    code: str
    setting: str
    origin: Origin | None
    message: str
    remedy: str

    @property
    def severity(self) -> str:
        return CODES[self.code].severity

    @property
    def place(self) -> str:
        return self.origin.place if self.origin else ""

    def __str__(self) -> str:
        """One line, whatever was in the values."""
        place = f"{self.place}: " if self.origin else ""
        remedy = f" -> {self.remedy}" if self.remedy else ""
        return shown(f"{self.severity}[{self.code}] {place}{self.message}{remedy}")


def worst(findings: list[Finding]) -> str:
    """The highest severity among them, or ``""``."""
    found = {finding.severity for finding in findings}
    return next((severity for severity in (ERROR, REVIEW, INFO) if severity in found), "")


CODES: dict[str, Code] = {
    # Refusals.
    "old-and-new": Code(
        ERROR,
        "an old and a new setting for the same thing",
        "etcd 2.x kept four addresses of 0.4 as old names of its URL settings and refuses to guess which one you "
        "mean when both are set, even if the values agree. -addr also takes over the listening side while -bind-addr "
        "is not given, and -peer-addr likewise, so -addr beside --listen-client-urls is a conflict too; the migration "
        "table of the clustering guide does not say so, but 2.0 to 2.3 do it. It does not matter whether a setting "
        "came by flag, environment or file. An empty environment variable counts as not set. From 3.0 on the old "
        "names are unknown.\n\nKeep the new setting and remove the old one.",
    ),
    "several-bootstraps": Code(
        ERROR,
        "more than one way to find the cluster",
        "A member finds its cluster by --initial-cluster, by --discovery or by --discovery-srv. etcd 2.x and later "
        "refuse more than one of them, before anything else is checked, and even if one is given an empty value on "
        "the command line. Keep one.",
    ),
    "peers": Code(
        ERROR,
        "-peers and -peers-file have no equivalent",
        "In 0.4 a node joined whatever cluster it found through the addresses in -peers. etcd 2.x wants the whole "
        "membership agreed before the first start: --initial-cluster lists every member as NAME=peer-URL, the same "
        "on each of them. That is a similar concept with different semantics, and one node's file cannot give it: "
        "the names of the others are missing. etcd 2.0 to 2.3 define both flags only to refuse them; 3.0 and later "
        "do not know them. See the clustering guide of etcd 2, section 'Static', and its migration table.\n\n"
        "etcd02 refuses both, as etcd does. 'migrate02 convert' writes a list that a person completes, see "
        "incomplete-cluster.\n\n"
        "Two cases are passed over: with --initial-cluster given beside it, and on a member that already has its "
        "data, which knows its cluster from there.",
    ),
    "invalid-value": Code(
        ERROR,
        "a value that etcd would refuse",
        "The value does not have the form its setting needs: host:port for the old addresses, http(s)://host:port "
        "without a path for the URL settings, a decimal number, or a Go boolean (1 t T TRUE true True 0 f F FALSE "
        "false False). The message has etcd's own words.",
    ),
    "unknown-setting": Code(
        ERROR,
        "a flag that neither 0.4 nor the target knows",
        "etcd refuses a flag it does not know. Either it is misspelt, it belongs to another program, or it came "
        "with a later release than the one asked for.",
    ),
    "settings-clash": Code(
        ERROR,
        "settings that do not go together",
        "etcd checks some settings against each other before it starts; the message has its own words.",
    ),
    "stray-words": Code(
        ERROR,
        "words on the command line that belong to no flag",
        "Flags end at the first word that is none. 0.4 silently ignored that word and everything after it; 2.x "
        "refuses to start. A boolean takes its value only after '=': -snapshot=true, not -snapshot true.",
    ),
    "unusable-input": Code(
        ERROR,
        "a file that cannot be read as an etcd configuration",
        "The file is missing, unreadable, empty, binary, broken, or holds no etcd setting. 0.4's own file is TOML "
        "(/etc/etcd/etcd.conf); environment files (NAME=value lines) and command lines are read too.",
    ),
    "data-dir-04": Code(
        ERROR,
        "the data directory is of etcd 0.4",
        "0.4 kept its data in conf, log and snapshot; 2.x keeps it under member/. etcd 2.0 and 2.1 converted an old "
        "directory at the first start, but of what was written after the last snapshot they lost keys that were made "
        "with prevExist=false, and times to live; 2.2 and later start EMPTY over it, with only a warning. etcd02 "
        "refuses instead.\n\n"
        "To keep the keys of a single member, stop 0.4 and run: migrate02 data DIR --beside - or start etcd02 with "
        "--auto-migrate, which does the same. member/ appears next to the old files, whole or not at all; keys, "
        "indexes, times to live, hidden keys, the member's name and address are kept, and nothing of 0.4's is changed. "
        "With --name NAME if the directory does not tell it. To have the new directory elsewhere: migrate02 data DIR "
        "NEW\n\n"
        "To keep the keys of a cluster, stop all members, bring their directories to one machine and run: migrate02 "
        "data DIR DIR DIR --out OUT - then take OUT/NAME back to each. Members are stopped one after the other, so "
        "their logs seldom end with the same entry; together they get the same state.\n\n"
        "migrate02 data inspect DIR tells what a directory holds and what is damaged in it, migrate02 data verify OLD "
        "NEW compares two.\n\n"
        "To start empty, move the directory aside (mv DIR DIR.0.4), and keep it.",
    ),
    "engine": Code(
        ERROR,
        "the real etcd that was asked for cannot be used",
        "--engine (or ETCD02_ENGINE) names a real etcd to hand over to, or 'auto' for the one on the PATH. It must "
        "be an executable that answers --version as etcd does.",
    ),
    # Of a plan: what does not fit together across the nodes of a cluster.
    "same-name": Code(
        ERROR,
        "two nodes of a cluster with one name",
        "Every member of a cluster has a name of its own: --initial-cluster lists them by it, and two entries of one "
        "name are one member with two addresses. In 0.4 the second node of a name took the place of the first. Where "
        "two files are about the same node, give plan only the one that is used.",
    ),
    "same-address": Code(
        ERROR,
        "two nodes at one address",
        "Two nodes, or both sides of one, advertise the same host and port. Only one of them can listen there, so "
        "one of the files is wrong or out of use. Loopback addresses count only within a cluster: every machine has "
        "its own.",
    ),
    "unknown-peer": Code(
        ERROR,
        "a peer that no file describes",
        "-peers names an address that is no described node's own. If it is a member, --initial-cluster without it is "
        "wrong on all the others, so nothing is planned: give plan its files, or say --member NAME=URL. If the node "
        "is long gone, say --gone HOST:PORT.",
    ),
    "unreachable-address": Code(
        ERROR,
        "an address that others cannot call",
        "A member of a cluster on several machines advertises a loopback address, or a wildcard, to the other "
        "members. 0.4's default for -peer-addr is 127.0.0.1:7001. 2.x puts the address into --initial-cluster, where "
        "it means another machine to everyone who reads it.",
    ),
    "name-unknown": Code(
        ERROR,
        "a node whose name is not known",
        "0.4 took the host's name where no -name was given, and files do not always tell whose host they are for. "
        "2.x wants the names of all members in --initial-cluster, without = and , in them. The member keeps the name "
        "it had: it is what its data says.",
    ),
    "not-live": Code(
        ERROR,
        "a cluster that does not tell who is in it",
        "plan --live asks a node of 0.4 for the cluster's members: at its peer port under /v2/admin/machines, at its "
        "client port under /v2/keys/_etcd/machines. The URL given does not answer like that: nobody is there, it is "
        "no etcd, or it is of 2.x already.",
    ),
    # Something is left for a person.
    "incomplete-cluster": Code(
        REVIEW,
        "a list of members that a person has to complete",
        "-peers names the addresses of others, and etcd 2.x needs every member of the cluster before the first start. "
        "One node's file cannot give that list. So it is converted with the node's own entry and a placeholder, "
        "--initial-cluster NAME=URL,OTHERS=run-migrate02-plan, which no etcd accepts: 2.0 to 3.7 refuse to start "
        "with 'URL scheme must be http or https: run-migrate02-plan'. An empty or missing --initial-cluster would be "
        "worse: etcd 3.4 and later would start a cluster of one.\n\n"
        "What decides is that the list is complete, and that every member has the same addresses in it. The names of "
        "the others need not be right: etcd compares the URLs, and takes the names from the members themselves.\n\n"
        "'migrate02 plan' with the files of all nodes makes the list. 'migrate02 convert --initial-cluster LIST' "
        "writes it into the file. 'migrate02 convert --check DIR' finds every list in DIR that is not complete.",
    ),
    "name-from-hostname": Code(
        REVIEW,
        "0.4 took the name from the host",
        "Without -name, 0.4 used the host name; 2.x calls every unnamed member 'default', and two of those cannot "
        "form a cluster. The host name is written out, as this machine says it is: check it when the configuration "
        "is for another machine.",
    ),
    "half-tls-pair": Code(
        REVIEW,
        "a certificate without its key, or a key without its certificate",
        "0.4 served plain http unless both halves were given, without a word; 2.x refuses half a pair. The half is "
        "left out, so that what was served stays as it was: plain http.",
    ),
    "ca-without-pair": Code(
        REVIEW,
        "a CA file that had no effect",
        "In 0.4 -ca-file asked for client certificates, but only when -cert-file and -key-file were both given. "
        "Without them nothing was checked. It is left out, so that what was served stays as it was.",
    ),
    "timing-bent": Code(
        REVIEW,
        "heartbeat and election time do not fit 2.x's rules",
        "2.x wants --election-timeout to be at least five times --heartbeat-interval, and at most 50000 ms (from "
        "2.1.2 on); 0.4's own defaults (50 and 200 ms) break the rule. 2.x ignores -peer-heartbeat-interval and "
        "-peer-election-timeout with a warning, so they are carried over to the new names, bent as little as the "
        "rules allow. Every member of a cluster must have the same pair.",
    ),
    "discovery-token": Code(
        REVIEW,
        "a discovery token of 0.4 cannot be used again",
        "2.x reads the cluster's size from TOKEN/_config/size, waits until that many members have registered, and "
        "takes a token only once. A token used with 0.4 holds 0.4's registrations and no size. A member that "
        "already has data does not look at it. 3.7 removed this kind of discovery.",
    ),
    "no-counterpart": Code(
        REVIEW,
        "a setting of 0.4 that 2.x has no counterpart for",
        "The setting had an effect in 0.4 that nothing in 2.x has. It is left out.",
    ),
    "never-read": Code(
        REVIEW,
        "a setting that 0.4 never looked at",
        "0.4 silently ignored unknown keys in its file, keys in the wrong table, and some names that its own "
        "documentation gave. Such a setting had no effect, so it is not converted: that would change what runs. It "
        "is told, because somebody believed in it.",
    ),
    "takes-effect": Code(
        REVIEW,
        "a setting that 0.4 never read, and that takes effect from now on",
        "0.4 read ETCD_SNAPSHOTCOUNT and not ETCD_SNAPSHOT_COUNT, which etcd 2.x reads. So the variable had no effect, "
        "and has one with etcd 2.x. It is kept, because somebody set it. Remove it to keep what was in effect.",
    ),
    "config-not-seen": Code(
        REVIEW,
        "a -config that 0.4 never saw",
        "0.4 looked for -config in a first pass over the command line that knew no other flag, so a value written as "
        "a word of its own before it (-name x -config f) ended the search, and the file was silently not read. It is "
        "not read here either. To have it read, put -config first or write the flags before it as -name=x.",
    ),
    "config-elsewhere": Code(
        REVIEW,
        "a configuration file beside the command line",
        "0.4 read the file named by -config; etcd 2.x ignores the flag with a warning, and 3.x reads YAML from "
        "--config-file instead. The command line is converted by itself: what the file holds has to be converted too. "
        "etcd02 reads both.",
    ),
    "words-ignored": Code(
        REVIEW,
        "words that 0.4 silently ignored",
        "Flags end at the first word that is none; 0.4 ignored it and everything after it, flags too. The same is "
        "done here for a command line that is plainly 0.4's. Often it is a boolean with a value of its own "
        "(-snapshot true), a redirection or an '&' that never reached a shell.",
    ),
    "flags-elsewhere": Code(
        REVIEW,
        "flags that are filled in from elsewhere",
        'A word such as $ETCD_OPTS or "$@" on a command line stands for flags that cannot be seen there, and a '
        "variable may hold a piece of a command line. A variable that is set plainly, in the same file or in one that "
        "it takes in and that is among the files of the run, is seen through. Any other word or variable is left as it "
        "is. If there are flags of 0.4 in it, convert them by themselves, with 'migrate02 convert -- etcd FLAGS', and "
        "put the result in.",
    ),
    "wildcard-advertised": Code(
        REVIEW,
        "a wildcard as the advertised address",
        "0.0.0.0 and [::] mean 'every interface' to a listener; told to others as an address to call they mean "
        "nothing. 2.x hands the URL to clients and proxies, which then call themselves.",
    ),
    "unusable-value": Code(
        REVIEW,
        "a value of 0.4's that cannot be carried over",
        "2.x does not look at this setting and starts whatever it says, so it is no reason to refuse the start; but "
        "the value is not one that can be given to its new name either. It is passed over, and 2.x's default holds.",
    ),
    "target-lacks": Code(
        REVIEW,
        "the target release cannot say it",
        "The setting is newer than the release asked for by --target, or that release has dropped it.",
    ),
    "listen-host-name": Code(
        REVIEW,
        "a host name to listen on",
        "0.4 and 2.x resolve a host name in a listening address; 3.0 and 3.1 warn, and from 3.2 on only an IP address "
        "or localhost is taken ('expected IP in URL for binding').",
    ),
    "cors-without-port": Code(
        REVIEW,
        "origins without a port",
        "Up to 3.3 --cors takes any text; from 3.4 on every origin must be a URL with an explicit port, or '*'.",
    ),
    "v2-api": Code(
        REVIEW,
        "clients of the v2 API",
        "Clients of 0.4 and 2.x speak /v2/keys. 3.4 and 3.5 serve it only with --enable-v2; 3.6 and later do not "
        "serve it at all, and v2 keys in the data directory cannot be reached any more.",
    ),
    "era-unclear": Code(
        REVIEW,
        "nothing here is 0.4's alone",
        "All settings exist in 0.4 and in 2.x, but what is not set differs: 0.4 listened on every interface at ports "
        "4001 and 7001, 2.x on localhost at 2379, 4001, 2380 and 7001; 0.4 took its name from the host. Only you know "
        "which one it was written for.",
    ),
    "not-converted": Code(
        REVIEW,
        "settings of 0.4 that are left as they are",
        "Something here sets up etcd 0.4 in a way that cannot be told for sure: flags that are added only at times and "
        "decide about others, a variable that the script itself uses, a program in a variable, a quote that is left "
        "open, a file of a kind that is not converted, or a file that belongs to one which is refused. Nothing is "
        "guessed: that piece is left as it is. Change what the finding names and convert again, or convert etcd's "
        "command line by itself, 'migrate02 convert -- etcd FLAGS', and put the result in.",
    ),
    "defaults-left-out": Code(
        REVIEW,
        "what 0.4 did by default, where more may be set elsewhere",
        "A start of etcd whose environment file, or a variable in it, is not among the files at hand may be given more "
        "settings there. What 0.4 did by default is then not written out, because a flag would win over what is set "
        "there: the member's name, its addresses, a cluster of one. The settings that are seen are converted. Convert "
        "the missing file in the same run, or add what is set nowhere by hand.",
    ),
    "environment-elsewhere": Code(
        REVIEW,
        "an environment file that is not at hand",
        "The start of etcd takes variables from a file that is not among the files of this run. Its settings belong to "
        "the same configuration: flags over environment over 0.4's file. Convert both in one run, so that they are "
        "taken together; a setting of 0.4 left in that file would clash with its new name here.",
    ),
    "value-elsewhere": Code(
        REVIEW,
        "an address that is filled in as a whole",
        "0.4 listened at the port of the advertised address, and 2.x has to be told where to listen. When the whole "
        "address is a variable that is set elsewhere, its port is not seen, and nothing is guessed: the start of etcd "
        "is left as it is. Write the port out, $HOST:4001, or set the variable plainly in the same file.",
    ),
    "shared-settings": Code(
        REVIEW,
        "settings that two starts of etcd share",
        "Two starts of etcd take a setting from the same place, a variable or an environment file, and what has to "
        "stand there differs between them: one sets an address that the other does not, for example. Neither is "
        "changed. Give each its own, and convert again.",
    ),
    "two-sections": Code(
        REVIEW,
        "sections for etcd 0.4 and for 2.x in one cloud-config",
        "The cloud-config holds both 'etcd:' and 'etcd2:', for a machine that starts one or the other. The section of "
        "2.x is taken for what is wanted, and the one of 0.4 is left as it is: nothing reads it once the unit "
        "etcd.service is gone. Remove it.",
    ),
    "old-release": Code(
        REVIEW,
        "an image or an archive that is too old",
        "The file names a release before 2.0, or one before the --target, as the tag of an image or an archive to be "
        "fetched. A converted configuration needs etcd 2.x, or that target: which one to take, and from where, is for "
        "a person to say.",
    ),
    # Of a plan.
    "mixed-tls": Code(
        REVIEW,
        "some members with TLS and some without",
        "Some nodes of the cluster are called with https and some with http. In 0.4 that was each node's own affair, "
        "and 2.x starts with it as well; but what goes to the others is not protected, and clients need both kinds "
        "of URL.",
    ),
    "mixed-timing": Code(
        REVIEW,
        "members with different heartbeats or election times",
        "Every member of a cluster should have the same pair: one that waits for less than the others send starts "
        "elections all the time.",
    ),
    "filled-in-later": Code(
        REVIEW,
        "an address that is filled in when the node starts",
        "The address has a variable in it, such as $private_ipv4, that each machine fills in with its own. In "
        "--initial-cluster it would be filled in with the wrong one: all members' addresses stand there, on each of "
        "them.",
    ),
    "listens-elsewhere": Code(
        REVIEW,
        "listening at one address and advertising another",
        "The node is bound to one address only, and tells others to call another. That is right where something "
        "forwards from one to the other, a container's published port or NAT, and wrong otherwise.",
    ),
    "standby-unknown": Code(
        REVIEW,
        "more nodes than the active size, and nobody knows which stood by",
        "0.4 let as many nodes vote as the active size says (9 by default), and the others stood by, with no data. "
        "It chose them while it ran, so files do not tell. 2.x has no standbys: they become proxies. Ask the running "
        "cluster, or the data directories: one with a standby_info that says it was running is a standby's.",
    ),
    "half-known": Code(
        REVIEW,
        "a node of which only the addresses are known",
        "A running cluster tells the names of its members and the URLs they advertise. Where a member listens, where "
        "it keeps its data, its certificates and its timing stand in its own configuration: add them to its start "
        "line.",
    ),
    "member-down": Code(
        REVIEW,
        "a member that does not answer",
        "0.4 keeps a member in its list for as long as -cluster-remove-delay says. One that is gone for good should "
        "be removed before, or left out of the plan; one that is only down should be brought back, so that its data "
        "is there.",
    ),
    "members-differ": Code(
        REVIEW,
        "members that do not agree",
        "Members of one cluster tell different things: a name that is not the registered one, or an index far from the "
        "others'. One may belong to another cluster, or have fallen behind. Settle it before anything is stopped.",
    ),
    # Worth knowing.
    "nothing-to-convert": Code(
        INFO,
        "no setting of etcd in a file",
        "The file was named, and holds no setting of etcd. It is not changed. An environment file without one, or an "
        "empty file, is no mistake: a unit may read it for other variables.",
    ),
    "discovery-dropped": Code(
        INFO,
        "-discovery was removed for a list of members",
        "etcd 2.x refuses --discovery beside --initial-cluster, and a token that 0.4 used cannot be used again. Where "
        "the list of members is given, by --initial-cluster of this run or from its files, -discovery is removed. "
        "A file that sets both is refused, see several-bootstraps.",
    ),
    "v2-data": Code(
        INFO,
        "--enable-v2 makes data that etcd 3.6 refuses",
        "Clients of 0.4 and 2.x speak /v2/keys, which 3.4 and 3.5 serve with --enable-v2. What they write there stays "
        "in the data directory, and etcd 3.6 and later refuse to start on it. Move the clients and their keys to the "
        "v3 API before the upgrade to 3.6.",
    ),
    "not-a-file": Code(
        INFO,
        "a pipe, a socket or a device in a folder",
        "What is found in a folder and is no file is not opened: a pipe would be waited for, and a device may do "
        "something or never end. With etcd in its name it counts as refused. A pipe that is named by itself is read, "
        "as <(...) of a shell makes one. Links are not followed and not reported.",
    ),
    "standby-found": Code(
        INFO,
        "a standby, by what the running cluster says",
        "The files describe the node as one of the cluster, and the running cluster does not list it as a member: it "
        "stands by, with no data of its own, or was removed. 2.x has no standbys, so the plan makes it a proxy.",
    ),
    "already-2x": Code(
        INFO,
        "set up for 2.x already",
        "Something in the configuration is known to 2.x alone, and nothing to 0.4 alone. A plan leaves it out.",
    ),
    "unit-renamed": Code(
        INFO,
        "the unit of etcd 2.x has another name",
        "On CoreOS the section 'etcd:' of a cloud-config sets up etcd.service, which runs 0.4, and 'etcd2:' sets up "
        "etcd2.service, which runs 2.x and keeps its data in /var/lib/etcd2. Where the section is converted, the "
        "units that are started, and what waits for them, get the new name.",
    ),
    "members-from-files": Code(
        INFO,
        "the members of a cluster, taken from the files of one run",
        "-peers names addresses, and 2.x wants every member by name. Where the files that are converted together hold "
        "a node for every such address, each with a name and a peer address of its own, --initial-cluster is written "
        "for all of them, the same on each. A node that none of these files describes cannot be among them: check that "
        "the list is whole.",
    ),
    "file-moved": Code(
        INFO,
        "0.4's file became flags of the start",
        "0.4 read /etc/etcd/etcd.conf, or the file of -config; etcd 2.x reads no file. In a unit the file becomes an "
        "environment file, and EnvironmentFile= names it. A script or a container has no such line, so there the "
        "file's settings are written where etcd is started, and the file itself is left as it is: nothing reads it "
        "any more.",
    ),
    "host-name-kept": Code(
        INFO,
        "the name stays the host's",
        "Without -name, 0.4 used the host name, and 2.x would say 'default'. This kind of file can say 'the host name' "
        "by itself: %H in a systemd unit, $(hostname) in a script. So the member keeps its name on every machine.",
    ),
    "single-member": Code(
        INFO,
        "a new cluster of one, said in 2.x's words",
        "With neither -peers nor -discovery, 0.4 started a new cluster of one. 2.x's default --initial-cluster names "
        "only localhost, so any other peer address stops it with '--initial-cluster must include ...'. The translation "
        "gives --initial-cluster NAME=URL. A member that already has data ignores it. If the node was the first of "
        "several, --initial-cluster must list them all instead, the same on each.",
    ),
    "peers-passed-over": Code(
        INFO,
        "-peers had nothing to say here",
        "The member knows its cluster already: from --initial-cluster beside it, or from its data directory.",
    ),
    "listens-everywhere": Code(
        INFO,
        "listens on every interface",
        "0.4 listened on every interface when no bind address was given, and 2.x's -addr does the same "
        "([::]:PORT). This is kept, so that whoever reached the member still does. 2.x alone would listen on localhost "
        "only. To listen on one address, set it in --listen-client-urls or --listen-peer-urls.",
    ),
    "port-added": Code(
        INFO,
        "a bind address without a port",
        "0.4 gave a bare bind address the port of the advertised one; 2.x refuses it ('missing port in address'). The "
        "port is written out.",
    ),
    "host-name": Code(
        INFO,
        "a host name where 2.x's old flag takes only IP addresses",
        "2.x's own -addr family refuses host names ('bad IP in address specification'); its URL settings take them.",
    ),
    "v3-database": Code(
        REVIEW,
        "a data directory was made fit for etcd 3.x",
        "etcd 3.1 to 3.5 do not start on a data directory with a snapshot of etcd 2.x unless a database of the v3 "
        "API is beside it, member/snap/db; etcd 2.3 and the bundled server do not start when there is one. So etcd02 "
        "adds an empty one when it hands the directory over to such an etcd, and not before. Once that etcd has "
        "written to the directory nothing before 3.0 can read it any more: copy the directory first if you may want "
        "to go back. If it did not get to start, remove the file.\n\nIf the member stood in a cluster that holds data "
        "of the v3 API, of which the bundled server keeps nothing, there is no empty database to be made, and etcd02 "
        "refuses: remove the member from the cluster, add it again, and start etcd with an empty directory.",
    ),
    "data-migrated": Code(
        INFO,
        "a data directory of 0.4 was converted",
        "With --auto-migrate (or ETCD02_AUTO_MIGRATE=true) etcd02 runs 'migrate02 data DIR --beside' before it starts "
        "on a data directory of 0.4. The new files are in member/, the old ones stay and are not used any more. "
        "Members of one cluster that are converted each on its own must show the same digest; if one does not, remove "
        "member/ of all of them and convert them together (migrate02 data DIR DIR DIR --out OUT).",
    ),
    "old-data-format": Code(
        INFO,
        "0.4's data is not 2.x's",
        "A data directory of 0.4 (conf, log, snapshot) is not read by etcd 2.2 and later: they start EMPTY over it, "
        "with only the warning 'found invalid file/dir conf under data dir'. The configuration is "
        "converted here, the data by 'migrate02 data'. 'migrate02 explain data-dir-04' tells how to keep the keys.",
    ),
    "dropped-default": Code(
        INFO,
        "a setting that changes nothing",
        "The value given is what 2.x does anyway, or it had no effect in 0.4. It is left out.",
    ),
    "carried-over": Code(
        INFO,
        "a setting that 2.x would have dropped",
        "2.x ignores the old name, with a warning at most, or does not know it, so what 0.4 was told would be lost. "
        "It is carried over to the new name.",
    ),
    "new-wins": Code(
        INFO,
        "an old setting beside its new name",
        "Outside the four addresses etcd 2.x does not call this a conflict: it ignores the old name, or never knew it.",
    ),
    "deprecated-name": Code(
        INFO,
        "a name that 0.4 already called deprecated",
        "0.4 took it with a warning; 2.x and later do not know it.",
    ),
    "unknown-variable": Code(
        INFO,
        "an ETCD_ variable that is no setting",
        "2.x warns 'unrecognized environment variable' and goes on.",
    ),
    "engine-chosen": Code(
        INFO,
        "which etcd was chosen",
        "--engine auto (or ETCD02_ENGINE=auto) takes the first real etcd on the PATH, and the bundled server when "
        "there is none.",
    ),
    "file-not-read": Code(
        INFO,
        "0.4's configuration file was not read",
        "0.4 read /etc/etcd/etcd.conf whenever it existed; 2.x has no such file. It is read for a command line "
        "of 0.4, not for one of 2.x.",
    ),
    "file-read": Code(
        INFO,
        "an environment file where 0.4's own was expected",
        "A configuration that was converted in place is an environment file now, while the init script still names it "
        "with -config or expects it in /etc/etcd/etcd.conf. etcd02 reads it there, below the real environment; etcd "
        "2.x itself reads no file. To have it read by any etcd, use EnvironmentFile= in a unit, or "
        "set -a; . FILE; set +a in a script.",
    ),
    "yaml-needs-3": Code(
        INFO,
        "a YAML file needs etcd 3.0",
        "etcd 2.x has no configuration file; --config-file came with 3.0. With it, flags and environment are ignored.",
    ),
}
