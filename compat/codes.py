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
    "etcd 2.x kept four addresses of 0.4 as old names of its URL settings. If both an old and a new name are set, it "
    "refuses to guess which one you mean, even if the values agree. -addr also sets the listen address while "
    "-bind-addr is not given, and -peer-addr likewise, so -addr together with --listen-client-urls is a conflict "
    "too; the migration table of the clustering guide does not say so, but 2.0 to 2.3 do it. It does not matter "
    "whether a setting comes from a flag, the environment or a file. An empty environment variable counts as not "
    "set. From 3.0 on the old names are unknown.\n\nKeep the new setting and remove the old one.",
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
    "refuse more than one of them, before any other check, and even if one has an empty value on the command line. "
    "Keep one.",
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
    "In 0.4 a node joined any cluster that it found through the addresses in -peers. In etcd 2.x all members must be "
    "known before the first start: --initial-cluster lists every member as NAME=peer-URL, the same on each of them. "
    "That is a similar concept with different semantics, and one node's file is not enough for it: the names of the "
    "other members are missing. etcd 2.0 to 2.3 define both flags only to refuse them; 3.0 and later do not know "
    "them. See the clustering guide of etcd 2, section 'Static', and its migration table.\n\netcd02 refuses both, as "
    "etcd does. 'migrate02 convert' writes a list for you to complete, see incomplete-cluster.\n\nThere are two "
    "exceptions: if --initial-cluster is given too, and on a member that already has its data, which contains the "
    "list of members.",
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
    "without a path for the URL settings, a decimal number, or a Go boolean (1 t T TRUE true True 0 f F FALSE false "
    "False). The message is etcd's own.",
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
    "etcd refuses a flag that it does not know. The flag is misspelt, belongs to another program, or came with a "
    "later release than the target.",
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
    "settings that contradict each other",
    "etcd checks some settings against each other before it starts; the message is etcd's own.",
)
CLASH = SETTINGS_CLASH.text(
    "error verifying flags, {reason}. See 'etcd --help'.",
    "{remedy}",
)

STRAY_WORDS = Code(
    "stray-words",
    ERROR,
    "words on the command line that belong to no flag",
    "Flags end at the first word that is not a flag. 0.4 silently ignored that word and everything after it; 2.x "
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
    "The file is missing, empty, binary, broken, or has no etcd setting. 0.4's own file is TOML "
    "(/etc/etcd/etcd.conf); environment files (NAME=value lines) and command lines are read too.",
)
UNUSABLE_CONFIG = UNUSABLE_INPUT.text(
    "{given}: {reason}",
    "Correct the file, or name the right one.",
)
UNUSABLE_SYSTEM_FILE = UNUSABLE_INPUT.text(
    "{reason}",
    "Correct the file.",
)

DATA_DIR_04 = Code(
    "data-dir-04",
    ERROR,
    "the data directory belongs to etcd 0.4",
    "0.4 kept its data in conf, log and snapshot; 2.x keeps it under member/. etcd 2.0 and 2.1 converted an old "
    "directory at the first start, but they lost some data written after the last snapshot: keys created with "
    "prevExist=false, and TTLs. 2.2 and later start EMPTY on it, with only a warning. etcd02 refuses instead.\n\nTo "
    "keep the keys of a single member, stop 0.4 and run: migrate02 data DIR --beside - or start etcd02 with "
    "--auto-migrate, which does the same. It writes member/ next to the old files, complete or not at all. Keys, "
    "indexes, TTLs, hidden keys, and the member's name and address are kept, and 0.4's files are not changed. Add "
    "--name NAME if the directory does not contain the name. To have the new directory elsewhere: migrate02 data DIR "
    "NEW\n\nTo keep the keys of a cluster, stop all members, copy their directories to one machine and run: "
    "migrate02 data DIR DIR DIR --out OUT - then copy OUT/NAME back to each. Members are stopped one after the "
    "other, so their logs seldom end with the same entry; converted together they get the same state.\n\nmigrate02 "
    "data inspect DIR shows what a directory contains and what is damaged, migrate02 data verify OLD NEW compares "
    "two.\n\nTo start empty, rename the directory (mv DIR DIR.0.4), and keep it.",
)
DATA_OF_04 = DATA_DIR_04.text(
    "This directory holds data of etcd 0.4; etcd would start empty on it.",
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
    "the real etcd that was requested cannot be used",
    "--engine (or ETCD02_ENGINE) names a real etcd to start, or 'auto' for the one on the PATH. It must be an "
    "executable that answers --version as etcd does.",
)
ENGINE_UNUSABLE = ENGINE.text(
    "{reason}",
    "{remedy}",
)

