"""The codes of the translation and of ``etcd02``, and all that they say. A text stands behind its code."""

from __future__ import annotations

from compat.findings import ERROR, INFO, REVIEW, Code, catalogue

_COMPLETING = (
    "'migrate02 plan' with the files of all nodes makes the list, 'migrate02 convert --initial-cluster LIST' writes "
    "it, 'migrate02 convert --check DIR' finds every list that is not complete."
)
"""The commands that settle an incomplete list."""

OLD_AND_NEW = Code(
    "old-and-new",
    ERROR,
    "an old and a new setting for the same thing",
    "etcd 2.x kept four addresses of 0.4 as old names of its URL settings and refuses to guess which one you "
    "mean when both are set, even if the values agree. -addr also takes over the listening side while -bind-addr "
    "is not given, and -peer-addr likewise, so -addr beside --listen-client-urls is a conflict too; the migration "
    "table of the clustering guide does not say so, but 2.0 to 2.3 do it. It does not matter whether a setting "
    "came by flag, environment or file. An empty environment variable counts as not set. From 3.0 on the old "
    "names are unknown.\n\nKeep the new setting and remove the old one.",
)
BOTH_GIVEN = OLD_AND_NEW.text(
    "{old_at} and {new_at}: Set only one of flags -{new} and -{old}.{by}",
    "Keep --{new} and remove {given}.",
)

SEVERAL_BOOTSTRAPS = Code(
    "several-bootstraps",
    ERROR,
    "more than one way to find the cluster",
    "A member finds its cluster by --initial-cluster, by --discovery or by --discovery-srv. etcd 2.x and later "
    "refuse more than one of them, before anything else is checked, and even if one is given an empty value on "
    "the command line. Keep one.",
)
BOOTSTRAPS_GIVEN = SEVERAL_BOOTSTRAPS.text(
    '{where}: multiple discovery or bootstrap flags are set. Choose one of "initial-cluster", '
    '"discovery" or "discovery-srv"',
    "Keep one of them.",
)

PEERS = Code(
    "peers",
    ERROR,
    "-peers and -peers-file have no equivalent",
    "In 0.4 a node joined whatever cluster it found through the addresses in -peers. etcd 2.x wants the whole "
    "membership agreed before the first start: --initial-cluster lists every member as NAME=peer-URL, the same "
    "on each of them. That is a similar concept with different semantics, and one node's file cannot give it: "
    "the names of the others are missing. etcd 2.0 to 2.3 define both flags only to refuse them; 3.0 and later "
    "do not know them. See the clustering guide of etcd 2, section 'Static', and its migration table.\n\n"
    "etcd02 refuses both, as etcd does. 'migrate02 convert' writes a list that a person completes, see "
    "incomplete-cluster.\n\n"
    "Two cases are accepted: with --initial-cluster given beside it, and on a member that already has its "
    "data, which knows its cluster from there.",
)
PEERS_REFUSED = PEERS.text(
    'invalid value "{value}" for {flag}: flag "-{name}" is no longer supported. The --initial-cluster '
    "flag provides a similar concept with different semantics, see {guide}",
    "List every member, the same on each: --initial-cluster {cluster}",
)

INVALID_VALUE = Code(
    "invalid-value",
    ERROR,
    "a value that etcd would refuse",
    "The value does not have the form its setting needs: host:port for the old addresses, http(s)://host:port "
    "without a path for the URL settings, a decimal number, or a Go boolean (1 t T TRUE true True 0 f F FALSE "
    "false False). The message has etcd's own words.",
)
BAD_VALUE = INVALID_VALUE.text(
    'invalid value "{value}" for {given}: {reason}',
    "{remedy}",
)
REFUSED_FLAG = INVALID_VALUE.text(
    "{reason}",
    "{remedy}",
)
WRONG_TYPE = INVALID_VALUE.text(
    "{key} = {value} has the wrong type, and 0.4 refuses to start with it",
    "Write {wanted}.",
)

