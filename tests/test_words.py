"""What users read is in plain English: no words of a small table, in the README, docs/, every help text and finding.
What those read who work on the server, too: its docstrings, and the lines that it logs.

Code is not prose, so blocks of code, ``code`` in a line, options and the output of commands are not looked at.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from compat.flags04 import FLAGS as FLAGS_04
from compat.flags2x import FLAGS as FLAGS_2X
from migrate02.errortexts import ERROR_TEXTS
from migrate02.findings import CODES
from server.discovery.settings import FLAGS as FLAGS_OF_DISCOVERY
from tests.migrate02.running import migrate02
from tests.migrate02.test_findings import TEXTS
from tests.packaging.test_generated import PARSERS, commands

ROOT = Path(__file__).parents[1]


class Row(NamedTuple):
    """``pattern`` is not to be found in a text, whatever its case; ``instead`` is what most readers know."""

    pattern: str
    instead: str
    reason: str


WORDS = (
    Row(r"\b(told|tells)\b", "reported, shown, says", "files and programs tell nobody anything"),
    Row(r"\bpass(es|ed) over\b", "ignored, skipped", "may be read as: handed over"),
    Row(r"\bat hand\b", "given, available", "an idiom"),
    Row(r"\b(is|are|was|were) so(?=[.,;:)]|$)", "say what it is", "nobody knows what 'so' is"),
    Row(r"\b(lies|lay)\b(?! down)", "is, are", "files do not lie anywhere: they are there"),
    Row(r"\b(stands?|stood)\b(?! (for|in for|by)\b|-)", "is, are, has", "settings do not stand anywhere"),
    Row(
        r"\bleft (alone|over|as (it|they)|for (a person|you))\b",
        "not changed, needs your attention",
        "unclear",
    ),
    Row(r"\b(stays?|remains?) as (it|they)\b", "is not changed", "says less than that"),
    Row(r"\bwithout a word\b|\bno word\b", "without a message", "an idiom"),
    Row(r"\bof (one's|its|their|his|our) own\b", "its own X, a separate X", "a long way to say it"),
    Row(r"\b(by|for) (it|them)sel(f|ves)\b", "alone, separately, automatically", "has three meanings"),
    Row(r"\bfor (ever|good)\b", "without end, permanently", "an idiom"),
    Row(r"\bwho(ever|m)\b", "a client that, anyone who", "hard to read"),
    Row(
        r"(?<!there )\b(is|are|was|were) no (?!longer|more|less)",
        "is not a",
        "the verb is the place for 'not'",
    ),
    Row(r"\bgiv(es?|ing) way\b", "is replaced", "an idiom"),
    Row(r"\b(goes|went) on\b", "continues", "an idiom with many meanings"),
    Row(r"\bat times\b|\bnow and then\b", "sometimes, under a condition", "an idiom"),
    Row(r"\banew\b", "again, new", "rare"),
    Row(r"\bmend(s|ed)?\b", "correct, repair", "rare"),
    Row(r"\b(is|are) gone\b", "no longer exists, was removed", "unclear what happened"),
    Row(r"\b(etcd|it|[23]\.\w+|which|that|they) wants?\b", "needs", "programs want nothing"),
    Row(r"\b(speaks?|spoken) with\b", "talk to, connect to", "of programs"),
    Row(
        r"\bhas to be\b|\bhave to be\b|\bis to be\b|\bare to be\b",
        "must be",
        "shorter, and cannot be misread",
    ),
    Row(r"\bputs? (back|right|(it|them) (back|right))\b", "restore, repair", "an idiom"),
    Row(r"\bin so many words\b", "explicitly", "an idiom"),
    Row(r"(?<!\.)\.\.(?![./])", "one dot", "a sentence that got two ends"),
)

OF_OTHERS = {"architecture.md", "fidelity.md", "performance.md"}
"""Pages for those who work on the project, and for figures."""

_CODE = re.compile(
    r"^(`{3,})[^`\n]*\n(?s:.*?)^\1`*$|^(?: {4}|\t).*$|`[^`\n]+`|\]\([^)\n]*\)|'[^'\n]* [^'\n]*'", re.MULTILINE
)
"""Blocks of code, code in a line, where a link leads, and what is quoted."""


def prose(page: str) -> str:
    """A page without its code."""
    return _CODE.sub(" ", page)


def offences(text: str) -> list[str]:
    found = []
    for row in WORDS:
        for match in re.finditer(row.pattern, text, re.IGNORECASE | re.MULTILINE):
            around = " ".join(text[max(0, match.start() - 40) : match.end() + 40].split())
            found.append(f"'{match[0]}' (better: {row.instead}; {row.reason}): ... {around} ...")
    return found


PAGES = [
    page
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
    if page.name not in OF_OTHERS
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_none_of_these_words(page: Path) -> None:
    assert not offences(prose(page.read_text()))


def _help_texts() -> Iterator[tuple[str, str]]:
    """Of ``etcdctl02`` they are etcdctl's own, and so not ours to choose."""
    for name in ("migrate02", "etcd02"):
        for prog, parser in commands(PARSERS[name]()):
            helps = [action.help or "" for action in parser._actions]
            yield prog, "\n".join([parser.description or "", parser.epilog or "", *helps])
    yield "etcd02 discovery-service", "\n".join(text for _, text in FLAGS_OF_DISCOVERY.values())