INCOMPLETE_CLUSTER = Code(
    "incomplete-cluster",
    REVIEW,
    "a list of members that you must complete",
    "-peers names the addresses of other nodes, and etcd 2.x needs every member of the cluster before the first "
    "start. One node's file does not have that list. So the file is converted with the node's own entry and a "
    "placeholder, --initial-cluster NAME=URL,OTHERS=run-migrate02-plan, which no etcd accepts: 2.0 to 3.7 refuse to "
    "start with 'URL scheme must be http or https: run-migrate02-plan'. An empty or missing --initial-cluster would "
    "be worse: etcd 3.4 and later would start a cluster of one.\n\nThe list must be complete, and every member must "
    "have the same addresses in it. The names of the other members need not be right: etcd compares the URLs, and "
    "gets the names from the members themselves.\n\n'migrate02 plan' with the files of all nodes makes the list. "
    "'migrate02 convert --initial-cluster LIST' writes it into the file. 'migrate02 convert --check DIR' finds every "
    "list in DIR that is not complete.",
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
    "Without -name, 0.4 used the host name; 2.x calls every unnamed member 'default', and two members of that name "
    "cannot form a cluster. The host name of this machine is written out: check it if the configuration is for "
    "another machine.",
)
HOST_NAME_TAKEN = NAME_FROM_HOSTNAME.text(
    "{why}; --name is {name}, {whose}.",
    "Check it.",
)

HALF_TLS_PAIR = Code(
    "half-tls-pair",
    REVIEW,
    "a certificate without its key, or a key without its certificate",
    "Without both parts, 0.4 served plain http without a warning; 2.x refuses to start with only one. The one that "
    "is set is removed, so the member still serves plain http.",
)
HALF_A_PAIR = HALF_TLS_PAIR.text(
    "{given} is removed: without -{missing} 0.4 served plain http on -{address}, and this does not change.",
    "For TLS, give --{name} and --{missing}, and https:// in the URLs.",
)

CA_WITHOUT_PAIR = Code(
    "ca-without-pair",
    REVIEW,
    "a CA file that had no effect",
    "In 0.4 -ca-file requested client certificates, but only when -cert-file and -key-file were both given. Without "
    "them nothing was checked. It is removed, so nothing changes.",
)
CA_ALONE = CA_WITHOUT_PAIR.text(
    "{given} is removed: without -{prefix}cert-file and -{prefix}key-file it had no effect.",
    "To ask for client certificates, give a certificate and its key, --{trusted} and --{auth}.",
)

TIMING_BENT = Code(
    "timing-bent",
    REVIEW,
    "heartbeat and election time do not fit 2.x's rules",
    "In 2.x --election-timeout must be at least five times --heartbeat-interval, and at most 50000 ms (from 2.1.2 "
    "on); 0.4's own defaults (50 and 200 ms) break the rule. 2.x ignores -peer-heartbeat-interval and "
    "-peer-election-timeout with a warning. So they are carried over to the new names, changed only as much as the "
    "rules require. Every member of a cluster must have the same pair.",
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
    "accepts a token only once. A token used with 0.4 has 0.4's registrations and no size. A member that already has "
    "data ignores it. 3.7 removed this kind of discovery.",
)
OLD_TOKEN = DISCOVERY_TOKEN.text(
    "{value} cannot be used again if 0.4 used it, and etcd 2.x needs the cluster's size under it.",
    "Make a new token, set its _config/size, and write it here, the same on every member.",
)

NO_COUNTERPART = Code(
    "no-counterpart",
    REVIEW,
    "a setting of 0.4 that 2.x has no counterpart for",
    "The setting had an effect in 0.4, and 2.x has no setting with that effect. It is removed.",
)
LEFT_OUT = NO_COUNTERPART.text(
    "{given} is removed: {reason}.",
    "{remedy}",
)

