"""R28, work experience (工作经历).

Sources C3: accepted in place of credits; K6: a qualification for experience alone
is not. That it counts up to twofold has no source, nor have the years.
"""

from __future__ import annotations

import pytest

from tests.recognition.make import against, course, findings, given, outcome, programme, rule

PRACTICE = programme(course("PRACTICE", "6"))
TWOFOLD = rule(
    {"kind": ["work-experience"]},
    [
        {
            "course": "PRACTICE",
            "credits": {
                "table": {
                    "by": "fact:years",
                    "rows": [
                        {"from": "1", "until": "2.9999", "credits": {"of": "bank"}},
                        {
                            "from": "3",
                            "until": "4.9999",
                            "credits": {"times": {"amount": {"of": "bank"}, "by": "1.5"}},
                        },
                        {"from": "5", "credits": {"times": {"amount": {"of": "bank"}, "by": "2"}}},
                    ],
                }
            },
        }
    ],
)
EXAMINED = rule(
    {"all": [{"kind": ["work-experience"]}, {"held": {"kind": ["skill-level", "x-certificate"]}}]},
    [{"course": "PRACTICE", "credits": {"of": "bank"}}],
)


@pytest.mark.parametrize(
    ("years", "credits"),
    [("1", "3"), ("2.5", "3"), ("3", "4.5"), ("4", "4.5"), ("5", "6"), ("20", "6")],
)
def test_experience_multiplies_up_to_twofold(years: str, credits: str) -> None:
    held = outcome("W", kind="work-experience", credits="3", facts={"years": years})
    assert given(TWOFOLD, held, programme=PRACTICE) == {"PRACTICE": credits}


def test_too_little_experience_is_refused() -> None:
    held = outcome("W", kind="work-experience", facts={"years": "0.9"})
    assert set(against(TWOFOLD, held, programme=PRACTICE)) == {"no-row"}


def test_another_kind_of_outcome_is_not_work() -> None:
    assert findings(TWOFOLD, outcome("W", kind="training"), programme=PRACTICE) == []


def test_elsewhere_experience_alone_is_not_enough() -> None:
    work = outcome("W", kind="work-experience", credits="3")
    examined = outcome("S", kind="skill-level", skill_level="3")
    assert given(EXAMINED, work, held=(work, examined), programme=PRACTICE) == {"PRACTICE": "3"}
    assert set(against(EXAMINED, work, held=(work,), programme=PRACTICE)) == {"held"}
