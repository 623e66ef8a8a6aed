"""R13, the field, the outcome's or the learner's own (专业类别).

Sources C20: NCRE 二级 is 2 credits for other majors and 1 for computing; K8: a
Korean qualification counts as major-required if it is related, and what is too
much does not spill into general credits. The codes of fields have no source.
"""

from __future__ import annotations

from tests.recognition.make import against, course, given, outcome, programme, rule, unknown

COMPUTING = programme(field="510201")
NURSING = programme(field="520201")
NCRE = rule(
    {"item": ["NCRE-2"]},
    [
        {
            "category": "elective",
            "credits": {
                "table": {
                    "by": "programme_field",
                    "rows": [{"is": ["510201", "510202"], "credits": "1"}],
                    "else": "2",
                }
            },
        }
    ],
)
RELATED = rule(
    {"all": [{"kind": ["skill-level"]}, {"field": ["NEV", "AUTO"]}]},
    [{"course": "MAJOR-1", "credits": {"of": "bank"}}],
)
MAJOR = programme(course("MAJOR-1", "3"))


def test_a_computer_certificate_is_worth_less_to_those_who_study_computing() -> None:
    assert given(NCRE, outcome("NCRE-2"), programme=COMPUTING) == {"elective": "1"}
    assert given(NCRE, outcome("NCRE-2"), programme=NURSING) == {"elective": "2"}


def test_a_related_qualification_counts_as_major_and_does_not_spill() -> None:
    related = outcome("Q", kind="skill-level", credits="20", fields=["AUTO", "STEEL"])
    assert given(RELATED, related, programme=MAJOR) == {"MAJOR-1": "3"}


def test_an_unrelated_one_is_refused_with_both_fields() -> None:
    other = outcome("Q", kind="skill-level", fields=["STEEL"])
    assert against(RELATED, other, programme=MAJOR) == {"field": ("STEEL", "NEV, AUTO", "")}


def test_a_field_that_is_not_known_is_for_a_person() -> None:
    assert unknown(RELATED, outcome("Q", kind="skill-level"), programme=MAJOR) == {"field-unknown"}


def test_a_rule_may_be_for_some_fields_of_study_only() -> None:
    of = rule({"all": [{"item": ["C"]}, {"programme_field": ["520201"]}]})
    assert given(of, outcome("C"), programme=NURSING) == {"MATH-115": "3"}
    assert against(of, outcome("C"), programme=COMPUTING) == {
        "programme-field": ("510201", "520201", "")
    }