UNKNOWN_SETTING = Code(
    "unknown-setting",
    ERROR,
    "a flag that neither 0.4 nor the target knows",
    "etcd refuses a flag it does not know. Either it is misspelt, it belongs to another program, or it came "
    "with a later release than the one asked for.",
)
UNKNOWN_FLAG = UNKNOWN_SETTING.text(
    "{reason}",
    "See 'etcd02 -help'.",
)
MISSPELT_FLAG = UNKNOWN_SETTING.text(
    "{reason}",
    "Did you mean -{like}? See 'etcd02 -help'.",
)
LATER_FLAG = UNKNOWN_SETTING.text(
    "flag provided but not defined: -{flag}",
    "etcd 2.3 has no such flag. Start a newer etcd with --engine PATH.",
)

SETTINGS_CLASH = Code(
    "settings-clash",
    ERROR,
    "settings that do not go together",
    "etcd checks some settings against each other before it starts; the message has its own words.",
)
CLASH = SETTINGS_CLASH.text(
    "error verifying flags, {reason}. See 'etcd --help'.",
    "{remedy}",
)

STRAY_WORDS = Code(
    "stray-words",
    ERROR,
    "words on the command line that belong to no flag",
    "Flags end at the first word that is none. 0.4 silently ignored that word and everything after it; 2.x "
    "refuses to start. A boolean takes its value only after '=': -snapshot=true, not -snapshot true.",
)
NO_FLAG = STRAY_WORDS.text(
    "error verifying flags, '{word}' is not a valid flag. See 'etcd --help'.",
    "Remove it, or put the flag it belongs to before it.",
)

UNUSABLE_INPUT = Code(
    "unusable-input",
    ERROR,
    "a file that cannot be read as an etcd configuration",
    "The file is missing, empty, binary, broken, or holds no etcd setting. 0.4's own file is TOML "
    "(/etc/etcd/etcd.conf); environment files (NAME=value lines) and command lines are read too.",
)
UNUSABLE_CONFIG = UNUSABLE_INPUT.text(
    "{given}: {reason}",
    "Mend the file, or name the right one.",
)
UNUSABLE_SYSTEM_FILE = UNUSABLE_INPUT.text(
    "{reason}",
    "Mend the file.",
)

DATA_DIR_04 = Code(
    "data-dir-04",
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
)
DATA_OF_04 = DATA_DIR_04.text(
    "This directory holds data of etcd 0.4; a start would be empty beside it.",
    "To keep the keys, run: migrate02 data {directory} --beside (or start with --auto-migrate). To start "
    "empty, run: mv {directory} {directory}.0.4 - see 'migrate02 explain data-dir-04'",
)
DATA_BESIDE_WAL_DIR = DATA_DIR_04.text(
    "--auto-migrate puts the log below --data-dir, so it cannot be used with --wal-dir: remove that, or "
    "convert by hand (migrate02 data {directory} NEW) and move NEW/member/wal there.",
)
DATA_NOT_MIGRATED = DATA_DIR_04.text(
    "The directory could not be converted, and nothing was changed: {reason}",
)

ENGINE = Code(
    "engine",
    ERROR,
    "the real etcd that was asked for cannot be used",
    "--engine (or ETCD02_ENGINE) names a real etcd to hand over to, or 'auto' for the one on the PATH. It must "
    "be an executable that answers --version as etcd does.",
)
ENGINE_UNUSABLE = ENGINE.text(
    "{reason}",
    "{remedy}",
)

INCOMPLETE_CLUSTER = Code(
    "incomplete-cluster",
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
)
LIST_TO_COMPLETE = INCOMPLETE_CLUSTER.text(
    "{given} {value}: etcd 2.x needs a list of all members. --initial-cluster is written with "
    "{placeholder} for the others; no etcd accepts it until you complete it.",
    "List every member, with the same addresses on each of them: --initial-cluster {cluster} (the names "
    "of the others need not be right). " + _COMPLETING,
)
LIST_INCOMPLETE = INCOMPLETE_CLUSTER.text(
    "The list of members is not complete: {placeholder} stands for the others, and no etcd accepts it.",
    "List every member, with the same addresses on each of them. " + _COMPLETING,
)

NAME_FROM_HOSTNAME = Code(
    "name-from-hostname",
    REVIEW,
    "0.4 took the name from the host",
    "Without -name, 0.4 used the host name; 2.x calls every unnamed member 'default', and two of those cannot "
    "form a cluster. The host name is written out, as this machine says it is: check it when the configuration "
    "is for another machine.",
)
HOST_NAME_TAKEN = NAME_FROM_HOSTNAME.text(
    "{why}; --name is {name}, {whose}.",
    "Check it.",
)

