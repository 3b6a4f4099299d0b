"""Log lines in the form of etcd 2.3.8, and its levels by package."""

import io
import logging
import re
from collections.abc import Iterator

import pytest

from server.log import NOTICE, configure, log_fault, package_of, parse_package_levels


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before


def written(debug: bool = False, package_levels: str = "") -> list[str]:
    stream = io.StringIO()
    configure(debug=debug, package_levels=package_levels, stream=stream)
    for name in ("server.main", "server.node.node"):
        for level in (logging.DEBUG, logging.INFO, NOTICE, logging.WARNING, logging.ERROR, logging.CRITICAL):
            logging.getLogger(name).log(level, "text %d", level)
    return stream.getvalue().splitlines()


def test_a_line_has_time_level_package_and_text() -> None:
    line = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} [CEWNID] \| etcd(main|server): text \d+")
    lines = written(debug=True)
    assert len(lines) == 12
    assert all(line.fullmatch(one) for one in lines)
    assert [one.split()[2] for one in lines[:6]] == ["D", "I", "N", "W", "E", "C"]


def test_debug_lines_are_for_debug() -> None:
    assert len(written()) == 10


def test_levels_by_package() -> None:
    lines = written(package_levels="etcdmain=CRITICAL,etcdserver=debug")
    assert [one.split()[2] for one in lines] == ["C", "D", "I", "N", "W", "E", "C"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\nb", r"a\nb"),
        (
            "m1\r\n2026-01-01 00:00:00.000000 C | etcdmain: fake",
            r"m1\r\n2026-01-01 00:00:00.000000 C | etcdmain: fake",
        ),
        ("\x1b[2J\x07\x00\t", r"\x1b[2J\x07\x00\t"),
        ("\x7f\x85\x9b\u2028\u2029", r"\x7f\x85\x9b\u2028\u2029"),
        ("a\u202eb\udcff", r"a\u202eb\xff"),
        ("größe \\n 名", "größe \\n 名"),
    ],
)
def test_what_comes_from_outside_cannot_begin_a_line_or_speak_to_the_terminal(given: str, shown: str) -> None:
    stream = io.StringIO()
    configure(stream=stream)
    logging.getLogger("server.main").info("name = %s", given)
    assert stream.getvalue().endswith(f" I | etcdmain: name = {shown}\n")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_is_one_line_and_its_traceback_is_for_debug(debug: bool) -> None:
    stream = io.StringIO()
    configure(debug=debug, stream=stream)
    try:
        raise KeyError("a\n2026-01-01 00:00:00.000000 C | etcdmain: fake")
    except KeyError as error:
        log_fault(logging.getLogger("server.node"), error)
    first, *rest = stream.getvalue().splitlines()
    assert " C | etcdserver: unexpected KeyError: " in first
    assert "test_log.py:" in first
    assert "please report it" in first
    assert ("    Traceback (most recent call last):" in rest) == debug
    assert bool(rest) == debug
    assert all(line.startswith("    ") for line in rest)


@pytest.mark.parametrize("text", ["etcdmain", "etcdmain=LOUD", "a=INFO,b"])
def test_levels_that_cannot_be_read_are_reported_and_passed_over(text: str) -> None:
    with pytest.raises(ValueError, match="PACKAGE=LEVEL"):
        parse_package_levels(text)
    first, *rest = written(package_levels=text)
    assert "couldn't parse log level string" in first
    assert len(rest) == 10


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("server.main", "etcdmain"),
        ("server.mainly", "etcdserver"),
        ("server.storage.wal", "wal"),
        ("server.storage.snapshots", "snap"),
        ("server.raft.raft", "raft"),
        ("server.api.client", "etcdhttp"),
        ("server.http.protocol", "etcdhttp"),
        ("elsewhere", "elsewhere"),
    ],
)
def test_modules_log_under_the_names_of_etcds_packages(name: str, package: str) -> None:
    assert package_of(name) == package
