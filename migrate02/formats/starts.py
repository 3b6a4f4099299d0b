"""Which words of a command are etcd's: behind ``exec``, ``sudo``, ``start-stop-daemon``, ``docker run`` ... Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from migrate02.formats.variables import Assigned
from migrate02.formats.view import Edit, View
from migrate02.formats.words import Word

_PROGRAM = re.compile(r"(?:.*/)?etcd(?:02)?(?:-v?0\.4[\w.-]*)?\Z", re.DOTALL)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)\Z", re.DOTALL)
_WRAPPERS = frozenset(
    (
        *(
            "exec",
            "env",
            "sudo",
            "command",
            "time",
            "nohup",
            "nice",
            "ionice",
            "setsid",
            "timeout",
            "stdbuf",
            "numactl",
        ),
        *(
            "su",
            "runuser",
            "su-exec",
            "gosu",
            "chpst",
            "setuidgid",
            "envuidgid",
            "softlimit",
            "setlock",
            "envdir",
        ),
        *("daemonize", "daemon", "sh", "bash", "dash", "ash", "chroot", "numactl", "authbind", "cgexec"),
        *("systemd-run", "systemd-cat", "systemd-nspawn", "tini", "dumb-init"),
    )
)
"""Programs that start the one named behind their own options."""
_DETACHED = "start-stop-daemon"
_IMAGE = re.compile(r"(?:.*[/\w-])?etcd(?:[-_]\w++)*+(?:[:@].*)?\Z")
_LONGEST_IMAGE = 1000
"""Characters of an image's name, with its registry and its tag."""
_DOCKER_BOOLEANS = re.compile(
    r"-[ditP]+\Z|-?-(?:rm|privileged|detach|interactive|tty|publish-all|init|read-only|no-healthcheck|sig-proxy"
    r"|oom-kill-disable|disable-content-trust)\Z"
)
_DOCKER_JOINED = re.compile(
    r"-[evphwulmc](?!(?:nv|xpose|ntrypoint|olumes?(?:-from)?|ublish|ostname|orkdir|ser|ink|idfile)\Z).+\Z"
)
"""A value in one word with its option, unlike the long options of old, which had one dash."""


class Start(NamedTuple):
    """``program`` is the word that ``args`` stand behind. ``assigned`` are its variables, ``hostname`` its host's name
    where the command says it; ``image`` the container image that it comes from; ``shells`` the texts of commands that
    a shell is to run."""

    program: Word
    args: list[Word]
    assigned: list[Assigned]
    image: str = ""
    hostname: str = ""
    env_files: tuple[str, ...] = ()


Resolve = Callable[[Word], str]
"""What a word is, with the plain variables in it filled in."""


def find(words: Sequence[Word], resolve: Resolve = lambda word: word.text) -> Start | None:
    """The start of etcd among the words of one command, or None."""
    assigned: list[Word] = []
    at = 0
    while at < len(words) and _ASSIGNMENT.match(words[at].raw):
        assigned.append(words[at])
        at += 1
    if at == len(words):
        return None
    name = resolve(words[at]).rpartition("/")[2]
    if _PROGRAM.match(resolve(words[at])) and _goes_on(words, at):
        return Start(words[at], list(words[at + 1 :]), _as_variables(assigned, words))
    if name in ("docker", "podman") or (name == "sudo" and any(word.text == "docker" for word in words[at:])):
        return _in_container(words, resolve)
    if name == _DETACHED:
        return _detached(words, at, resolve, assigned)
    if name not in _WRAPPERS or (
        name in ("su", "runuser") and any(word.text in ("-c", "-lc") for word in words)
    ):
        return None
    in_env = _names(words[at], "env")
    for place in range(at + 1, len(words)):
        word = words[place]
        if in_env and _ASSIGNMENT.match(word.text):
            assigned.append(word)
        in_env = in_env or _names(word, "env")
        if (
            _PROGRAM.match(resolve(word))
            and _goes_on(words, place)
            and words[place - 1].text not in ("-u", "--user")
        ):
            return Start(word, list(words[place + 1 :]), _as_variables(assigned, words))
        if resolve(word).rpartition("/")[2] in ("docker", _DETACHED) and place == at + 1:
            return find(words[place:], resolve)
    return None


def is_image(name: str) -> bool:
    """Whether a container's image is etcd's, by its name."""
    return len(name) <= _LONGEST_IMAGE and bool(_IMAGE.match(name))


def shells(words: Sequence[Word]) -> list[Word]:
    """The words that a shell is to read as commands: behind ``-c``, or ``daemon``'s own."""
    found = [word for before, word in pairwise(words) if before.text in ("-c", "--command", "-lc")]
    names = [word.text.rpartition("/")[2] for word in words]
    if "daemon" in names[:1] or "eval" in names[:1]:
        found += [word for word in words[1:] if " " in word.text or "$" in word.text]
    return found


def _names(word: Word, program: str) -> bool:
    return word.text.rpartition("/")[2] == program


def _goes_on(words: Sequence[Word], at: int) -> bool:
    """Behind a program come flags or nothing, not the next word of a sentence."""
    if at + 1 == len(words):
        return True
    after = words[at + 1]
    return after.text.startswith("-") or after.is_expansion or after.text.startswith(("{{", "<%", "${", "$("))