HALF_TLS_PAIR = Code(
    "half-tls-pair",
    REVIEW,
    "a certificate without its key, or a key without its certificate",
    "0.4 served plain http unless both halves were given, without a word; 2.x refuses half a pair. The half is "
    "left out, so that what was served stays as it was: plain http.",
)
HALF_A_PAIR = HALF_TLS_PAIR.text(
    "{given} is removed: without -{missing} 0.4 served plain http on -{address}, and it still does.",
    "For TLS, give --{name} and --{missing}, and https:// in the URLs.",
)

CA_WITHOUT_PAIR = Code(
    "ca-without-pair",
    REVIEW,
    "a CA file that had no effect",
    "In 0.4 -ca-file asked for client certificates, but only when -cert-file and -key-file were both given. "
    "Without them nothing was checked. It is left out, so that what was served stays as it was.",
)
CA_ALONE = CA_WITHOUT_PAIR.text(
    "{given} is removed: without -{prefix}cert-file and -{prefix}key-file it had no effect.",
    "To ask for client certificates, give a certificate and its key, --{trusted} and --{auth}.",
)

TIMING_BENT = Code(
    "timing-bent",
    REVIEW,
    "heartbeat and election time do not fit 2.x's rules",
    "2.x wants --election-timeout to be at least five times --heartbeat-interval, and at most 50000 ms (from "
    "2.1.2 on); 0.4's own defaults (50 and 200 ms) break the rule. 2.x ignores -peer-heartbeat-interval and "
    "-peer-election-timeout with a warning, so they are carried over to the new names, bent as little as the "
    "rules allow. Every member of a cluster must have the same pair.",
)
BENT = TIMING_BENT.text(
    "heartbeat {asked_heartbeat} ms and election {asked_election} ms became {heartbeat} and {election} "
    "ms: {rule}.",
    "Set the same pair on every member of the cluster.",
)

DISCOVERY_TOKEN = Code(
    "discovery-token",
    REVIEW,
    "a discovery token of 0.4 cannot be used again",
    "2.x reads the cluster's size from TOKEN/_config/size, waits until that many members have registered, and "
    "takes a token only once. A token used with 0.4 holds 0.4's registrations and no size. A member that "
    "already has data does not look at it. 3.7 removed this kind of discovery.",
)
OLD_TOKEN = DISCOVERY_TOKEN.text(
    "{value} cannot be used again if 0.4 used it, and etcd 2.x needs the cluster's size under it.",
    "Make a new token, set its _config/size, and put it here, the same on every member.",
)

NO_COUNTERPART = Code(
    "no-counterpart",
    REVIEW,
    "a setting of 0.4 that 2.x has no counterpart for",
    "The setting had an effect in 0.4 that nothing in 2.x has. It is left out.",
)
LEFT_OUT = NO_COUNTERPART.text(
    "{given} is removed: {reason}.",
    "{remedy}",
)

NEVER_READ = Code(
    "never-read",
    REVIEW,
    "a setting that 0.4 never looked at",
    "0.4 silently ignored unknown keys in its file, keys in the wrong table, and some names that its own "
    "documentation gave. Such a setting had no effect, so it is not converted: that would change what runs. It "
    "is reported, because somebody believed in it.",
)
KEY_IGNORED = NEVER_READ.text(
    "{key} = {value}: 0.4 silently ignored this key.",
    "Remove it.",
)
KEY_MISSPELT = NEVER_READ.text(
    "{key} = {value}: 0.4 silently ignored this key.",
    "Did you mean {like}? Then write that, and convert again. If not, remove it.",
)
KEY_OF_A_FLAG = NEVER_READ.text(
    "{key} = {value}: 0.4 silently ignored this key.",
    "Only the flag -{flag} worked. Remove the key.",
)
KEY_ELSEWHERE = NEVER_READ.text(
    "{key} = {value}: 0.4 silently ignored this key; it is {right}.",
    "Remove it, or move it there if it should take effect.",
)
VARIABLE_IGNORED = NEVER_READ.text(
    "{variable}={value}: 0.4's documentation had this name, but its code never read it.",
    "{remedy}",
)

