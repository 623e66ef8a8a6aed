"""R19, a share at most (比例上限).

Sources: C11, Beijing, at most 50 % of the credits for graduation; H4, 50 %; H6,
30 %; U20, 65 %. The share is of the total of that version of the programme.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from creditbank.recognition.language.programmes import Programme
from tests.recognition.make import course, outcome, programme, rule
from tests.recognition.planned import chosen, kept_out, line, obstacles, planned


def college(total: str, **share: Any) -> Programme:
    return programme(
        course("A", category="all"),
        total=total,
        categories=[{"code": "all", "title": "t", "title_en": "t", "credits": total}],
        constraints=[{"share": share}],
    )


COUNT = rule({"kind": ["course"]}, [{"category": "all", "credits": {"of": "bank"}}])


def test_the_best_subset_below_half_is_taken_and_not_the_first() -> None:
    beijing = college("140", percent=50)
    first = outcome("FIRST", credits="40", completed="2020-01-01")
    one, two = outcome("ONE", credits="35"), outcome("TWO", credits="35")
    made = planned([COUNT], first, one, two, programme=beijing)
    assert made.credits == 70
    assert [line_.leaves for line_ in made.lines] == [(one.leaf,), (two.leaf,)]
    (found,) = obstacles(made, first)
    assert (found.code, found.holder, found.pointer) == ("share", "P-1", "/constraints/0/share")
    assert (str(found.most), str(found.drawn)) == ("70.00", "70.00")


@pytest.mark.parametrize(
    ("total", "percent", "most"), [("140", 50, "70"), ("120", 30, "36"), ("120", 65, "78")]
)
def test_the_share_itself_is_allowed_and_a_hundredth_more_is_not(
    total: str, percent: int, most: str
) -> None:
    here = college(total, percent=percent)
    assert planned([COUNT], outcome(credits=most), programme=here).credits == Decimal(most)
    more = outcome(credits=str(Decimal(most) + Decimal("0.01")))
    made = planned([COUNT], more, programme=here)
    assert made.credits == 0
    assert kept_out(made, more) == [("share", "P-1/constraints/0/share")]


@pytest.mark.parametrize(
    ("share", "most"),
    [
        ({}, "42.39"),
        ({"step": "0.5"}, "42"),
        ({"step": "0.5", "mode": "half-up"}, "42.5"),
        ({"step": "1", "mode": "half-up"}, "42"),
        ({"step": "1", "mode": "up"}, "43"),
    ],
)
def test_a_share_that_is_no_round_figure_is_rounded_as_it_says(
    share: dict[str, str], most: str
) -> None:
    here = college("141.3", percent=30, **share)
    assert planned([COUNT], outcome(credits=most), programme=here).credits == Decimal(most)
    more = outcome(credits=str(Decimal(most) + Decimal("0.01")))
    assert planned([COUNT], more, programme=here).credits == 0


def test_what_was_recognised_before_is_part_of_the_share() -> None:
    here = college("100", percent=50)
    before, now = outcome("BEFORE"), outcome("NOW", credits="10")
    fits = [line(before, category="all", credits="40")]
    assert planned([COUNT], before, now, programme=here, earlier=fits).credits == 10
    over = [line(before, category="all", credits="40.01")]
    assert planned([COUNT], before, now, programme=here, earlier=over).credits == 0


def test_the_total_of_that_version_of_the_programme_counts() -> None:
    held = outcome("ONE", credits="61")
    assert chosen([COUNT], held, programme=college("120", percent=50)) == {}
    assert chosen([COUNT], held, programme=college("122", percent=50)) == {"ONE": {"all": "61"}}
