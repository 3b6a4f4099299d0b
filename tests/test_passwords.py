"""A password in a URL is printed by no command: not in its log, its errors, findings, plans, reports, nor its pages.

The converted file itself, and a diff of it, has it: it is what was asked for.
"""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.etcd02 import main as etcd02
from migrate02.cli.convert import OF_MACHINES
from server.config import UrlError, parse_url, redacted
from server.log import EtcdFormatter
from tests.compat.etcdctl02.ran import run as etcdctl
from tests.compat.etcdctl02.scripted import Scripted, answer
from tests.migrate02.running import migrate02
from tests.support.hostile_http import HARMFUL, HostileServer, whole
from tests.support.ports import free_ports

SECRET = "hunter2-ABC"
URL = f"http://root:{SECRET}@127.0.0.1:9"

_USERINFO = st.text("abcXYZ019-._~!$&'()*+,;=%:@", min_size=3).map(
    lambda text: f"q{text}q".replace("%", "%25")
)


@given(_USERINFO, st.sampled_from(["10.0.0.1", "[::1]", "[fe80::1%25lo]", "infra0.example.com"]))
def test_a_url_is_shown_as_go_shows_it(password: str, host: str) -> None:
    url = f"http://user:{password}@{host}:2380"
    assert redacted(url) == f"http://user:xxxxx@{host}:2380"
    assert (
        redacted(f"a=http://{host}:1,b={url} (c)") == f"a=http://{host}:1,b=http://user:xxxxx@{host}:2380 (c)"
    )
    assert redacted(redacted(url)) == redacted(url)


@pytest.mark.parametrize(
    "text",
    [
        "http://10.0.0.1:2379/x@y",
        "https://[::1]:2379/a@b",
        "http://user@host:2379",
        "mail someone@example.com: done",
        "a=http://10.0.0.1:2380,b=http://10.0.0.2:2380",
        "${USER}@http://$HOST:4001",
    ],
)
def test_what_holds_no_password_stays_as_it_is(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("password", ["a/b", "a?b", "a#b", "a@b", "a:b"])
def test_a_url_that_is_refused_for_its_password_does_not_show_it_either(password: str) -> None:
    url = f"http://user:{password}@host:2380"
    try:
        shown = str(parse_url(url))
    except UrlError as error:
        shown = str(error)
    assert f":{password}" not in redacted(shown)


def test_no_line_of_the_log_has_one() -> None:
    record = logging.LogRecord("server.main", logging.INFO, "", 0, "discovery URL= %s", (URL,), None)
    try:
        raise ValueError(URL)
    except ValueError:
        record.exc_info = sys.exc_info()
    text = EtcdFormatter().format(record)
    assert "http://root:xxxxx@127.0.0.1:9" in text
    assert SECRET not in text


TOML = f"""
name = "m1"
addr = "10.0.0.9:4001"
discovery = "{URL}/v2/keys/token"
cors = ["{URL}"]
peers = ["127.0.0.1:7001"]
"""
ENV = f"ETCD_NAME=a\nETCD_DISCOVERY={URL}/token\nETCD_ADDR=10.0.0.1:4001\nETCD_CORS={URL}\nETCD_BAD={URL}\n"
COMMAND = f"etcd -name a -addr 10.0.0.1:4001 -discovery {URL}/token -cors {URL} -initial-cluster a={URL}\n"
BAD = f"etcd --name a --listen-client-urls {URL}/path --discovery {URL}\n"


@pytest.mark.parametrize("words", [("--json",), *(("--output", kind) for kind in OF_MACHINES), ("--check",)])
@pytest.mark.parametrize("text", [TOML, ENV, COMMAND, BAD], ids=["toml", "env", "command", "bad"])
def test_no_report_of_a_conversion(text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(text)
    run = migrate02("convert", "--hostname", "node1", *words, path)
    assert SECRET not in run.out + run.err


def test_the_converted_file_has_it(tmp_path: Path) -> None:
    path = tmp_path / "etcd.env"
    path.write_text(ENV)
    run = migrate02("convert", "--hostname", "node1", path)
    assert f"{URL}/token" in run.out
    assert SECRET not in run.err


@pytest.mark.parametrize("form", [(), ("--json",), ("--html",)])
def test_no_plan(form: tuple[str, ...], tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.env").write_text(
            f"ETCD_NAME={name}\nETCD_ADDR=10.0.0.1:4001\nETCD_PEER_ADDR=10.0.0.1:7001\nETCD_DISCOVERY={URL}/token\n"
        )
    run = migrate02("plan", *form, tmp_path)
    assert SECRET not in run.out + run.err


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--live", URL),
        ("plan", "--live", f"{URL}/%zz"),
        ("import", "--live", URL, "--to", URL),
        ("data", "verify", URL, URL),
        ("data", "export", URL),
        ("data", "inspect", URL),
        ("discovery", "inspect", URL),
        ("discovery", "inspect", f"{URL}/ x"),
        ("srv", "check", "example.invalid", "--advertise", URL, "--dns-server", "127.0.0.1:1"),
        ("srv", "check", "example.invalid", "--advertise", f"{URL}/path"),
        ("srv", "check", "example.invalid", "--dns-server", URL),
        ("explain", URL),
        ("convert", URL),
        ("undo", URL),
        (URL,),
    ],
)
def test_no_error_of_the_tool(words: tuple[str, ...]) -> None:
    run = migrate02(*words)
    assert SECRET not in run.out + run.err
    assert run.out + run.err


