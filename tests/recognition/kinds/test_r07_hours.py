"""R7, hours for credits (学时折算).

Sources C22: 16 h = 1; C25: theory 18 h, practice 36 h; H1: 10 h; E1: 25–30 h;
I6: 30 h. Korea's 15 h has no source. The rounding to 0.5 has none either.
"""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.recognition.language.rules import Rule
from tests.recognition.make import against, given, outcome, rule, unknown


def dividing(amount: Any) -> Rule:
    return rule({"item": ["H"]}, [{"category": "elective", "credits": amount}])


def hours(per_credit: str) -> Rule:
    return dividing({"hours_per_credit": per_credit})


@pytest.mark.parametrize("per_credit", ["16", "18", "36", "10", "25", "30", "15"])
def test_so_many_hours_are_one_credit(per_credit: str) -> None:
    assert given(hours(per_credit), outcome("H", hours=per_credit)) == {"elective": "1"}


@pytest.mark.parametrize(
    ("taken", "credits"),
    [("48", "3"), ("47", "2.93"), ("49", "3.06"), ("8", "0.5"), ("40.5", "2.53")],
)
def test_credits_are_rounded_down_to_a_hundredth(taken: str, credits: str) -> None:
    assert given(hours("16"), outcome("H", hours=taken)) == {"elective": credits}


@pytest.mark.parametrize(
    ("mode", "taken", "credits"),
    [
        ("down", "47", "2.5"),
        ("down", "48", "3"),
        ("half-up", "43", "2.5"),
        ("half-up", "44", "3"),
        ("up", "40.1", "3"),
        ("up", "40", "2.5"),
    ],
)
def test_a_rule_may_round_to_half_credits(mode: str, taken: str, credits: str) -> None:
    of = dividing({"round": {"amount": {"hours_per_credit": "16"}, "step": "0.5", "mode": mode}})
    assert given(of, outcome("H", hours=taken)) == {"elective": credits}


def test_a_third_of_a_credit_is_not_lost_on_the_way() -> None:
    three_thirds = dividing({"times": {"amount": {"hours_per_credit": "30"}, "by": "3"}})
    assert given(three_thirds, outcome("H", hours="10")) == {"elective": "1"}


def test_hours_that_are_not_known_are_for_a_person() -> None:
    assert unknown(hours("16"), outcome("H", hours="")) == {"hours-unknown"}
    assert unknown(hours("16"), outcome("H", hours="两周")) == {"hours-unknown"}


def test_what_is_rounded_to_nothing_is_refused() -> None:
    of = dividing({"round": {"amount": {"hours_per_credit": "16"}, "step": "0.5", "mode": "down"}})
    assert against(of, outcome("H", hours="7")) == {"nothing-given": ("0", "", "")}
