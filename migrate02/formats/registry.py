"""Every format, with its names and its signs. A new one is a row here and a module with its reader.

The signs stand together because every text is held against all of them; a reader is imported when there is something to
read, since all of them take longer to import than most files to convert. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from migrate02.formats.format import CODE, WHOLE, Format, Text

ARGS_JSON = Format("args-json", "arguments as JSON", sign=r"\[", looks_at=CODE)
COMMAND = Format(
    "command",
    "a command line",
    sign=r"""(?x)[ \t]*                            # behind variables
    (?: (?:\S*/)?env[ \t]+ )?
    (?: [A-Za-z_]\w*= (?: "(?:\\.|[^"\\])*" | '[^']*' | [^\s"';&|\#\\] )* (?: [ \t] | \\\r?\n )+ )+
    (?: exec[ \t]+ )? (?: [^\s=]*/ )? etcd (?: \s*\Z | (?: [ \t] | \\\r?\n )+ ["']?[-$] )""",
    weak_sign=r"""(?x)[ \t]*
    (?: -{1,2}[A-Za-z]                            # flags alone
      | (?: exec[ \t]+ )?
        (?: (?: [^\s#=\[\]{}"':]*/ )? etcd \s*\Z  # etcd alone
          | [^\s#=\[\]{}"':]+ [ \t]+ (?: \\\r?\n[ \t]* | \$\S+[ \t]+ )* ["']?- ) )""",
    looks_at=CODE,
    hints=("etcd",),
    weak_hints=("etcd", "-"),
)
ENV = Format(
    "env",
    "an environment file",
    # A variable of etcd's, or one that holds flags.
    sign=r"""(?m)^[ \t]*(?:export[ \t]+)?(?:ETCD_[A-Z0-9_]+=|[A-Z][A-Z0-9_]*=["']?-{1,2}[a-zA-Z])""",
    looks_at=WHOLE,
    hints=("ETCD_", "-"),
)
TOML = Format(
    "toml",
    "0.4's own file",
    weak_sign=r"(?m)^[ \t]*(?:\[[A-Za-z_.]+\]|[A-Za-z_\"'][\w.\-\"']*[ \t]*=)",
    looks_at=WHOLE,
)
YAML = Format("yaml", "3.x's YAML", weak_sign=r"(?m)^[a-z][a-z0-9-]*:(?:[ \t]|\r?$)", looks_at=WHOLE)

SETTINGS_ALONE = (ARGS_JSON, COMMAND, ENV, TOML, YAML)
"""Formats of files that hold settings and nothing else, in the order in which their signs are looked for: all signs,
then all weak ones."""

CONTAINERS = Format(
    "containers",
    "a list of containers",
    weak_sign=r"""(?m)^[ \t{,-]*["']?(?:image|build|containers)["']?[ \t]*:""",
    aliases=("compose", "kubernetes"),
    weak_hints=("image", "build", "containers"),
)
OPENRC = Format(
    "openrc",
    "a service of OpenRC",
    sign=r"\A#!.*\b(?:runscript|openrc-run)\b",
    hints=("runscript", "openrc-run"),
)
SHELL = Format(
    "shell",
    "a script",
    sign=r"\A#!|(?m:^[ \t]*(?:sudo[ \t]+)?docker[ \t]+run\b)",
    weak_sign=r"(?m)^[ \t]*(?:if[ \t]+\[|\w+[ \t]*\(\)[ \t]*\{|case[ \t].*[ \t]in\b|\.[ \t]+/|set[ \t]+-[eux]"
    r"|(?:source|sudo|nohup|cd|mkdir)[ \t]|cat[ \t]+[<>])",
    aliases=("sysv", "runit", "docker"),
    hints=("#!", "docker"),
    begins=("#!",),
)

AMONG_OTHER_THINGS = (
    Format(
        "cloud-templates",
        "a template with files in it",
        weak_sign=r"""["']\s*#(?:cloud-config|!)"""
        r"""|(?:[|>][-+]?|[=(,:?][ \t]*<<[-~]?["']?\w+["']?)\s+#(?:cloud-config|!)""",
        looks_at=WHOLE,
        weak_hints=("#cloud-config", "#!"),
        offered=False,
    ),
    CONTAINERS,
    Format("procfile", "a Procfile", weak_sign=r"(?m)^[A-Za-z0-9_-]+:[ \t]+(?:\S.*[ /])?etcd[ \t]+-"),
    Format(
        "cloud-config",
        "a cloud-config",
        sign=r"\A(?:\s*#[^\n]*\n)*#cloud-config|(?m:^coreos:[ \t]*(?:#.*)?\r?$)",
        hints=("#cloud-config", "coreos:"),
        begins=("#cloud-config",),
    ),
    Format(
        "systemd",
        "a systemd unit",
        sign=r"(?m)^[ \t]*\[(?:Unit|Service|Install)\][ \t]*\r?$",
        hints=("[Unit]", "[Service]", "[Install]"),
        begins=("[Unit]", "[Service]", "[Install]"),
    ),
    OPENRC,
    SHELL,
    Format(
        "upstart",
        "an upstart job",
        sign=r"(?m)^(?:start on|stop on|respawn[ \t]*\r?$|(?:pre|post)-(?:start|stop) |script[ \t]*\r?$|end script)",
        hints=("start on", "stop on", "respawn", "-start ", "-stop ", "script"),
        certain=True,
    ),
    Format(
        "supervisor",
        "a supervisor's file",
        sign=r"(?m)^\[(?:program:[^\]]+|supervisord)\]",
        hints=("[program:", "[supervisord]"),
        certain=True,
    ),
    Format(
        "dockerfile",
        "a Dockerfile",
        sign=r"(?mi)^[ \t]*FROM[ \t]+\S+(?:[ \t]+AS[ \t]+\S+)?[ \t]*\r?$",
    ),
)
"""Formats of files that hold etcd's settings among other things, in the order in which their signs are looked for.
Those with weak signs alone stand before the shell's: a list of containers may have lines of a script in it."""


def names() -> list[str]:
    """What a person may call a format."""
    formats = [format for format in (*SETTINGS_ALONE, *AMONG_OTHER_THINGS) if format.offered]
    return [*(format.name for format in formats), *(alias for format in formats for alias in format.aliases)]


def named(name: str) -> Format:
    """Raises LookupError for a name that no format has."""
    for format in (*SETTINGS_ALONE, *AMONG_OTHER_THINGS):
        if name == format.name or name in format.aliases:
            return format
    raise LookupError(name)


class Recognised(NamedTuple):
    """A format whose sign a text bears; ``is_sure`` where no other format's texts bear it."""

    format: Format
    is_sure: bool


def recognised(text: Text, formats: Sequence[Format]) -> Iterator[Recognised]:
    """The surest first. No sign is looked for before somebody asks for the next format."""
    sure = []
    for format in formats:
        if format.is_sure_of(text):
            sure.append(format)
            yield Recognised(format, True)
    for format in formats:
        if format not in sure and format.may_be(text):
            yield Recognised(format, False)
