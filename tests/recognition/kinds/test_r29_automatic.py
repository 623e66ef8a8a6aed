"""R29, recognition without an application (免申请), as far as the rule says who decides.

Source C26: who holds a bachelor's degree gets all public courses without applying,
and so do graduates of full-time junior colleges. How it is carried out without a
request is tested where requests are.
"""

from __future__ import annotations

from creditbank.recognition.engine.evaluation import decided_by
from creditbank.recognition.language.rules import Rule
from tests.recognition.make import course, finding, outcome, programme, rule

COURSES = programme(
    course("PUBLIC-1", "3", "liberal", tags=["public"]),
    course("PUBLIC-2", "2", "liberal", tags=["public"]),
    course("MAJOR-1"),
)


def degree(mode: str) -> Rule:
    return rule(
        {"all": [{"item": ["BACHELOR"]}, {"score": {"min": "60"}}]},
        [{"courses": {"tag": "public"}}],
        procedure={"mode": mode},
    )


def test_a_degree_gives_all_public_courses_by_the_rule_itself() -> None:
    found = finding(degree("automatic"), outcome("BACHELOR", score="60"), programme=COURSES)
    assert [grant.course for grant in found.grants] == ["PUBLIC-1", "PUBLIC-2"]
    assert decided_by(degree("automatic"), found) == "rule"


def test_a_refusal_is_the_rules_too() -> None:
    found = finding(degree("automatic"), outcome("BACHELOR", score="59"), programme=COURSES)
    assert decided_by(degree("automatic"), found) == "rule"


def test_what_is_not_known_is_never_decided_by_the_rule() -> None:
    found = finding(degree("automatic"), outcome("BACHELOR"), programme=COURSES)
    assert decided_by(degree("automatic"), found) == "person"


def test_a_rule_with_review_is_decided_by_people() -> None:
    found = finding(degree("review"), outcome("BACHELOR", score="60"), programme=COURSES)
    assert decided_by(degree("review"), found) == "person"
