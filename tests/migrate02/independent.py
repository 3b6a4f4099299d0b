"""What files give etcd, by readers that share nothing with the converter's: units as systemd reads them, YAML by PyYAML,
supervisor's files by configparser. A command found in one is run in the sandbox, where it is not etcd itself.

What is filled in later (``${COREOS_PRIVATE_IPV4}``, ``$private_ipv4``) gets a value for each name, the same before and after.
"""

from __future__ import annotations

import json
import re
import shlex
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from configparser import RawConfigParser
from dataclasses import replace
from typing import Any

import yaml

from compat.flags04 import FLAGS
from tests.migrate02.running import HOST
from tests.migrate02.running_scripts import marker, run_command, run_scripts
from tests.migrate02.starts import Start

Files = Mapping[str, bytes]


class NotRead(Exception):
    """No reader here takes such a text; the message says which is missing."""


def starts_of(path: str, text: bytes, files: Files | None = None) -> list[Start]:
    """All that a file gives etcd. ``files`` are those beside it, which it may name. Raises NotRead."""
    files = files or {}
    for recognised, read in _READERS:
        if re.search(recognised, text):
            return list(read(text, files))
    return []


def of_script(text: bytes, files: Files) -> Iterator[Start]:
    """What it starts, and what the files that it writes start."""
    (ran,) = run_scripts(text)
    yield from ran.starts
    yield from of_files(ran.files)


def of_files(files: Files) -> list[Start]:
    """In the order of their paths."""
    return [start for path in _by_themselves(files) for start in starts_of(path, files[path], files)]


def _by_themselves(files: Files) -> list[str]:
    """One that a unit names is read with that unit."""
    texts = b"\n".join(files.values())
    named = {
        path for path in files if re.search(rb"EnvironmentFile=-?" + re.escape(path.encode()) + rb"\s", texts)
    }
    return sorted(files.keys() - named)


def command(words: Sequence[str], variables: Mapping[str, str]) -> list[Start]:
    """What becomes of one command, run by no shell."""
    own = {name: value for name, value in variables.items() if name.startswith("ETCD_")}
    words = [word.lstrip("-@:+!") if at == 0 else word for at, word in enumerate(words)]
    if not words:
        return []
    if words[0].rpartition("/")[2] == "etcd":
        return [Start(tuple(words[1:]), own)]
    if not any(re.search(r"\betcd\b", word) for word in words):
        return []
    return run_command(words, variables).starts


# Units, by systemd.service(5), systemd.exec(5) and systemd.syntax(7).

_SPECIFIERS = {
    "H": HOST,
    "m": "0123456789abcdef",
    "i": "instance",
    "I": "instance",
    "n": "etcd.service",
    "p": "etcd",
    "%": "%",
}
_ESCAPES = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3}|.)", re.DOTALL)
_PLAIN_ESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def of_unit(text: bytes, files: Files) -> Iterator[Start]:
    variables: dict[str, str] = {}
    commands: list[str] = []
    for key, value in _settings_of_unit(text):
        if key == "Environment":
            variables |= dict(word.split("=", 1) for word in unit_words(value) if "=" in word)
        elif key == "EnvironmentFile":
            variables |= _assignments(files.get(value.lstrip("-"), b""))
        elif key == "ExecStart":
            commands = [*commands, value] if value else []
    variables = {name: filled_in(value) for name, value in variables.items()}
    own = {name: value for name, value in variables.items() if name.startswith("ETCD_")}
    if own and not commands:
        yield Start((), own, partial=True)
    for line in commands:
        yield from command(_expanded(unit_words(line), variables), variables)


def _settings_of_unit(text: bytes) -> Iterator[tuple[str, str]]:
    """Of ``[Service]``. Comments between continued lines are no part of them."""
    section, held = "", ""
    for raw in text.decode("utf-8", "surrogateescape").splitlines():
        line = raw.strip()
        if line.startswith(("#", ";")):
            continue
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        line, held = (held + line).strip(), ""
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line:
            key, _, value = line.partition("=")
            yield key.strip(), value.strip()


def unit_words(value: str) -> list[str]:
    """systemd's words: quotes of both kinds at the beginning of a word or inside it, escapes as in C in all of them."""
    words: list[str] = []
    word, quote, at = None, "", 0
    while at < len(value):
        char = value[at]
        escape = _ESCAPES.match(value, at) if char == "\\" else None
        if escape:
            word = (word or "") + _unescaped(escape[1])
            at = escape.end()
            continue
        if quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            word, quote = word or "", char
        elif not quote and char.isspace():
            words += [word] if word is not None else []
            word = None
        else:
            word = (word or "") + char
        at += 1
    words += [word] if word is not None else []
    return [_specified(word) for word in words]


