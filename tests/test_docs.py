"""The docs are true: pages made from tables are fresh, console examples print what they say, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

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


def test_commands_of_the_guide_and_of_the_limits_have_the_options_that_are_named() -> None:
    text = (ROOT / "docs" / "migration.md").read_text() + (ROOT / "docs" / "limits.md").read_text()
    commands = re.findall(
        r"(?:^    |`)migrate02 ([a-z]+(?: (?:inspect|verify|export)\b)?)([^`\n]*)", text, re.MULTILINE
    )
    assert len(commands) > 10
    for command, words in commands:
        known = migrate02(*command.split(), "--help").out
        for option in re.findall(r"--[a-z-]+", words):
            assert re.search(rf"{option}\b", known), f"migrate02 {command} {words}"


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
