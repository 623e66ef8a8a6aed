"""How days and figures are reckoned."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from creditbank.recognition.engine import amounts
from creditbank.recognition.language import figures


@pytest.mark.parametrize(
    ("start", "period", "last"),
    [
        (date(2019, 6, 30), {"years": 7}, date(2026, 6, 30)),
        (date(2020, 2, 29), {"years": 1}, date(2021, 2, 28)),
        (date(2020, 2, 29), {"years": 4}, date(2024, 2, 29)),
        (date(2025, 12, 31), {"months": 2}, date(2026, 2, 28)),
        (date(2025, 11, 30), {"months": 3}, date(2026, 2, 28)),
        (date(2026, 1, 31), {"months": 12}, date(2027, 1, 31)),
        (date(2026, 2, 28), {"months": 1}, date(2026, 3, 28)),
        (date(2026, 12, 31), {"days": 1}, date(2027, 1, 1)),
        (date(9990, 1, 1), {"years": 50}, date.max),
        (date(9999, 12, 30), {"days": 9}, date.max),
    ],
)
def test_the_last_day_of_a_period(start: date, period: dict[str, int], last: date) -> None:
    assert figures.last_day(start, **period) == last


@pytest.mark.parametrize(
    ("until", "begun"),
    [
        (date(2023, 6, 30), 0),
        (date(2023, 7, 1), 1),
        (date(2024, 6, 30), 1),
        (date(2024, 7, 1), 2),
        (date(2020, 1, 1), 0),
    ],
)
def test_years_that_have_begun_after_three(until: date, begun: int) -> None:
    assert figures.years_begun(date(2020, 6, 30), until, after=3) == begun


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("86", Decimal(86)),
        (" 86.5 ", Decimal("86.5")),
        ("0", Decimal(0)),
        ("", None),
        ("-1", None),
        ("1e3", None),
        ("８６", None),
        ("86分", None),
        ("NaN", None),
        ("1_000", None),
        ("86.", None),
    ],
)
def test_a_figure_is_read_as_institutions_write_it(text: str, value: Decimal | None) -> None:
    assert figures.number(text) == value


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-02-28", date(2026, 2, 28)),
        ("2026-02-29", None),
        ("20260228", None),
        ("2026-W09-6", None),
        ("", None),
    ],
)
def test_a_day_is_read_or_not(text: str, day: date | None) -> None:
    assert figures.day(text) == day


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("3.50"), "3.5"),
        (Decimal("100"), "100"),
        (Decimal("0.00"), "0"),
        (Fraction(145, 2), "72.5"),
        (Fraction(1, 3), "0.3333"),
        (Decimal("1E+2"), "100"),
    ],
)
def test_a_figure_is_written_without_superfluous_zeroes(value: Decimal, text: str) -> None:
    assert figures.written(value) == text


@pytest.mark.parametrize(
    ("value", "credits"),
    [
        (Fraction(1, 3), "0.33"),
        (Fraction(2, 3), "0.66"),
        (Fraction(3), "3.00"),
        (Fraction(-1), "0.00"),
        (Fraction(999, 1000), "0.99"),
    ],
)
def test_credits_are_rounded_down_to_a_hundredth(value: Fraction, credits: str) -> None:
    assert figures.credits_of(value) == Decimal(credits)


@pytest.mark.parametrize(
    ("value", "mode", "rounded"),
    [
        ("2.74", "down", "2.5"),
        ("2.75", "half-up", "3"),
        ("2.74", "half-up", "2.5"),
        ("2.51", "up", "3"),
        ("2.5", "up", "2.5"),
        ("2.5", "down", "2.5"),
    ],
)
def test_rounding_to_halves(value: str, mode: str, rounded: str) -> None:
    assert amounts.rounded(Fraction(value), Fraction(1, 2), mode) == Fraction(rounded)
