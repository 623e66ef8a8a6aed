"""R27, patents, software and practice (成果、专利).

Source C21: invention patent 6, utility model 2, software copyright 1; 32 hours in
the laboratory 1 credit, 64 hours 2.
"""

from __future__ import annotations

import pytest

from tests.recognition.make import against, given, outcome, rule, unknown

ACHIEVEMENT = rule(
    {"category": ["achievement"]},
    [
        {
            "category": "elective",
            "credits": {
                "table": {
                    "by": "fact:achievement",
                    "rows": [
                        {"is": ["invention"], "credits": "6"},
                        {"is": ["utility-model"], "credits": "2"},
                        {"is": ["software"], "credits": "1"},
                        {
                            "is": ["laboratory"],
                            "credits": {
                                "round": {
                                    "amount": {"hours_per_credit": "32"},
                                    "step": "1",
                                    "mode": "down",
                                }
                            },
                        },
                    ],
                }
            },
        }
    ],
)


@pytest.mark.parametrize(
    ("what", "credits"), [("invention", "6"), ("utility-model", "2"), ("software", "1")]
)
def test_an_achievement_counts_by_what_it_is(what: str, credits: str) -> None:
    held = outcome("A", category="achievement", facts={"achievement": what})
    assert given(ACHIEVEMENT, held) == {"elective": credits}


@pytest.mark.parametrize(("hours", "credits"), [("32", "1"), ("63", "1"), ("64", "2")])
def test_hours_in_the_laboratory_count_by_the_thirty_two(hours: str, credits: str) -> None:
    held = outcome("A", category="achievement", hours=hours, facts={"achievement": "laboratory"})
    assert given(ACHIEVEMENT, held) == {"elective": credits}


def test_too_few_hours_give_nothing() -> None:
    held = outcome("A", category="achievement", hours="31", facts={"achievement": "laboratory"})
    assert set(against(ACHIEVEMENT, held)) == {"nothing-given"}


def test_an_achievement_that_nobody_has_looked_at_is_for_a_person() -> None:
    assert unknown(ACHIEVEMENT, outcome("A", category="achievement")) == {"fact-unknown"}
