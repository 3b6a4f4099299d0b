"""What a conversion has to say beyond its translation: codes, their stories and texts."""

from __future__ import annotations

from compat.codes import INVALID_VALUE, SETTINGS_CLASH, UNUSABLE_INPUT
from compat.findings import ERROR, INFO, REVIEW, Code
from migrate02.formats.findings import CONFIG_ELSEWHERE, FLAGS_ELSEWHERE, NOT_CONVERTED

NOT_UNDERSTOOD = NOT_CONVERTED.text(
    "Not changed: a setting of 0.4, in a place that is not understood.",
    "Convert it separately, migrate02 convert -- etcd FLAGS, and insert the result.",
)
CANNOT_HOLD = NOT_CONVERTED.text(
    "Not changed: {reason}.",
    "Convert it separately, migrate02 convert -- etcd FLAGS, and insert the result.",
)
BY_A_TEMPLATE = NOT_CONVERTED.text(
    "{reason}",
    "Convert the output of the template, for each case, and insert the results by hand.",
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
    "a file that cannot be read",
    "The file exists, but the system does not allow to read it: a right is missing, or the disk reports an error. "
    "Its content is unknown, so it is not changed, and neither are the files that belong to the same configuration. "
    "Correct the cause, and run the command again.",
)
KEPT_BACK = CANNOT_READ.text(
    "{reason}",
    "{remedy}",
)

CANNOT_WRITE = Code(
    "cannot-write",
    ERROR,
    "a result that could not be written",
    "The file was converted, but the result could not replace it: the disk is full, a right is missing, or somebody "
    "changed the file in the meantime. The file is not changed, and neither are the files that change together with "
    "it. Correct the cause, and run the command again: files that were written already are recognised as converted.",
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
    "The file was named, and has no etcd setting. It is not changed. An environment file without one, or an empty "
    "file, is not a mistake: a unit may read it for other variables.",
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
    "The words after the flags have no place in this form: {words}",
    "Put them where they belong by hand.",
)
NO_PLACE = FLAGS_ELSEWHERE.text(
    "This file has no place for 0.4's defaults: {flags}",
    "Put them where etcd is started.",
)

ERA_UNCLEAR = Code(
    "era-unclear",
    REVIEW,
    "every setting exists in 0.4 and in 2.x",
    "All settings exist in 0.4 and in 2.x, but the defaults differ: 0.4 listened on every interface at ports 4001 "
    "and 7001, 2.x on localhost at 2379, 4001, 2380 and 7001; 0.4 used the host name as its name. Only you know for "
    "which one the file was written.",
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
    "0.4's defaults, where more may be set elsewhere",
    "The start of etcd reads an environment file or a variable that was not given, and more settings may be set "
    "there. So 0.4's defaults are not written out, because a flag would win over those settings: the member's name, "
    "its addresses, a cluster of one. The settings that are known are converted. Convert the missing file in the "
    "same run, or add by hand what is set nowhere.",
)
MAY_BE_SET = DEFAULTS_LEFT_OUT.text(
    "More may be set elsewhere, so 0.4's defaults are not written: {flags}",
    "Add those that are set nowhere.",
)

MEMBERS_FROM_FILES = Code(
    "members-from-files",
    INFO,
    "the members of a cluster, found in the files of one run",
    "-peers has addresses, and 2.x needs every member by name. If the files of one run describe a node for every "
    "such address, each with its own name and peer address, --initial-cluster is written for all of them, the same "
    "on each. A node that none of these files describes is missing: check that the list is complete.",
)
MEMBERS_FOUND = MEMBERS_FROM_FILES.text(
    "The members of the cluster are those of the given files: {members}",
    "Check that none is missing.",
)

SHARED_SETTINGS = Code(
    "shared-settings",
    REVIEW,
    "settings that two starts of etcd share",
    "Two starts of etcd use a setting from the same place, a variable or an environment file, but need different "
    "values there: for example, one sets an address that the other does not. Neither is changed. Give each its own "
    "place, and convert again.",
)
SHARED = SHARED_SETTINGS.text(
    "Not changed: two starts of etcd need different settings here.",
    "Give each its own setting, and convert again.",
)

FILE_MOVED = Code(
    "file-moved",
    INFO,
    "0.4's file became flags of the start",
    "0.4 read /etc/etcd/etcd.conf, or the file of -config; etcd 2.x reads no file. In a unit the file becomes an "
    "environment file, and EnvironmentFile= names it. A script or a container has no such line, so the file's "
    "settings are written where etcd is started. The file itself is not changed: nothing reads it any more.",
)
WRITTEN_HERE = FILE_MOVED.text(
    "The settings of {path} are written here, because etcd 2.x reads no file.",
    "Remove {path}.",
)

VALUE_ELSEWHERE = Code(
    "value-elsewhere",
    REVIEW,
    "an address that is filled in as a whole",
    "0.4 listened at the port of the advertised address; 2.x needs a listen address. If the whole address is a "
    "variable that is set elsewhere, its port is unknown, and nothing is guessed: the start of etcd is not changed. "
    "Write the port, $HOST:4001, or set the variable to a fixed value in the same file.",
)
PORT_NOT_SEEN = VALUE_ELSEWHERE.text(
    "Not changed: the port in {setting} is not known here, and 2.x needs it.",
    "Write it as HOST:PORT, and convert again.",
)

ENVIRONMENT_ELSEWHERE = Code(
    "environment-elsewhere",
    REVIEW,
    "an environment file that was not given",
    "The start of etcd reads variables from a file that is not among the files of this run. Its settings belong to "
    "the same configuration: flags win over the environment, and the environment over 0.4's file. Convert both in "
    "one run, so that they are treated together; a setting of 0.4 that remains in that file would conflict with its "
    "new name here.",
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
    "the name is still the host name",
    "Without -name, 0.4 used the host name, and 2.x would use 'default'. This kind of file can refer to the host "
    "name: %H in a systemd unit, $(hostname) in a script. So the member keeps its name on every machine.",
)
NAME_OF_THE_HOST = HOST_NAME_KEPT.text(
    "No -name was set, so 0.4 used the host name; --name {hostname} says the same.",
)

NOT_A_FILE = Code(
    "not-a-file",
    INFO,
    "a pipe, a socket or a device in a folder",
    "Pipes, sockets and devices in a folder are not opened: reading a pipe could wait without end, and reading a "
    "device may have effects or never end. If its name contains etcd, it counts as refused. A pipe that is named on "
    "the command line is read, as <(...) of a shell makes one. Links are not followed and not reported.",
)
NO_FILE = NOT_A_FILE.text(
    "{reason}",
    "{remedy}",
)

STANDBY_UNKNOWN = Code(
    "standby-unknown",
    REVIEW,
    "more nodes than the active size, and the standbys are not known",
    "0.4 let as many nodes vote as the active size says (9 by default); the others were standbys, with no data. It "
    "chose them at run time, so files do not say which. 2.x has no standbys: they become proxies. Ask the running "
    "cluster, or look at the data directories: one with a standby_info that says it was running belongs to a standby.",
)
STANDBYS_AMONG_FILES = STANDBY_UNKNOWN.text(
    "{reason}",
    "All are listed as members here. Let migrate02 plan --live URL, or --standby NAME, find out who "
    "becomes a proxy, and convert with its --initial-cluster.",
)