TAKES_EFFECT = Code(
    "takes-effect",
    REVIEW,
    "a setting that 0.4 never read, and that takes effect from now on",
    "0.4 read ETCD_SNAPSHOTCOUNT and not ETCD_SNAPSHOT_COUNT, which etcd 2.x reads. So the variable had no effect, "
    "and has one with etcd 2.x. It is kept, because somebody set it. Remove it to keep what was in effect.",
)
NOW_READ = TAKES_EFFECT.text(
    "{given}={value}: 0.4 never read this name, and etcd 2.x does, so it takes effect from now on.",
    "Remove it to keep what was in effect.",
)

CONFIG_NOT_SEEN = Code(
    "config-not-seen",
    REVIEW,
    "a -config that 0.4 never saw",
    "0.4 looked for -config in a first pass over the command line that knew no other flag, so a value written as "
    "a word of its own before it (-name x -config f) ended the search, and the file was silently not read. It is "
    "not read here either. To have it read, put -config first or write the flags before it as -name=x.",
)
CONFIG_BEHIND_A_WORD = CONFIG_NOT_SEEN.text(
    "{value} is not read: 0.4 looked for -config only up to the first value that was a word of its own.",
    "To have it read, put -config first.",
)

WORDS_IGNORED = Code(
    "words-ignored",
    REVIEW,
    "words that 0.4 silently ignored",
    "Flags end at the first word that is none; 0.4 ignored it and everything after it, flags too. The same is "
    "done here for a command line that is plainly 0.4's. Often it is a boolean with a value of its own "
    "(-snapshot true), a redirection or an '&' that never reached a shell.",
)
IGNORED_WORDS = WORDS_IGNORED.text(
    "Ignored, as 0.4 did silently: {words} (etcd 2.x: '{word}' is not a valid flag)",
    "Remove them, or write a boolean as -flag=value.",
)

WILDCARD_ADVERTISED = Code(
    "wildcard-advertised",
    REVIEW,
    "a wildcard as the advertised address",
    "0.0.0.0 and [::] mean 'every interface' to a listener; advertised as an address to call they mean "
    "nothing. 2.x hands the URL to clients and proxies, which then call themselves.",
)
WILDCARD = WILDCARD_ADVERTISED.text(
    "{value} is advertised as the address to call, but it means 'every interface'.",
    "Put an address that others can reach into --{advertise}.",
)

UNUSABLE_VALUE = Code(
    "unusable-value",
    REVIEW,
    "a value of 0.4's that cannot be carried over",
    "2.x does not look at this setting and starts whatever it says, so it is no reason to refuse the start; but "
    "the value is not one that can be given to its new name either. It is ignored, and 2.x's default holds.",
)
NO_MILLISECONDS = UNUSABLE_VALUE.text(
    'invalid value "{value}" for {given} is ignored, as etcd 2.x ignores the whole setting: it is not a '
    "whole number of milliseconds above 0.",
    "Remove it, or give --{new} a number of milliseconds.",
)
NO_NUMBER = UNUSABLE_VALUE.text(
    'invalid value "{value}" for {variable} is ignored, as etcd 2.x ignores the variable.',
    "Remove it, or give --{flag} a number.",
)

TARGET_LACKS = Code(
    "target-lacks",
    REVIEW,
    "the target release cannot say it",
    "The setting is newer than the release asked for by --target, or that release has dropped it.",
)
ONLY_BUNDLED = TARGET_LACKS.text(
    "etcd {version}: --{name} {value} is removed: only the bundled server has it.",
)
CAME_LATER = TARGET_LACKS.text(
    "etcd {version}: --{name} {value} is removed: it came with {first}.",
)
GONE = TARGET_LACKS.text(
    "etcd {version}: --{name} {value} is removed: {removed} dropped it.",
    "{remedy}",
)
NO_ORIGINS = TARGET_LACKS.text(
    "etcd {version}: {origins} is removed: --cors takes only http(s)://host:port.",
    "{remedy}",
)
NO_PROXY = TARGET_LACKS.text(
    'etcd {version}: v2 proxy is deprecated, and --discovery-fallback can\'t be configured as "proxy"',
    "The setting is removed: a surplus member exits.",
)

