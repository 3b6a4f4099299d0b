"""Which words of a command are etcd's: behind ``exec``, ``sudo``, ``start-stop-daemon``, ``docker run`` ... Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from migrate02.formats.placeholders import SUBSTITUTION, TEMPLATE
from migrate02.formats.starts.variables import Assigned
from migrate02.formats.starts.words import Word
from migrate02.formats.starts.wrappers import ASSIGNMENT, base_name, detached, inside
from migrate02.formats.view import Edit

_PROGRAM = re.compile(r"(?:.*/)?etcd(?:02)?(?:-v?0\.4[\w.-]*)?\Z", re.DOTALL)
_PLACEHOLDERS = re.compile(f"{TEMPLATE}|{SUBSTITUTION}", re.DOTALL)
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
    """``program`` is the word that ``args`` stand behind, ``path`` what runs. ``assigned`` are its variables,
    ``hostname`` its host's name where the command says it; ``image`` the container image that it comes from,
    ``volumes`` the folders of the host that it has, there and in it. ``closed``: nothing can be put behind the program
    there."""

    program: Word
    args: list[Word]
    assigned: list[Assigned]
    image: str = ""
    hostname: str = ""
    env_files: tuple[str, ...] = ()
    closed: bool = False
    path: str = ""
    volumes: tuple[tuple[str, str], ...] = ()


Resolve = Callable[[Word], str]
"""What a word is, with the plain variables in it filled in."""


class Followed(NamedTuple):
    """Where a command leads: to a start of etcd, or to ``texts``, the words that a shell is to read as commands."""

    start: Start | None = None
    texts: tuple[Word, ...] = ()


def follow(words: Sequence[Word], resolve: Resolve = lambda word: word.text) -> Followed:
    """Follows a simple command from its first word, through what starts what, to etcd or to a text for a shell."""
    row = list(words)
    said = [resolve(word) for word in words]
    at = 0
    while at < len(row) and ASSIGNMENT.match(row[at].raw):
        at += 1
    assigned = row[:at]
    behind: Word | None = None  # what the arguments stand behind, if that is not the program
    detours = 0
    while at < len(row):
        name = base_name(said[at])
        if is_program(said[at]) and _goes_on(row, at):
            variables = _as_variables(assigned, words)
            return Followed(Start(behind or row[at], row[at + 1 :], variables, path=said[at]))
        if name in _CONTAINERS:
            return Followed(_CONTAINERS[name](row[at:], resolve))
        if name == _DETACHED and detours < _MOST_DETOURS:
            detours += 1
            found = detached(said, at)
            if found is None:
                return Followed()
            said[found.program] = said[found.program].removeprefix("--exec=").removeprefix("--startas=")
            if found.dashes is None:
                path = said[found.program]
                closed = Start(row[found.program], [], _as_variables(assigned, words), closed=True, path=path)
                return Followed(closed if is_program(path) else None)
            behind = row[found.dashes]
            order = [found.program, *range(found.dashes + 1, len(row))]
            row, said, at = [row[position] for position in order], [said[position] for position in order], 0
            continue
        started = inside(said, at)
        if started is None:
            return Followed(
                texts=tuple(
                    row[position + 1] for position in range(at, len(row) - 1) if said[position] in _TEXTS
                )
            )
        assigned += [row[position] for position in started.assigned]
        if started.at is None or started.texts:
            return Followed(texts=tuple(row[position] for position in started.texts))
        if started.reads_again and len(row) == started.at + 1 and re.search(r"[\s$]", row[started.at].text):
            return Followed(texts=(row[started.at],))
        behind, at = None, started.at
    return Followed()


_DETACHED = "start-stop-daemon"
_MOST_DETOURS = 10
_TEXTS = frozenset(("-c", "-lc", "--command"))
"""Options of unknown programs behind which a command for a shell may stand."""


def is_program(path: str) -> bool:
    """Whether that is etcd, by its name. A variable may hold flags instead, and the last of those end so too."""
    return bool(_PROGRAM.match(path)) and not re.search(r"\A-|\s", _PLACEHOLDERS.sub("", path))


def is_image(name: str) -> bool:
    """Whether a container's image is etcd's, by its name."""
    return len(name) <= _LONGEST_IMAGE and bool(_IMAGE.match(name))


def _goes_on(words: Sequence[Word], at: int) -> bool:
    """Behind a program come flags or nothing, not the next word of a sentence."""
    if at + 1 == len(words):
        return True
    after = words[at + 1]
    return after.text.startswith("-") or after.is_expansion or after.text.startswith(("{{", "<%", "${", "$("))


def _as_variables(run: Sequence[Word], words: Sequence[Word]) -> list[Assigned]:
    found = []
    positions = {word.start: at for at, word in enumerate(words)} if run else {}
    for word in run:
        match = ASSIGNMENT.match(word.text)
        if match is None:
            continue
        at = positions[word.start]
        before, after = (words[at - 1] if at else None), (words[at + 1] if at + 1 < len(words) else None)
        found.append(_assigned([word], match[1], match[2], "", before, after))
    return found


def _assigned(
    run: Sequence[Word], name: str, value: str, lead: str, before: Word | None, after: Word | None
) -> Assigned:
    """``lead`` is what stands before each ``NAME=value`` (``-e ``)."""
    from migrate02.formats.starts.flags import joint_of

    first, last = run[0], run[-1]
    raw = last.raw

    def write(name: str, value: str) -> str:
        if raw[:1] in "\"'" and raw[-1:] == raw[0]:
            return lead + last.quoted(f"{name}={value}", raw)
        return f"{lead}{name}={last.quoted(value, raw.partition('=')[2])}"

    joint = joint_of(before if before is not None and before.view is first.view else None, first)
    if before is not None and before.view is first.view:
        gone = Edit(before.end, last.end, "")
    else:
        gone = Edit(first.start, after.start if after is not None else last.end, "")
    return Assigned(first.view, first.start, last.end, name, value, write, joint, gone, first.dialect.mask)


def _in_container(words: Sequence[Word], resolve: Resolve) -> Start | None:
    position = next((at for at, word in enumerate(words) if word.text in ("run", "create")), -1) + 1
    if position == 0:
        return None
    assigned: list[Assigned] = []
    hostname = entrypoint = ""
    env_files = []
    volumes = []
    while position < len(words) and words[position].text.startswith("-"):
        first = position
        option, equals, value = words[position].text.partition("=")
        takes_next = not equals and not _DOCKER_BOOLEANS.match(option)
        if takes_next and not option.startswith("--") and _DOCKER_JOINED.match(option):
            option, value, takes_next = option[:2], words[position].text[2:], False
        elif option in ("-e", "-h") and equals:
            value = words[position].text.partition("=")[2]
        position += 1
        if takes_next and position < len(words):
            value = words[position].text
            position += 1
        run = words[first:position]
        if option in ("-e", "-env", "--env") and (match := ASSIGNMENT.match(value)):
            head = words[first].raw
            lead = (
                head[: len(head) - len(head.partition("=")[2])]
                if option == "--env" and len(run) == 1
                else f"{option} "
                if len(run) == 2
                else option
            )
            after = words[position] if position < len(words) else None
            assigned.append(_assigned(run, match[1], match[2], lead, words[first - 1], after))
        elif option in ("-h", "-hostname", "--hostname"):
            hostname = value
        elif option == "--entrypoint":
            entrypoint = value
        elif option == "--env-file":
            env_files.append(value)
        elif option in ("-v", "-volume", "--volume"):
            volumes.append(value)
    if position >= len(words):
        return None
    image, rest = words[position], list(words[position + 1 :])
    program = image
    said = resolve(image)
    if rest and is_program(resolve(rest[0])) and _goes_on(rest, 0):
        program, rest = rest[0], rest[1:]
    elif not (is_image(said) or is_program(entrypoint)) or (rest and not _goes_on([image, *rest], 0)):
        return None
    path = resolve(program) if program is not image else ""
    return Start(
        program, rest, assigned, said, hostname, tuple(env_files), path=path, volumes=volumes_of(volumes)
    )


def volumes_of(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """``HOST:CONTAINER``, of which the first is a folder and no volume with a name."""
    parts = (text.split(":") for text in texts)
    return tuple((part[0], part[1]) for part in parts if len(part) > 1 and part[0][:1] in ("/", "."))


_CONTAINERS = dict.fromkeys(("docker", "podman", "nerdctl"), _in_container)
"""Programs that run an image."""
