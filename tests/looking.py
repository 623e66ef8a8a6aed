"""Looking at pages: accessible and readable at every width, in a real browser.

With `PICTURES=folder` each look leaves a picture there, for a person to open.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from axe_playwright_python.sync_playwright import Axe

from tests.pages import DESKTOP, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

Size = dict[str, int]
SERIOUS: Final = ("serious", "critical")
BOTH: Final = (PHONE, DESKTOP)
NARROW: Final[Size] = {"width": 320, "height": 640}
_FITS: Final = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


class Looks:
    """Looks at one page after the other, at each of some widths."""

    def __init__(self, name: str, sizes: Sequence[Size] = BOTH) -> None:
        self._name = name
        self._sizes = sizes
        self._seen = 0

    def __call__(self, page: Page, name: str) -> None:
        """See that a page has no serious fault of accessibility (axe), and never scrolls sideways."""
        self._seen += 1
        for size in self._sizes:
            if page.viewport_size != size:
                page.set_viewport_size(size)  # type: ignore[arg-type]
            at = f"{name} at {size['width']} px"
            self._picture(page, f"{size['width']}-{self._seen:02}-{name}")
            faults = [
                (fault["id"], [node["html"][:200] for node in fault["nodes"]])
                for fault in Axe().run(page).response["violations"]
                if fault["impact"] in SERIOUS
            ]
            assert faults == [], at
            assert page.evaluate(_FITS), at

    def _picture(self, page: Page, name: str) -> None:
        folder = os.environ.get("PICTURES")
        if folder:
            place = Path(folder) / self._name
            place.mkdir(parents=True, exist_ok=True)
            file = name.replace("/", "_").replace("?", "-")
            page.screenshot(path=place / f"{file}.png", full_page=True)