def _as_variables(run: Sequence[Word], words: Sequence[Word]) -> list[Assigned]:
    found = []
    places = {word.start: at for at, word in enumerate(words)} if run else {}
    for word in run:
        match = _ASSIGNMENT.match(word.text)
        if match is None:
            continue
        at = places[word.start]
        before, after = (words[at - 1] if at else None), (words[at + 1] if at + 1 < len(words) else None)
        found.append(_assigned([word], match[1], match[2], "", before, after))
    return found


def _assigned(
    run: Sequence[Word], name: str, value: str, lead: str, before: Word | None, after: Word | None
) -> Assigned:
    """``lead`` is what stands before each ``NAME=value`` (``-e ``)."""
    from migrate02.formats.flags import joint_of

    first, last = run[0], run[-1]
    raw = last.raw

    def write(name: str, value: str) -> str:
        if raw[:1] in "\"'" and raw[-1:] == raw[0]:
            return lead + last.dialect.quote(f"{name}={value}", raw)
        return f"{lead}{name}={last.dialect.quote(value, raw.partition('=')[2])}"

    joint = joint_of(before if before is not None and before.view is first.view else None, first)
    if before is not None and before.view is first.view:
        gone = Edit(before.end, last.end, "")
    else:
        gone = Edit(first.start, after.start if after is not None else last.end, "")
    return Assigned(first.view, first.start, last.end, name, value, write, joint, gone, first.dialect.mask)


def _detached(words: Sequence[Word], at: int, resolve: Resolve, assigned: list[Word]) -> Start | None:
    """``start-stop-daemon --start --exec /usr/bin/etcd -- -addr ...``."""
    runs = False
    for place in range(at + 1, len(words)):
        before = words[place - 1].text
        name, _, value = words[place].text.partition("=")
        if before in ("--exec", "-x", "--startas", "-a") and _PROGRAM.match(resolve(words[place])):
            runs = True
        if name in ("--exec", "--startas") and _PROGRAM.match(value):
            runs = True
        if words[place].text == "--" and runs:
            return Start(words[place], list(words[place + 1 :]), _as_variables(assigned, words))
    return None


def _in_container(words: Sequence[Word], resolve: Resolve) -> Start | None:
    place = next((at for at, word in enumerate(words) if word.text in ("run", "create")), -1) + 1
    if place == 0:
        return None
    assigned: list[Assigned] = []
    hostname = entrypoint = ""
    env_files = []
    while place < len(words) and words[place].text.startswith("-"):
        first = place
        option, equals, value = words[place].text.partition("=")
        takes_next = not equals and not _DOCKER_BOOLEANS.match(option)
        if takes_next and not option.startswith("--") and _DOCKER_JOINED.match(option):
            option, value, takes_next = option[:2], words[place].text[2:], False
        elif option in ("-e", "-h") and equals:
            value = words[place].text.partition("=")[2]
        place += 1
        if takes_next and place < len(words):
            value = words[place].text
            place += 1
        run = words[first:place]
        if option in ("-e", "-env", "--env") and (match := _ASSIGNMENT.match(value)):
            head = words[first].raw
            lead = (
                head[: len(head) - len(head.partition("=")[2])]
                if option == "--env" and len(run) == 1
                else f"{option} "
                if len(run) == 2
                else option
            )
            after = words[place] if place < len(words) else None
            assigned.append(_assigned(run, match[1], match[2], lead, words[first - 1], after))
        elif option in ("-h", "-hostname", "--hostname"):
            hostname = value
        elif option == "--entrypoint":
            entrypoint = value
        elif option == "--env-file":
            env_files.append(value)
    if place >= len(words):
        return None
    image, rest = words[place], list(words[place + 1 :])
    program = image
    said = resolve(image)
    if rest and _PROGRAM.match(resolve(rest[0])) and _goes_on(rest, 0):
        program, rest = rest[0], rest[1:]
    elif not (is_image(said) or _PROGRAM.match(entrypoint)) or (rest and not _goes_on([image, *rest], 0)):
        return None
    return Start(program, rest, assigned, said, hostname, tuple(env_files))


def inner(word: Word) -> View:
    """What stands inside the quotes of a word, as a text of its own."""
    raw = word.raw
    if raw[:1] not in ("'", '"') or raw[-1:] != raw[0] or len(raw) < 2:
        return word.view.part(word.start, word.end)
    quote = raw[0]
    escaped = {"'": "", '"': '$`"\\\n'}[quote]
    chars, offsets = [], []
    at = word.start + 1
    while at < word.end - 1:
        char = word.view.text[at]
        offsets.append(at)
        if char == "\\" and at + 2 < word.end and word.view.text[at + 1] in (escaped or quote):
            if word.view.text[at + 1] == "\n":
                offsets.pop()
            elif word.view.text[at + 1] in "$`":
                chars.append(char)  # to be told from one that is filled in
                offsets.append(at + 1)
                chars.append(word.view.text[at + 1])
            else:
                chars.append(word.view.text[at + 1])
            at += 2
            continue
        chars.append(char)
        at += 1
    offsets.append(word.end - 1)

    def encode(text: str) -> str:
        if quote == "'":
            return text.replace("'", "'\\''")
        return text.replace('"', '\\"')

    return word.view.inside("".join(chars), offsets, encode)


__all__ = ["Start", "find", "inner", "is_image", "shells"]