HELP_TEXTS = dict(_help_texts())


@pytest.mark.parametrize("command", HELP_TEXTS)
def test_a_help_text_has_none_of_these_words(command: str) -> None:
    assert not offences(prose(HELP_TEXTS[command]))


@pytest.mark.parametrize("code", CODES)
def test_a_finding_has_none_of_these_words(code: str) -> None:
    entry = CODES[code]
    texts = [text for text in TEXTS.values() if text.code is entry]
    said = [entry.title, entry.story, *(f"{text.message}\n{text.remedy}" for text in texts)]
    assert not offences(prose(re.sub(r"\{\w+\}", "X", "\n".join(said))))


@pytest.mark.parametrize("gateway", [(), ("--gateway", "http://a:1")], ids=["2.x", "gateway"])
@pytest.mark.parametrize(
    "fleet", ["fixtures/fleet", "fixtures/discovery", "fixtures/legacy", "fixtures/walkthrough"]
)
def test_a_plan_has_none_of_these_words(fleet: str, gateway: tuple[str, ...]) -> None:
    part = {"fixtures/fleet": "box2", "fixtures/legacy": "cluster"}.get(fleet, "") if gateway else ""
    plan = migrate02("plan", *gateway, str(ROOT / fleet / part)).out
    assert "Runbook" in plan
    assert not offences(prose(plan))


def test_what_explain_says_of_settings_and_errors_has_none_of_these_words() -> None:
    said = [f"{flag.meaning}. {flag.dropped}. {flag.remedy}" for flag in FLAGS_04]
    said += [flag.note for flag in FLAGS_2X]
    said += [f"{row.said_by}. {row.meaning}" for row in ERROR_TEXTS]
    assert not [offence for text in said for offence in offences(prose(text))]


GENERATED = ("proto",)
"""Packages of the server that are generated."""

MODULES = [
    path
    for path in sorted((ROOT / "server").rglob("*.py"))
    if path.relative_to(ROOT / "server").parts[0] not in GENERATED
]

_LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}


def docstrings(module: ast.AST) -> Iterator[str]:
    """The texts that stand alone: those of modules, classes, functions, and those behind a name."""
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield inspect.cleandoc(node.value.value)


def log_texts(module: ast.AST) -> Iterator[str]:
    """The texts in calls such as ``logger.info(...)`` and ``self._merge_logger.log(...)``."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in _LEVELS and "logger" in ast.unparse(node.func.value):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_of_the_server_has_none_of_these_words(path: Path) -> None:
    module = ast.parse(path.read_text("utf-8"))
    texts = [*docstrings(module), *log_texts(module)]
    assert not [offence for text in texts for offence in offences(prose(text))]


def test_texts_of_a_module_are_found() -> None:
    module = ast.parse(
        '''"""A."""\nB = 1\n"""B."""\n'''
        """def f():\n    "F."\n    logger.log(INFO, f"it {word} so", kind="k")\n    print("no")\n"""
    )
    assert list(docstrings(module)) == ["A.", "B.", "F."]
    assert sorted(log_texts(module)) == [" so", "it ", "k"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A person is told, and the file lies there.", ["told", "lies"]),
        ("It is so. A member that is so new stays. There is no leader.", ["is so"]),
        ("etcd is no leader, and it is no longer one.", ["is no "]),
        ("`the file lies` and 'it is so.'\n\n    what is told\n\n```sh\nwhoever ..\n```\n", []),
        ("A script stands in for etcd, stand-ins do, a standby does, X stands for Y.", []),
        ("Wait ... then look in `..`, or [there](../../README.md).. Done.", [".."]),
        ("```console\n$ told\n```\ntold\n```console\n$ told\n```\n", ["told"]),
    ],
)
def test_words_are_found_in_prose_and_not_in_code(text: str, found: list[str]) -> None:
    assert re.findall(r"^'(.*?)' \(better", "\n".join(offences(prose(text))), re.MULTILINE) == found
