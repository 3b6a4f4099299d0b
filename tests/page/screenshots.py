"""``make screenshots``: every page at every width, light and dark, and printed, into a folder, to be looked at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.page.pages import PAGES
from tests.support.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (390, 820, 1280)
SCHEMES = ("light", "dark")
PAPER = 690
"""How wide A4 is inside its margins, in pixels."""
_HIGHEST = 3200
"""Of a picture: more is not looked at."""


@contextmanager
def opened(browser: Browser, file: Path, width: int, scheme: str, media: str = "screen") -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.emulate_media(media=media, color_scheme=scheme)  # type: ignore[arg-type, unused-ignore]
    page.goto(file.as_uri())
    yield page
    context.close()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as made, chromium() as browser:
        for name, make in PAGES.items():
            file = Path(made) / f"{name}.html"
            file.write_text(make())
            for width in WIDTHS:
                for scheme in SCHEMES:
                    with opened(browser, file, width, scheme) as page:
                        _take(page, folder / f"{name}-{width}-{scheme}.png")
            with opened(browser, file, PAPER, "dark", "print") as page:
                _take(page, folder / f"{name}-print.png")
                page.pdf(path=folder / f"{name}.pdf", format="A4", prefer_css_page_size=True)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


def _take(page: Page, path: Path) -> None:
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(height, _HIGHEST)})
    page.screenshot(path=path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
