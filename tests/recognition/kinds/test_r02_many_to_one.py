"""R2, several courses for one (多对一).

Source C22: "one or several courses" → 1 course if content overlap ≥ 70 %.
"""

from __future__ import annotations

from creditbank.recognition.engine.findings import Verdict
from tests.recognition.make import course, findings, given, outcome, programme, rule

TARGET = programme(course("PROG", "4"))
LIKE = {"fact": {"name": "similarity", "min": "70"}}
TWO = rule(
    {
        "all": [
            {"outcome": {"all": [{"item": ["C-1"]}, LIKE]}},
            {"outcome": {"all": [{"item": ["C-2"]}, LIKE]}},
        ]
    },
    [{"course": "PROG", "credits": {"of": "bank"}}],
)


def test_both_together_give_the_course() -> None:
    one = outcome("C-1", credits="2", facts={"similarity": "70"})
    two = outcome("C-2", credits="1.5", facts={"similarity": "85"})
    found = findings(TWO, two, one, programme=TARGET)
    assert [use.leaves for use in found] == [(one.leaf, two.leaf)]
    assert given(TWO, one, two, programme=TARGET) == {"PROG": "3.5"}


def test_one_alone_gives_nothing_and_is_told_what_is_missing() -> None:
    (found,) = findings(TWO, outcome("C-1", facts={"similarity": "70"}), programme=TARGET)
    assert found.verdict is Verdict.REFUSED
    assert [(one.code, one.pointer) for one in found.reasons] == [
        ("source-missing", "/sources/all/1")
    ]


def test_the_same_outcome_does_not_stand_in_both_places() -> None:
    twice = rule(
        {"all": [{"outcome": {"item": ["C-1"]}}, {"outcome": {"item": ["C-1"]}}]},
        [{"course": "PROG", "credits": {"of": "bank"}}],
    )
    (found,) = findings(twice, outcome("C-1"), programme=TARGET)
    assert [one.code for one in found.reasons] == ["sources-not-distinct"]
    assert given(twice, outcome("C-1"), outcome("C-1", credits="0.5"), programme=TARGET) == {
        "PROG": "3.5"
    }


def test_overlap_counts_for_each_of_them() -> None:
    one = outcome("C-1", facts={"similarity": "69.9"})
    two = outcome("C-2", facts={"similarity": "70"})
    found = findings(TWO, one, two, programme=TARGET)
    assert {use.leaves: [reason.code for reason in use.reasons] for use in found} == {
        (one.leaf,): ["fact"],
        (two.leaf,): ["source-missing"],
    }