LISTEN_HOST_NAME = Code(
    "listen-host-name",
    REVIEW,
    "a host name to listen on",
    "0.4 and 2.x resolve a host name in a listening address; 3.0 and 3.1 warn, and from 3.2 on only an IP address "
    "or localhost is taken ('expected IP in URL for binding').",
)
NAME_TO_BIND = LISTEN_HOST_NAME.text(
    "etcd {version}: expected IP in URL for binding ({url})",
    "Write the IP address of {host} in --{name}.",
)

CORS_WITHOUT_PORT = Code(
    "cors-without-port",
    REVIEW,
    "origins without a port",
    "Up to 3.3 --cors takes any text; from 3.4 on every origin must be a URL with an explicit port, or '*'.",
)
PORT_OF_SCHEME = CORS_WITHOUT_PORT.text(
    "etcd {version}: {origins} got the port of its scheme, because --cors takes only URLs with one.",
    "A browser sends no default port in Origin, so check that these origins still match; '*' allows any.",
)

V2_API = Code(
    "v2-api",
    REVIEW,
    "clients of the v2 API",
    "Clients of 0.4 and 2.x speak /v2/keys. 3.4 and 3.5 serve it only with --enable-v2; 3.6 and later do not "
    "serve it at all, v2 keys in the data directory cannot be reached any more, and with them there 3.6 does not "
    "start: see v2-leftovers.",
)
NO_V2_API = V2_API.text(
    "etcd {version} has no v2 API: clients of 0.4 and 2.x cannot be served, and v2 keys cannot be reached.",
    "Move the clients and their keys to the v3 API before you go beyond 3.5.",
)

V2_LEFTOVERS = Code(
    "v2-leftovers",
    REVIEW,
    "a member that was set up with --enable-v2 goes to 3.6 or later",
    "3.6 dropped --enable-v2. What v2 left in the data directory is another matter, and a flag less does not cure it: "
    "etcd 3.6 stops at v2 keys in its newest snapshot ('detected disallowed custom content in v2store') and at v2 "
    "requests in its log behind that ('detected disallowed v2 WAL'). Such requests come without a client of v2, too: "
    "a 3.5 member with --enable-v2 writes one for each GET /health, and 3.4.0 to 3.4.28 do so without the flag. "
    "So check a member even if the flag says false.\n\n"
    "migrate02 v2store check DIR tells what is there, also beside a running member. migrate02 v2store clean --write "
    "DIR removes it from the directory of a stopped one, and leaves the v3 data as it is. 3.7 stops at more than 3.6: "
    "check again, with --for 3.7, before that upgrade. docs/v2-leftovers.md has the way for one member, for several "
    "and in Kubernetes.",
)
V2_FLAG_GONE = V2_LEFTOVERS.text(
    "etcd {version}: --{name} {value} is removed, 3.6.0 dropped it. What v2 left in the data directory can keep "
    "etcd 3.6 and later from starting.",
    "Before 3.6 starts, run: migrate02 v2store check {directory} (see docs/v2-leftovers.md).",
)

DISCOVERY_DROPPED = Code(
    "discovery-dropped",
    INFO,
    "-discovery was removed for a list of members",
    "etcd 2.x refuses --discovery beside --initial-cluster, and a token that 0.4 used cannot be used again. Where "
    "the list of members is given, by --initial-cluster of this run or from its files, -discovery is removed. "
    "A file that sets both is refused, see several-bootstraps.",
)
TOKEN_FOR_A_LIST = DISCOVERY_DROPPED.text(
    "{given} is removed: --initial-cluster lists the members.",
)
TOKEN_BESIDE_LIST = DISCOVERY_DROPPED.text(
    "{given} is removed: --initial-cluster now lists the members, and a token of 0.4 cannot be used again.",
)