def _specified(text: str) -> str:
    return re.sub(r"%(.)", lambda found: _SPECIFIERS.get(found[1], found[0]), text)


def _unescaped(escape: str) -> str:
    if escape[0] in "xu":
        return chr(int(escape[1:], 16))
    return chr(int(escape, 8)) if len(escape) == 3 else _PLAIN_ESCAPES.get(escape, escape)


def _expanded(words: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """``$NAME`` as a word of its own falls into words, ``${NAME}`` anywhere does not, and ``$$`` is a dollar."""
    found: list[str] = []
    for word in words:
        if re.fullmatch(r"\$[A-Za-z_]\w*", word):
            found += shlex.split(variables.get(word[1:], ""))
        else:
            found.append(
                re.sub(
                    r"\$(\$|\{(\w+)\}|(\w+))",
                    lambda one: (
                        "$" if one[1] == "$" else variables.get(one[2] or one[3], marker(one[2] or one[3]))
                    ),
                    word,
                )
            )
    return found


# Files of variables.

_ASSIGNMENTS = re.compile(
    rb"""\A(?:\s*
        (?: (?:export\s+)?[A-Za-z_]\w*=(?:\\\n|.)*
          | (?:export|declare\ -x)(?:\\\n|.)*
          | \#.* )?
        (?:\n|\Z) )+\Z""",
    re.VERBOSE,
)
"""Nothing but assignments, exports and comments."""


def _assignments(text: bytes) -> dict[str, str]:
    """What a shell makes of it, which systemd agrees with but for what it expands."""
    found = _of_assignments(text, {})
    return dict(found[0].variables) if found else {}


def _of_assignments(text: bytes, files: Files) -> list[Start]:
    (ran,) = run_scripts(b"#!/bin/bash\nset -a\n" + text + b"\nexec etcd\n")
    if not ran.starts:
        raise NotRead(f"no shell takes it: {ran.done.output.decode()}")
    return [start for start in ran.starts if start.variables]


# YAML.


def of_cloud_config(text: bytes, files: Files) -> Iterator[Start]:
    """A section of etcd's is variables in a drop-in of its unit, whose own are CoreOS's."""
    given = _yaml(text)
    coreos = given.get("coreos") or {}
    sections = {name: coreos[name] for name in ("etcd", "etcd2") if coreos.get(name)}
    variables = {
        "ETCD_" + str(key).upper().replace("-", "_"): filled_in(_specified(_plain(value)))
        for section in sections.values()
        for key, value in section.items()
    }
    written = {
        one["path"]: str(one.get("content", "")).encode("utf-8", "surrogateescape")
        for one in given.get("write_files") or []
    }
    units = dict(_units(coreos.get("units") or []))
    beside = {**written, **units}
    for path in _by_themselves(beside):
        inner = starts_of(path, beside[path], beside)
        if variables and inner and re.search(r"/etcd2?\.service$", path):
            inner = [replace(one, variables={**variables, **one.variables}) for one in inner]
            variables = {}
        yield from inner
    if variables:
        base = {"ETCD_NAME": _SPECIFIERS["m"]}
        yield Start((), {**base, **variables}, of_2x="etcd" not in sections)


def _units(units: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    for unit in units:
        path = f"/etc/systemd/system/{unit.get('name')}"
        yield path, str(unit.get("content") or "").encode("utf-8", "surrogateescape")
        for drop_in in unit.get("drop-ins") or []:
            yield f"{path}.d/{drop_in['name']}", str(drop_in.get("content") or "").encode()


def of_texts_inside(text: bytes, files: Files) -> Iterator[Start]:
    """A cloud-config or a script that is a text of another document, YAML or JSON."""
    for document in yaml.safe_load_all(text):
        for inner in _texts(document):
            yield from starts_of("", inner.encode(), files)


def _texts(item: Any) -> Iterator[str]:
    if isinstance(item, str) and item.startswith("#"):
        yield item
    elif isinstance(item, dict | list):
        for value in item.values() if isinstance(item, dict) else item:
            yield from _texts(value)


_TEXT_OF_TERRAFORM = re.compile(
    r'<<(-?)(\w+)\n(.*?)\n\s*\2\s*$|= ("#(?:[^"\\]|\\.)*")', re.DOTALL | re.MULTILINE
)


def of_terraform(text: bytes, files: Files) -> Iterator[Start]:
    for found in _TEXT_OF_TERRAFORM.finditer(text.decode()):
        inner = json.loads(found[4]) if found[4] else found[3]
        yield from starts_of("", (textwrap.dedent(inner) if found[1] else inner).encode(), files)


def of_containers(text: bytes, files: Files) -> Iterator[Start]:
    """Compose's services and Kubernetes' containers."""
    for document in yaml.safe_load_all(text):
        for host, service in _services(document, HOST):
            yield from _of_service(host, service)


def _services(item: Any, host: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """With the name of the host that each is on: its own, or its pod's."""
    if isinstance(item, dict):
        if "image" in item or "build" in item:
            yield str(item.get("hostname", host)), item
        pod = item.get("metadata", {}).get("name", host) if item.get("kind") == "Pod" else host
        for value in item.values():
            yield from _services(value, pod)
    elif isinstance(item, list):
        for value in item:
            yield from _services(value, host)


def _of_service(host: str, service: dict[str, Any]) -> Iterator[Start]:
    compose = "args" not in service and "env" not in service
    variables = _variables_of_service(service)
    entry = service.get("entrypoint", service.get("command") if not compose else None)
    rest = service.get("args") if not compose else service.get("command")
    words = [*_words(entry, compose), *_words(rest, compose)]
    named = str(service.get("image", service.get("build", "")))
    if not compose:
        words = [re.sub(r"\$\((\w+)\)", lambda one: variables.get(one[1], one[0]), word) for word in words]
    if re.search(r"etcd[^/]*$", named) and (not words or words[0].startswith("-")):
        words = ["etcd", *words]
    of_2x = bool(re.search(r":v?[2-9]\.", named))
    for one in command([filled_in(word) for word in words], {"HOSTNAME": host, **variables}):
        yield replace(one, of_2x=of_2x or one.of_2x, host=host)


def _variables_of_service(service: dict[str, Any]) -> dict[str, str]:
    given = service.get("environment") or {}
    pairs = given.items() if isinstance(given, dict) else (str(one).partition("=")[::2] for one in given)
    found = {str(name): filled_in(_plain(value)) for name, value in pairs}
    for one in service.get("env") or []:
        if "value" in one:
            found[one["name"]] = filled_in(_plain(one["value"]))
    return found


def _words(given: Any, compose: bool) -> list[str]:
    """Compose fills in ``$NAME`` itself, and ``$$`` is its dollar."""
    words = shlex.split(given) if isinstance(given, str) else [_plain(one) for one in given or []]
    if not compose:
        return words
    return [
        re.sub(
            r"\$(\$|\{(\w+)\}|(\w+))", lambda one: "$" if one[1] == "$" else marker(one[2] or one[3]), word
        )
        for word in words
    ]


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _yaml(text: bytes) -> dict[str, Any]:
    found = yaml.safe_load(
        re.sub(r"\{\{.*?\}\}", lambda one: marker(one[0]), text.decode("utf-8", "surrogateescape"))
    )
    return found if isinstance(found, dict) else {}


# supervisor.


def of_supervisor(text: bytes, files: Files) -> Iterator[Start]:
    parser = RawConfigParser(inline_comment_prefixes=(" ;",), strict=False)
    parser.read_string(text.decode("utf-8", "surrogateescape"))
    for section in parser.sections():
        if section.startswith("program:"):
            given = shlex.shlex(parser[section].get("environment", ""), posix=True)
            given.whitespace, given.whitespace_split = ",", True
            variables = dict(one.strip().split("=", 1) for one in given)
            words = shlex.split(re.sub(r"%\(host_node_name\)s", HOST, parser[section].get("command", "")))
            yield from command([filled_in(word) for word in words], variables)


# Dockerfiles and upstart's jobs.


def of_dockerfile(text: bytes, files: Files) -> Iterator[Start]:
    variables: dict[str, str] = {}
    entry: list[str] = []
    joined = re.sub(r"\\\n(?:\s*#.*\n)*", " ", text.decode("utf-8", "surrogateescape"))
    last = {}
    for line in joined.splitlines():
        key, _, value = line.strip().partition(" ")
        value = value.strip()
        if key == "ENV":
            pairs = shlex.split(value) if re.match(r"\w+=", value) else [value.replace(" ", "=", 1)]
            variables |= dict(pair.split("=", 1) for pair in pairs)
        elif key in ("ENTRYPOINT", "CMD"):
            last[key] = _json_words(value)
    entry = [*last.get("ENTRYPOINT", []), *last.get("CMD", [])]
    image = re.search(r"(?m)^FROM\s+(\S*etcd\S*)", joined)
    if image and (not entry or entry[0].startswith("-")):
        entry = ["etcd", *entry]
    yield from command(entry, {name: filled_in(value) for name, value in variables.items()})


def _json_words(value: str) -> list[str]:
    if value.startswith("["):
        return [str(word) for word in yaml.safe_load(value)]
    return ["sh", "-c", value]


def of_upstart(text: bytes, files: Files) -> Iterator[Start]:
    shown = text.decode("utf-8", "surrogateescape")
    settings = "".join(f"export {found}\n" for found in re.findall(r"(?m)^env\s+(.*)$", shown))
    script = re.search(r"(?ms)^script\s*$(.*?)^end script", shown)
    line = re.search(r"(?ms)^exec\s(?:.*?\\\n)*.*?$", shown)
    body = script[1] if script else line[0] if line else ""
    yield from of_script(f"#!/bin/sh -e\n{settings}{body}\n".encode("utf-8", "surrogateescape"), files)


def of_openrc(text: bytes, files: Files) -> Iterator[Start]:
    """By openrc-run(8): its own ``start`` evaluates the command with its arguments."""
    started = b"\neval start-stop-daemon --start --exec $command -- $command_args\n"
    yield from of_script(b"#!/bin/sh\n" + text + started, files)


# What was found in 0.4's own file.


def of_toml(text: bytes, files: Files) -> Iterator[Start]:
    """Keys are variables to it, which come to the same."""
    given = tomllib.loads(text.decode())
    keys = {flag.toml: flag.variable for flag in FLAGS if flag.toml and flag.variable}
    variables = {}
    for key, value in {
        **given,
        **{
            f"{table}.{key}": value
            for table in ("peer", "cluster")
            for key, value in given.get(table, {}).items()
        },
    }.items():
        if key in keys:
            variables[keys[key]] = ",".join(value) if isinstance(value, list) else _plain(value)
    yield Start((), {name: filled_in(value) for name, value in variables.items()})


def of_procfile(text: bytes, files: Files) -> Iterator[Start]:
    for line in text.decode().splitlines():
        if not line.startswith("#") and ":" in line:
            yield from of_script(f"exec {line.partition(':')[2]}\n".encode(), files)


def filled_in(text: str) -> str:
    """What is filled in later, where no shell is: by names."""
    text = re.sub(r"\{\{.*?\}\}|<%.*?%>", lambda one: marker(one[0]), text)
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda one: marker(one[1] or one[2]), text)


_READERS: tuple[tuple[bytes | re.Pattern[bytes], Callable[[bytes, Files], Iterable[Start]]], ...] = (
    (rb"\A#!/sbin/(?:runscript|openrc-run)", of_openrc),
    (rb"\A#!.*(?:sh|run)", of_script),
    (rb"\A#cloud-config", of_cloud_config),
    (rb"\Aresource ", of_terraform),
    (rb"(?m)^\[program:", of_supervisor),
    (rb"(?m)^\[(?:Service|Unit)\]", of_unit),
    (rb"(?m)^(?:FROM|CMD|ENTRYPOINT)\s", of_dockerfile),
    (rb"(?m)^(?:start on|script\s*$|respawn)", of_upstart),
    (rb"(?m)^\s*(?:[{]|- )*(?:\{.*, )?[\"']?(?:image|build)[\"']?:", of_containers),
    (rb"(?i)[\"']?user_?data[\"']?:", of_texts_inside),
    (rb"(?m)^\w+: *\S*\betcd ", of_procfile),
    (_ASSIGNMENTS, _of_assignments),
    (
        rb"(?m)^(?:\S+=\S* )*(?:exec |sudo |env )*(?:\S+=\S* (?:\\\n\s*)?)*(?:[^\s=]*/)?(?:etcd|docker run)\s",
        of_script,
    ),
    (rb"(?m)^\w+ = (?:[\"\[\d]|true|false)", of_toml),
)
"""How a text is recognised, in this order, and who reads it. All others hold nothing."""
