"""A real browser on the site of the test, which fails the test when a page misbehaves.

Misbehaving is: a script or style that the Content-Security-Policy refused, an
uncaught error in a script, a request to anywhere but this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.browser import provide

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebError

HERE = ("localhost", "127.0.0.1")
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
PATIENCE = 20_000
"""How long a page may take to show what a test waits for, in milliseconds."""

NewPage = Callable[..., "Page"]


class Pages:
    """Pages in clean browsers of their own, and what they did that they should not."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    def open(self, **options: Any) -> Page:
        """Open a page in a clean browser (`viewport=PHONE`, `locale="en"`, ...)."""
        chosen = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "viewport": DESKTOP} | options
        context = self._browser.new_context(**chosen)
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("request", self._request)
        context.on("weberror", self._error)
        context.on("console", self._console)
        return context.new_page()

    def close(self) -> None:
        """Close every page."""
        for context in self._contexts:
            context.close()

    def _request(self, request: Request) -> None:
        host = urlsplit(request.url).hostname
        if host is not None and host not in HERE:
            self.problems.append(f"a request to {request.url}")

    def _error(self, error: WebError) -> None:
        self.problems.append(f"an error in a page: {error.error}")

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.problems.append(f"refused by the page's policy: {message.text}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, once per file. Fails when there is none: see tests/browser.py.

    Not once per process: while Playwright runs, the thread has a running event
    loop, in which `asyncio.run` (PDF signing uses it) refuses to work. A test
    with a page therefore leaves such work to the site's own processes.
    """
    # Loaded here: most runs need no browser, and should not wait for it.
    from playwright.sync_api import sync_playwright

    options = provide().launch
    options["args"].append(NO_OTHER_HOST)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**options)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Open pages, each in a clean browser; the test fails when one of them misbehaved."""
    pages = Pages(browser)
    yield pages.open
    pages.close()
    assert pages.problems == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """One page at 1280 px, in a clean browser."""
    return new_page()
