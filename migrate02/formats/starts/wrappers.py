"""Programs that start another one: how far their own options go, and what they start. Pure.

By their manual pages: coreutils, util-linux, sudo, daemontools and runit, s6, Debian's and OpenRC's start-stop-daemon,
Red Hat's ``daemon``, systemd, iproute2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)\Z", re.DOTALL)


class Wrapper(NamedTuple):
    """``valued`` are the options whose value is the next word, ``operands`` the words of its own before the command.

    ``assigns``: ``NAME=value`` before the command is a variable of it. ``text``: the options whose value is a command
    for a shell. ``shell``: with ``-c`` among its options, its first operand is one. ``idle``: options with which it
    starts nothing. ``login``: it takes a user, anywhere among its options, and starts a shell with a text; or with
    ``-u`` a command.
    """

    valued: frozenset[str] = frozenset()
    operands: int = 0
    assigns: bool = False
    text: frozenset[str] = frozenset()
    shell: bool = False
    idle: frozenset[str] = frozenset()
    login: bool = False


class Inside(NamedTuple):
    """What a wrapper starts: the words from ``at`` on, or the texts at ``texts``, which a shell reads.

    ``assigned`` are where variables stand on the way. ``reads_again``: a single word with blanks is such a text too.
    """

    at: int | None = None
    texts: tuple[int, ...] = ()
    assigned: tuple[int, ...] = ()
    reads_again: bool = False


def _wrapper(
    valued: str = "",
    operands: int = 0,
    *,
    assigns: bool = False,
    text: str = "",
    shell: bool = False,
    idle: str = "",
    login: bool = False,
) -> Wrapper:
    return Wrapper(
        frozenset(valued.split()),
        operands,
        assigns,
        frozenset(text.split()),
        shell,
        frozenset(idle.split()),
        login,
    )


_SHELL = _wrapper("-o +o -O +O --rcfile --init-file", shell=True)
_LOGIN = _wrapper(
    "-u --user -s --shell -g --group -G --supp-group -w --whitelist-environment -T",
    text="-c --command --session-command",
    login=True,
)

WRAPPERS: dict[str, Wrapper] = {
    "exec": _wrapper("-a"),
    "command": _wrapper(idle="-v -V"),
    "builtin": _wrapper(),
    "time": _wrapper("-f --format -o --output"),
    "env": _wrapper("-u --unset -C --chdir -S --split-string", assigns=True),
    "nohup": _wrapper(),
    "setsid": _wrapper(),
    "nice": _wrapper("-n --adjustment"),
    "ionice": _wrapper("-c --class -n --classdata", idle="-p --pid"),
    "chrt": _wrapper("-T -P -D", 1, idle="-p --pid"),
    "taskset": _wrapper("", 1, idle="-p --pid"),
    "numactl": _wrapper("-N -m -C -i -p --cpunodebind --membind --physcpubind --interleave --preferred"),
    "timeout": _wrapper("-s --signal -k --kill-after", 1),
    "stdbuf": _wrapper("-i --input -o --output -e --error"),
    "unbuffer": _wrapper(),
    "prlimit": _wrapper(idle="-p --pid"),
    "flock": _wrapper("-w --wait --timeout -E --conflict-exit-code", 1, text="-c --command"),
    "chroot": _wrapper("", 1),
    "unshare": _wrapper("-S --setuid -G --setgid -R --root -w --wd"),
    "nsenter": _wrapper("-t --target -S --setuid -G --setgid"),
    "setpriv": _wrapper("--reuid --regid --groups --inh-caps --ambient-caps --bounding-set --securebits"),
    "authbind": _wrapper("--depth"),
    "cgexec": _wrapper("-g"),
    "sudo": _wrapper(
        "-u --user -g --group -h --host -p --prompt -C --close-from -r --role -t --type -U --other-user "
        "-T --command-timeout -D --chdir -R --chroot",
        assigns=True,
        idle="-l --list -v --validate -k -K -e --edit",
    ),
    "doas": _wrapper("-u -C"),
    "su": _LOGIN,
    "runuser": _LOGIN,
    "sg": _wrapper("", 1, text="-c"),
    "su-exec": _wrapper("", 1),
    "gosu": _wrapper("", 1),
    "setuser": _wrapper("", 1),
    "setuidgid": _wrapper("", 1),
    "envuidgid": _wrapper("", 1),
    "envdir": _wrapper("", 1),
    "setlock": _wrapper("", 1),
    "softlimit": _wrapper("-a -c -d -f -l -m -o -p -r -s -t"),
    "pgrphack": _wrapper(),
    "chpst": _wrapper("-u -U -b -e -/ -C -n -l -L -m -d -o -p -f -c -r -t"),
    "s6-setuidgid": _wrapper("", 1),
    "s6-envuidgid": _wrapper("-u -g -G", 1),
    "s6-envdir": _wrapper("", 1),
    "s6-softlimit": _wrapper("-a -c -d -f -l -m -o -p -r -s -t"),
    "with-contenv": _wrapper(),
    "tini": _wrapper("-p -e"),
    "dumb-init": _wrapper("-r --rewrite"),
    "catatonit": _wrapper("-g"),
    "daemonize": _wrapper("-c -e -o -p -u -l -E"),
    "daemon": _wrapper(
        "--check --user --pidfile -n --name -u -p -P --pidfiles -D --chdir -e --env -o --output -O --stdout "
        "-E --stderr -l --errlog -L --dbglog -U --umask -r -A --attempts --delay --limit"
    ),
    "systemd-run": _wrapper(
        "-p --property -u --unit --slice --description --uid --gid --nice -E --setenv -H --host -M --machine "
        "--on-active --on-boot --on-calendar --working-directory --service-type"
    ),
    "systemd-cat": _wrapper("-t --identifier -p --priority --stderr-priority"),
    "systemd-inhibit": _wrapper("--what --who --why --mode"),
    "systemd-nspawn": _wrapper(
        "-D --directory -M --machine -i --image -u --user -E --setenv --bind --bind-ro --network-bridge -p --port"
    ),
    "screen": _wrapper("-S -c -h -e -p -s -t -T", idle="-ls -list -r -x -X"),
    "ssh": _wrapper("-b -c -D -e -F -i -I -J -l -L -m -o -O -p -Q -R -S -w -W", 1, idle="-N"),
    **dict.fromkeys(("sh", "bash", "dash", "ash", "ksh", "zsh", "mksh"), _SHELL),
}
"""By the last part of its path."""

_WITH_SUBCOMMAND: dict[tuple[str, ...], Wrapper] = {
    ("ip", "netns", "exec"): _wrapper("", 1),
    ("ip", "vrf", "exec"): _wrapper("", 1),
    ("busybox",): _wrapper(),
    ("tmux", "new-session"): _wrapper("-c -e -F -f -n -s -t -x -y"),
    ("tmux", "new"): _wrapper("-c -e -F -f -n -s -t -x -y"),
    ("vagrant", "ssh"): _wrapper(text="-c --command", login=True),
}

_READS_IT_AGAIN = frozenset(("daemon", "eval", "ssh", "screen", "tmux"))
"""Programs that give their words to a shell once more."""

_DETACHED = frozenset(
    (
        *("-x", "--exec", "-a", "--startas", "-n", "--name", "-p", "--pidfile", "--pid", "--ppid"),
        *("-u", "--user", "-g", "--group", "-c", "--chuid", "-s", "--signal", "-R", "--retry"),
        *("-N", "--nicelevel", "-I", "--iosched", "-P", "--procsched", "-k", "--umask", "-d", "--chdir"),
        *("-r", "--chroot", "-O", "--output", "--notify-timeout", "-1", "--stdout", "-2", "--stderr"),
        *("-w", "--wait", "-e", "--env", "--ionice", "--scheduler", "--capabilities", "--secbits"),
    )
)
"""Options of start-stop-daemon with a value, Debian's and OpenRC's."""
_NOT_A_START = frozenset(
    ("--stop", "-K", "--status", "-T", "--test", "-t", "--help", "-H", "--version", "-V")
)
_THEIR_OWN = re.compile(r"-[A-Za-z]+\Z")


def inside(words: Sequence[str], at: int) -> Inside | None:
    """What the command starts whose program is at ``at``; None when that is no wrapper."""
    name = base_name(words[at])
    if name == "eval":
        return Inside(at + 1 if at + 1 < len(words) else None, reads_again=True)
    wrapper, own = WRAPPERS.get(name), 1
    for path, with_subcommand in _WITH_SUBCOMMAND.items():
        if name == path[0] and tuple(words[at + 1 : at + len(path)]) == path[1:]:
            wrapper, own = with_subcommand, len(path)
    if wrapper is None:
        return None
    return _behind_options(wrapper, words, at + own)._replace(reads_again=name in _READS_IT_AGAIN)


def base_name(path: str) -> str:
    return path.rpartition("/")[2]


def _behind_options(wrapper: Wrapper, words: Sequence[str], at: int) -> Inside:
    assigned: list[int] = []
    texts: list[int] = []
    reads_a_text = False
    left = wrapper.operands
    login = wrapper.login
    while at < len(words):
        word = words[at]
        option, equals, _ = word.partition("=")
        if word == "--":
            at += 1
            break
        if word == "-":
            at += 1
        elif word[:1] in "-+" and len(word) > 1 and not (word[0] == "+" and not wrapper.shell and left):
            if word in wrapper.idle:
                return Inside()
            reads_a_text = reads_a_text or (wrapper.shell and bool(re.match(r"-[a-z]*c", word)))
            login = login and option not in ("-u", "--user")
            if option in wrapper.text:
                texts.append(at if equals else at + 1)
            at += 1 if equals or not _takes_next(wrapper, word) else 2
        elif wrapper.assigns and ASSIGNMENT.match(word):
            assigned.append(at)
            at += 1
        elif login:
            at += 1
        elif left and not reads_a_text:
            left -= 1
            at += 1
        else:
            break
    while left and at < len(words):
        left, at = left - 1, at + 1
    while wrapper.assigns and at < len(words) and ASSIGNMENT.match(words[at]):
        assigned.append(at)
        at += 1
    found = tuple(position for position in texts if position < len(words))
    if reads_a_text:
        return Inside(texts=(at,) if at < len(words) else (), assigned=tuple(assigned))
    if found or login or wrapper.shell or at >= len(words):
        return Inside(texts=found, assigned=tuple(assigned))
    return Inside(at, assigned=tuple(assigned))


def _takes_next(wrapper: Wrapper, word: str) -> bool:
    """``-u``, and ``-Eu``: the last of several may have a value; ``-uetcd`` has it."""
    takes = wrapper.valued | wrapper.text
    if word in takes:
        return True
    if not _THEIR_OWN.match(word) or len(word) < 3:
        return False
    return f"-{word[-1]}" in takes and not any(f"-{letter}" in takes for letter in word[1:-1])


class Detached(NamedTuple):
    """What start-stop-daemon starts: the position of its program's name, and of the ``--`` that its arguments stand
    behind; None without one."""

    program: int
    dashes: int | None


def detached(words: Sequence[str], at: int) -> Detached | None:
    """None when it starts nothing: a question, or an end. Its own name is at ``at``."""
    program = startas = None
    at += 1
    while at < len(words) and words[at] != "--":
        option, equals, _ = words[at].partition("=")
        if option in _NOT_A_START:
            return None
        value = at if equals else at + 1
        if option in ("--startas", "-a"):
            startas = value
        elif option in ("--exec", "-x"):
            program = value
        at += 1 if equals or not _has_value(words[at]) else 2
    position = startas if startas is not None else program
    if position is None or position >= len(words):
        return None
    return Detached(position, at if at < len(words) else None)


def _has_value(word: str) -> bool:
    """``-x``, and the last letter of ``-Sbx``."""
    return word in _DETACHED or (bool(_THEIR_OWN.match(word)) and f"-{word[-1]}" in _DETACHED)
