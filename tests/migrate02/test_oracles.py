"""What others say of converted files: a shell, systemd, a YAML parser, a syntax tree, etcd itself."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_bash
import yaml

from compat.commandline import read_command_line
from migrate02.convert.conversion import Options
from migrate02.convert.deployment import convert_text
from migrate02.convert.inputs import convert_words, detected_in
from migrate02.convert.setup_files import merged
from migrate02.formats.detection import detect
from migrate02.formats.document import UnusableInput
from migrate02.formats.placeholders import MARKER, unmask
from migrate02.formats.registry import AMONG_OTHER_THINGS
from migrate02.formats.view import View
from server.config import load
from tests.migrate02.running import HOST, convert
from tests.migrate02.test_real_etcd import served
from tests.support import real_etcd
from tests.support.ports import free_ports

FIXTURES = Path(__file__).parents[2] / "fixtures"


def pairs(*kinds: str) -> list[Any]:
    """(input, result) of every golden case of these kinds that changes."""
    found = []
    for case in sorted((FIXTURES / "convert").iterdir()):
        if case.name.startswith(kinds) and not (case / "options").exists():
            (path,) = case.glob("input*")
            before, after = path.read_bytes(), (case / "expected").read_bytes()
            if after and after != before:
                found.append(pytest.param(before, after, id=case.name))
    return found


SHELL = ("shell-", "sysv-", "runit-", "docker-run", "script-")
UNITS = ("systemd-", "dropin-")
YAML = ("cloud-config-", "compose-", "k8s-")
NO_YAML = (b"#!", b"resource ")
"""How the few of these begin that are no YAML: a script and a file of Terraform's."""


@pytest.mark.parametrize(
    ("before", "after"), pairs(*SHELL, *UNITS, *YAML, "dockerfile-", "upstart-", "supervisor-")
)
def test_line_ends_of_dos_change_nothing_else(before: bytes, after: bytes) -> None:
    old, new = (text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for text in (before, after))
    found = convert_text(
        old.decode("utf-8", "surrogateescape"), "input", Options(hostname=HOST, hostname_given=True)
    )
    assert found.text is not None
    assert found.text.encode("utf-8", "surrogateescape") == new


@pytest.mark.parametrize(("before", "after"), pairs("cloud-config-", "compose-", "k8s-", "systemd-"))
def test_a_byte_order_mark_and_bytes_of_another_age_stay_where_they_are(before: bytes, after: bytes) -> None:
    if before.startswith((*NO_YAML, b"{")):
        pytest.skip("a script, a file of Terraform or JSON takes no byte-order mark or no comment")
    old, new = (b"\xef\xbb\xbf" + text + b"# gr\xfc\xdfe\n" for text in (before, after))
    found = convert_text(
        old.decode("utf-8", "surrogateescape"), "input", Options(hostname=HOST, hostname_given=True)
    )
    assert found.text is not None
    assert found.text.encode("utf-8", "surrogateescape") == new


# A shell.


@pytest.mark.parametrize(("before", "after"), pairs(*SHELL))
def test_a_script_that_a_shell_took_it_takes_still(before: bytes, after: bytes) -> None:
    def trouble(text: bytes) -> str:
        return subprocess.run(["bash", "-n"], input=text, capture_output=True, check=False).stderr.decode()

    if not trouble(before):
        assert trouble(after) == ""


@pytest.mark.parametrize(("before", "after"), pairs(*SHELL))
def test_outside_of_what_changed_a_script_has_the_syntax_it_had(before: bytes, after: bytes) -> None:
    old, new = before.splitlines(), after.splitlines()
    same = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    left = {line for block in same for line in range(block.a, block.a + block.size)}
    right = {line for block in same for line in range(block.b, block.b + block.size)}
    assert list(syntax(before, left)) == list(syntax(after, right))