@pytest.mark.parametrize(
    "behaviour", ["half a document", "a redirect to another host", "silence", "another protocol"]
)
@pytest.mark.parametrize("words", [("plan", "--live"), ("data", "export"), ("discovery", "inspect")])
@pytest.mark.slow
def test_nor_when_something_answers(words: tuple[str, ...], behaviour: str) -> None:
    with HostileServer(HARMFUL[behaviour]) as server:
        run = migrate02(*words, server.url.replace("http://", f"http://root:{SECRET}@"))
    assert server.asked
    assert SECRET not in run.out + run.err
    assert all("authorization: basic" in head.lower() for head in server.heads)


def test_no_state_of_a_discovery_url() -> None:
    node = f'{{"node":{{"value":"2","nodes":[{{"key":"/a","value":"a={URL}","createdIndex":1}}]}}}}'.encode()
    with HostileServer(lambda url: iter([whole(node)])) as server:
        for form in ((), ("--json",)):
            run = migrate02("discovery", "inspect", *form, f"{server.url}/t")
            assert run.status == 0, run.err
            assert "root:xxxxx@" in run.out
            assert SECRET not in run.out + run.err


@pytest.mark.parametrize(
    "words",
    [
        ("--print-config", "--discovery", URL),
        ("--print-config", "--cors", URL, "--initial-cluster", f"default={URL}"),
        ("--listen-client-urls", f"{URL}/path"),
        ("--listen-peer-urls", URL, "--peers", URL),
        ("--no-such-flag", URL),
        ("discovery-service", "--store", f"{URL}/x y"),
        ("discovery-service", "--advertise-url", f"{URL}?x"),
    ],
)
def test_no_refusal_of_etcd02(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    etcd02(["etcd02", *words], {}, "/nonexistent")
    assert SECRET not in "".join(capsys.readouterr())


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("--discovery", f"{URL}/token", "--discovery-timeout", "1"),
        ("--discovery", "http://127.0.0.1:9/token", "--discovery-proxy", URL, "--discovery-timeout", "1"),
        ("--initial-cluster", f"a={URL},default=http://127.0.0.1:1", "--initial-cluster-state", "existing"),
        ("--proxy", "on", "--discovery", f"{URL}/token", "--discovery-timeout", "1"),
    ],
)
def test_no_log_of_a_member(words: tuple[str, ...], tmp_path: Path) -> None:
    peer, client = free_ports(2)
    listening = [
        "--listen-client-urls",
        f"http://127.0.0.1:{client}",
        "--listen-peer-urls",
        f"http://127.0.0.1:{peer}",
    ]
    program = Path(sys.executable).with_name("etcd02")
    advertised = ["--advertise-client-urls", f"http://127.0.0.1:{client}"]
    ran = subprocess.run(
        [program, "--data-dir", tmp_path / "data", "--debug", *listening, *advertised, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert "127.0.0.1" in ran.stderr
    assert SECRET not in ran.stdout + ran.stderr


def test_no_line_of_the_client() -> None:
    member = {"id": "1", "name": "a", "peerURLs": [URL], "clientURLs": [URL]}
    with Scripted(answer(200, {"members": [member]})) as server:
        endpoint = server.url.replace("http://", f"http://root:{SECRET}@")
        runs = [
            etcdctl("--debug", "--endpoints", URL, "--no-sync", "get", "x"),
            etcdctl("--debug", "--endpoints", f"{URL}/%zz", "get", "x"),
            etcdctl("--debug", "--endpoints", endpoint, "--no-sync", "member", "list"),
            etcdctl("--debug", "--endpoints", endpoint, "get", "x"),
            etcdctl("--endpoints", endpoint, "--no-sync", "cluster-health"),
        ]
    text = "".join(run.out + run.err for run in runs)
    assert "xxxxx@" in text
    assert SECRET not in text


def test_nor_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    from server.log import log_fault

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(EtcdFormatter())
    logger = logging.getLogger("server.main.test")
    logger.addHandler(handler)
    try:
        assert log_fault(logger, ValueError(URL))
    finally:
        logger.removeHandler(handler)
    assert SECRET not in stream.getvalue()