NEVER_READ = Code(
    "never-read",
    REVIEW,
    "a setting that 0.4 never read",
    "0.4 silently ignored unknown keys in its file, keys in the wrong table, and some names from its own "
    "documentation. Such a setting had no effect, so it is not converted: that would change the behaviour. It is "
    "reported, because somebody expected it to work.",
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
    "0.4 read ETCD_SNAPSHOTCOUNT and not ETCD_SNAPSHOT_COUNT, which etcd 2.x reads. So the variable had no effect in "
    "0.4, and has one in etcd 2.x. It is kept, because somebody set it. Remove it to keep the old behaviour.",
)
NOW_READ = TAKES_EFFECT.text(
    "{given}={value}: 0.4 never read this name, and etcd 2.x does, so it takes effect from now on.",
    "Remove it to keep the old behaviour.",
)

CONFIG_NOT_SEEN = Code(
    "config-not-seen",
    REVIEW,
    "a -config that 0.4 never saw",
    "0.4 searched for -config in a first pass over the command line, which knew no other flag. A value as a separate "
    "word before it (-name x -config f) ended the search, and the file was silently not read. It is not read here "
    "either. To have it read, put -config first or write the flags before it as -name=x.",
)
CONFIG_BEHIND_A_WORD = CONFIG_NOT_SEEN.text(
    "{value} is not read: 0.4 searched for -config only up to the first value that was a separate word.",
    "To have it read, put -config first.",
)

WORDS_IGNORED = Code(
    "words-ignored",
    REVIEW,
    "words that 0.4 silently ignored",
    "Flags end at the first word that is not a flag; 0.4 ignored that word and everything after it, also flags. The "
    "same is done here for a command line that is clearly 0.4's. Often it is a boolean with its value as a separate "
    "word (-snapshot true), a redirection or an '&' that never reached a shell.",
)
IGNORED_WORDS = WORDS_IGNORED.text(
    "Ignored, as 0.4 did silently: {words} (etcd 2.x: '{word}' is not a valid flag)",
    "Remove them, or write a boolean as -flag=value.",
)

WILDCARD_ADVERTISED = Code(
    "wildcard-advertised",
    REVIEW,
    "a wildcard as the advertised address",
    "For a listen address, 0.0.0.0 and [::] mean 'every interface'. As an advertised address they mean nothing: 2.x "
    "sends the URL to clients and proxies, which then connect to themselves.",
)
WILDCARD = WILDCARD_ADVERTISED.text(
    "{value} is advertised to clients and peers, but it means 'every interface'.",
    "Set --{advertise} to an address that others can reach.",
)

UNUSABLE_VALUE = Code(
    "unusable-value",
    REVIEW,
    "a value of 0.4 that cannot be carried over",
    "2.x does not read this setting, so its value is not a reason to refuse the start. But the new setting does not "
    "accept the value either. It is ignored, and 2.x's default is used.",
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
    "a setting that the target release does not have",
    "The setting is newer than the release in --target, or that release has dropped it.",
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
    "0.4 and 2.x resolve a host name in a listen address; 3.0 and 3.1 warn, and from 3.2 on only an IP address or "
    "localhost is accepted ('expected IP in URL for binding').",
)
NAME_TO_BIND = LISTEN_HOST_NAME.text(
    "etcd {version}: expected IP in URL for binding ({url})",
    "Write the IP address of {host} in --{name}.",
)

CORS_WITHOUT_PORT = Code(
    "cors-without-port",
    REVIEW,
    "origins without a port",
    "Up to 3.3 --cors accepts any text; from 3.4 on every origin must be a URL with an explicit port, or '*'.",
)
PORT_OF_SCHEME = CORS_WITHOUT_PORT.text(
    "etcd {version}: {origins} got the port of its scheme, because --cors accepts only URLs with a port.",
    "A browser sends no default port in Origin, so check that these origins still match; '*' allows any.",
)

