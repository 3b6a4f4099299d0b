"""Converted files are run, and what etcd is given is compared with what it was given before.

Scripts are run by a shell in a sandbox, with a stand-in for etcd that records; units, cloud-configs, containers' files and what a script
writes are read by independent readers. What 0.4 made of the one has to be what 2.x makes of the other. Where no sandbox can be
made the tests are skipped, and nothing is run.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.migrate02.by_running import compare
from tests.support import sandbox

ROOT = Path(__file__).parents[2] / "fixtures" / "convert"
NOT_READ = {
    "ansible-command": "Ansible's language",
    "cloud-config-broken": "no YAML",
    "cloud-config-in-joined-json": "a text in pieces, between which something is filled in",
    "cloud-config-template-condition": "a template's conditions",
    "cloud-config-template-line-end": "a template's conditions",
    "cloud-config-terraform-template": "lines that a template makes",
    "cloudformation-joined": "a text in pieces, between which something is filled in",
    "cloudformation-sub-behind-a-tag": "what CloudFormation fills in",
    "compose-template-condition": "a template's conditions",
    "env-merge-conflict": "markers of a merge",
    "env-open-quote": "a quote is left open: no shell reads it",
    "env-template-condition": "a template's conditions",
    "env-template-one-block": "a template's conditions",
    "go-argv": "a program in Go",
    "puppet-class": "Puppet's language",
    "puppet-exec": "Puppet's language",
    "shell-here-document-in-a-substitution": "what it writes is a word of a program that is not run",
    "shell-open-here-document": "a here-document is left open",
    "shell-python": "not a shell's",
    "shell-quote-left-open": "a quote is left open: no shell reads it",
    "systemd-template-condition": "a template's conditions",
    "systemd-template-condition-around": "a template's conditions",
    "systemd-template-one-block": "a template's conditions",
    "upstart-template-condition": "a template's conditions",
}
"""Cases that nobody could start etcd with as they are."""
NO_START = {
    "cloud-config-misplaced",
    "cloud-config-no-etcd",
    "command-of-another-program",
    "comments-only",
    "compose-other-images",
    "compose-unknown-image",
    "docker-run-other",
    "dockerfile-other",
    "env-only-flags-in-a-variable",
    "shell-echo-lines",
    "shell-only-mentions",
    "systemd-other-program",
}
"""Cases that start no etcd, and set nothing for one; neither do their results."""
OTHER_WORDS = ("--to", "--target", "--check", "--diff", "--json", "--")
"""Options that ask for another form than the input's, or for another release's words."""
SETTINGS_ALONE = ("toml-", "args-json", "yaml-", "unusable-")
"""Settings by themselves, that are no start of etcd; ``test_properties`` and ``test_real_etcd`` have them."""


class Case(NamedTuple):
    name: str
    path: Path
    options: list[str]

    @property
    def is_a_start(self) -> bool:
        """Of an etcd, in the words of 2.3 afterwards."""
        return not self.name.startswith(SETTINGS_ALONE) and not set(self.options) & set(OTHER_WORDS)

    @property
    def texts(self) -> tuple[bytes, bytes]:
        """Before and after; the same where nothing was written."""
        before = self.path.read_bytes()
        return before, (self.path.parent / "expected").read_bytes() or before

    @property
    def findings(self) -> str:
        return (self.path.parent / "findings").read_text()


def _cases() -> dict[str, Case]:
    found = {}
    for folder in sorted(ROOT.iterdir()):
        inputs = list(folder.glob("input*"))
        options = folder / "options"
        if len(inputs) == 1:
            words = shlex.split(options.read_text()) if options.exists() else []
            found[folder.name] = Case(folder.name, inputs[0], words)
    return {name: case for name, case in found.items() if case.is_a_start}


CASES = _cases()


@pytest.fixture(autouse=True)
def _sandbox_can_be_made() -> None:
    if sandbox.trouble():
        pytest.skip(sandbox.trouble())


@pytest.mark.parametrize("name", CASES)
def test_2x_is_given_what_04_was_given(name: str) -> None:
    """By the case's expectations; whether the converter meets those, ``test_golden`` says."""
    case = CASES[name]
    if name in NOT_READ:
        pytest.skip(NOT_READ[name])
    before, after = case.texts
    wrong, starts = compare(case.path.name, before, after, case.findings, case.options)
    assert wrong == []
    assert bool(starts) != (name in NO_START)
