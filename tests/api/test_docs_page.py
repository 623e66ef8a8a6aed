"""The documentation as a browser shows it: under its policy, and without another host.

The page's fixture fails the test when the policy refuses something, a script
fails, or any other host is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_documentation_is_drawn_and_opens_an_operation(site: Any, page: Page) -> None:
    page.goto(f"{site.url}/api/docs")
    operation = page.locator(".opblock", has_text="/api/v1/verify").first
    operation.wait_for()
    assert page.locator(".opblock").count() >= 19
    operation.click()
    page.locator(".opblock.is-open").wait_for()
    assert page.title() == "接口文档"
