"""What the readers of formats have to say: codes, their stories and texts."""

from __future__ import annotations

from compat.codes import NEVER_READ
from compat.findings import INFO, REVIEW, Code

NOT_CONVERTED = Code(
    "not-converted",
    REVIEW,
    "settings of 0.4 that are not changed",
    "Something here sets up etcd 0.4 in a way that is not certain: flags that are added under a condition and affect "
    "others, a variable that the script itself uses, a program in a variable, an open quote, a file of a kind that "
    "is not converted, or a file that belongs to a refused one. Nothing is guessed: that piece is not changed. "
    "Change what the finding names and convert again, or convert etcd's command line separately, 'migrate02 convert "
    "-- etcd FLAGS', and insert the result.",
)
LEFT_ALONE = NOT_CONVERTED.text(
    "{reason}",
    "{remedy}",
)
QUOTE_LEFT_OPEN = NOT_CONVERTED.text(
    "Not changed: a quote is not closed here, or something cannot be understood.",
    "Correct it, and convert again.",
)
PROGRAM_UNKNOWN = NOT_CONVERTED.text(
    "Not changed: {word} may be etcd, with flags of 0.4 behind it.",
    "Write the program's name there, and convert again.",
)
BESIDE_A_VARIABLE = NOT_CONVERTED.text(
    "Not changed: {variable} of line {line} may reach this etcd too, and its value is not known here.",
    "Convert both by hand: migrate02 convert -- {variable}=VALUE etcd FLAGS",
)
NAME_USED = NOT_CONVERTED.text(
    "Not changed: the script itself uses {variable}, which would get another name.",
    "Give the script another variable, and convert again.",
)
ADDED_AT_TIMES = NOT_CONVERTED.text(
    "Not changed: {flags} is added only under a condition, and the rest depends on it.",
    "Make one command for each case, and convert again.",
)
SECTION_FOR_A_UNIT = NOT_CONVERTED.text(
    "Not changed: the section sets up the unit etcd.service, which this file also contains.",
    "Remove the unit's content, so that CoreOS' own is used, and convert again; or set everything in the "
    "unit.",
)

FLAGS_ELSEWHERE = Code(
    "flags-elsewhere",
    REVIEW,
    "flags that are set elsewhere",
    'A word such as $ETCD_OPTS or "$@" on a command line stands for flags that are not visible there, and a variable '
    "may hold a piece of a command line. If a variable is set to a fixed value in the same file, or in a file that "
    "this one reads and that is part of the run, its value is used. Any other word or variable is not changed. If it "
    "holds flags of 0.4, convert them separately, with 'migrate02 convert -- etcd FLAGS', and insert the result.",
)
MORE_FLAGS = FLAGS_ELSEWHERE.text(
    "Not changed: {words} may stand for more flags, which are not known here.",
    "Convert what it stands for too.",
)
FLAGS_AT_TIMES = FLAGS_ELSEWHERE.text(
    "Not changed: {flags} is added only under a condition.",
    "Run: migrate02 convert -- etcd {flags}",
)
FLAGS_IN_A_VARIABLE = FLAGS_ELSEWHERE.text(
    "Not changed: {variable} holds flags of etcd 0.4, which are not converted here.",
    "Run: migrate02 convert -- etcd {flags}",
)

CONFIG_ELSEWHERE = Code(
    "config-elsewhere",
    REVIEW,
    "a configuration file beside the command line",
    "0.4 read the file named by -config; etcd 2.x ignores the flag with a warning, and 3.x reads YAML from "
    "--config-file instead. Only the command line is converted here: convert the file too. etcd02 reads both.",
)
FILE_LEFT_OUT = CONFIG_ELSEWHERE.text(
    "{path} is removed: etcd 2.x reads no file, and its settings are not in this command line.",
    "Convert {path} too, and start etcd with both results.",
)

UNIT_RENAMED = Code(
    "unit-renamed",
    INFO,
    "the unit of etcd 2.x has another name",
    "On CoreOS the section 'etcd:' of a cloud-config sets up etcd.service, which runs 0.4, and 'etcd2:' sets up "
    "etcd2.service, which runs 2.x and keeps its data in /var/lib/etcd2. If the section is converted, the units that "
    "are started, and the units that wait for them, get the new name.",
)
RENAMED = UNIT_RENAMED.text(
    "etcd.service, which runs 0.4, became etcd2.service, which keeps its data in /var/lib/etcd2.",
)

TWO_SECTIONS = Code(
    "two-sections",
    REVIEW,
    "sections for etcd 0.4 and for 2.x in one cloud-config",
    "The cloud-config has both 'etcd:' and 'etcd2:', for a machine that starts one or the other. The section of 2.x "
    "is used, and the one of 0.4 is not changed: nothing reads it when the unit etcd.service no longer exists. "
    "Remove it.",
)
BOTH_SECTIONS = TWO_SECTIONS.text(
    "Not changed: there is a section etcd2: too.",
    "Remove the section etcd: when no machine runs 0.4 any more.",
)

OLD_RELEASE = Code(
    "old-release",
    REVIEW,
    "an image or an archive that is too old",
    "The file names a release before 2.0, or one before the --target, as the tag of an image or as an archive to "
    "download. A converted configuration needs etcd 2.x, or that target. You must choose which one to use, and where "
    "to get it.",
)
BEFORE_20 = OLD_RELEASE.text(
    "{release} is a release before 2.0 and cannot read what is written here{also}.",
    "Use a release of {wanted} there.",
)
BEFORE_TARGET = OLD_RELEASE.text(
    "{release} is older than {target} and may refuse what is written here for {target}{also}.",
    "Use a release of {wanted} there.",
)

NO_SUCH_KEY = NEVER_READ.text(
    "{key}: CoreOS' tool does not know this key in this section and drops it silently.",
    "Remove it, or correct its spelling.",
)
