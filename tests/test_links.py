"""Links lead somewhere: files, sections, and addresses of hosts that are known. Nothing is fetched."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from compat.flags2x import FLAGS as FLAGS_2X
from migrate02.cli import sarif
from migrate02.errortexts import ERROR_TEXTS, PAGE
from migrate02.findings import CODES
from tests.migrate02.test_findings import TEXTS

ROOT = Path(__file__).parents[1]
HOSTS = tomllib.loads((ROOT / "tests" / "hosts.toml").read_text())["hosts"]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
PAGE_NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

_CODE_BLOCK = re.compile(r"^(`{3,})[^`\n]*\n.*?^\1`*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_URL = re.compile(r"https?://[^\s\"'`<>()|,;\\]*")
_PATH = re.compile(r"`((?:tests|docs|bench|fixtures|packaging|compat|migrate02|server)/[\w*./-]+)`")
_FILLED_IN = re.compile(r"[$%{}]|\b(?:HOST|ANY|IP|NAME)\b|^(?:host|url|where|filled\.in)$|\.\.\.")
"""What makes a host one to be filled in."""


def links(page: Path) -> list[str]:
    """Where a page links to. Blocks of code link nowhere."""
    return _LINK.findall(_CODE_BLOCK.sub("", page.read_text()))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The names that GitHub gives to the headings of a page."""
    found: dict[str, int] = {}
    names = []
    for heading in re.findall(r"^#+ (.*)$", _CODE_BLOCK.sub("", page.read_text()), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w -]", "", plain.lower()).replace(" ", "-")
        names.append(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return frozenset(names)


def broken(page: Path, target: str) -> str:
    """What is wrong with a link; empty for a good one."""
    if re.match(r"[a-z]+:", target):
        return broken_address(target)
    path, _, section = target.partition("#")
    other = (page.parent / path).resolve() if path else page
    if not other.is_relative_to(ROOT):
        return "leads out of the repository"
    if not other.exists():
        return "no such file"
    if section and section not in anchors(other):
        return "no such section"
    return ""


def broken_address(url: str) -> str:
    """What is wrong with an address to be opened in a browser."""
    if not url.startswith("https://"):
        return "not https"
    host = urlsplit(url).hostname or ""
    if not re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", host):
        return "no host"
    return "" if host in HOSTS else f"{host} is not in tests/hosts.toml"


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    assert {target: wrong for target in links(page) if (wrong := broken(page, target))} == {}


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_paths_that_a_page_names_are_there(page: Path) -> None:
    named = _PATH.findall(_CODE_BLOCK.sub("", page.read_text()))
    assert [
        path for path in named if not any(map(list, map(ROOT.glob, (path.rstrip("/"), f"{path}.py"))))
    ] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, to_read = set(), [ROOT / "README.md"]
    while to_read:
        page = to_read.pop()
        seen.add(page)
        for target in links(page):
            other = (page.parent / target.partition("#")[0]).resolve()
            if other.suffix == ".md" and other not in seen and other.exists():
                to_read.append(other)
    assert {page for page in PAGES if page not in seen} == set()


def named_hosts(text: str) -> Iterator[str]:
    """The hosts of all addresses in a text that are neither examples nor to be filled in."""
    for url in _URL.findall(text):
        host = re.split(r"[/:?#]", url.partition("://")[2].rpartition("@")[2])[0].rstrip(".")
        if host and not _FILLED_IN.search(host) and not is_example(host):
            yield host


def is_example(host: str) -> bool:
    if re.fullmatch(r"[\d.]+", host):
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return True
        return address.is_private or address.is_unspecified
    return bool(re.search(r"(?:^|\.)(?:example\.(?:com|org|net)|localhost|local)$", host)) or "." not in host


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_every_host_that_a_page_names_is_known(page: Path) -> None:
    assert set(named_hosts(page.read_text())) - set(HOSTS) == set()


def _texts() -> Iterator[tuple[str, str]]:
    for code, entry in CODES.items():
        yield code, entry.story
    for name, text in TEXTS.items():
        yield name, f"{text.message}\n{text.remedy}"
    for row in ERROR_TEXTS:
        yield row.text, "\n".join([row.meaning, *row.todo])
    for flag in FLAGS_2X:
        yield flag.name, flag.note


def test_pages_and_hosts_in_findings_and_in_what_explain_says_are_there() -> None:
    for name, text in _texts():
        for page in re.findall(r"\bdocs/[\w./-]+\w", text):
            assert (ROOT / page).exists(), f"{name} names {page}"
        assert set(named_hosts(text)) <= set(HOSTS), name
    assert (ROOT / PAGE).exists()


@pytest.mark.parametrize("code", CODES)
def test_the_help_address_of_a_finding_is_its_page(code: str) -> None:
    address = str(sarif.rule(CODES[code])["helpUri"])
    home, _, page = address.partition("/docs/")
    assert home == sarif.HOME
    assert urlsplit(home).scheme == "https"
    assert is_example(urlsplit(home).hostname or "") or urlsplit(home).hostname in HOSTS
    assert (ROOT / "docs" / page).exists()


@pytest.mark.parametrize(
    ("target", "wrong"),
    [
        ("docs/plan.md", ""),
        ("docs/plan.md#ports", ""),
        ("docs/plan.md#harbours", "no such section"),
        ("docs/plans.md", "no such file"),
        ("../etc/passwd", "leads out of the repository"),
        ("#install", ""),
        ("https://discovery.etcd.io/new", ""),
        ("http://discovery.etcd.io/new", "not https"),
        ("https:/discovery.etcd.io", "not https"),
        ("https:///new", "no host"),
        ("https://elsewhere.net/x", "elsewhere.net is not in tests/hosts.toml"),
    ],
)
def test_what_is_wrong_with_a_link(target: str, wrong: str) -> None:
    assert broken(ROOT / "README.md", target) == wrong


def test_hosts_are_found_and_examples_are_not() -> None:
    text = (
        "http://10.0.0.1:4001 http://$IP:7001 https://HOST/x https://a.example.com http:// https://real.io/x."
    )
    assert list(named_hosts(text)) == ["real.io"]


def test_every_known_host_is_named_somewhere() -> None:
    texts = [
        page.read_text() for page in [*PAGES, *ROOT.glob("docs/schemas/*"), ROOT / "migrate02/cli/sarif.py"]
    ]
    texts += [text for _, text in _texts()]
    assert set(HOSTS) - {host for text in texts for host in named_hosts(text)} == set()
