"""etcdctl02 prints and returns what etcdctl does: 2.3.8 to the byte, from a record, and 3.4 and 3.5 on the same server.

Where these do otherwise than 2.3.8, ``OTHERWISE_SINCE_3`` says so, and each of its rows has to be true.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.etcdctl02_told import (
    ONLY_SINCE_35,
    OTHERWISE_SINCE_3,
    PATIENT,
    RECORDED,
    comparable,
    inside,
    live,
    settled,
    transcript_of_23,
)
from tests.clients.etcdctl_stories import OF_ITS_OWN, OVER_TLS
from tests.clients.side_by_side import Side, difference
from tests.clients.stories import Run, Teller, Told, as_process
from tests.support.ports import free_ports
from tests.support.process import Member
from tests.support.real_etcd import HOW_35, HOW_CTL, etcdctl, etcdctl35, required

pytestmark = pytest.mark.slow

BY_THE_SCRIPT = ("set and get", "values from standard input", "errors")
"""Recorded stories that are told to the console script, a process for every step: its words, its standard input, its
exit statuses. In the others only what waits is a process."""

TLS_FILES = Path(__file__).parents[2] / "fixtures" / "tls"


@pytest.fixture(scope="module")
def etcdctl02(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script under the name that it takes the place of."""
    script = Path(sysconfig.get_path("scripts")) / "etcdctl02"
    link = tmp_path_factory.mktemp("bin") / "etcdctl"
    link.symlink_to(script)
    return link


@pytest.fixture(scope="module")
def shared_side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    yield from _member(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def side(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> Iterator[Side]:
    """The bundled server, emptied; one of its own for a story that changes too much."""
    if name in OF_ITS_OWN:
        yield from _member(tmp_path)
    else:
        yield request.getfixturevalue("shared_side")


def _member(directory: Path) -> Iterator[Side]:
    member = Member(directory)
    with member.start() as process:
        yield Side(process, member.peer_port)


def tell(program: Path, side: Side, story: str, run: Run) -> Told:
    side.start_over()
    env = {"ETCDCTL_API": "2", "ETCDCTL_ENDPOINTS": side.url}
    told = Teller(side, program, PATIENT, env, comparable, run).tell(story)
    return told._replace(transcript=[settled(line) for line in told.transcript])


@pytest.mark.parametrize("name", RECORDED)
def test_it_says_what_etcdctl_238_says(etcdctl02: Path, side: Side, name: str) -> None:
    told = tell(etcdctl02, side, RECORDED[name], as_process if name in BY_THE_SCRIPT else inside)
    assert told.transcript == transcript_of_23(name), difference(told.transcript, transcript_of_23(name))


@pytest.mark.real_etcd
@pytest.mark.parametrize(
    ("release", "name"), [(each, name) for each in ("3.4", "3.5") for name in live(each)]
)
def test_it_says_what_a_later_etcdctl_says_but_for_what_has_changed(
    etcdctl02: Path, side: Side, tmp_path: Path, release: str, name: str
) -> None:
    later = required(etcdctl(), HOW_CTL) if release == "3.4" else required(etcdctl35(), HOW_35)
    story = live(release)[name]
    real = _steps(tell(later, side, story, as_process))
    with _untouched(side, tmp_path / "another", name) as another:
        ours = _steps(tell(etcdctl02, another, story, inside))
    assert [step for step, _ in ours] == [step for step, _ in real]
    for (step, said), (_, real_said) in zip(ours, real, strict=True):
        reasons = {why for why, steps in OTHERWISE_SINCE_3.items() if re.fullmatch(steps, step)}
        if release == "3.4":
            reasons -= ONLY_SINCE_35
        assert (said == real_said) != bool(reasons), (reasons, step, difference(said, real_said))


@pytest.mark.real_etcd
def test_it_says_over_tls_what_etcdctl_35_says(etcdctl02: Path, tmp_path: Path) -> None:
    files = {
        "cert_file": str(TLS_FILES / "server.pem"),
        "key_file": str(TLS_FILES / "server.key"),
        "trusted_ca_file": str(TLS_FILES / "ca.pem"),
        "client_cert_auth": "true",
    }
    options = {"ca-file": "ca.pem", "cert-file": "client.pem", "key-file": "client.key"}
    certified = [word for name, file in options.items() for word in (f"--{name}", str(TLS_FILES / file))]
    member = Member(tmp_path, **files)
    (tls_port,) = free_ports(1)
    member.settings["listen-client-urls"] += f",https://127.0.0.1:{tls_port}"
    with member.start() as process:
        side = Side(process, member.peer_port, tls_port)
        told = []
        for program in (required(etcdctl35(), HOW_35), etcdctl02):
            side.start_over()
            teller = Teller(side, program, (*PATIENT, *certified), {"ETCDCTL_API": "2"})
            told.append(teller.tell(OVER_TLS))
    real, ours = told
    assert ours.transcript == real.transcript, difference(ours.transcript, real.transcript)
    assert not ours.surprises


@contextlib.contextmanager
def _untouched(side: Side, directory: Path, name: str) -> Iterator[Side]:
    """The same server, or another one if emptying is not enough to make it as it was."""
    if name in OF_ITS_OWN:
        yield from _member(directory)
    else:
        yield side


def _steps(told: Told) -> list[tuple[str, list[str]]]:
    """Each step with what it printed and returned."""
    steps: list[tuple[str, list[str]]] = []
    for line in told.transcript:
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


PAGE = Path(__file__).parents[2] / "docs" / "etcdctl02.md"


def test_the_differences_are_documented() -> None:
    _, _, listed = PAGE.read_text().partition("## Where etcdctl 3.x with ETCDCTL_API=2 differs from both\n\n")
    assert listed.splitlines() == [f"- {why}" for why in OTHERWISE_SINCE_3]


def test_the_examples_of_its_page_print_what_they_say(etcdctl02: Path, tmp_path: Path) -> None:
    member = Member(tmp_path / "server")
    env = {"PATH": f"{etcdctl02.resolve().parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    examples = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert examples
    with member.start() as process:
        env["ETCDCTL_ENDPOINTS"] = process.url
        for example in examples:
            shown = ""
            for command in (line[2:] for line in example.splitlines() if line.startswith("$ ")):
                done = subprocess.run(
                    ["bash", "-c", f"{command} 2>&1"], env=env, capture_output=True, text=True
                )
                shown += f"$ {command}\n{done.stdout}"
            assert shown.replace(process.url, "http://127.0.0.1:2379") == example
