"""The stories for etcdctl02, and what makes their transcripts comparable with those recorded from etcdctl 2.3.8.

``fixtures/etcdctl-2.3.8`` has the transcripts: what that etcdctl printed and returned, told the same stories of an etcd
2.3.8. Paths of the program are ``etcdctl`` there, and the complaints of ``stty``, which it runs, are left out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from compat.etcdctl02.cli import main
from compat.etcdctl02.console import Console
from compat.etcdctl02.tree import OURS
from tests.clients.etcdctl_stories import OF_ITS_OWN, STORIES
from tests.clients.stories import Ended

PATIENT = ("--timeout", "15s", "--total-timeout", "15s")

HELP = {
    "help": """
        help
        h
        --help
        -h
        --version
        -v
        --version get
        help backup
        help cluster-health
        help mk
        help mkdir
        help rm
        help rmdir
        help get
        help ls
        help set
        help setdir
        help update
        help updatedir
        help watch
        help exec-watch
        help import
        help member
        help user
        help nonsense
        get --help
        get -h /a
        set /a --help
        member help
        member h
        member --help
        member help add
        member help nonsense
        member nonsense
        member add --help
        user help grant
        user grant -h
        role help grant
        role revoke --help
        role help help
        auth help
        auth enable --help
        nonsense
        nonsense --help
        -o json --output json get /a
        get --help -h
        member --help -h
        member --nonsense
        --debug=maybe get /a
        get --sort=maybe /a
        set --ttl 1.5 /a x
        set --ttl 99999999999999999999 /a x
        set --ttl
        --output
        --timeout 5 get /a
        --=x get /a
        get ---sort /a
    """,
}

MORE = {
    "words": """
        set /a one two three
        get /a /b
        set --ttl=1000 /a one
        set -ttl 1000 /a one
        set /a --ttl 1000 /b
        ls --sort
        set /a --ttl 1000
        set -- /a -dashed
        get /a
        set /a -- one
        get /a
        set --ttl 0x3e8 /hex x
        -o json get /hex
        set --ttl 01750 /octal x
        -o json get /octal
        get /hex --sort
        get --sort=false /hex
        -output=json get /hex
        -o=json get /hex
        --no-sync=true --debug get /hex
        --no-sync=false --debug get /hex
        -o simple -o json get /hex
        ls --sort=t -p=0 --recursive=TRUE /
        --timeout 1m0.5s get /hex
        --total-timeout 1h2m3s get /hex
        set '' root
        ~ ls ''
        rm --recursive //a/../hex/.
        ls --sort
        mk --in-order '' x
    """,
    "nobody there": """
        ! --endpoints http://127.0.0.1:1 get /a
        ! --no-sync --endpoints http://127.0.0.1:1 get /a
        ! --no-sync --endpoints http://127.0.0.1:1 watch /a
        ! --endpoints http://127.0.0.1:1 cluster-health
        ! --endpoints http://127.0.0.1:1 member list
        ! --endpoints http://127.0.0.1:1 member add a http://127.0.0.1:2
        ! --no-sync --endpoints http://127.0.0.1:1 member list
        ! --no-sync --endpoints http://127.0.0.1:1 member remove 1
        ! --no-sync --endpoints http://127.0.0.1:1 user list
        ! --no-sync --endpoints http://127.0.0.1:1 user passwd a
        ! --no-sync --endpoints http://127.0.0.1:1 role get a
        ! --no-sync --endpoints http://127.0.0.1:1 role add a
        ! --no-sync --endpoints http://127.0.0.1:1 auth enable
        ! --debug --endpoints http://127.0.0.1:1 get /a
        ! --endpoints ftp://127.0.0.1:1 get /a
        ! --no-sync --endpoints ftp://127.0.0.1:1 get /a
        ! --endpoints http://[::1 get /a
        ! --endpoints http://127.0.0.1:port get /a
        ! --endpoints http://127.0.0.1:1,http://[::1 get /a
        ! --endpoints https://127.0.0.1:1 get /a
        ! --total-timeout 0s get /a
        ! --total-timeout 0s --no-sync get /a
        ! --cert-file /nowhere get /a
        ! --key-file /nowhere get /a
        ! --cert-file /nowhere --key-file /nowhere get /a
        ! --ca-file /nowhere get /a
        ! import
        ! import --snap /nowhere
    """,
}

_WITHOUT = {"time to live": [("-o extended get /long\n", "")]}
"""No time is long enough to show the store's index."""
_LONG = [
    ("watch -f", "watch --forever"),
    (" -r ", " --recursive "),
    (" -q ", " --quorum "),
    ("--rw\n", "--readwrite\n"),
]
"""Short names of options that came after 2.3.8."""

