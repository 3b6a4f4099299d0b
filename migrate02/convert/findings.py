"""What a conversion has to say beyond its translation: codes, their stories and texts."""

from __future__ import annotations

from compat.codes import INVALID_VALUE, SETTINGS_CLASH, UNUSABLE_INPUT
from compat.findings import ERROR, INFO, REVIEW, Code
from migrate02.formats.findings import CONFIG_ELSEWHERE, FLAGS_ELSEWHERE, NOT_CONVERTED

NOT_UNDERSTOOD = NOT_CONVERTED.text(
    "Not changed: a setting of 0.4, in a place that cannot be understood.",
    "Convert it by itself, migrate02 convert -- etcd FLAGS, and put the result in.",
)
CANNOT_HOLD = NOT_CONVERTED.text(
    "Not changed: {reason}.",
    "Convert it by itself, migrate02 convert -- etcd FLAGS, and put the result in.",
)
BY_A_TEMPLATE = NOT_CONVERTED.text(
    "{reason}",
    "Convert what the template makes, for each case, and put the results into it by hand.",
)
WITH_A_REFUSED_ONE = NOT_CONVERTED.text(
    "Not changed: it belongs to {files}, which is refused.",
    "See there.",
)

UNUSABLE = UNUSABLE_INPUT.text(
    "{reason}",
    "{remedy}",
)

CANNOT_READ = Code(
    "cannot-read",
    ERROR,
    "a file that the system does not give",
    "The file is there, and the system does not let it be read: a right is missing, or the disk reports an error. "
    "Nothing is known of its content, so it is not changed, and neither are the files that belong to one "
    "configuration with it. Correct the cause, and run the command again.",
)
KEPT_BACK = CANNOT_READ.text(
    "{reason}",
    "{remedy}",
)

CANNOT_WRITE = Code(
    "cannot-write",
    ERROR,
    "a result that could not be written",
    "The file was converted, and the result could not take its place: the disk is full, a right is missing, or the "
    "file was changed by somebody else in between. The file is as it was, and so are the files that are changed "
    "together with it. Correct the cause, and run the command again: what is written already is found converted.",
)
NOT_WRITTEN = CANNOT_WRITE.text(
    "{reason}",
    "{remedy}",
)

LINE_BREAK = INVALID_VALUE.text(
    "{given}: there is a line break in the value.",
    "Remove it.",
)

NOT_FOR_THIS_MEMBER = SETTINGS_CLASH.text(
    "{reason}",
    "{remedy}",
)

NOTHING_TO_CONVERT = Code(
    "nothing-to-convert",
    INFO,
    "no setting of etcd in a file",
    "The file was named, and holds no setting of etcd. It is not changed. An environment file without one, or an "
    "empty file, is no mistake: a unit may read it for other variables.",
)
NO_SETTING_OF_ETCD = NOTHING_TO_CONVERT.text(
    "No etcd setting in this file; nothing to convert.",
)

WOULD_CHANGE = Code(
    "would-change",
    REVIEW,
    "a file is still written for etcd 0.4",
    "convert --check found something to convert in the file. Reports for programs (--output sarif, github, junit or "
    "gitlab) have this finding for each such file. A person sees it by the exit status, which is 1. To convert the "
    "file, run migrate02 convert --write.",
)
STILL_04 = WOULD_CHANGE.text(
    "This file is still written for etcd 0.4.",
    "Run migrate02 convert --write.",
)

YAML_NEEDS_3 = Code(
    "yaml-needs-3",
    INFO,
    "a YAML file needs etcd 3.0",
    "etcd 2.x has no configuration file; --config-file came with 3.0. With it, flags and environment are ignored.",
)
FILE_FOR_3 = YAML_NEEDS_3.text(
    "etcd 2.x reads no YAML file. This one is for 3.0 to 3.3; in 3.4 and 3.5 the v2 API is off unless "
    "the file says enable-v2.",
    "For 3.4 or 3.5, add --target 3.4 or 3.5.",
)

BEHIND_THE_FLAGS = FLAGS_ELSEWHERE.text(
    "What stands after the flags has no place in this form: {words}",
    "Put it where it belongs by hand.",
)
NO_PLACE = FLAGS_ELSEWHERE.text(
    "There is no place here for what etcd 0.4 did by default: {flags}",
    "Put it where etcd is started.",
)

ERA_UNCLEAR = Code(
    "era-unclear",
    REVIEW,
    "nothing here is 0.4's alone",
    "All settings exist in 0.4 and in 2.x, but what is not set differs: 0.4 listened on every interface at ports "
    "4001 and 7001, 2.x on localhost at 2379, 4001, 2380 and 7001; 0.4 took its name from the host. Only you know "
    "which one it was written for.",
)
UNCLEAR_FILE = ERA_UNCLEAR.text(
    "Not changed: every setting here exists in 0.4 and in 2.x, and their defaults differ.",
    "If the file is for 0.4, add --from 0.4.",
)
UNCLEAR_START = ERA_UNCLEAR.text(
    "Not changed: every setting here exists in 0.4 and in 2.x, and their defaults differ.",
    "If the file is for 0.4, add --from 0.4.",
)