V2_DATA = Code(
    "v2-data",
    INFO,
    "--enable-v2 makes data that etcd 3.6 refuses",
    "Clients of 0.4 and 2.x speak /v2/keys, which 3.4 and 3.5 serve with --enable-v2. What they write there stays "
    "in the data directory, and etcd 3.6 refuses to start on it. Move the clients and their keys to the v3 API before "
    "the upgrade to 3.6, then switch the flag off, and clean the directories: migrate02 v2store check DIR tells what "
    "is left, migrate02 v2store clean --write DIR removes it. docs/v2-leftovers.md has all steps.\n\n"
    "With the flag on, 3.5 writes a v2 request into its log for each GET /health, so a member that is probed does not "
    "stay clean.",
)
DATA_FOR_35 = V2_DATA.text(
    "etcd {version}: keys written with --enable-v2 stay in the data directory, and etcd 3.6 refuses to "
    "start on it.",
    "Move the clients and their keys to the v3 API before the upgrade to 3.6, switch the flag off, and run: "
    "migrate02 v2store check {directory} (see docs/v2-leftovers.md).",
)

SINGLE_MEMBER = Code(
    "single-member",
    INFO,
    "a new cluster of one, said in 2.x's words",
    "With neither -peers nor -discovery, 0.4 started a new cluster of one. 2.x's default --initial-cluster names "
    "only localhost, so any other peer address stops it with '--initial-cluster must include ...'. The translation "
    "gives --initial-cluster NAME=URL. A member that already has data ignores it. If the node was the first of "
    "several, --initial-cluster must list them all instead, the same on each.",
)
CLUSTER_OF_ONE = SINGLE_MEMBER.text(
    "Neither -peers nor -discovery is set, so 0.4 started a new cluster of one; --initial-cluster "
    "{cluster} does the same.",
    "Nothing to do for a cluster of one. For more, list every member there, the same on each.",
)

PEERS_PASSED_OVER = Code(
    "peers-passed-over",
    INFO,
    "-peers had nothing to say here",
    "The member knows its cluster already: from --initial-cluster beside it, or from its data directory.",
)
PEERS_FOR_A_LIST = PEERS_PASSED_OVER.text(
    "{given} is removed: --initial-cluster now lists the members.",
)
PEERS_BESIDE_A_LIST = PEERS_PASSED_OVER.text(
    "{given} is ignored: --initial-cluster lists the members.",
)
PEERS_OF_A_MEMBER = PEERS_PASSED_OVER.text(
    "{given} is ignored: the member has its data and knows its cluster from there.",
)
PEERS_IN_THE_LIST = PEERS_PASSED_OVER.text(
    "{given} is removed: the list stands for it too.",
)

LISTENS_EVERYWHERE = Code(
    "listens-everywhere",
    INFO,
    "listens on every interface",
    "0.4 listened on every interface when no bind address was given, and 2.x's -addr does the same "
    "([::]:PORT). This is kept, so that whoever reached the member still does. 2.x alone would listen on localhost "
    "only. To listen on one address, set it in --listen-client-urls or --listen-peer-urls.",
)
EVERY_INTERFACE = LISTENS_EVERYWHERE.text(
    "-{bound} is not set, so --{listen} is {everywhere}: every interface, as in 0.4.",
    "To listen on one address, set --{listen}.",
)

PORT_ADDED = Code(
    "port-added",
    INFO,
    "a bind address without a port",
    "0.4 gave a bare bind address the port of the advertised one; 2.x refuses it ('missing port in address'). The "
    "port is written out.",
)
PORT_OF_ADVERTISED = PORT_ADDED.text(
    "{value} has no port; 0.4 took {port}, the port of -{advertised}.",
)

HOST_NAME = Code(
    "host-name",
    INFO,
    "a host name where 2.x's old flag takes only IP addresses",
    "2.x's own -addr family refuses host names ('bad IP in address specification'); its URL settings take them.",
)
NAME_TO_CALL = HOST_NAME.text(
    "{value}: etcd 2.x refuses a host name in -{old}, but --{new} takes it.",
    "Make sure that every machine resolves {host}.",
)
NAME_TO_LISTEN = HOST_NAME.text(
    "{value}: etcd 2.x refuses a host name in -{old}, but --{new} takes it up to 3.1.",
    "Write the IP address before you go on to 3.2 or later.",
)