V2_API = Code(
    "v2-api",
    REVIEW,
    "clients of the v2 API",
    "Clients of 0.4 and 2.x use /v2/keys. 3.4 and 3.5 serve it only with --enable-v2; 3.6 and later do not serve it "
    "at all. There v2 keys in the data directory cannot be reached any more, and 3.6 does not start with them: see "
    "v2-leftovers.",
)
NO_V2_API = V2_API.text(
    "etcd {version} has no v2 API: clients of 0.4 and 2.x cannot be served, and v2 keys cannot be reached.",
    "Move the clients and their keys to the v3 API before you go beyond 3.5.",
)

V2_LEFTOVERS = Code(
    "v2-leftovers",
    REVIEW,
    "a member that was set up with --enable-v2 goes to 3.6 or later",
    "3.6 dropped --enable-v2. Removing the flag does not remove what v2 left in the data directory: etcd 3.6 stops "
    "because of v2 keys in its newest snapshot ('detected disallowed custom content in v2store') and because of v2 "
    "requests in its log behind that ('detected disallowed v2 WAL'). Such requests do not need a v2 client: a 3.5 "
    "member with --enable-v2 writes one for each GET /health, and 3.4.0 to 3.4.28 do so without the flag. So check a "
    "member even if the flag says false.\n\nmigrate02 v2store check DIR shows what was found; the member may run. "
    "migrate02 v2store clean --write DIR removes it from the directory of a stopped member, and does not change the "
    "v3 data. 3.7 refuses more than 3.6: check again, with --for 3.7, before that upgrade. docs/v2-leftovers.md has "
    "the steps for one member, for several and in Kubernetes.",
)
V2_FLAG_GONE = V2_LEFTOVERS.text(
    "etcd {version}: --{name} {value} is removed: 3.6.0 dropped it. What v2 left in the data directory can keep "
    "etcd 3.6 and later from starting.",
    "Before 3.6 starts, run: migrate02 v2store check {directory} (see docs/v2-leftovers.md).",
)

DISCOVERY_DROPPED = Code(
    "discovery-dropped",
    INFO,
    "-discovery was removed for a list of members",
    "etcd 2.x refuses --discovery together with --initial-cluster, and a token that 0.4 used cannot be used again. "
    "If the list of members is given, by --initial-cluster of this run or from its files, -discovery is removed. A "
    "file that sets both is refused, see several-bootstraps.",
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
    "Clients of 0.4 and 2.x use /v2/keys, which 3.4 and 3.5 serve with --enable-v2. What they write there remains in "
    "the data directory, and etcd 3.6 refuses to start on it. Move the clients and their keys to the v3 API before "
    "the upgrade to 3.6, then turn the flag off, and clean the directories: migrate02 v2store check DIR shows what "
    "remains, migrate02 v2store clean --write DIR removes it. docs/v2-leftovers.md has all steps.\n\nWith the flag "
    "on, 3.5 writes a v2 request into its log for each GET /health, so a member that is probed does not stay clean.",
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
    "a new cluster of one, as 2.x needs it",
    "With neither -peers nor -discovery, 0.4 started a new cluster of one. 2.x's default --initial-cluster names "
    "only localhost, so any other peer address stops it with '--initial-cluster must include ...'. Therefore "
    "--initial-cluster NAME=URL is written. A member that already has data ignores it. If the node was the first of "
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
    "-peers has no effect here",
    "The member already knows its cluster: from --initial-cluster, or from its data directory.",
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
    "{given} is removed: the list replaces it too.",
)

LISTENS_EVERYWHERE = Code(
    "listens-everywhere",
    INFO,
    "listens on every interface",
    "0.4 listened on every interface when no bind address was given, and 2.x's -addr does the same ([::]:PORT). This "
    "is kept, so every client can still connect. 2.x alone would listen on localhost only. To listen on one address, "
    "set it in --listen-client-urls or --listen-peer-urls.",
)
EVERY_INTERFACE = LISTENS_EVERYWHERE.text(
    "-{bound} is not set, so --{listen} is {everywhere}: every interface, as in 0.4.",
    "To listen on one address, set --{listen}.",
)

PORT_ADDED = Code(
    "port-added",
    INFO,
    "a bind address without a port",
    "0.4 used the port of the advertised address for a bind address without a port; 2.x refuses it ('missing port in "
    "address'). The port is written out.",
)
PORT_OF_ADVERTISED = PORT_ADDED.text(
    "{value} has no port; 0.4 took {port}, the port of -{advertised}.",
)