DEFAULTS_LEFT_OUT = Code(
    "defaults-left-out",
    REVIEW,
    "what 0.4 did by default, where more may be set elsewhere",
    "A start of etcd whose environment file, or a variable in it, was not given may be given more "
    "settings there. What 0.4 did by default is then not written out, because a flag would win over what is set "
    "there: the member's name, its addresses, a cluster of one. The settings that are seen are converted. Convert "
    "the missing file in the same run, or add what is set nowhere by hand.",
)
MAY_BE_SET = DEFAULTS_LEFT_OUT.text(
    "More may be set elsewhere, so 0.4's defaults are not written: {flags}",
    "Add those that are set nowhere.",
)

MEMBERS_FROM_FILES = Code(
    "members-from-files",
    INFO,
    "the members of a cluster, taken from the files of one run",
    "-peers names addresses, and 2.x wants every member by name. Where the files that are converted together hold "
    "a node for every such address, each with a name and a peer address of its own, --initial-cluster is written "
    "for all of them, the same on each. A node that none of these files describes cannot be among them: check that "
    "the list is whole.",
)
MEMBERS_FOUND = MEMBERS_FROM_FILES.text(
    "The members of the cluster are those of the given files: {members}",
    "Check that none is missing.",
)

SHARED_SETTINGS = Code(
    "shared-settings",
    REVIEW,
    "settings that two starts of etcd share",
    "Two starts of etcd take a setting from the same place, a variable or an environment file, and what has to "
    "stand there differs between them: one sets an address that the other does not, for example. Neither is "
    "changed. Give each its own, and convert again.",
)
SHARED = SHARED_SETTINGS.text(
    "Not changed: two starts of etcd need different settings here.",
    "Give each its own, and convert again.",
)

FILE_MOVED = Code(
    "file-moved",
    INFO,
    "0.4's file became flags of the start",
    "0.4 read /etc/etcd/etcd.conf, or the file of -config; etcd 2.x reads no file. In a unit the file becomes an "
    "environment file, and EnvironmentFile= names it. A script or a container has no such line, so there the "
    "file's settings are written where etcd is started, and the file itself is not changed: nothing reads it "
    "any more.",
)
WRITTEN_HERE = FILE_MOVED.text(
    "The settings of {path} are written here, because etcd 2.x reads no file.",
    "Remove {path}.",
)

VALUE_ELSEWHERE = Code(
    "value-elsewhere",
    REVIEW,
    "an address that is filled in as a whole",
    "0.4 listened at the port of the advertised address, and 2.x has to be given where to listen. When the whole "
    "address is a variable that is set elsewhere, its port is not seen, and nothing is guessed: the start of etcd "
    "is not changed. Write the port out, $HOST:4001, or set the variable plainly in the same file.",
)
PORT_NOT_SEEN = VALUE_ELSEWHERE.text(
    "Not changed: the port in {setting} is not known here, and 2.x has to be given it.",
    "Write it as HOST:PORT, and convert again.",
)

ENVIRONMENT_ELSEWHERE = Code(
    "environment-elsewhere",
    REVIEW,
    "an environment file that was not given",
    "The start of etcd takes variables from a file that is not among the files of this run. Its settings belong to "
    "the same configuration: flags over environment over 0.4's file. Convert both in one run, so that they are "
    "taken together; a setting of 0.4 left in that file would clash with its new name here.",
)
FILE_NOT_GIVEN = ENVIRONMENT_ELSEWHERE.text(
    "The start also reads {path}, which was not given.",
    "Add that file to this run: migrate02 convert {files}",
)

CONFIG_NOT_GIVEN = CONFIG_ELSEWHERE.text(
    "0.4 also read {path}, which was not given; {given} is removed: 2.x reads no file.",
    "Add that file to this run: migrate02 convert {files}",
)

HOST_NAME_KEPT = Code(
    "host-name-kept",
    INFO,
    "the name stays the host's",
    "Without -name, 0.4 used the host name, and 2.x would say 'default'. This kind of file can say 'the host name' "
    "by itself: %H in a systemd unit, $(hostname) in a script. So the member keeps its name on every machine.",
)
NAME_OF_THE_HOST = HOST_NAME_KEPT.text(
    "No -name was set, so 0.4 used the host name; --name {hostname} says the same.",
)

NOT_A_FILE = Code(
    "not-a-file",
    INFO,
    "a pipe, a socket or a device in a folder",
    "What is found in a folder and is no file is not opened: a pipe would be waited for, and a device may do "
    "something or never end. With etcd in its name it counts as refused. A pipe that is named by itself is read, "
    "as <(...) of a shell makes one. Links are not followed and not reported.",
)
NO_FILE = NOT_A_FILE.text(
    "{reason}",
    "{remedy}",
)

STANDBY_UNKNOWN = Code(
    "standby-unknown",
    REVIEW,
    "more nodes than the active size, and nobody knows which stood by",
    "0.4 let as many nodes vote as the active size says (9 by default), and the others stood by, with no data. "
    "It chose them while it ran, so files do not tell. 2.x has no standbys: they become proxies. Ask the running "
    "cluster, or the data directories: one with a standby_info that says it was running is a standby's.",
)
STANDBYS_AMONG_FILES = STANDBY_UNKNOWN.text(
    "{reason}",
    "All are listed as members here. Let migrate02 plan --live URL, or --standby NAME, find out who "
    "becomes a proxy, and convert with its --initial-cluster.",
)
