"""Man pages and completion are fresh, name every command and option, and shells take them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from migrate02.cli.main import COMMANDS
from migrate02.cli.parsing import Subcommand

ROOT = Path(__file__).parents[2]


def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _loaded("generate")
PARSERS = {make.__name__: make for make in GENERATE.PARSERS}
FILES: dict[Path, str] = dict(GENERATE.files())


def commands(parser: ArgumentParser) -> Iterator[tuple[str, ArgumentParser]]:
    yield parser.prog, parser
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for below in action.choices.values():
                yield from commands(below)


def read_plainly(name: str) -> str:
    """A man page without its marks."""
    page = (ROOT / "packaging" / "man" / f"{name}.1").read_text()
    return re.sub(r"\\f.|\\,|\\/", "", page).replace("\\-", "-")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_generated_file_is_fresh(path: Path) -> None:
    assert path.read_text() == FILES[path], "run: make packaging"


def test_no_generated_file_is_left_over() -> None:
    folders = (ROOT / "packaging" / "man", ROOT / "packaging" / "completion")
    assert {path for folder in folders for path in folder.rglob("*") if path.is_file()} == set(FILES)


def _names(below: dict[str, Subcommand], before: str = "migrate02") -> Iterator[str]:
    for name, command in below.items():
        yield f"{before} {name}"
        yield from _names(dict(command.below), f"{before} {name}")


def test_every_command_of_migrate02_is_there() -> None:
    assert {name for name, _ in commands(PARSERS["migrate02"]())} == {"migrate02", *_names(dict(COMMANDS))}


@pytest.mark.parametrize("name", PARSERS)
def test_a_man_page_names_every_command_and_option(name: str) -> None:
    page = read_plainly(name)
    for prog, parser in commands(PARSERS[name]()):
        assert prog == name or f"'{prog}'" in page
        for action in parser._actions:
            if "--help" not in action.option_strings:
                assert all(option in page for option in action.option_strings)


@pytest.mark.parametrize("name", PARSERS)
def test_man_has_nothing_to_complain_about(name: str) -> None:
    if shutil.which("groff") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no groff on this machine")
    page = (ROOT / "packaging" / "man" / f"{name}.1").read_text()
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-z"], input=page, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


BASH = """\
source packaging/completion/bash/$1
words=("$@"); COMP_WORDS=("${words[@]}"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
complete=$(complete -p "$1"); complete=${complete##*-F }; ${complete%% *}
printf '%s\\n' "${COMPREPLY[@]}"
"""

FISH = """\
source packaging/completion/fish/$argv[1].fish
complete -C "$argv" | string split -f 1 \\t
true
"""

# A shell on a terminal of its own, whose Tab key is pressed: zsh completes nowhere else. What it adds to its list of
# matches goes to a file, by the one builtin that adds to it.
ZSH = """\
zmodload zsh/zpty
export MATCHES=$(mktemp)
zpty inner zsh -f -i
zpty -w inner "PS1= fpath=(packaging/completion/zsh \\$fpath)"
zpty -w inner 'autoload -Uz compinit; compinit -u -D; bindkey "^I" complete-word'
zpty -w inner 'compadd() {
    local -a found
    [[ " $* " == *\\ -(O|A|D)\\ * ]] || {
        builtin compadd -A found "$@"; (($#found)) && print -rl -- $found >>$MATCHES
    }
    builtin compadd "$@"
}'
zpty -w inner 'finished() { print -r -- the end >>$MATCHES; exit }; comppostfuncs=(finished)'
zpty -n -w inner "$*"$'\\t'
repeat 300; do grep -qx "the end" $MATCHES && break; sleep 0.1; done
zpty -d inner
sed "/^the end$/d" $MATCHES; rm $MATCHES
"""

SHELLS = {
    "bash": ["bash", "-c", BASH, "bash"],
    "fish": ["fish", "--no-config", "-c", FISH],
    "zsh": ["zsh", "-f", "-c", ZSH, "zsh"],
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["migrate02", "v2"], ["v2store"]),
        (["migrate02", "v2store", ""], ["check", "export", "clean", "plan"]),
        (["migrate02", "convert", "--outp"], ["--output"]),
        (["migrate02", "convert", "--output", "s"], ["sarif"]),
        (["migrate02", "convert", "READ"], ["README.md"]),
        (["etcd02", "--initial-cluster-"], ["--initial-cluster-state", "--initial-cluster-token"]),
        (["etcd02", "-peer-ad"], ["-peer-addr"]),
        (["etcdctl02", "member", "a"], ["add"]),
    ],
    ids=lambda words: " ".join(words),
)
def test_a_shell_completes(shell: str, words: list[str], found: list[str], tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {shell} on this machine")
    done = subprocess.run(
        [*SHELLS[shell], *words],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert sorted(done.stdout.split()) == sorted(found)
