"""The pages of plans in a real browser: ``make test-page``, which has what no other test needs; see ``screenshots`` too."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.pages import PAGES
from tests.page.screenshots import PAPER, SCHEMES, WIDTHS, opened
from tests.support.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VIEWS = [*product(WIDTHS, SCHEMES, ["screen"]), (PAPER, "light", "print"), (PAPER, "dark", "print")]
SMALLEST = 9.5
"""Letters of a picture, in pixels."""
CONTRAST = 4.5
"""What WCAG 2 asks of letters this size (1.4.3)."""

TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll('.scroll, .lines, pre, section')]
    .filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.outerHTML.slice(0, 200))"""

BROKEN_WORDS = """() => {
    const broken = [];
    for (const element of document.querySelectorAll('th, td, td span')) {
        if (!element.checkVisibility()) continue;
        for (const node of element.childNodes) {
            if (node.nodeType !== Node.TEXT_NODE) continue;
            for (const word of node.data.matchAll(/\\S+/g)) {
                const range = document.createRange();
                range.setStart(node, word.index);
                range.setEnd(node, word.index + word[0].length);
                if (new Set([...range.getClientRects()].map(each => each.top)).size > 1) broken.push(word[0]);
            }
        }
    }
    return broken;
}"""

LETTERS = """() => [...document.querySelectorAll('svg text')].filter(each => each.checkVisibility()).map(each => {
    const own = each.getBoundingClientRect();
    const boxes = [...each.parentElement.querySelectorAll(':scope > rect')].map(box => box.getBoundingClientRect());
    const style = getComputedStyle(each);
    const behind = each.parentElement.matches('.node') ? getComputedStyle(each.parentElement.querySelector('rect')).fill
        : getComputedStyle(document.querySelector('section')).backgroundColor;
    return {text: each.textContent, size: parseFloat(style.fontSize) * each.getScreenCTM().a,
        inside: boxes.some(box => box.left <= own.left && own.right <= box.right && box.top <= own.top
            && own.bottom <= box.bottom),
        ink: style.fill, behind};
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, make in PAGES.items():
        (folder / f"{name}.html").write_text(make())
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.fixture(scope="module", params=PAGES)
def file(request: pytest.FixtureRequest, files: dict[str, Path]) -> Path:
    return files[request.param]


@pytest.fixture
def page(browser: Browser, files: dict[str, Path]) -> Iterator[Page]:
    """The page of three nodes, on a desk."""
    with opened(browser, files["three"], 1280, "light") as page:
        yield page


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: "-".join(map(str, view)))
def view(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[Page]:
    """Every page, as it is seen at every width and in either light, and on paper."""
    width, scheme, media = request.param
    with opened(browser, file, width, scheme, media) as page:
        yield page


def test_axe_finds_nothing(view: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found: list[dict[str, Any]] = Axe().run(view).response["violations"]
    assert not [(each["id"], each["help"], each["nodes"][0]["html"]) for each in found]


def test_nothing_is_wider_than_its_place(view: Page) -> None:
    assert view.evaluate(TOO_WIDE) == []


def test_no_word_of_a_table_is_broken(view: Page) -> None:
    assert view.evaluate(BROKEN_WORDS) == []


def test_the_letters_of_a_picture_can_be_read_and_stay_in_their_boxes(view: Page) -> None:
    for letters in view.evaluate(LETTERS):
        assert letters["size"] >= SMALLEST, letters
        assert letters["inside"], letters
        assert contrast(letters["ink"], letters["behind"]) >= CONTRAST, letters


@pytest.mark.parametrize("has_script", [True, False])
def test_on_paper_are_the_ways_back_and_no_buttons(
    browser: Browser, files: dict[str, Path], has_script: bool
) -> None:
    context = browser.new_context(java_script_enabled=has_script)
    page = context.new_page()
    page.goto(files["three"].as_uri())
    back = page.locator("details pre")
    assert back.count() > 5
    assert not any(each.is_visible() for each in back.all())
    page.emulate_media(media="print")
    assert all(each.is_visible() for each in back.all())
    assert all((box := each.bounding_box()) and box["height"] > 10 for each in back.all())
    assert not any(each.is_visible() for each in page.locator("button").all())
    context.close()


def test_ticks_survive_a_reload_each_page_its_own(page: Page, files: dict[str, Path]) -> None:
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(2).check()
    assert page.get_by_text(f"2 of {boxes.count()} steps done").is_visible()
    page.reload()
    assert ticked(page) == [0, 2]
    page.goto(files["fleet"].as_uri())
    assert ticked(page) == []
    page.goto(files["three"].as_uri())
    assert ticked(page) == [0, 2]
    page.get_by_role("button", name="Clear the ticks").click()
    assert ticked(page) == []
    page.reload()
    assert ticked(page) == []


def test_another_plan_at_the_same_place_begins_without_ticks(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "plan.html"
    file.write_text(PAGES["three"]())
    with opened(browser, file, 1280, "light") as page:
        page.get_by_role("checkbox").nth(0).check()
        file.write_text(PAGES["problems"]())
        page.reload()
        assert ticked(page) == []


def ticked(page: Page) -> list[int]:
    return [at for at, box in enumerate(page.get_by_role("checkbox").all()) if box.is_checked()]


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_each_command_is_copied_alone_or_all_of_a_step(page: Page, has_clipboard: bool) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not has_clipboard:  # as a page from a plain http:// server
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    step = page.locator(".runbook > li").nth(0)
    lines = [
        "curl -s http://10.7.0.11:4001/v2/stats/self; echo",
        "curl -s http://10.7.0.12:4001/v2/stats/self; echo",
    ]
    step.get_by_role("button", name=f"Copy: {lines[1]}").click()
    page.get_by_role("status").get_by_text("Copied", exact=True).wait_for(state="attached")
    assert pasted(page) == lines[1]
    step.get_by_role("button", name="Copy all 3 lines").click()
    assert pasted(page).split("\n")[:2] == lines
    start = page.get_by_role("button", name="Copy: etcd02").nth(0)
    start.click()
    assert pasted(page).startswith("etcd02 --name=infra1 --data-dir=/var/lib/etcd '--listen-peer-urls=")


def pasted(page: Page) -> str:
    """What the clipboard holds, put into a field as a person would."""
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'paste'}))")
    page.locator("#paste").focus()
    page.keyboard.press("Control+V")
    text: str = page.locator("#paste").input_value()
    page.evaluate("document.getElementById('paste').remove()")
    return text


def test_what_a_person_has_to_do_is_not_copied_as_a_command(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["v2store"], 1280, "light") as page:
        by_hand = [line for line in page.locator("pre").all() if line.inner_text().startswith("#")]
        assert by_hand
        assert not any(line.get_by_role("button").count() for line in by_hand)


def test_without_javascript_all_is_there_but_what_would_do_nothing(browser: Browser, file: Path) -> None:
    with opened(browser, file, 1280, "light") as page:
        lines = [text.removeprefix("Copy") for text in page.locator("pre").all_text_contents()]
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(file.as_uri())
    assert plain.locator("pre").all_text_contents() == lines
    assert plain.get_by_role("button").count() == 0
    ways_back = plain.locator("details")
    if ways_back.count():
        ways_back.nth(0).locator("summary").click()
        assert ways_back.nth(0).locator("pre").nth(0).is_visible()
    plain.get_by_role("checkbox").nth(0).check()
    context.close()


def test_a_page_asks_for_nothing_and_has_no_trouble(browser: Browser, file: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    trouble: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    assert asked == [file.as_uri()]
    assert trouble == []
    context.close()


def contrast(one: str, other: str) -> float:
    """Of two colours as a browser tells them, ``rgb(1, 2, 3)``; WCAG 2's definition of the contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
