"""The shell's lines of a runbook: on whose machine, from where to where, how what a file sets up is started. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from migrate02.plan.nodes import Node, is_loopback
from migrate02.plan.planning import Planned


def command_line(node: Planned) -> str:
    """As a shell takes it; what is filled in later stays a variable, and nothing runs while that has no value."""
    return " ".join(word(each) for each in node.command)


def as_variables(settings: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"ETCD_{name.upper().replace('-', '_')}={value}" for name, value in settings.items())


_VARIABLE = re.compile(r"""(\$(?:\w+|\{[^{}$`"'\\]*\}|\(hostname\)))""")
_NAMED = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_ODD = re.compile("([\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+)")
_ACTIVE = re.compile(r"""(["\\`$])""")
"""What does something between double quotes."""


def word(text: str) -> str:
    """A shell's word, in one line. Variables in it, and the host's name, stay; nothing else is run.

    A variable that the shell does not have ends the line with an error: ``http://$IP:7001`` is never ``http://:7001``.
    """
    plain_and_odd = _ODD.split(text)
    if len(plain_and_odd) == 1:
        return _quoted(text)
    return "".join(
        _as_bytes(piece) if at % 2 else _quoted(piece) for at, piece in enumerate(plain_and_odd) if piece
    )


def _as_bytes(text: str) -> str:
    """As bash and ksh read it. Another shell takes it for another name, and not for something that runs."""
    raw = text.encode(
        "utf-8", "surrogateescape" if re.fullmatch("[^\ud800-\udc7f\udd00-\udfff]*", text) else "replace"
    )
    return "$'" + "".join(f"\\x{byte:02x}" for byte in raw) + "'"


def _quoted(text: str) -> str:
    plain_and_variables = _VARIABLE.split(text)
    if len(plain_and_variables) == 1:
        return shlex.quote(text)
    pieces = (
        _required(piece) if at % 2 else _ACTIVE.sub(r"\\\1", piece)
        for at, piece in enumerate(plain_and_variables)
    )
    return '"' + "".join(pieces) + '"'


def _required(variable: str) -> str:
    """With a value, or else an error. One that has a default of its own keeps it."""
    named = _NAMED.fullmatch(variable)
    return f"${{{named[1] or named[2]}:?}}" if named else variable


def is_here(node: Node) -> bool:
    return is_loopback(node.machine)


def _machine(node: Node) -> str:
    return node.machine or node.name


def on_its_machine(node: Node, command: str) -> str:
    """The command on the node's machine; one on loopback is this machine's."""
    if is_here(node) or command.startswith("#"):
        return command if is_here(node) else f"{command} on {_machine(node)}"
    return f"ssh {_operands(_machine(node))} {shlex.quote(command)}"


def _operands(*texts: str) -> str:
    """Words that are no options, whatever they begin with."""
    return " ".join([*(["--"] if any(text.startswith("-") for text in texts) else []), *map(word, texts)])


def _host(node: Node) -> str:
    """As rsync takes it."""
    host = _machine(node)
    return f"[{host}]" if ":" in host else host


def copy(node: Node, source: str, destination: str, *, back: bool = False) -> str:
    """Of a directory, from the node's machine or ``back`` to it; ``destination`` is not there yet."""
    if is_here(node):
        return f"cp -a {_operands(source, destination)}"
    there = f"{_host(node)}:"
    source, destination = (source, f"{there}{destination}") if back else (f"{there}{source}", destination)
    return f"rsync -a {_operands(source + '/', destination + '/')}"


def send(node: Node, file: str, place: str) -> str:
    """One file to where the node's machine has it."""
    if is_here(node):
        return f"cp {_operands(file, place)}"
    return f"rsync -a --no-owner --no-group {_operands(file, f'{_host(node)}:{place}')}"


class _Way(NamedTuple):
    """How what is set up in a file of this name is started and stopped; ``{0}`` is the verb, ``{1}`` its name."""

    file: str
    command: str


_WAYS = (
    _Way(r"(?:\A|/)([^/]+\.service)(?:\.d/[^/]+)?\Z", "systemctl {0} {1}"),
    _Way(r"(?:\A|/)etc/init/([^/]+)\.conf\Z", "initctl {0} {1}"),
    _Way(r"(?:\A|/)init\.d/([^/]+)\Z", "service {1} {0}"),
    _Way(r"(?:\A|/)sv/([^/]+)/run\Z", "sv {0} {1}"),
    _Way(r"(?:\A|/)supervisor/(?:conf\.d/)?([^/]+)\.(?:conf|ini)\Z", "supervisorctl {0} {1}"),
)
_CLOUD_CONFIG = re.compile(r"(?:\A|/)(?:user[-_]data|[^/]*cloud-config[^/]*)\Z")


def each_once(lines: Iterable[str]) -> tuple[str, ...]:
    """Nodes of one machine may start one program."""
    return tuple(dict.fromkeys(lines))


def is_a_cloud_config(file: str) -> bool:
    return bool(_CLOUD_CONFIG.search(file))


def service(node: Node, verb: str, *, new: bool = False, of_coreos: str = "etcd2") -> str:
    """The command for it where the file tells; else a comment that says whose work it is. ``of_coreos`` is the unit of
    CoreOS that starts the ``new`` one."""
    for file in node.files:
        if is_a_cloud_config(file):
            return _systemd(f"systemctl {verb} {of_coreos if new else 'etcd'}.service")
        for way in _WAYS:
            found = re.search(way.file, file)
            if found:
                return _systemd(way.command.format(verb, word(found[1])))
    how = f", as {node.files[0]} does" if node.files else ""
    return f"# {verb} {'etcd02' if new else 'etcd'} {node.name}{how}"


def _systemd(command: str) -> str:
    """A start has to see the unit as it is now."""
    reads = command.startswith("systemctl ") and not command.startswith("systemctl stop")
    return f"systemctl daemon-reload && {command}" if reads else command
