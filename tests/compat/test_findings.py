import re
from pathlib import Path

import pytest

from compat.findings import CODES, ERROR, INFO, REVIEW, Finding, worst
from compat.settings import FILE, FLAG, VARIABLE, Origin

ROOT = Path(__file__).parents[2]
SOURCES = [path for room in ("compat", "migrate02") for path in (ROOT / room).rglob("*.py")]
CALLS = re.compile(r"""(?:Finding|\.say|_said|\bsay)\(\s*"([a-z0-9-]+)\"""")
"""How a finding is made, everywhere."""


def used() -> set[str]:
    return {code for path in SOURCES for code in CALLS.findall(path.read_text())}


def test_every_code_that_is_used_is_in_the_table() -> None:
    assert used() <= set(CODES)


def test_every_code_in_the_table_is_used() -> None:
    elsewhere = "\n".join(path.read_text() for path in SOURCES if path.name != "findings.py")
    assert [code for code in CODES if f'"{code}"' not in elsewhere] == []


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_severity_a_title_and_a_story(code: str) -> None:
    entry = CODES[code]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    assert entry.severity in (ERROR, REVIEW, INFO)
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.story.endswith((".", ".)"))
    assert "  " not in entry.story


def test_a_finding_is_one_line_with_severity_code_place_words_and_remedy() -> None:
    found = Finding(
        "port-added", "bind-addr", Origin(FILE, "bind_addr", "old.conf", 3), "no port", "write one"
    )
    assert str(found) == "info[port-added] old.conf:3: no port -> write one"
    assert str(Finding("port-added", "", None, "no port", "")) == "info[port-added] no port"


@pytest.mark.parametrize(
    ("origin", "place", "text"),
    [
        (Origin(FLAG, "-addr"), "flag -addr", "flag -addr"),
        (Origin(VARIABLE, "ETCD_ADDR"), "variable ETCD_ADDR", "variable ETCD_ADDR"),
        (Origin(VARIABLE, "ETCD_ADDR", "env", 2), "env:2", "ETCD_ADDR (env:2)"),
        (Origin(FILE, "addr", "old.conf", 7), "old.conf:7", "addr (old.conf:7)"),
        (Origin(FILE, "old.conf", "old.conf"), "old.conf", "old.conf"),
    ],
)
def test_a_place_says_where_to_look(origin: Origin, place: str, text: str) -> None:
    assert (origin.place, str(origin)) == (place, text)


def test_the_worst_severity() -> None:
    of = {
        severity: next(code for code in CODES if CODES[code].severity == severity)
        for severity in (ERROR, REVIEW, INFO)
    }

    def made(*severities: str) -> list[Finding]:
        return [Finding(of[severity], "", None, "", "") for severity in severities]

    assert worst([]) == ""
    assert worst(made(INFO)) == INFO
    assert worst(made(INFO, REVIEW)) == REVIEW
    assert worst(made(REVIEW, ERROR, INFO)) == ERROR