HOST_NAME = Code(
    "host-name",
    INFO,
    "a host name where 2.x's old flag takes only IP addresses",
    "2.x's -addr and its three relatives refuse host names ('bad IP in address specification'); its URL settings "
    "accept them.",
)
NAME_TO_CALL = HOST_NAME.text(
    "{value}: etcd 2.x refuses a host name in -{old}, but --{new} accepts it.",
    "Make sure that every machine resolves {host}.",
)
NAME_TO_LISTEN = HOST_NAME.text(
    "{value}: etcd 2.x refuses a host name in -{old}, but --{new} accepts it up to 3.1.",
    "Write the IP address before you go on to 3.2 or later.",
)

V3_DATABASE = Code(
    "v3-database",
    REVIEW,
    "a data directory was prepared for etcd 3.x",
    "etcd 3.1 to 3.5 do not start on a data directory with a snapshot of etcd 2.x unless it has a database of the v3 "
    "API, member/snap/db; etcd 2.3 and the bundled server do not start if there is one. So etcd02 adds an empty one "
    "when it starts such an etcd on the directory, and not before. Once that etcd has written to the directory, "
    "nothing before 3.0 can read it any more: copy the directory first if you may want to go back. If that etcd did "
    "not start, remove the file.\n\nIf the member was in a cluster with data of the v3 API, which the bundled server "
    "does not keep, an empty database would be wrong, and etcd02 refuses: remove the member from the cluster, add it "
    "again, and start etcd with an empty directory.",
)
DATABASE_ADDED = V3_DATABASE.text(
    "Added an empty v3 database, which etcd {version} needs beside a snapshot. etcd 2.x and the bundled "
    "server do not start on a directory that has one.",
    "Keep a copy of {directory} if you may want to go back: once etcd {version} has started, there is no other way. "
    "Until then you can just remove the file.",
)

STRAIGHT_FROM_2X = Code(
    "straight-from-2x",
    REVIEW,
    "data of etcd 2.x on the way to etcd 3.5 or later",
    "3.5 does not accept a step of the cluster's version to another major version. If its log has one, it answers "
    "'etcdserver: not capable' to every v3 call. Tried with data of 2.3, and with 3.4.23 and 3.5.1:\n\n3.5 directly "
    "on data of 2.x leaves the cluster at version 2.3, and v3 calls fail permanently. 3.4 still starts on that "
    "directory. 3.4 in between raises the version, but every start reads the log again from the newest snapshot on: "
    "without a snapshot taken at version 3.4, 3.5 reads the step from 2.3 again.\n\nSo start all members on 3.4. "
    'When /version says "etcdcluster":"3.4.0", restart each with --snapshot-count=1, so that it takes a snapshot at '
    "that version; --snapshot-count=1 at the first start is too early. Then go to 3.5. If you run 3.5 already and "
    "the cluster's version is 3.5: start it with --snapshot-count=1, and once without.\n\n3.6 and later refuse what "
    "v2 left in a data directory; see v2-leftovers. docs/v2-leftovers.md has the steps.",
)
STAYS_AT_23 = STRAIGHT_FROM_2X.text(
    "{directory} holds data of etcd 2.x. etcd {version} directly on it leaves the cluster at version 2.3 and answers "
    "'etcdserver: not capable' to every call of the v3 API.",
    "Start all members on 3.4 first, and let each take a snapshot there: 'migrate02 explain straight-from-2x'.",
)
SNAPSHOT_BEFORE_35 = STRAIGHT_FROM_2X.text(
    "{directory} holds data of etcd 2.x. Without a snapshot taken on 3.4, etcd 3.5 will answer 'etcdserver: not "
    "capable' to every call of the v3 API.",
    "Before 3.5, restart each member on 3.4 with --snapshot-count=1: 'migrate02 explain straight-from-2x'.",
)
REFUSES_2X = STRAIGHT_FROM_2X.text(
    "{directory} holds data of etcd 2.x, and etcd {version} refuses v2 keys and v2 requests in a data directory.",
    "Start all members on 3.4 first, then on 3.5, then clean them: see docs/v2-leftovers.md.",
)