_MISSED_A_CHANGE = "exec-watch from an index"
"""A story that etcdctl 2.3.8 does not bring to its end."""


def _as_for_23(name: str, story: str) -> str:
    for written, instead in _LONG + _WITHOUT.get(name, []):
        story = story.replace(written, instead)
    return story


_ALL = {name: _as_for_23(name, story) for name, story in {**STORIES, **MORE, **HELP, **OF_ITS_OWN}.items()}
RECORDED = {name: story for name, story in _ALL.items() if name != _MISSED_A_CHANGE}
"""Told to etcdctl 2.3.8."""

_OF_23_ALONE = ("help", "words")
"""Stories about what the library below etcdctl does, of which 3.x has another release."""
_MAKES_A_USER = (
    "! user passwd nobody <<< changed\\n\n",
    "user grant nobody --roles reader\n",
    "user revoke nobody --roles reader\n",
)
"""Steps that only fail with 2.3.8: etcdctl 3.5 does not look whether there is such a user, and then there is."""


_EXEC_WATCH = re.compile(r"(?m)^ *&&? .*exec-watch (?:.*\n)+? *(?:stop|ends)\n")
"""Debian's build of 3.4 takes the words of ``exec-watch`` in another order than etcd's own, and runs nothing."""


def live(release: str) -> dict[str, str]:
    """What is told to a later etcdctl: 3.4, which is Debian's, or 3.5."""
    stories = {name: story for name, story in _ALL.items() if name not in _OF_23_ALONE}
    for name, story in stories.items():
        for step in _MAKES_A_USER:
            story = story.replace(step, "")
        stories[name] = _EXEC_WATCH.sub("", story) if release == "3.4" else story
    return {name: story for name, story in stories.items() if story.strip()}


OTHERWISE_SINCE_3 = {
    "missing arguments: exit status 128, not 1": (
        r"! (get|set|mk|rm|\w+dir|update|watch|exec-watch /file|set /|(set|mk|update) /c)"
    ),
    "invalid options: exit status 1, not 0; help has another layout": (
        r"! .*--unknown-flag.*|! set --ttl x /file y|! --timeout x get /file|member|user|role|auth"
    ),
    "a word that begins with a dash cannot be the value of an option": r"! set --(swap-with-index|ttl) -1 .*",
    "commands on directories print what they did with json and extended output": (
        r"-o (json|extended) (\w+dir|ls|rm --recursive) .*"
    ),
    "an error reports each endpoint's problem twice": r"! .*--endpoints \w+://127.0.0.1:1 .*",
    "a time-out before the cluster is found is a connection error: 2, not 4": (
        r"! --total-timeout 0s get /a"
    ),
    "the URL of the documentation is another one": r"! member remove m1",
    "messages write options with two dashes": (
        r"! user (grant|revoke) alice|! role grant reader (--read|--path '/d'( --read --write)?|--path 'd//e' --read)"
    ),
    "users are changed without a check that they exist": r"user add alice:other",
    "there is no import": r"! import.*",
}
"""In what etcdctl 3.x differs from 2.3.8, and from etcdctl02, and in which steps that shows."""
ONLY_SINCE_35 = {
    "missing arguments: exit status 128, not 1",
    "a word that begins with a dash cannot be the value of an option",
}
"""Those of them that are not so in 3.4."""


def inside(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Ended:
    """etcdctl02 in this process: for most of the time of one of its own goes into its start."""
    out, err = io.BytesIO(), io.BytesIO()
    status = main(argv, env, Console(io.BytesIO(stdin), out, err))
    return Ended(status, out.getvalue(), err.getvalue())


def transcript_of_23(name: str) -> list[str]:
    return recording(name).read_text().splitlines()


def recording(name: str) -> Path:
    """The file with the transcript of a story."""
    file_name = re.sub("[^a-z-]", "", name.replace(" ", "-")) + ".txt"
    return Path(__file__).parents[2] / "fixtures" / "etcdctl-2.3.8" / file_name


def settled(line: str) -> str:
    """A line of a transcript without what depends on the index at which a story begins."""
    return re.sub(r"\+18446744073709\d{6}", "+18446744073709551615", line)


def comparable(printed: str) -> str:
    """What was printed, without the options that are ours alone and without what stty says where no terminal is."""
    return re.sub(rf"(?m)^(?:   --(?:{'|'.join(sorted(OURS))}) |stty: ).*\n", "", printed)
