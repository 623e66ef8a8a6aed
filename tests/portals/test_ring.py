"""Credits as a ring and as bars: what is drawn, and what is said of it."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from creditbank.portals.ring import CIRCUMFERENCE, Share
from creditbank.portals.templatetags.learning import figure


def share(needed: str, counted: str, pending: str = "0", possible: str = "0") -> Share:
    return Share(
        needed=Decimal(needed),
        counted=Decimal(counted),
        pending=Decimal(pending),
        possible=Decimal(possible),
    )


def drawn(one: Share, *, tag: str = "ring", language: str = "zh-hans") -> str:
    with translation.override(language):
        page = Template("{% load learning %}{% " + tag + " share 'LOG' %}")
        return page.render(Context({"share": one}))


def test_the_parts_follow_each_other_and_leave_what_is_missing() -> None:
    counted, pending, possible = share("80", "40", "20", "10").parts
    assert (counted.start, counted.length) == (0, 50)
    assert (pending.start, pending.length) == (50, 25)
    assert (possible.start, possible.length) == (75, 12.5)
    assert counted.dashes == f"{CIRCUMFERENCE / 2:.3f} {CIRCUMFERENCE / 2:.3f}"
    assert pending.turn == "90.00"


@pytest.mark.parametrize(
    ("one", "missing", "missing_then"),
    [
        (share("76", "41"), 35, 35),
        (share("76", "41", "7"), 35, 28),
        (share("76", "41", "0", "7"), 35, 28),
        (share("76", "80"), 0, 0),
        (share("76", "75", "7"), 1, 0),
    ],
)
def test_what_is_missing_is_never_below_nothing(
    one: Share, missing: int, missing_then: int
) -> None:
    assert (one.missing, one.missing_then) == (missing, missing_then)


def test_a_little_is_seen_and_nearly_all_is_not_all() -> None:
    assert share("300", "0.25").parts[0].length == 1.5
    assert share("300", "299.75").parts[0].length == 98.5
    assert share("300", "300").parts[0].length == 100
    assert share("300", "0").parts[0].length == 0


def test_more_than_is_asked_for_stays_inside() -> None:
    counted, pending, possible = share("10", "9", "5", "5").parts
    assert counted.length + pending.length + possible.length == 100


def test_nothing_asked_for_is_all_there() -> None:
    assert share("0", "0").parts[0].length == 100
    assert share("0", "0").complete


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Decimal("41.00"), "41"),
        (Decimal("3.50"), "3.5"),
        (Decimal("0.25"), "0.25"),
        (Decimal(100), "100"),
        (Decimal(0), "0"),
        (Decimal(1200), "1,200"),
        (None, ""),
    ],
)
def test_credits_are_written_as_rules_write_them(amount: Decimal | None, written: str) -> None:
    assert figure(amount) == written


def test_a_ring_says_in_words_what_it_draws() -> None:
    page = drawn(share("76", "41", "7"))
    assert 'aria-label="应修 76 学分，已计入 41，申请中待定 7，此外还差 28"' in page
    assert re.search(r"<strong[^>]*>41</strong>/76", page)
    assert "+ 7 待定" in page
    english = drawn(share("76", "41"), language="en")
    assert 'aria-label="41 of 76 credits counted' in english
    assert not re.search(r"[一-鿿]", english)


def test_a_preview_shows_what_would_be_reached() -> None:
    page = drawn(share("76", "41", "0", "7"))
    assert re.search(r"<strong[^>]*>48</strong>/76", page)
    assert 'data-part="possible"' in page
    assert 'data-part="pending"' not in page


def test_a_bar_has_no_style_of_its_own_and_a_pattern_that_no_other_has() -> None:
    page = drawn(share("52", "35", "7"), tag="bar")
    assert "style=" not in page
    assert 'width="67.31%"' in page
    assert page.count('id="pending-LOG"') == 1
    assert 'fill="url(#pending-LOG)"' in page
