"""R20, what must be earned at the owner itself (本校最低学分).

Sources: K1, at least 18 accredited credits; K5, at least 84 at the university that
confers; U20, at least 25 %; H6, at least 70 %.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from creditbank.recognition.language.programmes import Programme
from tests.recognition.make import course, outcome, programme, rule
from tests.recognition.planned import kept_out, line, obstacles, planned

COUNT = rule({"kind": ["course"]}, [{"category": "all", "credits": {"of": "bank"}}])


def college(total: str, constraints: Any) -> Programme:
    return programme(
        course("A", category="all"),
        total=total,
        categories=[{"code": "all", "title": "t", "title_en": "t", "credits": total}],
        constraints=constraints,
    )


@pytest.mark.parametrize(
    ("total", "residency", "most"),
    [
        ("140", {"credits": "18"}, "122"),
        ("140", {"credits": "84"}, "56"),
        ("120", {"percent": 25}, "90"),
        ("60", {"percent": 70}, "18"),
        ("100.01", {"percent": 25}, "75"),
    ],
)
def test_recognition_leaves_room_for_it_and_for_no_more(
    total: str, residency: dict[str, Any], most: str
) -> None:
    here = college(total, [{"residency": residency}])
    assert planned([COUNT], outcome(credits=most), programme=here).credits == Decimal(most)
    more = outcome(credits=str(Decimal(most) + Decimal("0.01")))
    made = planned([COUNT], more, programme=here)
    assert made.credits == 0
    assert kept_out(made, more) == [("residency", "P-1/constraints/0/residency")]
    assert obstacles(made, more)[0].most == Decimal(most)


def test_in_a_rule_it_is_about_all_recognition_too() -> None:
    here = college("140", None)
    asking = rule(
        {"item": ["ONE"]},
        [{"category": "all", "credits": {"of": "bank"}}],
        code="R-2",
        constraints=[{"residency": {"credits": "84"}}],
    )
    one, two = outcome("ONE", credits="26"), outcome("TWO", credits="31", kind="training")
    other = rule({"kind": ["training"]}, [{"category": "all", "credits": {"of": "bank"}}])
    made = planned([asking, other], one, two, programme=here)
    assert made.credits == 31
    assert kept_out(made, one) == [("residency", "R-2/constraints/0/residency")]


def test_what_was_recognised_before_takes_of_the_room() -> None:
    here = college("140", [{"residency": {"credits": "18"}}])
    before, now = outcome("BEFORE"), outcome("NOW", credits="22")
    fits = [line(before, category="all", credits="100")]
    assert planned([COUNT], before, now, programme=here, earlier=fits).credits == 22
    over = [line(before, category="all", credits="100.01")]
    assert planned([COUNT], before, now, programme=here, earlier=over).credits == 0