DATA_MIGRATED = Code(
    "data-migrated",
    INFO,
    "a data directory of 0.4 was converted",
    "With --auto-migrate (or ETCD02_AUTO_MIGRATE=true) etcd02 runs 'migrate02 data DIR --beside' before it starts on "
    "a data directory of 0.4. The new files are in member/; the old ones are kept and not used any more. Members of "
    "one cluster that are converted one by one must show the same digest. If one digest differs, remove member/ of "
    "all of them and convert them together (migrate02 data DIR DIR DIR --out OUT).",
)
MIGRATED = DATA_MIGRATED.text(
    "{what}",
    "The files of 0.4 are still there; keep them for a while.",
)

OLD_DATA_FORMAT = Code(
    "old-data-format",
    INFO,
    "2.x cannot read 0.4's data",
    "etcd 2.2 and later do not read a data directory of 0.4 (conf, log, snapshot): they start EMPTY on it, with only "
    "the warning 'found invalid file/dir conf under data dir'. This command converts the configuration; 'migrate02 "
    "data' converts the data. 'migrate02 explain data-dir-04' says how to keep the keys.",
)
OLD_DATA = OLD_DATA_FORMAT.text(
    "etcd 2.2 and later cannot read 0.4's data in {directory} and would start empty.",
    "Convert it first: migrate02 data {quoted} NEW",
)

DROPPED_DEFAULT = Code(
    "dropped-default",
    INFO,
    "a setting that changes nothing",
    "The value is 2.x's default, or it had no effect in 0.4. It is removed.",
)
CHANGES_NOTHING = DROPPED_DEFAULT.text(
    "{given} is removed: it changes nothing in etcd 2.x.",
)
DEBUG_SAYS_IT = DROPPED_DEFAULT.text(
    "{given} is removed: --debug does the same.",
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
    "Except for the four addresses, etcd 2.x does not treat this as a conflict: it ignores the old name, or never "
    "knew it.",
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
    "0.4 accepted it with a warning; 2.x and later do not know it.",
)
DEPRECATED_FLAG = DEPRECATED_NAME.text(
    "[deprecated] use -{new}, not -{old}",
)

UNKNOWN_VARIABLE = Code(
    "unknown-variable",
    INFO,
    "an ETCD_ variable that is not a setting",
    "2.x warns 'unrecognized environment variable' and continues.",
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
    "It belongs to a later etcd. To use it, start one with --engine PATH.",
)

ENGINE_CHOSEN = Code(
    "engine-chosen",
    INFO,
    "which etcd was chosen",
    "--engine auto (or ETCD02_ENGINE=auto) starts the first real etcd on the PATH, and the bundled server if there "
    "is none. --engine gateway starts a gateway, which has its keys in an etcd 3 and does not use the settings by "
    "which a member finds its cluster, such as -peers.",
)
CHOSEN = ENGINE_CHOSEN.text(
    "--engine auto: {path}",
)
BUNDLED_CHOSEN = ENGINE_CHOSEN.text(
    "--engine auto: no etcd on the PATH, so the bundled server",
)
MEMBERS_ALONE = ENGINE_CHOSEN.text(
    "--engine gateway: not used, because a gateway has no other members and no log: {given}",
)

FILE_NOT_READ = Code(
    "file-not-read",
    INFO,
    "0.4's configuration file was not read",
    "0.4 read /etc/etcd/etcd.conf if it existed; 2.x has no such file. etcd02 reads it for a command line of 0.4, "
    "not for one of 2.x.",
)
NOT_READ = FILE_NOT_READ.text(
    "Not read: {why}.",
    "To have it read, name it with -config.",
)

FILE_READ = Code(
    "file-read",
    INFO,
    "an environment file in the place of 0.4's own file",
    "A configuration that was converted in place is now an environment file, but the init script still names it with "
    "-config or expects it in /etc/etcd/etcd.conf. etcd02 reads it there; the real environment wins over it. etcd "
    "2.x itself reads no file. To have any etcd read it, use EnvironmentFile= in a unit, or set -a; . FILE; set +a "
    "in a script.",
)
READ_AS_VARIABLES = FILE_READ.text(
    "Read as an environment file; etcd 2.x itself reads no file.",
)

CODES = catalogue(globals())