V3_DATABASE = Code(
    "v3-database",
    REVIEW,
    "a data directory was made fit for etcd 3.x",
    "etcd 3.1 to 3.5 do not start on a data directory with a snapshot of etcd 2.x unless a database of the v3 "
    "API is beside it, member/snap/db; etcd 2.3 and the bundled server do not start when there is one. So etcd02 "
    "adds an empty one when it hands the directory over to such an etcd, and not before. Once that etcd has "
    "written to the directory nothing before 3.0 can read it any more: copy the directory first if you may want "
    "to go back. If it did not get to start, remove the file.\n\nIf the member stood in a cluster that holds data "
    "of the v3 API, of which the bundled server keeps nothing, there is no empty database to be made, and etcd02 "
    "refuses: remove the member from the cluster, add it again, and start etcd with an empty directory.",
)
DATABASE_ADDED = V3_DATABASE.text(
    "Added an empty v3 database, which etcd {version} needs beside a snapshot. etcd 2.x and the bundled "
    "server do not start on a directory that has one.",
    "Keep a copy of {directory} if you may want to go back: once etcd {version} has started there is no "
    "other way. Until then it is enough to remove the file.",
)

STRAIGHT_FROM_2X = Code(
    "straight-from-2x",
    REVIEW,
    "data of etcd 2.x on the way to etcd 3.5 or later",
    "3.5 takes no step of the cluster's version over a major one. Where it meets one, it answers 'etcdserver: not "
    "capable' to every v3 call. Tried with data of 2.3, and with 3.4.23 and 3.5.1:\n\n"
    "3.5 straight on data of 2.x leaves the cluster at version 2.3, and v3 calls fail for good. 3.4 still starts on "
    "that directory. 3.4 in between raises the version, but a start reads the log again from the newest snapshot on: "
    "without one that was taken at version 3.4, 3.5 meets the step from 2.3 once more.\n\n"
    'So: start all members on 3.4. When /version says "etcdcluster":"3.4.0", start each once more, with '
    "--snapshot-count=1, so that it takes a snapshot at that version; --snapshot-count=1 at the first start is too "
    "early. Then go to 3.5. If it is 3.5 already and the cluster's version is 3.5: start it with --snapshot-count=1, "
    "and once more without.\n\n"
    "3.6 and later refuse what v2 left in a data directory; see v2-leftovers. docs/v2-leftovers.md has the way.",
)
STAYS_AT_23 = STRAIGHT_FROM_2X.text(
    "{directory} holds data of etcd 2.x. etcd {version} straight on it leaves the cluster at version 2.3 and answers "
    "'etcdserver: not capable' to every call of the v3 API.",
    "Start all members on 3.4 first, and let each take a snapshot there: 'migrate02 explain straight-from-2x'.",
)
SNAPSHOT_BEFORE_35 = STRAIGHT_FROM_2X.text(
    "{directory} holds data of etcd 2.x. Without a snapshot taken on 3.4, etcd 3.5 will answer 'etcdserver: not "
    "capable' to every call of the v3 API.",
    "Before 3.5, start each member of 3.4 once more with --snapshot-count=1: 'migrate02 explain straight-from-2x'.",
)
REFUSES_2X = STRAIGHT_FROM_2X.text(
    "{directory} holds data of etcd 2.x, and etcd {version} refuses v2 keys and v2 requests in a data directory.",
    "Start all members on 3.4 first, then on 3.5, then clean them: see docs/v2-leftovers.md.",
)

DATA_MIGRATED = Code(
    "data-migrated",
    INFO,
    "a data directory of 0.4 was converted",
    "With --auto-migrate (or ETCD02_AUTO_MIGRATE=true) etcd02 runs 'migrate02 data DIR --beside' before it starts "
    "on a data directory of 0.4. The new files are in member/, the old ones stay and are not used any more. "
    "Members of one cluster that are converted each on its own must show the same digest; if one does not, remove "
    "member/ of all of them and convert them together (migrate02 data DIR DIR DIR --out OUT).",
)
MIGRATED = DATA_MIGRATED.text(
    "{what}",
    "The files of 0.4 are still there; keep them for a while.",
)

OLD_DATA_FORMAT = Code(
    "old-data-format",
    INFO,
    "0.4's data is not 2.x's",
    "A data directory of 0.4 (conf, log, snapshot) is not read by etcd 2.2 and later: they start EMPTY over it, "
    "with only the warning 'found invalid file/dir conf under data dir'. The configuration is "
    "converted here, the data by 'migrate02 data'. 'migrate02 explain data-dir-04' tells how to keep the keys.",
)
OLD_DATA = OLD_DATA_FORMAT.text(
    "etcd 2.2 and later cannot read 0.4's data in {directory} and would start empty.",
    "Convert it first: migrate02 data {quoted} NEW",
)

