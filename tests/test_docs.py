"""The docs are true: pages made from tables are fresh, console examples print what they say, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


def _generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["docs/settings.md", "docs/findings.md", "docs/guide-coverage.md"])
def test_pages_made_from_tables_are_fresh(name: str) -> None:
    assert (ROOT / name).read_text() == _generate().PAGES[name](), "run: make docs"


@pytest.mark.slow
def test_console_examples_in_the_readme_print_what_they_say() -> None:
    text = (ROOT / "README.md").read_text()
    assert "```console\n$ " in text
    assert _generate().with_fresh_examples(text) == text, "run: make docs"


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
