"""R12, the qualification level (资历等级).

Source C27: only the same level and the same or a similar name; a certificate of
graduate class may go to 专 and 本 both. The numbers of the levels have no source.
"""

from __future__ import annotations

import pytest

from tests.recognition.make import against, given, outcome, programme, rule, unknown

JUNIOR, BACHELOR = programme(level="4"), programme(level="5")
SAME = rule({"all": [{"item": ["C"]}, {"level": {"same_as": "programme"}}]})
FROM_FOUR = rule({"all": [{"item": ["C"]}, {"level": {"framework": "qf/1", "min": 4, "max": 6}}]})


def test_the_same_level_is_enough() -> None:
    assert given(SAME, outcome("C", level="4"), programme=JUNIOR) == {"MATH-115": "3"}
    assert given(SAME, outcome("C", level="5"), programme=BACHELOR) == {"MATH-115": "3"}


@pytest.mark.parametrize(("level", "change"), [("4", "+1"), ("6", "-1")])
def test_a_level_above_or_below_is_refused(level: str, change: str) -> None:
    assert against(SAME, outcome("C", level=level), programme=BACHELOR) == {
        "level": (f"qf/1 {level}", "qf/1 5", change)
    }


def test_the_same_number_in_another_framework_is_not_the_same_level() -> None:
    held = outcome("C", framework="hkqf/2", level="5")
    assert against(SAME, held, programme=BACHELOR) == {"level": ("hkqf/2 5", "qf/1 5", "")}


@pytest.mark.parametrize("level", ["4", "5", "6"])
def test_a_span_of_levels_holds_both_its_ends(level: str) -> None:
    assert given(FROM_FOUR, outcome("C", level=level)) == {"MATH-115": "3"}


@pytest.mark.parametrize(("level", "change"), [("3", "+1"), ("7", "-1")])
def test_outside_the_span_is_refused(level: str, change: str) -> None:
    assert against(FROM_FOUR, outcome("C", level=level)) == {
        "level": (f"qf/1 {level}", "qf/1 4 – 6", change)
    }


def test_a_graduate_certificate_goes_to_both() -> None:
    graduate = rule(
        {
            "all": [
                {"item": ["C"]},
                {
                    "any": [
                        {"level": {"same_as": "programme"}},
                        {"level": {"framework": "qf/1", "min": 6}},
                    ]
                },
            ]
        }
    )
    for target in (JUNIOR, BACHELOR):
        assert given(graduate, outcome("C", level="6"), programme=target) == {"MATH-115": "3"}


def test_a_level_in_a_framework_that_says_nothing_of_this_one_is_for_a_person() -> None:
    assert unknown(FROM_FOUR, outcome("C", framework="hkqf/2", level="5")) == {"level-unknown"}
    assert unknown(SAME, outcome("C", framework="", level="")) == {"level-unknown"}