def syntax(text: bytes, lines: set[int]) -> Iterator[tuple[str, bytes]]:
    """Every node that stands on these lines alone."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
    waiting = [parser.parse(text).root_node]
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.children)
        if set(range(node.start_point[0], node.end_point[0] + 1)) <= lines:
            yield node.type, text[node.start_byte : node.end_byte]


RUN = [
    "shell-variables",
    "shell-array",
    "shell-function",
    "shell-prefix-variables",
    "shell-exports",
    "runit-chpst",
]


@pytest.mark.parametrize("name", RUN)
def test_what_a_script_starts_is_what_it_started_in_2xs_words(name: str, tmp_path: Path) -> None:
    """Both are run, with a stand-in for etcd that tells its words and variables."""
    case = FIXTURES / "convert" / name
    (path,) = case.glob("input*")
    started = run_with_stand_in(path.read_text(), tmp_path / "old")
    starts = run_with_stand_in((case / "expected").read_text(), tmp_path / "new")
    assert len(started) == len(starts) >= 1
    for old, new in zip(started, starts, strict=True):
        wanted = convert_words([*old["variables"], "etcd", *old["words"]], Options(hostname=HOST))
        again = convert_words([*new["variables"], "etcd", *new["words"]], Options(hostname=HOST))
        assert again.config == wanted.config


def run_with_stand_in(script: str, folder: Path) -> list[dict[str, list[str]]]:
    folder.mkdir()
    log = folder / "log"
    etcd = folder / "etcd"
    tell = "import json,os,sys;print(json.dumps({'words':sys.argv[1:],'variables':[f'{k}={v}' for k,v in os.environ.items() if k.startswith('ETCD_')]}))"
    etcd.write_text(f'#!/bin/sh\nexec python3 -c {shlex.quote(tell)} "$@" >> {log}.$$\n')
    (folder / "chpst").write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    for name in ("etcd", "chpst"):
        (folder / name).chmod(0o755)
    text = re.sub(r"(?:/[\w.-]+)+/etcd\b(?=[\s\"']|$)|/opt/etcd\b(?=\s)", "etcd", script, flags=re.MULTILINE)
    assert "/etcd " not in text
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "PUBLIC_IP": "10.0.0.1", "PRIVATE_IP": "10.0.0.1"}
    (folder / "script").write_text(text + "\nwait\n")
    subprocess.run(
        ["bash", str(folder / "script")], env=environment, check=True, cwd=folder, capture_output=True
    )
    return sorted(
        (json.loads(path.read_text()) for path in folder.glob("log.*")),
        key=lambda item: str(item["words"][:2]),
    )


# systemd.


@pytest.mark.parametrize(("before", "after"), pairs(*UNITS))
def test_a_unit_keeps_its_sections_and_its_other_lines(before: bytes, after: bytes) -> None:
    """By the rules of an INI file with continuations, which is what a unit is."""

    def others(text: bytes) -> list[tuple[str, str, str]]:
        found = []
        joined = re.sub(r"\\\r?\n(?:[#;].*\n)*", " ", text.decode("latin-1"))
        section = ""
        for line in joined.splitlines():
            if line.startswith("["):
                section = line.strip()
            elif "=" in line and line[0] not in "#;":
                key, _, value = line.partition("=")
                if key not in ("ExecStart", "Environment", "EnvironmentFile"):
                    found.append((section, key, value))
        return found

    assert others(after) == others(before)


@pytest.mark.parametrize(("before", "after"), pairs(*UNITS))
def test_systemd_takes_a_unit_as_it_took_it_before(before: bytes, after: bytes, tmp_path: Path) -> None:
    analyze = real_etcd.required(_systemd_analyze(), "apt-get install systemd")

    def trouble(text: bytes, name: str) -> list[str]:
        unit = tmp_path / name / "some.service"
        unit.parent.mkdir()
        unit.write_bytes(re.sub(rb"(?m)^(ExecStart=-?)\S*etcd\b", rb"\1/bin/true", text))
        done = subprocess.run([analyze, "verify", unit], capture_output=True, check=False, text=True)
        return sorted(re.sub(r"^\S*?some\.service:\d*:?", "", line) for line in done.stderr.splitlines())

    assert set(trouble(after, "after")) <= set(trouble(before, "before"))


def _systemd_analyze() -> Path | None:
    found = shutil.which("systemd-analyze")
    return Path(found) if found else None


@pytest.mark.parametrize(("before", "after"), pairs("supervisor-"))
def test_a_supervisors_file_has_the_sections_and_keys_it_had(before: bytes, after: bytes) -> None:
    def read(text: bytes) -> dict[str, dict[str, str]]:
        parser = RawConfigParser(inline_comment_prefixes=(";",))
        parser.read_string(text.decode())
        others = ("command", "environment")
        return {
            name: {key: "" if key in others else value for key, value in parser[name].items()}
            for name in parser
        }

    assert read(after) == read(before)


# YAML.


@pytest.mark.parametrize(("before", "after"), pairs(*YAML))
def test_yaml_holds_the_same_outside_of_etcds_settings(before: bytes, after: bytes) -> None:
    if before.startswith(NO_YAML):
        pytest.skip("a script or a file of Terraform is no YAML")
    assert list(rest(before)) == list(rest(after))


_OURS = frozenset(
    ("command", "args", "entrypoint", "etcd", "etcd2", "content", "UserData", "user_data", "env")
)


def rest(text: bytes) -> list[object]:
    return [_without_ours(document) for document in documents(text)]


def documents(text: bytes) -> Iterator[object]:
    """With a word in the place of what is filled in, and without the lines that are made of a list."""
    text = re.sub(rb"(?m)^ *\$\{(?:join|indent)\(.*\}$", b"", text)
    return yaml.safe_load_all(re.sub(r"\{\{.*?\}\}", "filled", text.decode()))


def _without_ours(item: object) -> object:
    if isinstance(item, dict):
        return {
            key: _without_ours(value)
            for key, value in item.items()
            if key not in _OURS and not str(key).startswith("ETCD_")
        }
    if isinstance(item, list):
        return [_without_ours(one) for one in item if not str(one).startswith("ETCD_")]
    return "etcd.service" if item == "etcd2.service" else item


@pytest.mark.parametrize(("before", "after"), pairs(*YAML))
def test_texts_inside_yaml_are_still_yaml_texts(before: bytes, after: bytes) -> None:
    """As many lines and entries as before, or more: nothing ran into anything else."""
    if before.startswith(NO_YAML):
        pytest.skip("a script or a file of Terraform is no YAML")

    def texts(item: object) -> int:
        if isinstance(item, dict):
            return sum(texts(value) for value in item.values())
        if isinstance(item, list):
            return sum(map(texts, item))
        return isinstance(item, str) and "\n" in item

    assert sum(map(texts, documents(after))) == sum(map(texts, documents(before)))


# etcd.

EVERY_KIND = (*SHELL, *UNITS, *YAML, "dockerfile-", "upstart-", "supervisor-", "procfile-")


@pytest.mark.parametrize(("before", "after"), pairs(*EVERY_KIND))
def test_the_bundled_server_takes_every_converted_start(before: bytes, after: bytes) -> None:
    """With something in the place of what is filled in."""
    del before
    text = after.decode("utf-8", "surrogateescape")
    for setup in detected_in(text, "input", Options()).reading.setups:
        given = merged(setup)
        words = [f"--{name}={filled_in(item.value, name)}" for name, item in given.items()]
        line = read_command_line(words)
        assert line.findings == []
        assert not setup.findings or all(finding.severity != "error" for finding in setup.findings)
        load({item.name: item.value for item in line.given})


def filled_in(value: str, name: str) -> str:
    placeholder = r"\$(?:\w+|\{[^{}]*\}|\([^()]*\))|%[a-zA-Z]|`[^`]*`"
    value = re.sub(placeholder, "filled", unmask(re.sub(MARKER, "filled", value)))
    if name.endswith("-urls") or name == "initial-cluster":
        value = re.sub(r":\d*filled(?=,|$)", ":4001", value)
        value = re.sub(r"//filled(?=,|$)", "//filled:4001", value)
        value = re.sub(r"//filled", "//10.0.0.9", value)
    return value


UNIT = """\
[Service]
Environment=ETCD_NAME=m1
ExecStart=/usr/bin/etcd -addr 127.0.0.1:{0} -bind-addr 127.0.0.1 \\
  -peer-addr 127.0.0.1:{1} -peer-bind-addr 127.0.0.1 -data-dir {2} -cluster-active-size 3