DROPPED_DEFAULT = Code(
    "dropped-default",
    INFO,
    "a setting that changes nothing",
    "The value given is what 2.x does anyway, or it had no effect in 0.4. It is left out.",
)
CHANGES_NOTHING = DROPPED_DEFAULT.text(
    "{given} is removed: it changes nothing in etcd 2.x.",
)
DEBUG_SAYS_IT = DROPPED_DEFAULT.text(
    "{given} is removed: --debug says the same.",
)

CARRIED_OVER = Code(
    "carried-over",
    INFO,
    "a setting that 2.x would have dropped",
    "2.x ignores the old name, with a warning at most, or does not know it, so the setting would be lost. "
    "It is carried over to the new name.",
)
CARRIED = CARRIED_OVER.text(
    "{given} became --{new} {carried}: etcd 2.x ignores the old name.",
)

NEW_WINS = Code(
    "new-wins",
    INFO,
    "an old setting beside its new name",
    "Outside the four addresses etcd 2.x does not call this a conflict: it ignores the old name, or never knew it.",
)
NEW_GIVEN = NEW_WINS.text(
    "{given} is ignored: --{new} is given too.",
    "Remove it.",
)
NEW_VARIABLE_GIVEN = NEW_WINS.text(
    "{given} is ignored: its new name is given too.",
    "Remove it.",
)

DEPRECATED_NAME = Code(
    "deprecated-name",
    INFO,
    "a name that 0.4 already called deprecated",
    "0.4 took it with a warning; 2.x and later do not know it.",
)
DEPRECATED_FLAG = DEPRECATED_NAME.text(
    "[deprecated] use -{new}, not -{old}",
)

UNKNOWN_VARIABLE = Code(
    "unknown-variable",
    INFO,
    "an ETCD_ variable that is no setting",
    "2.x warns 'unrecognized environment variable' and goes on.",
)
NO_SETTING = UNKNOWN_VARIABLE.text(
    "unrecognized environment variable {variable}={value}",
    "Nothing to do if another program reads it.",
)
MISSPELT_VARIABLE = UNKNOWN_VARIABLE.text(
    "unrecognized environment variable {variable}={value}",
    "Did you mean {like}? If another program reads {variable}, there is nothing to do.",
)
LATER_VARIABLE = UNKNOWN_VARIABLE.text(
    "unrecognized environment variable {variable}={value}",
    "It belongs to a later etcd. To have it take effect, start one with --engine PATH.",
)

ENGINE_CHOSEN = Code(
    "engine-chosen",
    INFO,
    "which etcd was chosen",
    "--engine auto (or ETCD02_ENGINE=auto) takes the first real etcd on the PATH, and the bundled server when "
    "there is none.",
)
CHOSEN = ENGINE_CHOSEN.text(
    "--engine auto: {path}",
)
BUNDLED_CHOSEN = ENGINE_CHOSEN.text(
    "--engine auto: no etcd on the PATH, so the bundled server",
)

FILE_NOT_READ = Code(
    "file-not-read",
    INFO,
    "0.4's configuration file was not read",
    "0.4 read /etc/etcd/etcd.conf whenever it existed; 2.x has no such file. It is read for a command line "
    "of 0.4, not for one of 2.x.",
)
NOT_READ = FILE_NOT_READ.text(
    "Not read: {why}.",
    "To have it read, name it with -config.",
)

FILE_READ = Code(
    "file-read",
    INFO,
    "an environment file where 0.4's own was expected",
    "A configuration that was converted in place is an environment file now, while the init script still names it "
    "with -config or expects it in /etc/etcd/etcd.conf. etcd02 reads it there, below the real environment; etcd "
    "2.x itself reads no file. To have it read by any etcd, use EnvironmentFile= in a unit, or "
    "set -a; . FILE; set +a in a script.",
)
READ_AS_VARIABLES = FILE_READ.text(
    "Read as an environment file; etcd 2.x itself reads no file.",
)

CODES = catalogue(globals())
