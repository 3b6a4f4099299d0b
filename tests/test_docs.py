"""The docs are true: pages made from tables are fresh, and console examples print what they say."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from migrate02.cli.exits import DONE
from migrate02.errortexts import ERROR_TEXTS, PAGE, ErrorText
from migrate02.findings import CODES
from tests.migrate02.running import migrate02

ROOT = Path(__file__).parent.parent


def _generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _generate()
TODO = [line for row in ERROR_TEXTS for line in row.todo]
TRANSCRIPTS = sorted(path.stem for path in GENERATE.TRANSCRIPTS.glob("*.md"))


@pytest.mark.parametrize("name", GENERATE.PAGES)
def test_pages_made_from_tables_are_fresh(name: str) -> None:
    assert (ROOT / name).read_text() == GENERATE.PAGES[name](), "run: make docs"


def test_every_finding_has_its_page_and_no_page_is_left_over() -> None:
    assert {path.stem for path in ROOT.glob("docs/findings/*")} == set(CODES)
    assert set(TRANSCRIPTS) <= set(CODES)
    assert (ROOT / "docs" / "findings.md").read_text().count("](findings/") == len(CODES)


@pytest.mark.parametrize("code", CODES)
def test_the_page_of_a_finding_shows_it_before_and_after(code: str) -> None:
    page = (ROOT / "docs" / "findings" / f"{code}.md").read_text()
    assert page.count("\n## Before\n") == page.count("\n## After\n") == 1
    assert CODES[code].story in page
    before, after = page.split("\n## Before\n")[1].split("\n## After\n")
    assert code in GENERATE.codes_of(before)
    assert after.strip()
    if code in TRANSCRIPTS:
        assert code not in GENERATE.codes_of(after), "the remedy does not help"


@pytest.mark.slow
@pytest.mark.parametrize("code", TRANSCRIPTS)
def test_transcripts_of_findings_are_true(code: str) -> None:
    text: str = (GENERATE.TRANSCRIPTS / f"{code}.md").read_text()
    assert GENERATE.with_fresh_examples(text) == text, "run: make docs"


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERATE.WITH_EXAMPLES)
def test_console_examples_print_what_they_say(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "```console\n$ " in text
    assert GENERATE.with_fresh_examples(text) == text, "run: make docs"


_COMMANDS = re.compile(
    r"(?:^ {4,}|`)migrate02 ((?:data|v2store) (?:inspect|verify|export|check|clean|plan)\b|[a-z0-9]+)([^`\n#]*)",
    re.MULTILINE,
)


def _has_its_options(command: str, words: str) -> None:
    known = migrate02(*command.split(), "--help")
    assert known.status == DONE, f"migrate02 {command}: {known.err}"
    for option in re.findall(r"--[a-z-]+", words):
        assert re.search(rf"{option}\b", known.out), f"migrate02 {command} {words}"


def test_commands_of_the_guide_and_of_the_limits_have_the_options_that_are_named() -> None:
    text = (ROOT / "docs" / "migration.md").read_text() + (ROOT / "docs" / "limits.md").read_text()
    commands = _COMMANDS.findall(text)
    assert len(commands) > 10
    for command, words in commands:
        _has_its_options(command, words)


LEFTOVERS = (ROOT / PAGE).read_text()


def _commands_about_leftovers() -> list[str]:
    lines = "\n".join(f"    {line}" for line in TODO)
    return sorted(
        {f"{command} {words.strip()}" for command, words in _COMMANDS.findall(f"{LEFTOVERS}\n{lines}")}
    )


@pytest.mark.parametrize("line", _commands_about_leftovers())
def test_commands_of_the_page_on_leftovers_and_of_error_texts_have_the_options_that_are_named(
    line: str,
) -> None:
    command = "".join(re.findall(r"^(?:(?:data|v2store) )?[a-z0-9]+", line))
    _has_its_options(command, line)


@pytest.mark.parametrize("row", ERROR_TEXTS, ids=lambda row: row.text)
def test_the_page_on_leftovers_begins_with_the_error_texts_word_for_word(row: ErrorText) -> None:
    beginning = LEFTOVERS.split("\n## ")[0]
    assert all(mark in beginning for mark in row.marks)
    for quoted in re.findall(r"`([^`]+)`", beginning):
        if row.marks[0] in quoted:
            assert quoted.partition("(...)")[0] in _with_dots(row.text)


def _with_dots(text: str) -> str:
    return text + re.sub(r"\([^)]*\)", "(...)", text)


def test_the_readme_leads_to_it_by_the_first_error_text() -> None:
    first_screen = (ROOT / "README.md").read_text().split("\n## Five minutes")[0]
    assert ERROR_TEXTS[0].text in first_screen
    assert f"]({PAGE})" in first_screen
