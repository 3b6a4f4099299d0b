"""/config/local/log: answers as etcd 2.3.8 gives them, and what becomes of the log."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.http.messages import Headers
from server.log import configure
from tests.support.served import FORM, JSON, NOSNIFF, TEXT, Served, serve

PATH = "/config/local/log"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, from level info on; all is as it was afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    configure(stream=stream, package_levels="etcdserver=CRITICAL")
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)


@pytest.mark.parametrize(
    ("body", "status", "headers", "answer"),
    [
        ('{"Level":"DEBUG"}', 204, (), ""),
        ('{"level":"info"}', 204, (), ""),
        ('{"Level":"tRacE"}', 204, (), ""),
        ('{"Level":"D"} garbage', 204, (), ""),
        ('{"Level":"4"}', 204, (), ""),
        ('{"Level":"nope","LEVEL":"notice"}', 204, (), ""),
        ('{"Level":"x<y"}', 400, (JSON,), '{"message":"Invalid log level x\\u003cy"}'),
        ('{"Level":"6"}', 400, (JSON,), '{"message":"Invalid log level 6"}'),
        ("{}", 400, (JSON,), '{"message":"Invalid log level "}'),
        ("null", 400, (JSON,), '{"message":"Invalid log level "}'),
        ("nullx", 400, (JSON,), '{"message":"Invalid log level "}'),
        ("", 400, (JSON,), '{"message":"Invalid json body"}'),
        ('"INFO"', 400, (JSON,), '{"message":"Invalid json body"}'),
        ("[]", 400, (JSON,), '{"message":"Invalid json body"}'),
        ('{"Level":1}', 400, (JSON,), '{"message":"Invalid json body"}'),
        ('{"Level":"info"', 400, (JSON,), '{"message":"Invalid json body"}'),
        ('{"Level":"info","x":"' + "y" * (64 << 10) + '"}', 400, (JSON,), '{"message":"Invalid json body"}'),
    ],
)
@pytest.mark.usefixtures("log")
def test_answers(tmp_path: Path, body: str, status: int, headers: Headers, answer: str) -> None:
    async def test(served: Served) -> None:
        got = await served.ask("PUT", PATH, body, FORM)
        assert (got.status, got.headers, got.body) == (status, headers, answer.encode())

    serve(tmp_path / "d", test)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_only_put_is_allowed(tmp_path: Path, method: str) -> None:
    async def test(served: Served) -> None:
        got = await served.ask(method, PATH)
        assert (got.status, got.headers) == (405, (("Allow", "PUT"), TEXT, NOSNIFF))

    serve(tmp_path / "d", test)


def test_the_level_counts_for_all_packages_at_once(tmp_path: Path, log: io.StringIO) -> None:
    quiet, other = logging.getLogger("server.node.x"), logging.getLogger("server.api.x")

    async def test(served: Served) -> None:
        quiet.error("not yet")  # --log-package-levels had made it so
        other.debug("not yet")
        await served.ask("PUT", PATH, '{"Level":"DEBUG"}')
        quiet.debug("debug 1")
        other.debug("debug 2")
        await served.ask("PUT", PATH, '{"Level":"ERROR"}')
        quiet.warning("never")
        other.error("error 3")
        await served.ask("PUT", PATH, '{"Level":"NOTICE"}')

    serve(tmp_path / "d", test)
    lines = [line.split(" ", 2)[2] for line in log.getvalue().splitlines()]
    assert [line for line in lines if "raft" not in line and "etcdserver: s" not in line] == [
        'N | etcdhttp: globalLogLevel set to "DEBUG"',
        "D | etcdserver: debug 1",
        "D | etcdhttp: debug 2",
        'N | etcdhttp: globalLogLevel set to "ERROR"',
        "E | etcdhttp: error 3",
    ]