"""
SCRIPT = """\
#!/bin/sh
OPTS="-name m1 -addr 127.0.0.1:{0} -bind-addr 127.0.0.1"
exec etcd $OPTS -peer-addr 127.0.0.1:{1} -peer-bind-addr 127.0.0.1:{1} -data-dir {2} -peer-election-timeout 1000
"""
COMPOSE = """\
etcd:
  image: coreos/etcd
  command:
  - -name
  - m1
  - -addr=127.0.0.1:{0}
  - -bind-addr=127.0.0.1
  - -peer-addr=127.0.0.1:{1}
  - -peer-bind-addr=127.0.0.1
  - -data-dir={2}
  - -vv
"""
SUPERVISOR = """\
[program:etcd]
command=/usr/bin/etcd -name m1 -addr 127.0.0.1:{0} -bind-addr 127.0.0.1
  -peer-addr 127.0.0.1:{1} -peer-bind-addr 127.0.0.1 -data-dir {2}
"""


def words_of_unit(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    variables = re.findall(r"(?m)^Environment=(\S+)", joined)
    (line,) = re.findall(r"(?m)^ExecStart=(.*)", joined)
    return ["env", *variables, *shlex.split(line)]


def words_of_supervisor(text: str) -> list[str]:
    parser = RawConfigParser()
    parser.read_string(text)
    return shlex.split(parser["program:etcd"]["command"])


def words_of_compose(text: str) -> list[str]:
    return ["etcd", *yaml.safe_load(text)["etcd"]["command"]]


def words_of_script(text: str) -> list[str]:
    """As a shell splits them."""
    printing = text.replace("exec etcd", "printf '%s\\n' etcd")
    return subprocess.run(
        ["sh"], input=printing, capture_output=True, text=True, check=True
    ).stdout.splitlines()


@pytest.mark.slow
@pytest.mark.real_etcd
@pytest.mark.parametrize(
    ("text", "words_of"),
    [
        pytest.param(UNIT, words_of_unit, id="unit"),
        pytest.param(SCRIPT, words_of_script, id="script"),
        pytest.param(COMPOSE, words_of_compose, id="compose"),
        pytest.param(SUPERVISOR, words_of_supervisor, id="supervisor"),
    ],
)
def test_a_real_etcd_starts_with_a_converted_file(text: str, words_of: Any, tmp_path: Path) -> None:
    etcd = str(real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34))
    client, peer = free_ports(2)
    path = tmp_path / "input"
    path.write_text(text.format(client, peer, tmp_path / "data"))
    run = convert("--target", "3.4", "--allow-residue", path)
    assert run.status == 0, run.err
    words = words_of(run.out)
    at = next(at for at, word in enumerate(words) if word.rpartition("/")[2] == "etcd")
    served([*words[:at], etcd, *words[at + 1 :]], client)


def test_every_room_has_enough_cases() -> None:
    """At least three of each kind, and 80 over all, that are no settings by themselves."""
    names = [case.name for case in (FIXTURES / "convert").iterdir()]
    kinds = ("cloud-config", "systemd", "shell", "upstart", "supervisor", "dockerfile", "compose", "k8s")
    for kind in (*kinds, "docker-run", "sysv", "runit", "procfile"):
        assert sum(name.startswith(kind) for name in names) >= 2, kind
    assert sum(name.startswith(EVERY_KIND) for name in names) >= 80


def test_every_format_is_found_in_some_text() -> None:
    found = set()
    for case in (FIXTURES / "convert").iterdir():
        for path in case.glob("input*"):
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            with contextlib.suppress(UnusableInput):  # what is broken is recorded there
                found.add(detect(View(text, "")).format)
    assert found >= set(AMONG_OTHER_THINGS)
