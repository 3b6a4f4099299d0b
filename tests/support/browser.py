"""A real browser for tests: Debian's Chromium, driven by Playwright, both of which only ``make test-page`` needs.

Where one of them is missing a test is skipped with the way to install it, and fails where ``CI`` is set.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.real_etcd import needed, required_tool

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECONDS = 60
"""How long to wait for a browser."""


@contextmanager
def chromium() -> Iterator[Browser]:
    binary = required_tool("chromium")
    missing = [name for name in ("playwright", "axe_playwright_python") if not importlib.util.find_spec(name)]
    needed(f"needs {' and '.join(missing)}: pip install -e '.[page]'" if missing else "")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=str(binary), args=as_root, timeout=SECONDS * 1000
        )
        yield browser
        browser.close()
